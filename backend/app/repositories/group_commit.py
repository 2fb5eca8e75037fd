"""What every journal does, on the event loop: gather, commit, tell, try again, rotate.

While one batch is committed the next one gathers (natural group commit), so the disk is asked once for everything that
came meanwhile. How batches reach the disk is the business of each database.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from loguru import logger

from app.errors import StorageFull, Unavailable
from app.ports import JournaledLog
from app.repositories.journal_file import Record, delta_record, event_record, prompt_record
from app.schemas.numbered import Delta, Numbered, Started

PROBE = prompt_record(str(UUID(int=0)), range(1000))  # as large as a batch often is; of no run there is
GATHER_S = 0.002  # at most, while each turn of the loop brings more
RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # after a failed commit; the last one repeats
GIVE_UP_S = 20.0  # a disk that refuses for so long: runs end with what was shown
MAX_WAITING_CHARS = 1024 * 1024  # or when so much text waits to be made safe
ROTATE_BYTES = 64 * 1024 * 1024
# The beginning of an answer says nothing yet: it waits so long for the first token, and both cost one commit.
BEGINNING_WAITS_S = 0.002

Entry = tuple[JournaledLog | None, int, Record | Callable[[], None]]
"""A log to be told, the number it is told, and what is written; or something to be called once all before is safe."""


class GroupCommit(ABC):
    """A journal without its disk."""

    def __init__(self, *, rotate_bytes: int) -> None:
        self._rotate_bytes = rotate_bytes
        self._rotate_at = rotate_bytes
        self._loop = asyncio.get_running_loop()
        self._gathering: list[Entry] = []
        self._committing = False
        self._patience: asyncio.TimerHandle | None = None
        self._failing_since: float | None = None
        self._trouble: Unavailable | None = None
        self._failures = 0
        self._closing: asyncio.Future[None] | None = None
        self._rotating = False
        self.live_logs: Callable[[], Iterable[JournaledLog]] = tuple
        self.on_commit: Callable[[float], None] = lambda _seconds: None

    @property
    def trouble(self) -> Unavailable | None:
        """Why nothing can be made safe just now, or None."""
        return self._trouble

    # --- told by the logs -----------------------------------------------------------------------------------

    def add(self, log: JournaledLog, event: Numbered, token_ids: Sequence[int]) -> None:
        """Make an event safe with the next batch, then tell its log."""
        if isinstance(event, Delta):
            self._put((log, event.seq, delta_record(log.run_id, event, token_ids)))
        else:
            patient = isinstance(event, Started)
            self._put((log, event.seq, event_record(log.run_id, event)), patient=patient)

    def prompt(self, log: JournaledLog, token_ids: Sequence[int]) -> None:
        """Keep the tokens of the prompt with the next batch."""
        self._put((log, 0, prompt_record(log.run_id, token_ids)), patient=True)

    def after(self, do: Callable[[], None]) -> None:
        """Call `do` when everything added so far is safe."""
        self._put((None, 0, do))

    async def close(self) -> None:
        """Make safe what was added, then end the writer."""
        closing = self._loop.create_future()
        self._closing = closing
        self._begin()
        if not self._committing:
            closing.set_result(None)
        try:
            async with asyncio.timeout(GIVE_UP_S):
                await closing
        except TimeoutError:
            logger.error("the run journal could not be written to the end")
        await self._end_writer()

    # --- how batches reach the disk: the business of each database ----------------------------------------------

    @abstractmethod
    def _submit(self, batch: list[Entry]) -> None:
        """Have a batch written; `_committed` is due afterwards."""

    @abstractmethod
    def _written(self) -> int:
        """Return how many bytes the present file has."""

    @abstractmethod
    def _open_ahead(self) -> None:
        """Begin a new file, then have what lives written to it (`_rewrite_live`)."""

    @abstractmethod
    async def _end_writer(self) -> None:
        """End whoever writes."""

    # --- on the loop ----------------------------------------------------------------------------------------

    def _put(self, entry: Entry, *, patient: bool = False) -> None:
        self._gathering.append(entry)
        if not patient:
            self._begin()
        elif not self._committing and self._patience is None:
            self._patience = self._loop.call_later(BEGINNING_WAITS_S, self._begin)

    def _begin(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if not self._committing and self._gathering:
            self._committing = True
            self._loop.call_soon(self._gather, 0, self._loop.time() + GATHER_S)

    def _gather(self, seen: int, until: float) -> None:
        """Commit after a turn of the loop that has added nothing: many answers that come together go together."""
        if len(self._gathering) > seen and self._loop.time() < until:
            self._loop.call_soon(self._gather, len(self._gathering), until)
        else:
            self._start()

    def _start(self) -> None:
        batch, self._gathering = self._gathering, []
        self._submit(batch)

    def _committed(self, batch: list[Entry], error: Exception | None, took_s: float) -> None:
        if error is not None:
            self._failed(batch, error)
            return
        self.on_commit(took_s)
        self._failing_since, self._failures, self._trouble = None, 0, None
        if self._written() > self._rotate_at and not self._rotating:
            self._rotating = True
            self._open_ahead()
        if self._gathering:
            self._start()  # the disk is busy again before the last batch is shown
        else:
            self._committing = False
        _tell(batch)
        if self._closing is not None and not self._committing and not self._closing.done():
            self._closing.set_result(None)

    def _failed(self, batch: list[Entry], error: Exception) -> None:
        now = self._loop.time()
        self._trouble = _unavailable(error)
        since = self._failing_since = self._failing_since or now
        delay = RETRY_S[min(self._failures, len(RETRY_S) - 1)]
        self._failures += 1
        logger.error("the run journal cannot be written ({}), again in {} s", error, delay)
        self._gathering = batch + self._gathering
        if now - since < GIVE_UP_S and _chars(self._gathering) <= MAX_WAITING_CHARS:
            self._loop.call_later(delay, self._start)
            return
        given_up, self._gathering = self._gathering, []
        self._failing_since, self._failures, self._committing = None, 0, False
        self._rotating = (
            False  # what a rotation waited for is given up too; its old file goes at the next start
        )
        self._loop.call_later(RETRY_S[-1], self._probe)
        for log in dict.fromkeys(log for log, _, _ in given_up if log is not None):
            log.undurable(_unavailable(error))

    def _probe(self) -> None:
        """Write something of no meaning: new runs are refused until it is on the disk."""
        if self._trouble is not None and not self._committing and self._closing is None:
            self._put((None, 0, PROBE))

    # --- rotation: a new file is opened ahead, what lives is written to it a little at a time, the old one goes last

    def _rotated(self) -> None:
        """Let the present file grow from here: what lives is in it already, and rotating would write it once more."""
        self._rotating = False
        self._rotate_at = self._written() + self._rotate_bytes

    def _rewrite_live(self, done: Callable[[], None]) -> None:
        self._rewrite(deque((log, 0) for log in self.live_logs()), done)

    def _rewrite(self, left: deque[tuple[JournaledLog, int]], then: Callable[[], None]) -> None:
        if not left:
            self.after(then)
            return
        log, done = left.popleft()
        more = log.journal_again(done)
        if more is not None:
            left.appendleft((log, more))
        self.after(lambda: self._rewrite(left, then))


def _tell(batch: list[Entry]) -> None:
    """Tell each log once how far it is safe, in the order of the batch."""
    seqs: dict[JournaledLog, int] = {}
    calls: deque[Callable[[], None]] = deque()
    for log, seq, what in batch:
        if log is not None:
            seqs[log] = max(seq, seqs.get(log, 0))
        elif callable(what):
            calls.append(what)
    for log, seq in seqs.items():
        log.durable(seq)
    for call in calls:
        call()


def _chars(entries: list[Entry]) -> int:
    return sum(len(what[3] or "") for _, _, what in entries if not callable(what))


def _unavailable(error: Exception) -> Unavailable:
    if isinstance(error, Unavailable):
        return error
    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        detail = "The disk of the server is full: no answer can be kept."
        return StorageFull("storage_full", detail, retry_after_s=30)
    detail = "No answer can be kept: the disk refuses to write."
    return Unavailable("storage_unavailable", detail, retry_after_s=2)
