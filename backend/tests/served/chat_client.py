"""A Socket.IO client that follows one chat by the rule of the contract, and writes down what it hears."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import socketio

WITHIN_S = 15.0


class ChatClient:
    """Folds events: `seq <= mine` is dropped, `mine + 1` applied, anything else is a gap to join again for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: list[dict[str, Any]] = []
        self.text = {"content": "", "reasoning": ""}
        self.seq = 0
        self.run_id: str | None = None
        self.ended: dict[str, Any] | None = None
        self.gaps = 0
        self._news = asyncio.Event()
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("*", self._hear)

    async def __aenter__(self) -> Self:
        await self._socket.connect(self.url, transports=["websocket"])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.disconnect()

    async def call(self, event: str, payload: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        answer: dict[str, Any] = await self._socket.call(event, payload, timeout=WITHIN_S)
        return answer

    async def join(self, chat_id: str, **more: Any) -> dict[str, Any]:
        """Join a chat and take what it answers."""
        answer = await self.call("chat.join", {"chat_id": chat_id, **more})
        assert answer["ok"], answer
        if "events" in answer:
            for event in answer["events"]:
                self.fold(event)
        elif answer["run"] is not None:
            run = answer["run"]
            self.run_id, self.seq = run["run_id"], run["seq"]
            self.text = {"content": run["content"], "reasoning": run["reasoning"]}
        return answer

    def fold(self, event: dict[str, Any]) -> None:
        """Apply a numbered event by the rule."""
        if event["run_id"] != self.run_id:
            if self.run_id is not None and event["seq"] != 1:
                return
            self.run_id, self.seq, self.ended = event["run_id"], 0, None
            self.text = {"content": "", "reasoning": ""}
        if event["seq"] <= self.seq:
            return
        if event["seq"] != self.seq + 1:
            self.gaps += 1
            return
        self.seq = event["seq"]
        if event["type"] == "run.delta":
            self.text[event["channel"]] += event["text"]
        elif event["type"] == "run.ended":
            self.ended = event
            self.text = {name: event["message"][name] for name in self.text}

    def of_run(self, run_id: str) -> list[dict[str, Any]]:
        """Return the numbered events heard of a run, in the order they came."""
        return [event for event in self.heard if event.get("run_id") == run_id]

    async def until(self, is_so: Callable[[Self], bool]) -> None:
        """Wait until something is so, looking after each event."""
        async with asyncio.timeout(WITHIN_S):
            while not is_so(self):
                self._news.clear()
                await self._news.wait()

    async def until_ended(self) -> dict[str, Any]:
        """Wait for the end of the run and return its event."""
        await self.until(lambda client: client.ended is not None)
        assert self.ended is not None
        return self.ended

    async def _hear(self, event: str, *args: Any) -> None:
        assert len(args) == 1
        assert args[0]["type"] == event
        self.heard.append(args[0])
        if "seq" in args[0]:
            self.fold(args[0])
        self._news.set()
