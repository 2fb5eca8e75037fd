"""Opening the run journal: what earlier processes have left is read, and a new file begun.

What is done with it is the services' business.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.database import Database
from app.errors import StartError, Unavailable
from app.ports import JournaledRun, JournalPast
from app.repositories.group_commit import GroupCommit
from app.repositories.journal_file import journal_files, read
from app.repositories.journal_past import KEPT_S, PastBatches, PastFiles
from app.repositories.postgresql_journal import PostgresqlJournal
from app.repositories.run_journal import RunJournal
from app.repositories.run_lease import RunLease, Taken, look_after

Recover = Callable[[Mapping[str, JournaledRun], Collection[str] | None], Awaitable[object]]
"""Lets runs live again: what the journal knows, and which ones; None: every live one."""


@dataclass(frozen=True)
class OpenedJournal:
    """A journal that is written to, and how the runs of earlier processes come back from the ones before it.

    `recovered` has the runs revived and looks after those of other backends from then on. `watch` says which runs
    live here, and hears of one that another backend has taken. `past` knows those that have ended.
    """

    journal: GroupCommit
    past: JournalPast
    recovered: Callable[[Recover], Awaitable[None]]
    watch: Callable[[Callable[[], Collection[str]], Callable[[str], None]], None]


@asynccontextmanager
async def opened_journal(database: Database) -> AsyncIterator[OpenedJournal]:
    """Give the journal of a database, and close it in the end.

    Raises:
        StartError: the journal can neither be read nor written.
    """
    if database.path is not None:
        async with journal_beside(database.path.with_name(f"{database.path.name}-runs")) as opened:
            yield opened
    else:
        async with _on_postgresql(database) as opened:
            yield opened


@asynccontextmanager
async def journal_beside(folder: Path) -> AsyncIterator[OpenedJournal]:
    """Give a journal of SQLite files in a folder. See `opened_journal`."""
    try:
        old = journal_files(folder)
        known = await asyncio.to_thread(read, old)
        journal = RunJournal(folder)
    except (sqlite3.Error, msgspec.DecodeError, OSError) as error:
        raise StartError(
            f"The run journal in {folder} cannot be used ({error}). Check the disk and its permissions. "
            "To start without it, move the folder away: answers that were being written begin again."
        ) from error

    past = PastFiles(folder, old)
    safe = asyncio.Event()  # all that lives has been written to the new one

    async def keep_past() -> None:
        await safe.wait()
        await past.put()
        await asyncio.sleep(KEPT_S)
        await past.forget()

    keeping = asyncio.create_task(keep_past())

    async def recovered(recover: Recover) -> None:
        await recover(known, None)
        known.clear()
        journal.after(safe.set)

    try:
        yield OpenedJournal(journal, past, recovered, lambda _live, _lost: None)
    finally:
        await journal.close()
        if safe.is_set():
            await past.put()  # or waits until it has been done
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


@asynccontextmanager
async def _on_postgresql(database: Database) -> AsyncIterator[OpenedJournal]:
    lease = RunLease(database)
    tasks: set[asyncio.Task[None]] = set()
    try:
        taken = await lease.take_over()
    except Unavailable as error:
        raise StartError(f"The run journal cannot be read ({error.code}). Check PostgreSQL.") from error
    journal = PostgresqlJournal(lease)

    async def settle(of: Taken) -> None:
        try:
            await lease.settle(of)
        except Unavailable:
            return  # what was written twice is read once

    def later(of: Taken) -> None:
        task = asyncio.create_task(settle(of))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def recovered(recover: Recover) -> None:
        async def take(of: Taken) -> None:
            await recover(of.known, of.run_ids)
            journal.after(lambda: later(of))

        await take(taken)
        tasks.add(asyncio.create_task(look_after(lease, take)))

    def watch(live: Callable[[], Collection[str]], on_lost: Callable[[str], None]) -> None:
        lease.live_here, lease.on_lost = live, on_lost

    try:
        yield OpenedJournal(journal, PastBatches(database), recovered, watch)
    finally:
        await journal.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await lease.close()
