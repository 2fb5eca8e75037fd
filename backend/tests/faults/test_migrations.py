"""F31: the migrations from every revision there was, over data, on both databases: each row is there afterwards as it was."""

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, Table, insert, select

from app.database import Database
from app.repositories.schema import alembic_config, revisions

AT = datetime(2026, 1, 1, tzinfo=UTC)
CHATS, MESSAGES = 30, 6
TEXTS = ["plain", "天气很好", "👩‍👩‍👧‍👦 é 𝕏", "line\nline", "' OR 1=1; --", ""]
KNOWN, HEAD = revisions()
# What no column of any revision may be without.
VALUES: dict[str, Any] = {
    "user_id": "local", "title": "t", "params": {}, "pinned": False, "archived": False, "temporary": False, "tags": ["a"],
    "created_at": AT, "updated_at": AT, "role": "user", "reasoning": "", "status": "completed", "metadata": {"k": [1]},
    "model": "m", "seq": 3, "text_seq": 2, "options": {"max_tokens": 5}, "ended_at": AT, "started_at": AT,
}  # fmt: skip


def uuid_of(kind: int, number: int) -> str:
    return f"{kind:08d}-0000-4000-8000-{number:012d}"


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return rows of every table that has been there from the beginning."""
    chats, messages, runs = [], [], []
    for chat in range(CHATS):
        leaf = chat * MESSAGES + MESSAGES - 1
        chats.append({"id": uuid_of(1, chat), "activity": chat, "active_leaf_id": uuid_of(2, leaf)})
        for number in range(chat * MESSAGES, leaf + 1):
            parent = uuid_of(2, number - 1) if number % MESSAGES else None
            text = TEXTS[number % len(TEXTS)] * (number % 40)
            message = {"parent_id": parent, "position": number % MESSAGES + 1, "content": text}
            messages.append({"id": uuid_of(2, number), "chat_id": uuid_of(1, chat), **message})
        runs.append({"id": uuid_of(3, chat), "chat_id": uuid_of(1, chat), "message_id": uuid_of(2, leaf)})
    return {"chats": chats, "messages": messages, "runs": runs}


def read(connection: Connection, tables: dict[str, Table]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows, with the columns that these tables had."""
    return {
        name: [tuple(row) for row in connection.execute(select(table).order_by(table.c.id))]
        for name, table in tables.items()
    }


@pytest.mark.parametrize("revision", sorted(KNOWN))
async def test_f31_every_row_of_an_older_revision_is_there_afterwards(
    database: Database, revision: str
) -> None:
    def migrate(connection: Connection) -> None:
        command.downgrade(alembic_config(connection), revision)
        known = MetaData()
        known.reflect(connection, only=["chats", "messages", "runs"])
        tables = {name: known.tables[name] for name in ("chats", "messages", "runs")}
        for name, table in tables.items():
            filled = {column: value for column, value in VALUES.items() if column in table.c}
            connection.execute(insert(table), [filled | row for row in rows()[name]])
        before = read(connection, tables)
        assert [len(found) for found in before.values()] == [CHATS, CHATS * MESSAGES, CHATS]

        command.upgrade(alembic_config(connection), HEAD)

        assert read(connection, tables) == before
        connection.rollback()

    async with database.writer.connect() as connection:
        await connection.run_sync(migrate)
