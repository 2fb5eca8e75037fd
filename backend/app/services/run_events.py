"""The events of one run and how much of them may be seen: their text, what comes after a number, where it goes on.

Numbers nothing and sends nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import chain

from app.schemas.numbered import Delta, Ended, Numbered, Started
from app.services.run_seam import Seam


class RunEvents:
    """Everything up to a number is visible, and nothing after it."""

    def __init__(self) -> None:
        self._events: list[Numbered] = []
        self._ids: list[tuple[int, ...]] = []  # of each event, as long as the run may have to go on
        self._prompt_ids: tuple[int, ...] = ()
        self._visible = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def seq(self) -> int:
        """The number of the last visible event."""
        return self._visible

    @property
    def ended(self) -> bool:
        """Whether `run.ended` is visible."""
        return bool(self._visible) and isinstance(self._events[self._visible - 1], Ended)

    def __len__(self) -> int:
        return len(self._events)

    def seam(self, up_to: int | None = None) -> Seam:
        """Return where the visible text (of events up to `up_to`) ends, for an engine to go on from there."""
        visible = self._events[: self._visible if up_to is None else min(up_to, self._visible)]
        deltas = [event for event in visible if isinstance(event, Delta)]
        known = zip(visible, self._ids, strict=False)
        ids = [ids for event, ids in known if isinstance(event, Delta)]
        generated = tuple(chain.from_iterable(ids))
        starts = [event.seq for event in visible if isinstance(event, Started)]
        last = deltas[-1].seq if deltas else 0
        return Seam(
            prompt_ids=self._prompt_ids,
            generated_ids=generated,
            is_exact=bool(self._prompt_ids) and bool(ids) and bool(ids[-1]),
            has_text=bool(deltas),
            inside_thought=bool(deltas) and deltas[-1].channel == "reasoning",
            starts=len(starts),
            fruitless=sum(seq > last for seq in starts),
            tokens=max(len(generated), len(deltas)),
        )

    def text(self, seq: int) -> tuple[str, str]:
        """Return (reasoning, content) of the visible events up to `seq`."""
        parts: dict[str, list[str]] = {"reasoning": [], "content": []}
        for event in self._events[: min(seq, self._visible)]:
            if isinstance(event, Delta):
                parts[event.channel].append(event.text)
        return "".join(parts["reasoning"]), "".join(parts["content"])

    def events_after(self, seq: int) -> Sequence[Numbered]:
        """Return the visible events after `seq`."""
        return self._events[seq : self._visible] if seq < self._visible else []

    async def follow(self, seq: int) -> AsyncGenerator[Sequence[Numbered], None]:
        """Give the events after `seq`, then new ones as they become visible, until `run.ended`."""
        while True:
            fresh = self.events_after(seq)
            if fresh:
                seq = self._visible
                yield fresh
            if self.ended and seq >= self._visible:
                return
            if seq >= self._visible:
                await self._change()

    @property
    def _next(self) -> int:
        return len(self._events) + 1

    def _change(self) -> asyncio.Future[None]:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return waiting

    def _wake(self) -> None:
        for waiting in tuple(self._waiting):
            if not waiting.done():
                waiting.set_result(None)
