"""A real Socket.IO client in a thread of its own, for tests that are not asynchronous.

Applies no rule to what it hears; tests do.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self

import socketio

from e2e.deadline import eventually

TYPES = (
    "run.queued", "run.started", "run.delta", "run.ended",
    "chat.changed", "chat.deleted", "message.changed", "message.deleted",
)  # fmt: skip


class SocketClient:
    """Connected from entering to leaving; `events` grows as they come."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.events: list[dict[str, Any]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client = socketio.AsyncClient(reconnection=False)
        for name in TYPES:
            self._client.on(name, self.events.append)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._client.connect(self._origin, transports=["websocket"], wait_timeout=10))
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._client.disconnect())
        self._do(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def join(self, chat_id: str, **fields: Any) -> dict[str, Any]:
        """Join a chat and return the acknowledgement."""
        return self._do(self._client.call("chat.join", {"chat_id": chat_id, **fields}, timeout=10))

    def of_run(self, run_id: str) -> list[dict[str, Any]]:
        """Return the events of one run heard so far."""
        return [event for event in list(self.events) if event.get("run_id") == run_id]

    def until_ended(self, run_id: str, within_s: float = 30) -> list[dict[str, Any]]:
        """Return the events of a run when it has ended."""
        eventually(
            lambda: any(event["type"] == "run.ended" for event in self.of_run(run_id)),
            within_s,
            f"run.ended of {run_id}; heard {len(self.events)} events",
        )
        return self.of_run(run_id)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _settle(self) -> None:
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
