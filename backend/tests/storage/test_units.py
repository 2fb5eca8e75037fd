"""Units of work: whole or not at all, one writer, honest about the database's state."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.database import Database, storage_failure
from app.errors import Conflict, StorageFull, Unavailable
from app.models import ChatRow, MessageRow, RunRow
from app.repositories.storage import Storage

NOW = datetime(2026, 11, 21, 4, 0, 0, 123456, tzinfo=UTC)


def a_chat(title: str = "", activity: int = 1) -> ChatRow:
    return ChatRow(
        id=str(uuid4()), user_id="local", title=title, activity=activity, created_at=NOW, updated_at=NOW
    )


def a_message(chat: ChatRow, content: str = "hello", parent_id: str | None = None) -> MessageRow:
    return MessageRow(
        id=str(uuid4()),
        chat_id=chat.id,
        parent_id=parent_id,
        role="user",
        content=content,
        status="completed",
        created_at=NOW,
        updated_at=NOW,
    )


def a_run(chat: ChatRow, message: MessageRow, status: str = "queued") -> RunRow:
    return RunRow(
        id=str(uuid4()),
        user_id="local",
        chat_id=chat.id,
        message_id=message.id,
        status=status,
        created_at=NOW,
    )


async def test_a_unit_that_raises_leaves_nothing_behind(storage: Storage) -> None:
    chat = a_chat()
    with pytest.raises(RuntimeError):
        async with storage.write() as unit:
            await unit.chats.insert(chat)
            raise RuntimeError

    async with storage.read() as unit:
        assert await unit.chats.get("local", chat.id) is None


async def test_rows_come_back_as_they_were_stored(storage: Storage) -> None:
    chat = a_chat("标题")
    chat.tags, chat.params = ["a", "标签"], {"temperature": 0.5, "stop": ["\n"]}
    async with storage.write() as unit:
        await unit.chats.insert(chat)

    async with storage.read() as unit:
        found = await unit.chats.get("local", chat.id)

    assert found is not None
    assert found is not chat
    assert (found.title, found.tags, found.params) == (
        "标题",
        ["a", "标签"],
        {"temperature": 0.5, "stop": ["\n"]},
    )
    assert found.created_at == NOW
    assert found.created_at.tzinfo is UTC


async def test_a_chat_of_another_user_is_not_there(storage: Storage) -> None:
    chat = a_chat()
    async with storage.write() as unit:
        await unit.chats.insert(chat)
        assert await unit.chats.get("somebody", chat.id) is None
        assert await unit.chats.page("somebody", limit=10) == []


async def test_a_run_ends_once(storage: Storage) -> None:
    chat = a_chat()
    message = a_message(chat)
    run = a_run(chat, message)
    async with storage.write() as unit:
        await unit.chats.insert(chat)
        await unit.messages.insert(message)
        await unit.runs.insert(run)
        assert await unit.runs.move(run.id, to="streaming")
        assert await unit.runs.move(run.id, to="stopped", text_seq=3)
        assert not await unit.runs.move(run.id, to="completed", text_seq=9)

    async with storage.read() as unit:
        found = await unit.runs.get("local", run.id)
    assert found is not None
    assert (found.status, found.text_seq) == ("stopped", 3)


async def test_a_chat_has_one_live_run(storage: Storage) -> None:
    chat = a_chat()
    message = a_message(chat)
    first = a_run(chat, message)
    async with storage.write() as unit:
        await unit.chats.insert(chat)
        await unit.messages.insert(message)
        await unit.runs.insert(first)

    with pytest.raises(Conflict) as refused:
        async with storage.write() as unit:
            await unit.runs.insert(a_run(chat, message))
    assert refused.value.code == "run_active"

    with pytest.raises(Conflict) as taken:
        async with storage.write() as unit:
            again = a_run(chat, message, status="completed")
            again.id = first.id
            await unit.runs.insert(again)
    assert taken.value.code == "id_conflict"


async def test_the_writer_survives_a_cancelled_unit(storage: Storage) -> None:
    inside = asyncio.Event()

    async def write_for_ever() -> None:
        async with storage.write() as unit:
            await unit.chats.insert(a_chat())
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_for_ever())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with asyncio.timeout(5), storage.write() as unit:
        assert await unit.chats.count("local") == 0


async def test_mixed_work_of_eight_tasks_meets_no_locked_database(storage: Storage) -> None:
    """Reads that turn into writes fail at once on a deferred transaction (trap T13); here none does."""
    chats = [a_chat(activity=number) for number in range(8)]
    async with storage.write() as unit:
        for chat in chats:
            await unit.chats.insert(chat)

    async def work(chat: ChatRow) -> None:
        for number in range(125):
            if number % 5 == 0:
                async with storage.read() as unit:
                    await unit.chats.page("local", limit=50)
                continue
            async with storage.write() as unit:
                found = await unit.chats.get_for_change("local", chat.id)
                assert found is not None
                found.activity = await unit.chats.last_activity("local") + 1
                await unit.messages.insert(a_message(chat, f"message {number}"))
                await unit.chats.save()

    await asyncio.gather(*(work(chat) for chat in chats))

    async with storage.read() as unit:
        assert [await unit.messages.count(chat.id) for chat in chats] == [100] * 8


@pytest.mark.sqlite
async def test_two_processes_wait_for_each_other(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    other = sqlite3.connect(database.path or "", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.5, lambda: other.execute("COMMIT"))

    async with asyncio.timeout(5), Storage(database).write() as unit:
        await unit.chats.insert(a_chat())

    other.close()
    await database.close()


@pytest.mark.sqlite
async def test_nobody_writes_between_what_a_unit_reads_and_what_it_writes(sqlite_url: str) -> None:
    """A deferred transaction would let the other one in and then fail at once, whatever the timeout (trap T13)."""
    database = Database(sqlite_url)
    other = sqlite3.connect(database.path or "", isolation_level=None, timeout=0)

    async with Storage(database).write() as unit:
        assert await unit.chats.count("local") == 0
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("DELETE FROM chats")
        await unit.chats.insert(a_chat())

    other.execute("DELETE FROM chats")
    other.close()
    await database.close()


@pytest.mark.sqlite
async def test_a_database_that_stays_locked_is_called_busy(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.BUSY_TIMEOUT_MS", 50)
    database = Database(sqlite_url)
    other = sqlite3.connect(database.path or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable) as refused:
        async with Storage(database).write() as unit:
            await unit.chats.insert(a_chat())

    assert (refused.value.code, refused.value.status) == ("storage_busy", 503)
    other.close()
    await database.close()


@pytest.mark.sqlite
async def test_a_full_disk_refuses_writing_keeps_reading_and_recovers(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    storage = Storage(database)
    chat = a_chat()
    async with storage.write() as unit:
        await unit.chats.insert(chat)
    async with database.writer.connect() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 4}")

    with pytest.raises(StorageFull) as refused:
        async with storage.write() as unit:
            await unit.messages.insert(a_message(chat, "x" * 1_000_000))

    assert (refused.value.code, refused.value.status) == ("storage_full", 507)
    async with storage.read() as unit:
        assert await unit.chats.get("local", chat.id) is not None
        assert await unit.messages.count(chat.id) == 0
    async with database.writer.connect() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    async with storage.write() as unit:
        await unit.messages.insert(a_message(chat, "x" * 1_000_000))
    await database.close()


@pytest.mark.sqlite
async def test_sqlite_is_set_up_to_lose_nothing(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    async with database.writer.connect() as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    async with database.reader.connect() as connection:
        read_only = (await connection.exec_driver_sql("PRAGMA query_only")).scalar()
    await database.close()

    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    assert read_only == 1


@pytest.mark.sqlite
async def test_an_integrity_error_is_no_state_of_the_database(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with pytest.raises(OperationalError) as raised:
        async with database.read() as session:
            await session.execute(text("SELECT * FROM nowhere"))

    assert storage_failure(raised.value) is None
    await database.close()


async def test_an_unreachable_postgresql_is_called_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(Unavailable) as refused:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))

    assert refused.value.code == "storage_unavailable"
    await database.close()
