"""One file of the run journal: how batches are encoded, appended and read again.

Knows no run that lives; says nothing of threads.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from app.ports import JournaledRun
from app.schemas.numbered import Delta, Ended, Numbered, Queued, Started, to_json

if TYPE_CHECKING:
    from app.schemas.run import Channel

PRIVATE_DIR, PRIVATE_FILE = 0o700, 0o600
BUSY_TIMEOUT_MS = 5000

Record = tuple[Any, ...]
"""(run, seq, kind, payload, token ids): a delta has its text, another event its JSON, a prompt nothing."""

CONTENT, REASONING, EVENT, PROMPT = 0, 1, 2, 3
encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[bytes, int, int, Any, list[int]]]).decode
_event = msgspec.json.Decoder(Queued | Started | Delta | Ended).decode


@lru_cache(maxsize=4096)
def run_key(run_id: str) -> bytes:
    """Return how a run is named in records."""
    return UUID(run_id).bytes


def delta_record(run_id: str, event: Delta, token_ids: Sequence[int]) -> Record:
    """Return what is kept of a delta."""
    kind = REASONING if event.channel == "reasoning" else CONTENT
    return run_key(run_id), event.seq, kind, event.text, tuple(token_ids)


def event_record(run_id: str, event: Numbered) -> Record:
    """Return what is kept of any other event."""
    return run_key(run_id), event.seq, EVENT, to_json(event), ()


def prompt_record(run_id: str, token_ids: Sequence[int]) -> Record:
    """Return what is kept of a prompt."""
    return run_key(run_id), 0, PROMPT, None, tuple(token_ids)


class JournalFile:
    """One SQLite file of batches."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self.written = 0  # bytes of batches

    @classmethod
    def create(cls, folder: Path) -> "JournalFile":
        """Begin the next file of a folder.

        Raises:
            sqlite3.Error: it cannot be written.
        """
        folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        number = max((int(path.stem) for path in journal_files(folder)), default=0) + 1
        path = folder / f"{number:08d}.db"
        path.touch(mode=PRIVATE_FILE)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")
        # NORMAL would lose what was shown since the last checkpoint when the power goes
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE batches (id INTEGER PRIMARY KEY, records BLOB NOT NULL)")
        _sync_folder(folder)
        return cls(path, connection)

    def append(self, records: Sequence[Record]) -> None:
        """Write one batch; it is on the disk when this returns.

        Raises:
            sqlite3.Error: it is not.
        """
        if records:
            blob = encode(records)
            self._connection.execute("INSERT INTO batches (records) VALUES (?)", (blob,))
            self.written += len(blob)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _sync_folder(folder: Path) -> None:
    # a file whose name is not on the disk is lost with the power, however well its content was written
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def journal_files(folder: Path) -> list[Path]:
    """Return the files of a folder, oldest first."""
    return sorted(path for path in folder.glob("*.db") if path.stem.isdecimal())


def remove(path: Path) -> None:
    """Remove a file with what SQLite keeps beside it; the file itself last, so that nothing is left half."""
    for name in (f"{path.name}-shm", f"{path.name}-wal", path.name):
        path.with_name(name).unlink(missing_ok=True)


def read(paths: Sequence[Path]) -> dict[str, JournaledRun]:
    """Return every run that these files know, oldest file first. The same event may stand in several of them.

    Raises:
        sqlite3.Error: a file cannot be read.
    """
    return known_runs(batch for path in paths for batch in _batches(path))


def read_one(paths: Sequence[Path], run_id: str) -> JournaledRun:
    """Return what these files know of one run; the batches of others are not decoded.

    Raises:
        sqlite3.Error: a file cannot be read.
    """
    return one_run((batch for path in paths for batch in _batches(path)), run_id)


def one_run(batches: Iterable[bytes], run_id: str) -> JournaledRun:
    """Return what these batches know of one run; those that do not name it are not decoded."""
    key = run_key(run_id)
    return known_runs(batch for batch in batches if key in batch).get(run_id, JournaledRun())


def known_runs(batches: Iterable[bytes]) -> dict[str, JournaledRun]:
    """Return every run that these batches know, in their order. The same event may stand in several of them."""
    prompts: dict[bytes, tuple[int, ...]] = {}
    events: dict[bytes, dict[int, Record]] = {}
    for batch in batches:
        for record in _decode(batch):
            run, seq, kind, _, ids = record
            if kind == PROMPT:
                prompts[run] = tuple(ids)
            else:
                events.setdefault(run, {})[seq] = record
    return {
        str(UUID(bytes=run)): _run(prompts.get(run, ()), events.get(run, {}))
        for run in prompts.keys() | events.keys()
    }


def _batches(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'batches'").fetchone() is None:
            return  # its process died before the file had its table
        for (blob,) in connection.execute("SELECT records FROM batches ORDER BY id"):
            yield blob


def _run(prompt_ids: tuple[int, ...], records: dict[int, Record]) -> JournaledRun:
    run = JournaledRun(prompt_ids)
    ids: tuple[str | None, str, str | None] | None = None
    known = next((_event(record[3]) for record in records.values() if record[2] == EVENT), None)
    if known is not None:
        ids = (known.chat_id, known.run_id, known.message_id)
    while (record := records.get(len(run.events) + 1)) is not None and ids is not None:
        _, seq, kind, payload, token_ids = record
        if kind == EVENT:
            run.events.append(_event(payload))
        else:
            channel: Channel = "reasoning" if kind == REASONING else "content"
            run.events.append(Delta(*ids, seq, channel=channel, text=payload))
        run.token_ids.append(tuple(token_ids))
    return run
