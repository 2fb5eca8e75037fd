"""Whole transactions: each all or nothing, those that come together committed together, urgent ones first."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import event

from app.database import Database
from app.errors import Conflict, Unavailable
from app.models import ChatRow
from app.repositories.late_statements import Late, do_late
from app.repositories.storage import Storage, Unit
from app.services.search_service import SearchService
from tests.fakes.clock import FakeClock
from tests.storage.test_units import NOW, a_chat


async def stored(storage: Storage, chat: ChatRow) -> bool:
    return await storage.look(lambda unit: unit.chats.get("local", chat.id)) is not None


async def test_what_one_of_many_could_not_do_is_undone_and_the_others_are_stored(storage: Storage) -> None:
    good, bad, taken = a_chat("good"), a_chat("bad"), a_chat()

    async def add(unit: Unit, chat: ChatRow) -> str:
        await unit.chats.insert(chat)
        if chat is bad:
            raise ValueError("after the write")
        return chat.title

    def again(chat: ChatRow) -> ChatRow:
        same = a_chat("again")
        same.id = chat.id
        return same

    chats = [good, bad, taken, again(taken), a_chat("last")]
    outcomes = await asyncio.gather(
        *(storage.transaction(lambda unit, chat=chat: add(unit, chat)) for chat in chats),  # type: ignore[misc]
        return_exceptions=True,
    )

    assert outcomes[0] == "good"
    assert isinstance(outcomes[1], ValueError)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    assert outcomes[4] == "last"
    assert await stored(storage, good)
    assert not await stored(storage, bad)


async def test_a_transaction_may_wait_for_nothing_else(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('one')}/one.db")

    async def wait(_unit: Unit) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="wait for nothing"):
        await Storage(database).transaction(wait)
    await database.close()


async def test_urgent_work_goes_before_what_waits(storage: Storage) -> None:
    order: list[str] = []

    async def note(_unit: Unit, name: str) -> None:
        order.append(name)

    await asyncio.gather(
        storage.transaction(lambda unit: note(unit, "usual")),
        storage.transaction(lambda unit: note(unit, "urgent"), urgent=True),
    )

    if storage.in_one_thread:
        assert order == ["urgent", "usual"]
    else:
        assert sorted(order) == ["urgent", "usual"]


async def test_what_comes_in_the_next_turns_of_the_loop_is_committed_together(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('many')}/many.db")
    storage = Storage(database)
    commits: list[object] = []
    assert storage._transactions is not None
    event.listen(storage._transactions._writer, "commit", commits.append)

    async def come(turn: int) -> None:
        for _ in range(turn):
            await asyncio.sleep(0)
        await storage.transaction(lambda unit: unit.starts.sql.rows("SELECT 1", {}))

    await asyncio.gather(*(come(turn) for turn in range(8)))
    await database.close()

    assert len(commits) == 1


def test_an_index_is_told_of_a_whole_batch_at_once_and_of_each_row_in_its_order() -> None:
    """Told of one text after the other, it writes a segment each time that a number is not above the last one."""
    told = sqlite3.connect(":memory:", isolation_level=None)
    told.execute("CREATE VIRTUAL TABLE pieces USING fts5 (text, content='', columnsize=0)")
    new = "INSERT INTO pieces (rowid, text) VALUES (:n, :text)"
    gone = "INSERT INTO pieces (pieces, rowid, text) VALUES ('delete', :n, :text)"
    told.execute("BEGIN")
    do_late([Late("pieces", n, new, {"n": n, "text": f"word{n}"}) for n in (9, 1, 8, 2, 7, 3)], told)
    told.execute("COMMIT")
    segments = told.execute("SELECT count(DISTINCT segid) FROM pieces_idx").fetchone()
    again = [("word8", "other"), ("other", "third")]
    do_late(
        [
            Late("pieces", 8, sql, {"n": 8, "text": text})
            for before, after in again
            for sql, text in ((gone, before), (new, after))
        ],
        told,
    )
    found = {
        word: [n for (n,) in told.execute("SELECT rowid FROM pieces WHERE pieces MATCH ?", (word,))]
        for word in ("word9", "word8", "other", "third")
    }
    told.close()
    assert segments == (1,)
    assert found == {"word9": [9], "word8": [], "other": [], "third": [8]}


async def test_a_title_that_changes_twice_in_one_batch_is_found_as_it_is_now(storage: Storage) -> None:
    if not storage.in_one_thread:
        return  # there each has a transaction of its own, and the second finds no chat
    chat = a_chat("alphabet")

    async def call(title: str, unit: Unit) -> None:
        row = await unit.chats.get_for_change("local", chat.id)
        assert row is not None
        row.title = title
        await unit.chats.save()

    await asyncio.gather(
        storage.transaction(lambda unit: unit.chats.insert(chat)),
        storage.transaction(lambda unit: call("betatest", unit)),
        storage.transaction(lambda unit: call("gammaray", unit)),
    )
    search = SearchService(storage, FakeClock())

    found = {
        word: [hit.chat.title for hit in (await search.search("local", word, limit=9, cursor=None)).items]
        for word in ("alphabet", "betatest", "gammaray")
    }
    assert found == {"alphabet": [], "betatest": [], "gammaray": ["gammaray"]}


async def test_a_caller_that_goes_away_does_not_stop_what_was_asked(storage: Storage) -> None:
    chat = a_chat("asked")
    asking = asyncio.create_task(storage.transaction(lambda unit: unit.chats.insert(chat)))
    await asyncio.sleep(0)
    if not storage.in_one_thread:
        asking.cancel()
        return  # there the caller's own connection does it
    asking.cancel()
    await storage.transaction(lambda unit: unit.ping())

    assert await stored(storage, chat)


async def test_a_locked_file_fails_all_of_them_as_busy(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.BUSY_TIMEOUT_MS", 10)
    path = tmp_path_factory.mktemp("busy") / "busy.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    database = Database(f"sqlite:///{path}")
    work = Storage(database).transaction
    outcomes = await asyncio.gather(
        *(work(lambda unit: unit.ping()) for _ in range(3)), return_exceptions=True
    )
    other.close()
    await database.close()

    assert [outcome.code for outcome in outcomes if isinstance(outcome, Unavailable)] == ["storage_busy"] * 3


async def test_rows_written_past_the_orm_are_the_orms(storage: Storage) -> None:
    """Times, JSON, defaults: what plain SQL keeps is what the models give back."""
    chat = a_chat("标题")
    chat.tags, chat.params = ["标签"], {"stop": ["\n"], "temperature": 0.5}

    async def add(unit: Unit) -> None:
        await unit.starts.sql.insert(chat)

    await storage.transaction(add)
    plain = await storage.look(lambda unit: unit.starts.chat_for_change("local", chat.id))
    async with storage.read() as unit:
        row = await unit.chats.get("local", chat.id)

    assert plain is not None
    assert row is not None
    for found in (plain, row):
        assert (found.title, found.tags, found.params) == (chat.title, chat.tags, chat.params)
        assert (found.pinned, found.archived, found.deleted_at) == (False, False, None)
        assert (found.created_at, found.updated_at) == (NOW, NOW)
