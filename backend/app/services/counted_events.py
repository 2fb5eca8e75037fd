"""An event sink that counts what goes through it. Sends nothing itself and changes nothing."""

from collections.abc import Sequence
from typing import Any

from app.ports import EventSink
from app.schemas.numbered import Delta, Ended, Numbered
from app.utils.measures import Measures


class CountedEvents:
    """Hands events on, and counts deltas and ends; implements `ports.EventSink`."""

    def __init__(self, sink: EventSink, measures: Measures) -> None:
        self._sink = sink
        self._measures = measures

    def run_events(self, user_id: str, chat_id: str | None, events: Sequence[Numbered]) -> None:
        """Hand numbered events on. See the port."""
        self._sink.run_events(user_id, chat_id, events)
        for event in events:
            if isinstance(event, Delta):
                self._measures.deltas += 1
            elif isinstance(event, Ended):
                self._measures.runs_ended.labels(event.outcome).inc()

    def user_event(self, user_id: str, event: dict[str, Any]) -> None:
        """Hand an unnumbered event on. See the port."""
        self._sink.user_event(user_id, event)
