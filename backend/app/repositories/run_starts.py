"""The SQL of a run's start, the one path whose every statement is between a question and its first token.

What a start is, the services know; ordinary changes go through the other repositories.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict
from app.models import ChatRow, MessageRow, RunRow
from app.repositories.chats import LAST_ACTIVITY
from app.repositories.indexing import index_plainly
from app.repositories.plain_sql import PlainSql
from app.repositories.runs import is_second_live_run


class Places(NamedTuple):
    """Where a chat's next message goes: how many there are, the last position, the user's newest activity."""

    messages: int
    position: int
    activity: int


class Room(NamedTuple):
    """Where a start goes, and what is in its way.

    Whether the ids of its run and its message are taken, by anybody; whether the chat has a run that has not ended;
    whether the message above it is one of the chat's, and has children already.
    """

    places: Places
    has_run: bool
    has_message: bool
    is_live: bool
    has_above: bool
    has_siblings: bool


class Placed(NamedTuple):
    """A message as far as the tree is concerned."""

    id: str
    role: str
    parent_id: str | None


class RunStartRepository:
    """Rows that it gives out are known to no session: what is set on them is stored by `save_chat` alone."""

    def __init__(self, session: AsyncSession) -> None:
        self.sql = PlainSql(session)

    async def chat_for_change(self, user_id: str, chat_id: str) -> ChatRow | None:
        """Return the user's chat with its row locked until the unit ends, or None."""
        lock = "" if self.sql.is_sqlite else " FOR UPDATE"  # SQLite has one writer
        where = f"id = :chat_id AND user_id = :user_id AND deleted_at IS NULL{lock}"
        return await self.sql.one(ChatRow, where, {"chat_id": chat_id, "user_id": user_id})

    async def places(self, user_id: str, chat_id: str) -> Places:
        """Return where the next message of a chat goes."""
        (found,) = await self.sql.rows(
            f"SELECT {_PLACES}",
            {"user_id": user_id, "chat_id": chat_id},
        )
        return _places(*found)

    async def room(self, user_id: str, chat_id: str, run_id: str, message_id: str, above: str | None) -> Room:
        """Return where a start goes, its first message below the message `above`, and what is in its way."""
        values = {"user_id": user_id, "chat_id": chat_id, "run_id": run_id, "message_id": message_id}
        ((messages, position, activity, *found),) = await self.sql.rows(_ROOM, values | {"above": above})
        return Room(_places(messages, position, activity), *map(bool, found))

    async def message(self, chat_id: str, message_id: str) -> Placed | None:
        """Return a message of this chat, or None."""
        found = await self.sql.rows(_MESSAGE, {"chat_id": chat_id, "message_id": message_id})
        return Placed(*found[0]) if found else None

    async def children(self, chat_id: str, parent_id: str | None) -> list[str]:
        """Return the ids of the children of a message, or of the roots, oldest first."""
        sql = _ROOTS if parent_id is None else _CHILDREN
        values = {"chat_id": chat_id} if parent_id is None else {"parent_id": parent_id}
        return [message_id for (message_id,) in await self.sql.rows(sql, values)]

    async def insert(self, messages: Sequence[MessageRow], run: RunRow) -> None:
        """Store new messages, whose positions are set, and a new run.

        Raises:
            Conflict: `run_active` or `id_conflict`: another backend was faster. The unit is lost.
        """
        try:
            await self.sql.insert(*messages)
            await self.sql.insert(run)
            for message in messages:
                if message.content:
                    await index_plainly(self.sql, message.chat_id, message.id, "", message.content)
        except (IntegrityError, sqlite3.IntegrityError) as error:
            if is_second_live_run(error):
                raise Conflict("run_active", "This chat has a run that has not ended.") from error
            raise Conflict("id_conflict", "This id is taken.") from error

    async def save_chat(self, chat: ChatRow, title_before: str) -> None:
        """Store what a start changes of a chat: its title, its leaf, its place in the list."""
        values = {
            "id": chat.id,
            "title": chat.title,
            "active_leaf_id": chat.active_leaf_id,
            "activity": chat.activity,
            "updated_at": self.sql.time(chat.updated_at),
        }
        await self.sql.rows(_SAVE_CHAT, values)
        if chat.title != title_before:
            await index_plainly(self.sql, chat.id, None, title_before, chat.title)

    async def path_texts(self, leaf_id: str) -> Sequence[Sequence[Any]]:
        """Return role and content of the messages from the root down to `leaf_id` that have some, oldest first."""
        return await self.sql.rows(_PATH_TEXTS, {"leaf_id": leaf_id})


def _places(messages: int, position: int | None, activity: int | None) -> Places:
    return Places(messages, position or 0, activity or 0)


_PLACES = f"""
    (SELECT count(*) FROM messages WHERE chat_id = :chat_id),
    (SELECT max(position) FROM messages WHERE chat_id = :chat_id),
    {LAST_ACTIVITY}
"""  # noqa: S608 (a constant)
_ROOM = f"""
    SELECT {_PLACES},
    EXISTS (SELECT 1 FROM runs WHERE id = :run_id),
    EXISTS (SELECT 1 FROM messages WHERE id = :message_id),
    EXISTS (SELECT 1 FROM runs WHERE chat_id = :chat_id AND status IN ('queued', 'streaming')),
    EXISTS (SELECT 1 FROM messages WHERE id = :above AND chat_id = :chat_id),
    EXISTS (SELECT 1 FROM messages WHERE parent_id = :above)
"""  # noqa: S608 (a constant)
_MESSAGE = "SELECT id, role, parent_id FROM messages WHERE id = :message_id AND chat_id = :chat_id"
_ROOTS = "SELECT id FROM messages WHERE chat_id = :chat_id AND parent_id IS NULL ORDER BY position"
# of one chat by nature; named as well, the index of the chat's messages would be read from end to end
_CHILDREN = "SELECT id FROM messages WHERE parent_id = :parent_id ORDER BY position"
_SAVE_CHAT = """
    UPDATE chats SET title = :title, active_leaf_id = :active_leaf_id, activity = :activity, updated_at = :updated_at
    WHERE id = :id
"""
# each step takes its row along: one look a message; further down is always a higher position
_PATH_TEXTS = """
    WITH RECURSIVE path (parent_id, position, role, content) AS (
        SELECT parent_id, position, role, content FROM messages WHERE id = :leaf_id
        UNION ALL
        SELECT m.parent_id, m.position, m.role, m.content FROM path JOIN messages m ON m.id = path.parent_id
    )
    SELECT role, content FROM path WHERE content <> '' ORDER BY position
"""
