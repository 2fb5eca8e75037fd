"""A reader that follows one answer by SSE whatever crashes, and what its text came to in the end.

Kills nothing.
"""

import threading
import time
from dataclasses import dataclass, field
from itertools import takewhile

import httpx2

from e2e.rest import Json, server_sent

RETRY_S = 0.2
CHANNELS = ("reasoning", "content")
GONE = 410
NOTHING_MORE = 204


class Reader:
    """Follows one run by SSE from where it was, however often the connection breaks; keeps every event it was sent."""

    def __init__(self, url: str, run_id: str) -> None:
        self.run_id = run_id
        self.events: dict[int, Json] = {}
        self.problems: list[str] = []
        self.is_over = False  # nothing more is to be told: the stored message says the rest
        self._left = False
        self._url = url
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the end was told."""
        return any(event["type"] == "run.ended" for event in list(self.events.values()))

    def tokens(self) -> int:
        """Return how many deltas were told."""
        return sum(event["type"] == "run.delta" for event in list(self.events.values()))

    def close(self) -> None:
        """Read no longer."""
        self._left = True
        self._thread.join(10)

    def _read(self) -> None:
        with httpx2.Client(base_url=self._url, timeout=httpx2.Timeout(5, read=5), trust_env=False) as client:
            while not self._left and not self.ended:
                try:
                    path = f"/api/runs/{self.run_id}/events?after_seq={max(self.events, default=0)}"
                    with client.stream("GET", path) as answer:
                        if answer.status_code in {NOTHING_MORE, GONE}:
                            self.is_over = True
                            return
                        for event in server_sent(answer.iter_lines()):
                            self._take(event)
                except httpx2.TransportError:
                    pass
                time.sleep(RETRY_S)

    def _take(self, event: Json) -> None:
        if event["seq"] != max(self.events, default=0) + 1:
            self.problems.append(f"event {event['seq']} after {max(self.events, default=0)}")
        self.events[event["seq"]] = event


@dataclass
class Tally:
    """What answers have come to. `from_events`: those whose every event could be read after their end.

    `lost`: characters that were shown and are not in the stored text at their place, or that no event tells; `doubled`:
    characters that the events tell and the stored text has not.
    """

    answers: int = 0
    in_flight: int = 0
    continued: int = 0
    characters: int = 0
    lost: int = 0
    doubled: int = 0
    ends: int = 0
    from_events: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def line(self, rounds: int) -> str:
        """Return all of it in one line."""
        return (
            f"{rounds} rounds: {self.answers} answers, {self.in_flight} of them in flight at a kill, "
            f"{self.continued} times gone on, {self.characters} characters, {self.lost} lost, {self.doubled} doubled, "
            f"{self.ends} ends ({self.from_events} read from the events, the others from the stored message), "
            f"{len(self.problems)} problems"
        )


def text_of(events: list[Json], channel: str) -> str:
    """Return the text of a channel that these events tell."""
    return "".join(
        event["text"] for event in events if event["type"] == "run.delta" and event["channel"] == channel
    )


def tally_of(reader: Reader, events: list[Json] | None, stored: Json) -> Tally:
    """Compare what a reader was shown with all events of the run (None: not known any more) and the stored message."""
    shown = [event for _, event in sorted(reader.events.items())]
    found = Tally(answers=1, continued=stored["metadata"].get("continued", 0))
    problems = found.problems = list(reader.problems)
    known = {event["seq"]: event for event in events or ()}
    if events is not None:
        found.from_events = 1
        found.ends = sum(event["type"] == "run.ended" for event in events)
        problems += [
            f"shown was {event}, it is {known.get(event['seq'])}"
            for event in shown
            if known.get(event["seq"]) != event
        ]
        if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
            problems.append("numbers with a hole")
    else:
        found.ends = 1
    for channel in CHANNELS:
        text = stored[channel]
        seen, told = text_of(shown, channel), text_of(events or [], channel)
        found.characters += len(text)
        found.lost += len(seen) - _common(seen, text)
        if events is not None and told != text:
            found.doubled += max(0, len(told) - len(text))
            found.lost += max(0, len(text) - len(told))
            problems.append(f"{channel} told was {told!r}, stored is {text!r}")
        if not text.startswith(seen):
            problems.append(f"{channel} shown was {seen!r}, stored is {text!r}")
    if found.ends != 1:
        problems.append(f"{found.ends} ends")
    return found


def _common(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
