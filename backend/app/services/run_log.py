"""The event log of one run: merges text, numbers events, shows them once they are safe.

Knows neither what makes events safe nor where they are sent.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from app.errors import Unavailable
from app.ports import EventSink, Journal, JournaledRun, LogSnapshot
from app.schemas.numbered import Delta, Ended, Numbered, Queued, QueueReason, Started
from app.schemas.run import Channel, Outcome
from app.services.held_journal import HeldJournal
from app.services.run_events import RunEvents
from app.services.run_tail import Tail

REWRITTEN_AT_ONCE = 250  # events: less than a millisecond of the loop
MIN_INTERVAL_S = (
    0.016  # one frame at 60 Hz: costs nothing at 50 tokens a second, cuts messages 8 times at 500
)


class RunLog(RunEvents):
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
        kept: bool = True,
    ) -> None:
        super().__init__()
        self.user_id = user_id
        self.chat_id = chat_id
        self.run_id = run_id
        self.message_id = message_id
        self.kept = kept
        self._journal = journal
        self._sink = sink
        self._monotonic = monotonic
        self._failure: Unavailable | None = None
        self._tail = Tail()
        self._timer: asyncio.TimerHandle | None = None
        self._quiet_until = 0.0

    # --- written by the generation task -------------------------------------------------------------------

    def prompt(self, token_ids: Sequence[int]) -> None:
        """Keep the tokens of the prompt beside the events."""
        self._prompt_ids = tuple(token_ids)
        self._journal.prompt(self, token_ids)

    def write(self, channel: Channel, text: str, token_ids: Sequence[int] = ()) -> None:
        """Add text from one socket read.

        Tokens without a text of their own go with the text after them: the tokens of an event end where its text ends.
        """
        switched = bool(text) and channel != self._tail.channel
        if switched:
            self._seal()
        if not self._tail.add(channel, text, token_ids):
            return
        wait = self._quiet_until - self._monotonic()
        if wait <= 0 or switched:  # what one read brought of two channels becomes safe together
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
        self._ids.clear()
        self._failure = None
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
        if seq <= self._visible or self._failure is not None:
            return
        fresh = self._events[self._visible : seq]
        self._visible = seq
        self._sink.run_events(self.user_id, self.chat_id, fresh)
        self._wake()

    def release(self) -> None:
        """Have what was held back made safe, and from now on everything at once."""
        if isinstance(self._journal, HeldJournal):
            self._journal = self._journal.released()

    def undurable(self, error: Unavailable) -> None:
        """Remember that nothing more can be made safe."""
        self._failure = error
        self._wake()

    # --- for going on after a crash -----------------------------------------------------------------------

    def restore(self, known: JournaledRun) -> None:
        """Take up what a journal knows of the run, which is visible already, and journal it anew."""
        self._events = list(known.events)
        self._ids = list(known.token_ids)
        self._prompt_ids = known.prompt_ids
        self._visible = len(self._events)
        done: int | None = 0
        while done is not None:
            done = self.journal_again(done)

    def recall(self, events: Sequence[Numbered]) -> None:
        """Take up all events of a run that has ended: everybody may see them, and nothing is written any more."""
        self._events = list(events)
        self._visible = len(self._events)

    def journal_again(self, done: int) -> int | None:
        """Write the events after the first `done` ones to the journal once more, a bounded number of them.

        Returns how many are done then, or None when all are.
        """
        if not done and self._prompt_ids:
            self._journal.prompt(self, self._prompt_ids)
        until = done + REWRITTEN_AT_ONCE
        for event, ids in zip(self._events[done:until], self._ids[done:until], strict=False):
            self._journal.add(self, event, ids)
        return until if until < len(self._ids) else None

    @property
    def failure(self) -> Unavailable | None:
        """Why nothing more can be made safe, or None."""
        return self._failure

    def hold(self, token_ids: Sequence[int]) -> None:
        """Put these tokens before the next text, instead of any that came without a text of their own."""
        self._tail.hold(token_ids)

    # --- read by anybody ----------------------------------------------------------------------------------

    def snapshot(self) -> LogSnapshot:
        """Number the unmerged tail, so that no later delta repeats it, and return what is visible."""
        self._seal()
        reasoning, content = self.text(self._visible)
        return LogSnapshot(self._visible, content, reasoning)

    # --- inside -------------------------------------------------------------------------------------------

    def _seal(self) -> None:
        self._stop_timer()
        taken = self._tail.take()
        if taken is None:
            return
        channel, text, ids = taken
        self._quiet_until = self._monotonic() + MIN_INTERVAL_S
        self._append(
            Delta(self.chat_id, self.run_id, self.message_id, self._next, channel=channel, text=text), ids
        )

    def _append(self, event: Numbered, token_ids: Sequence[int] = ()) -> None:
        if self._failure is not None:
            return  # what came before it is lost: the run is about to end
        self._events.append(event)
        self._ids.append(tuple(token_ids))
        self._journal.add(self, event, token_ids)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
