"""Whole transactions on SQLite: each goes to the database's thread in one trip, and is committed with who comes with it.

Knows no query. A trip costs more than most statements here, and a commit more than most transactions.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import QueuePool

from app.database import READERS, Database, Failures, configure_sqlite, storage_failure, to_json
from app.repositories.late_statements import Late, do_late
from app.repositories.thread_session import ThreadSession, raw_connection
from app.utils.sqlite_driver import CACHED_STATEMENTS

TOGETHER_S = (
    0.004  # of work that is committed together, so that the first of many does not wait for all of them
)
GATHER_S = 0.002  # at most, while each turn of the loop brings more


Work = Callable[[ThreadSession], Awaitable[Any]]


class _Asked(NamedTuple):
    work: Work
    answer: asyncio.Future[Any]
    urgent: bool


class Transactions:
    """The threads of one SQLite database: one that writes, a few that read."""

    def __init__(self, database: Database) -> None:
        path = database.path
        assert path is not None  # noqa: S101 (PostgreSQL needs no thread)
        self._database = database
        self._writer = _engine(path, begin="BEGIN IMMEDIATE", size=1, read_only=False)
        self._reader = _engine(path, begin="BEGIN", size=READERS, read_only=True)
        self._writing = ThreadPoolExecutor(1, "storage-writer")
        self._reading = ThreadPoolExecutor(READERS, "storage-reader")
        self._gathering: list[_Asked] = []
        self._server: asyncio.Task[None] | None = None
        database.before_close.append(self.close)

    async def write(self, work: Work, *, urgent: bool = False) -> Any:
        """Do the work and store what it changed, or nothing when it raises. Urgent work goes before what waits.

        What was begun is brought to its end though the caller be cancelled.
        """
        asked = _Asked(work, asyncio.get_running_loop().create_future(), urgent)
        self._gathering.append(asked)
        if self._server is None:
            self._server = asyncio.create_task(self._serve(), name="storage")
        return await asked.answer

    async def read(self, work: Work) -> Any:
        """Do work that changes nothing, on one state of the database."""
        with Failures():
            return await asyncio.get_running_loop().run_in_executor(self._reading, self._look, work)

    async def close(self) -> None:
        """End the threads and close the connections."""
        if self._server is not None:
            await self._server
        for threads, engine in ((self._writing, self._writer), (self._reading, self._reader)):
            await asyncio.to_thread(threads.shutdown)
            engine.dispose()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while self._gathering:
            await self._gathered()
            async with self._database.turn():
                batch = sorted(self._gathering, key=lambda asked: not asked.urgent)
                self._gathering = []
                works = [asked.work for asked in batch]
                outcomes = await loop.run_in_executor(self._writing, self._commit, works)
            self._gathering = batch[len(outcomes) :] + self._gathering
            for asked, (result, error) in zip(batch, outcomes, strict=False):
                if asked.answer.done():
                    continue  # whoever asked has gone
                if error is None:
                    asked.answer.set_result(result)
                else:
                    asked.answer.set_exception(error)
        self._server = None

    async def _gathered(self) -> None:
        """Wait while each turn of the loop brings more: to begin and to commit costs as much as a start."""
        loop = asyncio.get_running_loop()
        seen, until = 0, loop.time() + GATHER_S
        while len(self._gathering) > seen and loop.time() < until:
            seen = len(self._gathering)
            await asyncio.sleep(0)

    # --- in the threads -------------------------------------------------------------------------------------

    def _look(self, work: Work) -> Any:
        with self._reader.connect() as connection, connection.begin():
            session = ThreadSession(connection)
            try:
                return finished(work(session))
            finally:
                session.end(well=False)

    def _commit(self, batch: Sequence[Work]) -> list[tuple[Any, BaseException | None]]:
        """Do the first ones of a batch, for as long as may be, and commit them together."""
        try:
            with Failures(), self._writer.connect() as connection, connection.begin():
                until = time.perf_counter() + TOGETHER_S
                outcomes = []
                late: list[Late] = []
                for work in batch:
                    outcomes.append(_attempted(work, connection, late))
                    if time.perf_counter() > until:
                        break
                do_late(late, raw_connection(connection))
                return outcomes
        except Exception as error:  # noqa: BLE001 (each asker is told)
            return [(None, error)] * len(batch)


def _attempted(work: Work, connection: Connection, late: list[Late]) -> tuple[Any, BaseException | None]:
    """Do one of a batch. What it changed is undone when it raises; a failure of the database itself fails them all."""
    mine: list[Late] = []
    session = ThreadSession(connection, mine)
    session.plain("SAVEPOINT one", {})
    try:
        result = finished(work(session))
        session.end(well=True)
    except Exception as error:
        session.end(well=False)
        if storage_failure(error) is not None:
            raise
        session.plain("ROLLBACK TO one", {})
        session.plain("RELEASE one", {})
        return None, error
    session.plain("RELEASE one", {})
    late += mine
    return result, None


def _engine(path: Path, *, begin: str, size: int, read_only: bool) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(path, check_same_thread=False, cached_statements=CACHED_STATEMENTS)

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        json_serializer=to_json,
    )
    configure_sqlite(engine, begin=begin, read_only=read_only)
    return engine


def finished(work: Awaitable[Any]) -> Any:
    """Run a coroutine that waits for nothing to its end.

    Raises:
        RuntimeError: it waited: only the database may be waited for in a transaction.
    """
    assert isinstance(work, Coroutine)  # noqa: S101
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    work.close()
    raise RuntimeError("a transaction may wait for nothing but the database")
