"""Engines and sessions for SQLite and PostgreSQL, and what their failures are called here.

Knows no table: models describe them, repositories query them.
"""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from app.config import REPOSITORY
from app.errors import StorageFull, Unavailable
from app.utils import sqlite_driver

BUSY_TIMEOUT_MS = 5000  # how long SQLite waits for another process's write
WAL_KEPT_BYTES = 16 * 1024 * 1024  # a large transaction does not leave a large WAL behind
READERS = 4
POSTGRESQL_CONNECTIONS = 10
RETRY_AFTER_S = 2

SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL = 5, 6, 13
POSTGRESQL_FULL = frozenset({"53100"})  # disk_full
POSTGRESQL_BUSY = frozenset({"40001", "40P01", "55P03", "57014", "53300"})


def async_url(text: str) -> URL:
    """Return a database URL with its async driver; a relative SQLite path begins at the repository.

    Raises:
        ValueError: neither SQLite nor PostgreSQL, or SQLite without a file.
    """
    try:
        url = make_url(text.strip().replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError) as error:
        raise ValueError("DATABASE_URL is not a database URL") from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+asyncpg")
    if backend != "sqlite":
        raise ValueError("DATABASE_URL must be a SQLite or PostgreSQL URL")
    if not url.database or url.database == ":memory:":
        raise ValueError("DATABASE_URL must name a file: a database in memory would be lost at every restart")
    return url.set(drivername="sqlite+aiosqlite", database=str(REPOSITORY / url.database))


class Database:
    """One database: many readers, and on SQLite exactly one writing connection.

    A session that is held longer than its statements blocks every other writer: nothing that waits for a model
    may happen inside one.
    """

    def __init__(self, url: str) -> None:
        self.url = async_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        # whose live runs are, where several backends share a database
        self.owner = None if self.is_sqlite else secrets.randbits(62)
        self.before_close: list[Callable[[], Awaitable[None]]] = []
        self._turn: asyncio.Lock | None = asyncio.Lock() if self.is_sqlite else None
        if self.is_sqlite:
            self.writer = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE", size=1, read_only=False)
            self.reader = _sqlite_engine(self.url, begin="BEGIN", size=READERS, read_only=True)
        else:
            self.writer = self.reader = _postgresql_engine(self.url)

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None for PostgreSQL."""
        return Path(str(self.url.database)) if self.is_sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Give a session that sees one state of the database and changes nothing.

        Raises:
            Unavailable: the database cannot be used just now.
        """
        with Failures():
            async with AsyncSession(self.reader, expire_on_commit=False, autoflush=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """Give the writing session: committed when the block ends well, rolled back otherwise.

        Raises:
            Unavailable: the database cannot be used just now; nothing was stored.
        """
        turn: AbstractAsyncContextManager[Any] = self._turn or nullcontext()
        with Failures():
            async with turn, AsyncSession(self.writer, expire_on_commit=False, autoflush=False) as session:
                yield session
                await session.commit()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the writer's turn, for who writes to the file in another way. SQLite only."""
        assert self._turn is not None  # noqa: S101 (PostgreSQL has as many writers as connections)
        async with self._turn:
            yield

    async def close(self) -> None:
        """Close every connection."""
        for close in self.before_close:
            await close()
        await self.writer.dispose()
        await self.reader.dispose()


class Failures:
    """Translate the failures of the database, once; those of the code and the integrity errors pass."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        known = storage_failure(error) if error is not None else None
        if known is not None:
            raise known from error


def storage_failure(error: BaseException) -> Unavailable | None:
    """Return what a database failure is called here, or None when it is not one of its state."""
    if isinstance(error, PoolTimeout):
        return _busy()
    if isinstance(error, ConnectionError | OSError):
        return _unavailable()
    if isinstance(error, sqlite3.Error):
        sqlite_code = getattr(error, "sqlite_errorcode", None)
        return _sqlite_failure(sqlite_code & 0xFF) if isinstance(sqlite_code, int) else None
    if not isinstance(error, DBAPIError) or error.orig is None:
        return _unavailable() if _is_connection_error(error) else None
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(sqlite_code, int):
        return _sqlite_failure(sqlite_code & 0xFF)
    state = getattr(error.orig, "sqlstate", None)
    return _postgresql_failure(state, lost=error.connection_invalidated)


def _sqlite_failure(primary_code: int) -> Unavailable | None:
    if primary_code in (SQLITE_BUSY, SQLITE_LOCKED):
        return _busy()
    if primary_code == SQLITE_FULL:
        return _full()
    # readonly, ioerr, corrupt, cantopen, notadb: the file cannot be used; everything else is ours
    return _unavailable() if primary_code in (8, 10, 11, 14, 26) else None


def _postgresql_failure(state: str | None, *, lost: bool) -> Unavailable | None:
    if state in POSTGRESQL_FULL:
        return _full()
    if state in POSTGRESQL_BUSY:
        return _busy()
    if lost or (state is not None and state[:2] in {"08", "57", "58"}):
        return _unavailable()
    return None


def _is_connection_error(error: BaseException) -> bool:
    return isinstance(error, SQLAlchemyError) and isinstance(error.__cause__, OSError)


def _busy() -> Unavailable:
    return Unavailable(
        "storage_busy", "The database is busy. Nothing was changed; try again.", retry_after_s=RETRY_AFTER_S
    )


def _full() -> StorageFull:
    return StorageFull(
        "storage_full", "The disk of the database is full. Nothing was stored.", retry_after_s=30
    )


def _unavailable() -> Unavailable:
    return Unavailable("storage_unavailable", "The database cannot be used.", retry_after_s=RETRY_AFTER_S)


def to_json(value: object) -> str:
    """Return JSON as it is stored."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _sqlite_engine(url: URL, *, begin: str, size: int, read_only: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        async_creator=partial(sqlite_driver.connect, Path(str(url.database))),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        json_serializer=to_json,
    )

    configure_sqlite(engine.sync_engine, begin=begin, read_only=read_only)
    return engine


def configure_sqlite(engine: Engine, *, begin: str, read_only: bool) -> None:
    """Let an engine's connections be as this application's are, and its transactions begin with `begin`."""

    def configure(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself: its DEFERRED ones fail at once when a read is followed
        # by a write and somebody else wrote in between, whatever the busy timeout.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        else:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute(f"PRAGMA journal_size_limit={WAL_KEPT_BYTES}")
        cursor.close()

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", configure)
    event.listen(engine, "begin", start)


def _postgresql_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=POSTGRESQL_CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT_MS / 1000,
        pool_pre_ping=True,
        json_serializer=to_json,
        connect_args={
            "timeout": 5,
            "server_settings": {"lock_timeout": str(BUSY_TIMEOUT_MS), "timezone": "UTC"},
        },
    )
