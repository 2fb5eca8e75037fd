"""aiosqlite with one trip to its thread for a statement instead of four; the statements are the caller's.

A trip costs more than most statements here: it wakes a thread, and wakes the event loop again.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

CACHED_STATEMENTS = 256


class _Cursor:
    """A cursor that fetches while it is in the thread anyway."""

    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        await self._connection.in_thread(self._execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        await self._connection.in_thread(self._executemany, sql, parameters)
        return self

    async def fetchall(self) -> Sequence[Any]:
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        self._rows = ()

    def _execute(self, raw: sqlite3.Connection, sql: str, parameters: Sequence[Any]) -> None:
        self._keep(raw.execute(sql, parameters))

    def _executemany(self, raw: sqlite3.Connection, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        self._keep(raw.executemany(sql, parameters))

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        self._rows = cursor.fetchall() if cursor.description else ()
        self.description, self.rowcount, self.lastrowid = (
            cursor.description,
            cursor.rowcount,
            cursor.lastrowid,
        )
        cursor.close()


class _Connection(aiosqlite.Connection):
    """A connection whose cursors are made without going to the thread."""

    def cursor(self) -> _Cursor:  # type: ignore[override]  # what SQLAlchemy asks of a cursor, and no more
        return _Cursor(self)

    async def in_thread(self, function: Any, *arguments: Any) -> None:
        run: Callable[..., Awaitable[None]] = self._execute  # untyped in aiosqlite
        await run(function, self._conn, *arguments)


async def connect(path: Path) -> aiosqlite.Connection:
    """Open a SQLite file. Its thread does not keep the process alive."""

    def connector() -> sqlite3.Connection:
        return sqlite3.connect(path, cached_statements=CACHED_STATEMENTS)

    connection = _Connection(connector, iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 (as SQLAlchemy's own dialect does)
    return await connection
