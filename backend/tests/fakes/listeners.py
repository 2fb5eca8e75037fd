"""Listeners that write down what they hear: of events, and of runs that are to stop."""

from collections.abc import Sequence
from typing import Any

from app.repositories.storage import Storage
from app.schemas.message import Message
from app.schemas.run import Run


class HeardEvents:
    """An event sink that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []

    def run_events(self, _user_id: str, _chat_id: str | None, _events: Sequence[Any]) -> None:
        raise AssertionError("chats and messages have no numbered events")

    def user_event(self, user_id: str, event: dict[str, Any]) -> None:
        self.heard.append((user_id, event))

    @property
    def types(self) -> list[str]:
        return [event["type"] for _, event in self.heard]


class StoppableRuns:
    """Runs as rows alone: stopping one ends its row."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.stopped: list[str] = []

    async def stop_for_delete(self, _user_id: str, run_id: str) -> None:
        async with self._storage.write() as unit:
            assert await unit.runs.move(run_id, to="stopped")
        self.stopped.append(run_id)

    def present(self, run: Run) -> Run:
        return run

    def present_message(self, message: Message) -> Message:
        return message
