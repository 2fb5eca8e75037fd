"""Keeping the search index true: every title and content is in it from the moment it is stored.

Finding is in `search.py`. The pieces are of folded text; what holds them is verified there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import instance_state

from app.models import ChatRow, MessageRow
from app.repositories.late_statements import Late
from app.repositories.plain_sql import PlainSql
from app.utils.folding import cjk_pairs, fold, trigrams

if TYPE_CHECKING:
    from sqlalchemy.orm import InstanceState

FIRST_TITLE = 2**53
TITLE_NUMBERS, MESSAGE_NUMBERS = f"number >= {FIRST_TITLE}", f"number < {FIRST_TITLE}"


@dataclass(frozen=True)
class _Change:
    chat_id: str
    message_id: str | None
    before: str
    after: str


async def flush_indexed(session: AsyncSession) -> None:
    """Send what was set on rows to the database, and the texts among it to the index."""
    changes = list(_changes(session))
    await session.flush()
    for change in changes:
        await _index(session, change)


async def forget_texts(
    session: AsyncSession, *, chat_id: str, message_ids: Iterable[str] | None = None
) -> None:
    """Take texts out of the index, before their rows go: of these messages, or of a whole chat."""
    if session.get_bind().dialect.name != "sqlite":
        return  # the pieces stand in the entry's own row, which goes with the message
    query = text(
        """
        SELECT e.number, COALESCE(m.content, c.title), e.message_id FROM search_entries e
        JOIN chats c ON c.id = e.chat_id LEFT JOIN messages m ON m.id = e.message_id
        WHERE e.chat_id = :chat_id
        """
    )
    wanted = None if message_ids is None else set(message_ids)
    sql = PlainSql(session)
    for number, content, message_id in (await session.execute(query, {"chat_id": chat_id})).all():
        if wanted is None or message_id in wanted:
            await _write_pieces(sql, number, content, delete=True)


def _changes(session: AsyncSession) -> Iterable[_Change]:
    for row in [*session.new, *session.dirty]:
        if isinstance(row, MessageRow):
            before, after = _history(row, "content")
            chat_id, message_id = row.chat_id, row.id
        elif isinstance(row, ChatRow):
            before, after = _history(row, "title")
            chat_id, message_id = row.id, None
        else:
            continue
        if before != after:
            yield _Change(chat_id, message_id, before, after)


def _history(row: MessageRow | ChatRow, name: str) -> tuple[str, str]:
    state: InstanceState[Any] = instance_state(row)
    after: str = getattr(row, name) or ""
    if not state.persistent:
        return "", after
    replaced = state.attrs[name].history.deleted
    return (replaced[0] if replaced else after), after


async def _index(session: AsyncSession, change: _Change) -> None:
    await index_plainly(PlainSql(session), change.chat_id, change.message_id, change.before, change.after)


async def index_plainly(sql: PlainSql, chat_id: str, message_id: str | None, before: str, after: str) -> None:
    """Tell the index that a text has changed: a message's, or with None the chat's title."""
    change = _Change(chat_id, message_id, before, after)
    number = await _number(sql, change) if before else None
    await (_index_sqlite if sql.is_sqlite else _index_postgresql)(sql, change, number)


async def _number(sql: PlainSql, change: _Change) -> int | None:
    where = {"chat_id": change.chat_id, "message_id": change.message_id}
    if change.message_id is None:
        del where["message_id"]
    found = await sql.rows(_TITLE_NUMBER if change.message_id is None else _MESSAGE_NUMBER, where)
    return int(found[0][0]) if found else None


async def _index_sqlite(sql: PlainSql, change: _Change, number: int | None) -> None:
    if number is not None:
        await _write_pieces(sql, number, change.before, delete=True)
    if not change.after:
        await sql.rows(_FORGET, {"n": number})
        return
    if number is None:
        is_title = change.message_id is None
        values = {"chat_id": change.chat_id, "message_id": change.message_id}
        ((number,),) = await sql.rows(_NEW_TITLE if is_title else _NEW_MESSAGE, values)
    await _write_pieces(sql, number, change.after, delete=False)


async def _write_pieces(sql: PlainSql, number: int, content: str, *, delete: bool) -> None:
    folded = fold(content)
    for table, pieces in (("search_trigrams", folded), ("search_pairs", pair_words(folded))):
        if not pieces:
            continue
        # a contentless index takes a row out by being told again what was put in
        command = f"INSERT INTO {table} ({table}, rowid, text) VALUES ('delete', :n, :pieces)"  # noqa: S608
        insert = f"INSERT INTO {table} (rowid, text) VALUES (:n, :pieces)"  # noqa: S608 (constants)
        values = {"n": number, "pieces": pieces}
        await sql.late(Late(table, number, command if delete else insert, values))


def pair_words(folded: str) -> str:
    """Return the pairs of a text as words of plain letters: a tokenizer may not know younger characters."""
    return " ".join("".join(f"{ord(character):x}g" for character in pair) for pair in cjk_pairs(folded))


async def _index_postgresql(sql: PlainSql, change: _Change, number: int | None) -> None:
    folded = fold(change.after)
    grams = trigrams(folded) + cjk_pairs(folded)
    if not change.after:
        await sql.rows(_FORGET, {"n": number})
    elif number is not None:
        await sql.rows(
            "UPDATE search_entries SET grams = :grams WHERE number = :n", {"n": number, "grams": grams}
        )
    else:
        sequence = "search_title_numbers" if change.message_id is None else "search_message_numbers"
        statement = f"""
            INSERT INTO search_entries (number, chat_id, message_id, grams)
            VALUES (nextval('{sequence}'), :chat_id, :message_id, :grams)
        """  # noqa: S608 (a constant)
        values = {"chat_id": change.chat_id, "message_id": change.message_id, "grams": grams}
        await sql.rows(statement, values)


_FORGET = "DELETE FROM search_entries WHERE number = :n"
_TITLE_NUMBER = "SELECT number FROM search_entries WHERE chat_id = :chat_id AND message_id IS NULL"
_MESSAGE_NUMBER = "SELECT number FROM search_entries WHERE chat_id = :chat_id AND message_id = :message_id"


def _new(numbers: str, first: int) -> str:
    return f"""
        INSERT INTO search_entries (number, chat_id, message_id)
        SELECT COALESCE(MAX(number) + 1, {first}), :chat_id, :message_id FROM search_entries WHERE {numbers}
        RETURNING number
    """  # noqa: S608 (constants)


_NEW_TITLE, _NEW_MESSAGE = _new(TITLE_NUMBERS, FIRST_TITLE), _new(MESSAGE_NUMBERS, 1)
