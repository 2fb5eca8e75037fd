"""Opening the run journal: what an earlier process has left is read, and a new file begun.

What is done with it is the services' business.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.config import REPOSITORY
from app.errors import StartError
from app.ports import JournaledRun
from app.repositories.journal_file import journal_files, read, remove
from app.repositories.run_journal import RunJournal


def journal_folder(database: Path | None) -> Path:
    """Return where the journal lies: beside the database, or in `data/` where that is not a file."""
    return (
        database.with_name(f"{database.name}-runs") if database is not None else REPOSITORY / "data" / "runs"
    )


async def opened_journal(folder: Path) -> tuple[RunJournal, dict[str, JournaledRun], Sequence[Path]]:
    """Return a journal with a new file, what the files before it know, and these files.

    They are to be removed when all that is still open has been written to the new one.

    Raises:
        StartError: the journal can neither be read nor written.
    """
    try:
        old = journal_files(folder)
        known = await asyncio.to_thread(read, old)
        return RunJournal(folder), known, old
    except (sqlite3.Error, msgspec.DecodeError, OSError) as error:
        raise StartError(
            f"The run journal in {folder} cannot be used ({error}). Check the disk and its permissions. "
            "To start without it, move the folder away: answers that were being written begin again."
        ) from error


def remove_files(files: Sequence[Path]) -> None:
    """Remove files of the journal that are not needed any longer."""
    for file in files:
        remove(file)
