"""Bringing the schema to its newest revision, once, under a lock, with a copy taken first.

Alembic is imported only when there is something to do: it costs more than opening the database.
"""

import re
import sqlite3
from pathlib import Path
from typing import Any

from loguru import logger
from sqlalchemy import Connection, inspect, text

from app.config import REPOSITORY
from app.database import Database
from app.errors import StartError

MIGRATIONS = REPOSITORY / "migrations"
REVISION_LINE = re.compile(r'^(?P<name>revision|down_revision) = "(?P<value>\w+)"$', re.MULTILINE)
POSTGRESQL_LOCK = 0x766C6C6D  # any number that nobody else takes


def revisions(folder: Path = MIGRATIONS / "versions") -> tuple[set[str], str]:
    """Return the known revisions and the newest one, read from the files without running them."""
    known: set[str] = set()
    replaced: set[str] = set()
    for file in folder.glob("*.py"):
        for match in REVISION_LINE.finditer(file.read_text()):
            (known if match["name"] == "revision" else replaced).add(match["value"])
    (head,) = known - replaced
    return known, head


async def bring_to_head(database: Database) -> None:
    """Migrate to the newest revision.

    Raises:
        StartError: the schema is of a newer version of this program.
    """
    known, head = revisions()
    async with database.writer.connect() as connection:
        if database.path is None:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": POSTGRESQL_LOCK})
        present = await connection.run_sync(_present)
        if present == head:
            return
        if present is not None and present not in known:
            raise StartError(
                f"The database has the schema {present} of a newer version of this program, which knows up to {head}. "
                "Update the program, or use the copy that was made before that version migrated."
            )
        if database.path is not None and present is not None:
            _copy(database.path, present)
        logger.info("migrating the database from {} to {}", present or "empty", head)
        await connection.run_sync(migrate)
        await connection.commit()


def _present(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _copy(path: Path, present: str) -> None:
    copy = path.with_name(f"{path.name}.before-{present}")
    copy.touch(mode=0o600)
    source = sqlite3.connect(path)
    target = sqlite3.connect(copy)
    try:
        source.backup(target)  # a copy of the file alone would miss what is still in the WAL
    finally:
        target.close()
        source.close()
    logger.info("copied the database to {}", copy)


def migrate(connection: Connection) -> None:
    """Bring the schema of whatever is at this connection to its newest revision."""
    # the import is the cost that a start without migrations does not pay
    from alembic import command  # noqa: PLC0415

    command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection) -> Any:
    """Return Alembic's configuration for working on this connection."""
    from alembic.config import Config  # noqa: PLC0415 (see above)

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
