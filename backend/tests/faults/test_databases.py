"""F26, F31, F37, F38, F54: what both databases must do alike, a migration that is killed or raced, PostgreSQL going away."""

import asyncio
import random
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.postgresql import cluster
from tests.faults.answers import question
from tests.faults.conftest import SEED, NewLane
from tests.faults.forked_backend import ForkServer
from tests.faults.lane import Lane

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


CLIENTS, OPERATIONS = 8, 40


async def test_f37_f38_eight_clients_at_one_chat_leave_a_whole_tree(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either)
    lane.engine.fresh = lambda number: Answer(content=f"answer {number}", rate=200)
    chat_id = lane.id()
    await lane.say("POST", "/api/chats/", {"id": chat_id})
    statuses = await asyncio.gather(*(client(lane, chat_id, number) for number in range(CLIENTS)))

    async def ended() -> bool:
        return (await lane.say("GET", f"/api/chats/{chat_id}"))["active_run"] is None

    async with asyncio.timeout(20):
        while not await ended():  # noqa: ASYNC110 (the chat tells nobody here)
            await asyncio.sleep(0.02)
    messages = (await lane.say("GET", f"/api/chats/{chat_id}"))["messages"]
    found = {status for each in statuses for status in each}
    assert found <= {200, 201, 202, 204, 404, 409, 412, 422}
    assert {202, 409} <= found, "they are to meet"
    check_tree(messages)


async def client(lane: Lane, chat_id: str, number: int) -> set[int]:
    """Do what people do to a chat, blindly; returns every status."""
    dice = random.Random(SEED + number)  # noqa: S311
    known: list[str] = []
    statuses = set()
    for turn in range(OPERATIONS):
        target = dice.choice(known) if known else lane.id()
        base = f"/api/chats/{chat_id}"
        method, path, body = dice.choice(
            [
                ("POST", f"{base}/messages", {"role": "user", "content": f"{number}.{turn}"}),
                ("POST", f"{base}/runs", {"message": {"content": f"{number}.{turn}?"}}),
                ("POST", f"{base}/runs", {"parent_id": target}),
                ("PUT", f"{base}/messages/{target}", {"content": f"edited {number}.{turn}"}),
                ("PUT", base, {"title": f"title {number}.{turn}"}),
                ("PUT", base, {"active_leaf_id": target}),
                ("DELETE", f"{base}/messages/{target}", None),
            ]
        )
        async with lane.session.request(method, lane.backend.url + path, json=body) as reply:
            statuses.add(reply.status)
            answer: dict[str, Any] = await reply.json() if reply.status != 204 else {}
        known += [answer["id"]] if reply.status == 201 else []
        known += [answer["assistant_message"]["id"]] if reply.status == 202 else []
    return statuses


def check_tree(messages: list[dict[str, Any]]) -> None:
    """Every message has its parent and its siblings, answers have ended, and a question has no two live ones."""
    by_id = {message["id"]: message for message in messages}
    assert len(by_id) == len(messages)
    for message in messages:
        assert message["parent_id"] is None or message["parent_id"] in by_id
        siblings = {m["id"] for m in messages if m["parent_id"] == message["parent_id"]}
        assert set(message["sibling_ids"]) == siblings
        assert message["status"] in {"completed", "stopped"}


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
