"""The logs of live and lately ended runs. Bounded; what is in one is its own business."""

import asyncio
from bisect import insort
from collections import deque
from collections.abc import Sequence

from app.errors import Unavailable
from app.ports import Clock, EventSink, Journal, JournaledLog
from app.repositories.journal_past import KEPT_S
from app.schemas.numbered import Numbered
from app.services.held_journal import HeldJournal
from app.services.run_log import RunLog

MAX_KEPT_EVENTS = 400_000  # of ended runs together: about 60 MB at 150 bytes each
MAX_KEPT_LOGS = 2_000


class MemoryJournal:
    """A journal that promises nothing beyond the life of the process: an event is visible at once."""

    @property
    def trouble(self) -> Unavailable | None:
        """It has none."""
        return None

    def add(self, log: JournaledLog, event: Numbered, token_ids: Sequence[int]) -> None:  # noqa: ARG002 (kept by journals that outlive the process)
        """Show the event at once."""
        log.durable(event.seq)

    def prompt(self, log: JournaledLog, token_ids: Sequence[int]) -> None:
        """Keep nothing."""


class RunLogs:
    """Opens logs, finds them, and forgets those of ended runs: the oldest first, after `KEPT_S` at the latest."""

    def __init__(
        self,
        journal: Journal,
        sink: EventSink,
        clock: Clock,
        *,
        kept_s: float = KEPT_S,
        max_kept_events: int = MAX_KEPT_EVENTS,
    ) -> None:
        self._journal = journal
        self._unkept = MemoryJournal()  # what is stored nowhere has nothing to go on with
        self._sink = sink
        self._clock = clock
        self._kept_s = kept_s
        self._max_kept_events = max_kept_events
        self._logs: dict[str, RunLog] = {}
        self._ended: deque[tuple[float, str, int]] = deque()
        self._kept_events = 0

    def open(
        self,
        *,
        user_id: str,
        chat_id: str | None,
        run_id: str,
        message_id: str | None,
        kept: bool = True,
        held: bool = False,
    ) -> RunLog:
        """Begin the log of a new run; `kept` says whether its events are journaled, to outlive the process.

        With `held` nothing of it is journaled or seen before it is released.
        """
        journal = self._journal if kept else self._unkept
        log = RunLog(
            user_id=user_id,
            chat_id=chat_id,
            run_id=run_id,
            message_id=message_id,
            journal=HeldJournal(journal) if held else journal,
            kept=kept,
            sink=self._sink,
            monotonic=self._clock.monotonic,
        )
        self._logs[run_id] = log
        return log

    @property
    def trouble(self) -> Unavailable | None:
        """Why no run can be kept just now, or None."""
        return self._journal.trouble

    def get(self, run_id: str) -> RunLog | None:
        """Return a log that is still kept, else None."""
        self._forget_old()
        return self._logs.get(run_id)

    def replay(self, run_id: str, after_seq: int) -> Sequence[Numbered] | None:
        """Return the visible events of a run after a number, or None when they are not kept."""
        log = self.get(run_id)
        return log.events_after(after_seq) if log is not None else None

    def close(self, run_id: str) -> None:
        """Say that the run has ended: its log is kept for a while only."""
        log = self._logs[run_id]
        self._ended.append((self._clock.monotonic() + self._kept_s, run_id, len(log)))
        self._kept_events += len(log)
        self._forget_old()
        asyncio.get_running_loop().call_later(self._kept_s + 1, self._forget_old)

    def recalled(self, user_id: str, events: Sequence[Numbered], kept_s: float) -> RunLog:
        """Keep the log of a run that has ended long since, with all its events, for so many more seconds."""
        end = events[-1]
        log = self.open(
            user_id=user_id,
            chat_id=end.chat_id,
            run_id=end.run_id,
            message_id=end.message_id,
            kept=False,
        )
        log.recall(events)
        insort(self._ended, (self._clock.monotonic() + kept_s, end.run_id, len(log)))
        self._kept_events += len(log)
        asyncio.get_running_loop().call_later(kept_s + 1, self._forget_old)
        return log

    def drop(self, run_id: str) -> None:
        """Forget a log that nobody will ask for."""
        self._logs.pop(run_id, None)

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        while self._ended and (
            self._ended[0][0] <= now
            or self._kept_events > self._max_kept_events
            or len(self._ended) > MAX_KEPT_LOGS
        ):
            _, run_id, count = self._ended.popleft()
            self._kept_events -= count
            self._logs.pop(run_id, None)
