"""What earlier processes have journaled of runs that have ended: kept aside for late readers, and read when one asks.

Knows nothing of live runs: those are taken over before anything is put here.
"""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from loguru import logger
from sqlalchemy import text

from app.database import Database
from app.ports import JournaledRun
from app.repositories.journal_file import one_run, read_one, remove, run_key

KEPT_S = 600.0  # how long late readers find the events of an ended run
MAX_KEPT_BYTES = 256 * 1024 * 1024  # of all files together
SUFFIX = ".ended"  # such a file is none of the journal: no start has to read it
PAST_EVENTS = "SELECT records FROM journal_batches WHERE position(:key IN records) > 0 ORDER BY id"


class PastFiles:
    """On SQLite: files of the journal under another name; implements `ports.JournalPast`.

    Args:
        folder: where the journal is.
        old: files of earlier processes, which are to be put aside once nothing live depends on them.
    """

    def __init__(self, folder: Path, old: Sequence[Path]) -> None:
        self._folder = folder
        self._old = tuple(old)
        self._turn = asyncio.Lock()

    async def find(self, run_id: str) -> JournaledRun:
        """Return what is known of a run. See the port."""
        async with self._turn:  # a file is read through: not many of them at once
            try:
                return await asyncio.to_thread(read_one, [*self._aside(), *self._old], run_id)
            except (sqlite3.Error, OSError) as error:
                logger.warning("the past of the run journal cannot be read: {}", error)
                return JournaledRun()

    async def put(self) -> None:
        """Put the files of earlier processes aside, and forget what is too old or too much."""
        async with self._turn:
            old, self._old = self._old, ()
            await asyncio.to_thread(self._put, old)

    async def forget(self) -> None:
        """Forget what is too old or too much."""
        async with self._turn:
            await asyncio.to_thread(self._forget)

    def _put(self, files: Sequence[Path]) -> None:
        for path in files:
            try:
                with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                    connection.execute("PRAGMA journal_mode=DELETE")  # all of it is in the one file then
                path.rename(path.with_suffix(SUFFIX))
            except (sqlite3.Error, OSError):
                remove(path)
        self._forget()

    def _forget(self) -> None:
        left = MAX_KEPT_BYTES
        for path in reversed(self._aside()):
            with suppress(OSError):
                found = path.stat()
                left -= found.st_size
                if left < 0 or found.st_mtime < time.time() - KEPT_S:
                    remove(path)

    def _aside(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))


class PastBatches:
    """On PostgreSQL: the batches of every backend, also of those that are gone; implements `ports.JournalPast`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = asyncio.Lock()

    async def find(self, run_id: str) -> JournaledRun:
        """Return what is known of a run. See the port."""
        async with self._turn, self._database.read() as session:
            found = await session.execute(text(PAST_EVENTS), {"key": run_key(run_id)})
            batches = [bytes(records) for (records,) in found]
        return await asyncio.to_thread(one_run, batches, run_id)
