"""The journal of open runs on PostgreSQL: one writer task, one row a batch, committed before anybody sees it.

Gathers and rotates as the one on SQLite does; the files are numbers in a column.
"""

import asyncio
import time
from collections.abc import Sequence

from loguru import logger

from app.errors import Unavailable
from app.repositories.group_commit import ROTATE_BYTES, Entry, GroupCommit
from app.repositories.journal_file import Record, encode
from app.repositories.run_lease import RunLease

INSERT = "INSERT INTO journal_batches (owner, file, records) VALUES (:owner, :file, :records)"
DELETE = "DELETE FROM journal_batches WHERE owner = :owner AND file = :file"


class PostgresqlJournal(GroupCommit):
    """See `ports.Journal`."""

    def __init__(self, lease: RunLease, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        super().__init__(rotate_bytes=rotate_bytes)
        self._lease = lease
        self._file = 1
        self._bytes = 0
        self._batches: asyncio.Queue[list[Entry] | None] = asyncio.Queue()
        self._removing: set[asyncio.Task[None]] = set()
        self._writer = asyncio.create_task(self._write(), name="run journal")

    def _submit(self, batch: list[Entry]) -> None:
        self._batches.put_nowait(batch)

    def _written(self) -> int:
        return self._bytes

    def _open_ahead(self) -> None:
        old, self._file, self._bytes = self._file, self._file + 1, 0
        self._rewrite_live(lambda: self._retire(old))

    async def _end_writer(self) -> None:
        self._batches.put_nowait(None)
        await self._writer

    def _retire(self, old: int) -> None:
        self._rotated()
        task = asyncio.create_task(self._remove(old))
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    async def _remove(self, old: int) -> None:
        try:
            await self._lease.execute(DELETE, owner=self._lease.owner, file=old)
        except Unavailable as error:
            logger.warning("an old part of the run journal stays until the next start: {}", error.code)

    async def _write(self) -> None:
        while (batch := await self._batches.get()) is not None:
            error: Exception | None = None
            begun = time.perf_counter()
            try:
                await self._append([what for _, _, what in batch if not callable(what)])
            except Exception as failure:  # noqa: BLE001 (whatever it is, those who wait are told)
                error = failure
            # what was taken over goes on elsewhere: here nobody is to see more of it
            lost = self._lease.lost
            kept = [entry for entry in batch if entry[0] is None or entry[0].run_id not in lost]
            self._committed(kept, error, time.perf_counter() - begun)

    async def _append(self, records: Sequence[Record]) -> None:
        if records:
            blob = encode(records)
            await self._lease.execute(INSERT, owner=self._lease.owner, file=self._file, records=blob)
            self._bytes += len(blob)
