"""Whole transactions on SQLite: each goes to the database's thread in one trip, and is committed with who comes with it.

Knows no query. A trip costs more than most statements here, and a commit more than most transactions.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from app.database import READERS, Database, Failures, configure_sqlite, storage_failure, to_json
from app.utils.sqlite_driver import CACHED_STATEMENTS

TOGETHER_S = (
    0.004  # of work that is committed together, so that the first of many does not wait for all of them
)


class ThreadSession:
    """The methods of `AsyncSession` that repositories call, over a connection of this very thread: none of them waits.

    The ORM's session is made when it is asked for: plain SQL needs none.
    """

    def __init__(self, bind: Connection | Session) -> None:
        self._bind = bind
        self._raw: Any = None
        self._session = bind if isinstance(bind, Session) else None

    def __getattr__(self, name: str) -> Any:
        """Give what is not asynchronous in an `AsyncSession` either: `add`, `new`, `dirty`, `get_bind`."""
        return getattr(self.session, name)

    @property
    def session(self) -> Session:
        """The ORM's session on this connection."""
        if self._session is None:
            assert isinstance(self._bind, Connection)  # noqa: S101 (else it was there from the beginning)
            self._session = Session(
                bind=self._bind,
                expire_on_commit=False,
                autoflush=False,
                join_transaction_mode="create_savepoint",
            )
        return self._session

    def plain(self, sql: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run plain SQL and return its rows."""
        if self._raw is None:
            bind = self._bind.connection() if isinstance(self._bind, Session) else self._bind
            self._raw = bind.connection.driver_connection
        rows: list[Sequence[Any]] = self._raw.execute(sql, values).fetchall()
        return rows

    def end(self, *, well: bool) -> None:
        """Send the ORM's changes, or drop them."""
        if self._session is None:
            return
        try:
            if well:
                self._session.commit()
        finally:
            self._session.close()

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement."""
        return self.session.execute(*args, **kwargs)

    async def scalar(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement and return its first value."""
        return self.session.scalar(*args, **kwargs)

    async def scalars(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement and return its first column."""
        return self.session.scalars(*args, **kwargs)

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        """Return a row by its key."""
        return self.session.get(*args, **kwargs)

    async def flush(self) -> None:
        """Send what was set on rows."""
        self.session.flush()


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
                for work in batch:
                    outcomes.append(_attempted(work, connection))
                    if time.perf_counter() > until:
                        break
                return outcomes
        except Exception as error:  # noqa: BLE001 (each asker is told)
            return [(None, error)] * len(batch)


def _attempted(work: Work, connection: Connection) -> tuple[Any, BaseException | None]:
    """Do one of a batch. What it changed is undone when it raises; a failure of the database itself fails them all."""
    session = ThreadSession(connection)
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
