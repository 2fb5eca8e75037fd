"""Opening a database for serving: private files, one backend at a time, the schema at its newest.

Asks nothing of any table; `schema.py` migrates.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from app.database import Database, storage_failure
from app.errors import StartError
from app.repositories.schema import bring_to_head

PRIVATE_DIR, PRIVATE_FILE = 0o700, 0o600
CHECKED_BYTES = 32 * 1024 * 1024  # checked at every start: less than a tenth of a second


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """Give a database that is ready to be served from, and close it in the end.

    Raises:
        StartError: it cannot be used; the message says what to do.
    """
    try:
        database = Database(url)
    except ValueError as error:
        raise StartError(str(error)) from error
    with _only_backend(database.path):
        try:
            await _check_and_migrate(database)
            yield database
        finally:
            await _leave_tidy(database)
            await database.close()


async def _check_and_migrate(database: Database) -> None:
    try:
        await _check_readable(database)
        await bring_to_head(database)
    except (DatabaseError, OSError) as error:
        if isinstance(error, DatabaseError) and storage_failure(error) is None:
            raise
        raise StartError(_advice(database)) from error


async def _check_readable(database: Database) -> None:
    if database.path is None:
        async with database.reader.connect():
            return
    _make_private(database.path)
    # reading all of a large file takes seconds: after a clean end, which leaves no WAL behind, it is taken as it is
    ended_cleanly = not _beside(database.path, "-wal").exists()
    if ended_cleanly and database.path.stat().st_size > CHECKED_BYTES:
        return
    async with database.writer.connect() as connection:
        found = (await connection.exec_driver_sql("PRAGMA quick_check(1)")).scalar()
        if found != "ok":
            raise StartError(_advice(database))


async def _leave_tidy(database: Database) -> None:
    if database.path is None:
        return
    try:
        async with database.writer.connect() as connection:
            await connection.exec_driver_sql("PRAGMA optimize")
            await connection.commit()
    except DatabaseError as error:
        if storage_failure(error) is None:
            raise


def _make_private(path: Path) -> None:
    for file in (path, _beside(path, "-wal"), _beside(path, "-shm")):
        if file.exists():
            file.chmod(PRIVATE_FILE)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


@contextmanager
def _only_backend(path: Path | None) -> Iterator[None]:
    """Hold the lock file beside a SQLite database: a second backend on the same file is refused."""
    if path is None:
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIR)
        lock = os.open(_beside(path, ".lock"), os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        raise StartError(
            f"The folder of the database cannot be written: {path.parent} ({error.strerror})."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # SQLite makes its files with the process's umask: born private, there is no moment in which they are not
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
        yield
    except BlockingIOError as error:
        raise StartError(
            f"Another backend is using {path}. Stop it, or give this one another DATABASE_URL."
        ) from error
    finally:
        os.close(lock)


def _advice(database: Database) -> str:
    if database.path is None:
        shown = database.url.render_as_string(hide_password=True)
        return f"The database cannot be reached: {shown}. Start PostgreSQL, or correct DATABASE_URL."
    return (
        f"The database file cannot be used: {database.path} is damaged, not a database, or may not be written. "
        "It was left as it is. Move it away and put a backup in its place (copies from before each migration lie "
        "beside it), or start with another DATABASE_URL."
    )
