"""The journal of open runs on SQLite: events are on the disk before anybody sees them.

One writer thread, one row a batch. A file of its own: other writers never wait for it. Ending a run deletes nothing
here; files are rotated instead. What a run is, and whether it has ended, the main database says.
"""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path
from queue import SimpleQueue

from loguru import logger

from app.repositories.group_commit import ROTATE_BYTES, Entry, GroupCommit
from app.repositories.journal_file import JournalFile, remove


class RunJournal(GroupCommit):
    """See `ports.Journal`. Everything but the writer thread happens on the event loop."""

    def __init__(self, folder: Path, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        super().__init__(rotate_bytes=rotate_bytes)
        self._folder = folder
        self._work: SimpleQueue[list[Entry] | None] = SimpleQueue()
        self._file = JournalFile.create(folder)
        self._thread = threading.Thread(target=self._write, name="run-journal", daemon=True)
        self._thread.start()

    @property
    def file(self) -> JournalFile:
        """The file that is written to."""
        return self._file

    def _submit(self, batch: list[Entry]) -> None:
        self._work.put(batch)

    def _written(self) -> int:
        return self._file.written

    async def _end_writer(self) -> None:
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)
        self._file.close()

    def _open_ahead(self) -> None:
        self._loop.run_in_executor(None, self._create_ahead)

    def _create_ahead(self) -> None:
        try:
            ahead = JournalFile.create(self._folder)
        except (sqlite3.Error, OSError) as error:
            logger.error("no new file for the run journal ({}); the old one grows on", error)
            self._loop.call_soon_threadsafe(self._rotated)  # until it is as large once more
            return
        self._loop.call_soon_threadsafe(self._switch, ahead)

    def _switch(self, ahead: JournalFile) -> None:
        old, self._file = self._file, ahead
        self._rewrite_live(lambda: self._retire(old))

    def _retire(self, old: JournalFile) -> None:
        self._rotated()
        self._loop.run_in_executor(None, _close_and_remove, old)

    # --- in the writer thread -------------------------------------------------------------------------------

    def _write(self) -> None:
        while (batch := self._work.get()) is not None:
            error: Exception | None = None
            begun = time.perf_counter()
            try:
                self._file.append([what for _, _, what in batch if not callable(what)])
            except Exception as failure:  # noqa: BLE001 (whatever it is, those who wait are told)
                error = failure
            self._loop.call_soon_threadsafe(self._committed, batch, error, time.perf_counter() - begun)


def _close_and_remove(file: JournalFile) -> None:
    file.close()
    remove(file.path)
