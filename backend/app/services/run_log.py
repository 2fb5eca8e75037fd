"""The event log of one run: merges text, numbers events, keeps them, shows them once they are safe.

Knows neither what makes events safe nor where they are sent.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from app.errors import Unavailable
from app.ports import EventSink, Journal, LogSnapshot
from app.schemas.numbered import Delta, Ended, Numbered, Queued, QueueReason, Started
from app.schemas.run import Channel, Outcome

MIN_INTERVAL_S = (
    0.016  # one frame at 60 Hz: costs nothing at 50 tokens a second, cuts messages 8 times at 500
)


class RunLog:
    """See `ports.RunLog`.

    A first delta goes out at once. One that follows within `MIN_INTERVAL_S` waits for the rest of it and takes
    along what else comes in on its channel; a change of channel ends the wait.
    """

    def __init__(
        self,
        *,
        user_id: str,
        chat_id: str | None,
        run_id: str,
        message_id: str | None,
        journal: Journal,
        sink: EventSink,
        monotonic: Callable[[], float],
    ) -> None:
        self.user_id = user_id
        self.chat_id = chat_id
        self.run_id = run_id
        self.message_id = message_id
        self._journal = journal
        self._sink = sink
        self._monotonic = monotonic
        self._events: list[Numbered] = []
        self._visible = 0
        self._failure: Unavailable | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._tail_channel: Channel = "content"
        self._tail: list[str] = []
        self._tail_ids: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._quiet_until = 0.0

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

    # --- written by the generation task -------------------------------------------------------------------

    def prompt(self, token_ids: Sequence[int]) -> None:
        """Keep the tokens of the prompt beside the events."""
        self._journal.prompt(self, token_ids)

    def write(self, channel: Channel, text: str, token_ids: Sequence[int] = ()) -> None:
        """Add text from one socket read. Tokens without a text of their own go with the text after them."""
        if self._tail and channel != self._tail_channel:
            self._seal()
        self._tail_ids.extend(token_ids)
        if not text:
            return
        self._tail_channel = channel
        self._tail.append(text)
        wait = self._quiet_until - self._monotonic()
        if wait <= 0:
            self._seal()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._seal)

    def queued(self, position: int | None, reason: QueueReason) -> None:
        """Append `run.queued`."""
        self._seal()
        self._append(
            Queued(self.chat_id, self.run_id, self.message_id, self._next, position=position, reason=reason)
        )

    def started(self, *, model: str, parent_id: str | None, continued: int, continues: str | None) -> None:
        """Append `run.started`."""
        self._seal()
        self._append(
            Started(
                self.chat_id,
                self.run_id,
                self.message_id,
                self._next,
                model=model,
                parent_id=parent_id,
                continued=continued,
                continues=continues,
            )
        )

    def drop_tail(self) -> None:
        """Forget text that has no number yet."""
        self._stop_timer()
        self._tail.clear()
        self._tail_ids.clear()

    async def settled(self) -> None:
        """Number what is left and wait until everything is visible.

        Raises:
            Unavailable: it cannot be made safe.
        """
        self._seal()
        while self._visible < len(self._events):
            if self._failure is not None:
                raise self._failure
            await self._change()

    def end(self, *, outcome: Outcome, text_seq: int, message: dict[str, Any]) -> None:
        """Publish the one `run.ended`. What could not be made safe is given up: nobody has seen it."""
        self.drop_tail()
        del self._events[self._visible :]
        self._events.append(
            Ended(
                self.chat_id,
                self.run_id,
                self.message_id,
                self._next,
                outcome=outcome,
                text_seq=text_seq,
                message=message,
            )
        )
        self.durable(len(self._events))

    # --- told by the journal ------------------------------------------------------------------------------

    def durable(self, seq: int) -> None:
        """Make everything up to `seq` visible and send it."""
        seq = min(seq, len(self._events))
        if seq <= self._visible:
            return
        fresh = self._events[self._visible : seq]
        self._visible = seq
        self._sink.run_events(self.user_id, self.chat_id, fresh)
        self._wake()

    def undurable(self, error: Unavailable) -> None:
        """Remember that nothing more can be made safe."""
        self._failure = error
        self._wake()

    # --- read by anybody ----------------------------------------------------------------------------------

    def snapshot(self) -> LogSnapshot:
        """Number the unmerged tail, so that no later delta repeats it, and return what is visible."""
        self._seal()
        reasoning, content = self.text(self._visible)
        return LogSnapshot(self._visible, content, reasoning)

    def text(self, seq: int) -> tuple[str, str]:
        """Return (reasoning, content) of the visible events up to `seq`."""
        parts: dict[Channel, list[str]] = {"reasoning": [], "content": []}
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

    # --- inside -------------------------------------------------------------------------------------------

    @property
    def _next(self) -> int:
        return len(self._events) + 1

    def _seal(self) -> None:
        self._stop_timer()
        if not self._tail:
            return
        event = Delta(
            self.chat_id,
            self.run_id,
            self.message_id,
            self._next,
            channel=self._tail_channel,
            text="".join(self._tail),
        )
        ids = tuple(self._tail_ids)
        self._tail.clear()
        self._tail_ids.clear()
        self._quiet_until = self._monotonic() + MIN_INTERVAL_S
        self._append(event, ids)

    def _append(self, event: Numbered, token_ids: Sequence[int] = ()) -> None:
        self._events.append(event)
        self._journal.add(self, event, token_ids)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _change(self) -> asyncio.Future[None]:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)
        return waiting

    def _wake(self) -> None:
        for waiting in tuple(self._waiting):
            if not waiting.done():
                waiting.set_result(None)
