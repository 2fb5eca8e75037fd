"""The power goes: a kill cannot tell what was synced from what the kernel only held, an image of the disk can."""

import sys
from pathlib import Path
from uuid import UUID

import pytest

from app.config import REPOSITORY
from app.repositories.journal_file import journal_files, read
from tests.fakes.synced_disk import STRACE, synced_image

RUN = UUID("0194c1f0-0000-7000-8000-000000000001")
BATCHES = 40
PROGRAM = """
import os, sys
from pathlib import Path
from uuid import UUID
sys.path.insert(0, sys.argv[1])
from app.repositories.journal_file import JournalFile

run = UUID(sys.argv[4])
file = JournalFile.create(Path(sys.argv[2]))
if sys.argv[3] != "as it is":
    file._connection.execute("PRAGMA synchronous=" + sys.argv[3])
start = (
    b'{"type":"run.started","chat_id":null,"run_id":"%s","message_id":null,"seq":1,"model":"m",'
    b'"parent_id":null,"continued":0,"continues":null}' % str(run).encode()
)
file.append([(run.bytes, 1, 2, start, ())])
for number in range(2, int(sys.argv[5]) + 1):
    file.append([(run.bytes, number, 0, f"text {number} ", (number,))])
    print(number, flush=True)
os._exit(0)
"""

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


def kept(tmp_path: Path, synchronous: str) -> int:
    """Return how many of the events that were told as safe are there after the power has gone."""
    folder, image = tmp_path / "runs", tmp_path / "image"
    arguments = [str(REPOSITORY / "backend"), str(folder), synchronous, str(RUN), str(BATCHES)]
    told = synced_image([sys.executable, "-c", PROGRAM, *arguments], folder, image)
    assert told.split()[-1] == str(BATCHES)
    known = read(journal_files(image))
    return len(known[str(RUN)].events) if known else 0


def test_nothing_that_was_told_as_safe_is_lost_with_the_power(tmp_path: Path) -> None:
    assert kept(tmp_path, "as it is") == BATCHES


def test_with_less_than_full_it_would_be(tmp_path: Path) -> None:
    """The control: this test can see the difference."""
    assert kept(tmp_path, "NORMAL") < BATCHES
