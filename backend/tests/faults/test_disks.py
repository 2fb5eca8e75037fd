"""F18, F20, F21, F22, F23: the disk below a whole backend is locked by another, full, torn, damaged or read-only."""

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import BUSY_TIMEOUT_MS
from tests.fakes.answers import Answer
from tests.faults.answers import question
from tests.faults.conftest import SEED, NewLane
from tests.faults.forked_backend import ForkServer
from tests.faults.lane import Lane

pytestmark = pytest.mark.sqlite
WORDS = [f"w{number} " for number in range(30)]
START_ERROR = 3  # the exit code of a backend that cannot start
FULL_MIB = 16


def locked(path: Path) -> sqlite3.Connection:
    """Take the database's one write lock, as another program would."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


async def new_chat(lane: Lane) -> tuple[int, dict[str, object]]:
    """Ask for a new chat once; returns status and body."""
    async with lane.session.post(f"{lane.backend.url}/api/chats/", json={}) as reply:
        return reply.status, await reply.json()


async def test_f18_a_database_that_is_locked_for_a_while_is_waited_for(new_lane: NewLane) -> None:
    lane = await new_lane()
    other = locked(lane.backend.folder / "chat.db")
    waiting = asyncio.create_task(new_chat(lane))
    loop = asyncio.get_running_loop()
    slowest = 0.0
    for _ in range(20):
        began = loop.time()
        async with lane.session.get(f"{lane.backend.url}/api/chats/?limit=1") as reply:
            assert reply.status == 200
        slowest = max(slowest, loop.time() - began)
        await asyncio.sleep(0.05)
    assert not waiting.done()
    other.close()

    assert (await waiting)[0] == 201
    assert slowest < 0.5, "who only reads does not wait for it"


async def test_f18_a_database_that_stays_locked_is_said_and_answers_are_kept(new_lane: NewLane) -> None:
    lane = await new_lane()
    script = lane.engine.script(Answer(content=WORDS, gated=True))
    asked = await question(lane)
    await asked.send()
    script.step(3)
    await asked.reader.until_text("w2 ")
    other = locked(lane.backend.folder / "chat.db")

    refusing = asyncio.create_task(new_chat(lane))
    script.open()
    await asked.reader.until_text("w29 ")  # the journal is another file
    status, problem = await asyncio.wait_for(refusing, BUSY_TIMEOUT_MS / 1000 + 10)

    assert (status, problem["code"]) == (503, "storage_busy")
    assert asked.reader.ended is None
    other.close()
    await asked.checked()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few MiB; mounting one takes root, as in a container."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FULL_MIB}m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_f20_a_full_disk_refuses_writing_keeps_reading_and_recovers(
    new_lane: NewLane, small_disk: Path, migrated_sqlite: Path
) -> None:
    shutil.copy(migrated_sqlite, small_disk / "chat.db")
    lane = await new_lane(database_url=f"sqlite:///{small_disk / 'chat.db'}")
    chat_id = lane.id()
    await lane.say("POST", "/api/chats/", {"id": chat_id})
    filler = small_disk / "filler"
    filled = os.open(filler, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(filled, bytes(4096))
    os.close(filled)
    path = f"{lane.backend.url}/api/chats/{chat_id}"
    refusal = None
    for number in range(400):  # what SQLite has reserved before is used up first
        body = {"role": "user", "content": f"{number} " + "x" * 20_000}
        async with lane.session.post(f"{path}/messages", json=body) as reply:
            if reply.status != 201:
                refusal = reply.status, (await reply.json())["code"]
                break
    assert refusal == (507, "storage_full")
    async with lane.session.get(path) as reply:
        stored = (await reply.json())["messages"]
        assert (reply.status, len(stored)) == (200, number)
    async with lane.session.get(f"{lane.backend.url}/api/chat/health?live") as reply:
        assert reply.status == 200

    filler.unlink()

    async with lane.session.post(
        f"{path}/messages", json={"role": "user", "content": "space again"}
    ) as reply:
        assert reply.status == 201
    assert "Traceback" not in lane.backend.log


@pytest.mark.usefixtures("new_lane")
def test_f21_any_torn_end_of_the_wal_leaves_whole_chats_in_their_order(
    tmp_path: Path, sqlite_url: str
) -> None:
    """Rows are written one commit each; the WAL is cut anywhere, as power loss may: what is left are the first ones."""
    dice = random.Random(SEED)  # noqa: S311
    source = Path(sqlite_url.removeprefix("sqlite:///"))
    writer = sqlite3.connect(source, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("CREATE TABLE acked (n INTEGER PRIMARY KEY, filling BLOB)")
    for number in range(120):
        writer.execute("INSERT INTO acked VALUES (?, ?)", (number, dice.randbytes(dice.randint(10, 3000))))
    wal = source.with_name("chat.db-wal").read_bytes()
    whole = source.read_bytes()
    seen = set()
    for number in range(200):
        copy = tmp_path / f"torn{number}.db"
        copy.write_bytes(whole)
        copy.with_name(f"{copy.name}-wal").write_bytes(wal[: dice.randrange(len(wal) + 1)])
        torn = sqlite3.connect(copy)
        assert torn.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        has = torn.execute("SELECT 1 FROM sqlite_master WHERE name = 'acked'").fetchone()
        rows = [n for (n,) in torn.execute("SELECT n FROM acked ORDER BY n")] if has else []
        assert rows == list(range(len(rows)))
        seen.add(len(rows))
        torn.close()
    writer.close()
    assert len(seen) > 50, "the cuts are to fall in many places"


@pytest.mark.parametrize("damage", ["zeroed header", "journal is no database"])
async def test_f22_what_is_damaged_ends_the_start_with_a_sentence_and_is_left_alone(
    server: ForkServer, tmp_path: Path, migrated_sqlite: Path, damage: str
) -> None:
    backend = server.backend(tmp_path / "b", vllm_api_base_url="http://127.0.0.1:9/v1")
    path = backend.folder / "chat.db"
    shutil.copy(migrated_sqlite, path)
    bad = path
    if damage == "journal is no database":
        bad = backend.folder / "chat.db-runs" / "00000001.db"
        bad.parent.mkdir()
    content = bytes(100) + path.read_bytes()[100:]
    bad.write_bytes(content)

    await backend.launch()

    assert await backend.ended() == START_ERROR
    assert backend.log.splitlines()[-1].endswith((".", "begin again."))
    assert "Traceback" not in backend.log
    assert bad.read_bytes() == content


@pytest.mark.skipif(os.geteuid() != 0, reason="a read-only disk is mounted, which takes root")
async def test_f23_a_read_only_disk_ends_the_start_with_a_sentence(
    server: ForkServer, small_disk: Path, tmp_path: Path
) -> None:
    await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,ro", small_disk], check=True)
    settings = {"database_url": f"sqlite:///{small_disk}/data/chat.db"}
    backend = server.backend(tmp_path / "b", vllm_api_base_url="http://127.0.0.1:9/v1", **settings)

    await backend.launch()

    assert await backend.ended() == START_ERROR
    assert str(small_disk) in backend.log
    assert "Traceback" not in backend.log
