"""F26, F31, F54: what both databases must store alike, a migration that is killed or raced, PostgreSQL going away."""

import asyncio
import random
import shutil
import signal
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from tests.fakes.answers import Answer
from tests.fakes.postgresql import cluster
from tests.faults.answers import question
from tests.faults.conftest import SEED, NewLane
from tests.faults.forked_backend import ForkServer

NASTY = [
    "\ufeffBOM", "line\u2028sep\u2029para", "\u202eright to left\u202c", "👩‍👩‍👧‍👦", "e" + "\u0301" * 1000, "\ufffe\uffff",
    "\x01\x1b[2J\x7f", "' OR 1=1; --", "\\u0000", "%s%n{0}", "𝕏" * 500, "\r\n\t x", "﷽", "<script>alert(1)</script>",
]  # fmt: skip
REFUSED = {"nul": "a\x00b", "surrogate": "a\ud800b"}
OLDEST = "0001"
EMPTY_ENGINE = "http://127.0.0.1:9/v1"


async def test_f26_any_text_is_stored_as_sent_or_refused_with_a_reason(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either)
    chat_id = lane.id()
    await lane.say("POST", "/api/chats/", {"id": chat_id, "title": "".join(NASTY)[:200]})
    for text in NASTY:
        await lane.say("POST", f"/api/chats/{chat_id}/messages", {"role": "user", "content": text})

    chat = await lane.say("GET", f"/api/chats/{chat_id}")

    assert [message["content"] for message in chat["messages"]] == NASTY
    for name, text in REFUSED.items():
        body = {"role": "user", "content": text}
        async with lane.session.post(f"{lane.backend.url}/api/chats/{chat_id}/messages", json=body) as reply:
            assert reply.status == 422, name
            assert (await reply.json())["errors"][0]["field"] == "content"


def at_oldest(path: Path, migrated: Path) -> set[str]:
    """Make a database of the oldest revision with a thousand chats in it, and return their titles."""
    shutil.copy(migrated, path)
    from alembic import command  # noqa: PLC0415 (costly)
    from sqlalchemy import create_engine  # noqa: PLC0415

    from app.repositories.schema import alembic_config  # noqa: PLC0415

    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        command.downgrade(alembic_config(connection), OLDEST)
        connection.commit()
    engine.dispose()
    titles = {f"title {number}" for number in range(1000)}
    with sqlite3.connect(path) as raw:
        raw.executemany(
            "INSERT INTO chats (id, user_id, title, params, pinned, archived, tags, activity, created_at, updated_at)"
            " VALUES (?, 'local', ?, '{}', 0, 0, '[]', ?, '2026-01-01', '2026-01-01')",
            [(f"{n:08d}-0000-4000-8000-000000000000", title, n) for n, title in enumerate(sorted(titles))],
        )
    raw.close()
    return titles


@pytest.mark.sqlite
async def test_f31_a_migration_that_is_killed_leaves_the_old_or_the_new(
    server: ForkServer, tmp_path: Path, migrated_sqlite: Path
) -> None:
    dice = random.Random(SEED)  # noqa: S311
    old = tmp_path / "old.db"
    titles = at_oldest(old, migrated_sqlite)
    for number in range(10):
        backend = server.backend(tmp_path / f"b{number}", vllm_api_base_url=EMPTY_ENGINE)
        path = backend.folder / "chat.db"
        shutil.copy(old, path)
        await backend.launch()
        await asyncio.sleep(dice.uniform(0, 0.4))
        await backend.kill()
        with sqlite3.connect(path) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert {title for (title,) in raw.execute("SELECT title FROM chats")} == titles
        raw.close()

        await backend.start()
        await backend.kill()
        with sqlite3.connect(path) as raw:
            assert raw.execute("SELECT version_num FROM alembic_version").fetchone() > (OLDEST,)
            assert {title for (title,) in raw.execute("SELECT title FROM chats")} == titles
        raw.close()


@pytest.mark.sqlite
async def test_f31_of_two_that_start_at_once_one_migrates_and_serves(
    server: ForkServer, tmp_path: Path, migrated_sqlite: Path
) -> None:
    path = tmp_path / "shared" / "chat.db"
    path.parent.mkdir()
    titles = at_oldest(path, migrated_sqlite)
    pair = [
        server.backend(tmp_path / name, database_url=f"sqlite:///{path}", vllm_api_base_url=EMPTY_ENGINE)
        for name in ("one", "two")
    ]
    await asyncio.gather(*(each.launch() for each in pair))
    ended = [asyncio.create_task(each.ended()) for each in pair]

    done, _ = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED, timeout=20)

    assert [task.result() for task in done] == [3]
    [serving] = [each for each in pair if each.is_running]
    await serving.listening()
    with sqlite3.connect(path) as raw:
        assert {title for (title,) in raw.execute("SELECT title FROM chats")} == titles
    raw.close()
    await serving.kill()


@pytest.mark.postgresql
async def test_f54_every_connection_taken_is_said_and_passes(new_lane: NewLane) -> None:
    """Ten connections that wait for a lock: who comes then hears 503, and all is well when the lock goes."""
    with cluster() as own:
        url = own.create("main")
        lane = await new_lane(database_url=url)
        lane.engine.fresh = lambda _: Answer(content="Hello.")
        before = await question(lane, "before")
        await before.send()
        await before.checked()
        other = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
        lock = other.transaction()
        await lock.start()
        await other.execute("LOCK TABLE chats IN ACCESS EXCLUSIVE MODE")

        async def ask() -> tuple[int, str]:
            async with lane.session.get(f"{lane.backend.url}/api/chats/?limit=1") as reply:
                return reply.status, (await reply.json())["code"]

        found = await asyncio.gather(*(ask() for _ in range(40)))

        assert set(found) == {(503, "storage_busy")}
        async with lane.session.get(f"{lane.backend.url}/api/chat/health?live") as reply:
            assert reply.status == 200
        await lock.rollback()
        await other.close()
        after = await question(lane, "after")
        await after.send()
        await after.checked()
        assert "Traceback" not in lane.backend.log


@pytest.mark.postgresql
async def test_f54_postgresql_that_goes_away_is_said_and_answers_go_on(new_lane: NewLane) -> None:
    words = [f"w{number} " for number in range(40)]
    with cluster() as own:
        lane = await new_lane(database_url=own.create("main"))
        script = lane.engine.script(Answer(content=words, gated=True))
        asked = await question(lane)
        await asked.send()
        script.step(3)
        await asked.reader.until_text("w2 ")

        own.restart()  # immediate: every connection is lost
        script.open()
        async with lane.session.get(f"{lane.backend.url}/api/chats/?limit=1") as reply:
            assert reply.status in {200, 503}

        stored = await asked.checked()
        assert stored["content"] == "".join(words)
        lane.backend.send(signal.SIGTERM)
        assert await lane.backend.ended() == 0
