"""All SQL about chats. What a change means for other rows is the services' business."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, String, bindparam, cast, delete, func, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict
from app.models import LIVE_STATUSES, ChatRow, MessageRow, RunRow
from app.repositories.indexing import flush_indexed, forget_texts
from app.repositories.labels import each_tag
from app.repositories.plain_sql import PlainSql

# the ends of two pieces of the list's index: asked for in one word, all chats of the user would be looked at
LAST_ACTIVITY = """(SELECT max(newest) FROM (
    SELECT max(activity) AS newest FROM chats WHERE user_id = :user_id AND pinned = true
    UNION ALL SELECT max(activity) FROM chats WHERE user_id = :user_id AND pinned = false
) AS ends)"""


@dataclass(frozen=True)
class ListedChat:
    """A chat as a list item: its row, how many messages it has, and its run that has not ended."""

    chat: ChatRow
    message_count: int
    active_run_id: str | None


@dataclass(frozen=True)
class ChatPlace:
    """A chat's place in the list, the key of the pages."""

    pinned: bool
    activity: int
    id: str


class ChatRepository:
    """Chats of one user at a time; deleted ones are not seen unless asked for."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, user_id: str, chat_id: str, *, deleted: bool = False) -> ChatRow | None:
        """Return the user's chat, or None. With `deleted` only one that was deleted."""
        query = _MINE_DELETED if deleted else _MINE
        found = await self._session.execute(query, {"chat_id": chat_id, "user_id": user_id})
        return found.scalar_one_or_none()

    async def get_for_change(self, user_id: str, chat_id: str, *, deleted: bool = False) -> ChatRow | None:
        """Return the user's chat with its row locked until the unit ends: changes of one chat come one by one."""
        query = _LOCKED_DELETED if deleted else _LOCKED
        found = await self._session.execute(query, {"chat_id": chat_id, "user_id": user_id})
        return found.scalar_one_or_none()

    async def with_id(self, chat_id: str) -> ChatRow | None:
        """Return any chat with this id, whosever it is and deleted or not: for deciding about id conflicts only."""
        return await self._session.get(ChatRow, chat_id)

    async def insert(self, chat: ChatRow) -> None:
        """Store a new chat.

        Raises:
            Conflict: `id_conflict`: the id is taken. The unit is lost.
        """
        self._session.add(chat)
        try:
            await flush_indexed(self._session)
        except IntegrityError as error:
            raise Conflict("id_conflict", "This id is taken.") from error

    async def save(self) -> None:
        """Store what was set on rows that this unit gave out."""
        await flush_indexed(self._session)

    async def last_activity(self, user_id: str) -> int:
        """Return the newest activity among the user's chats, 0 without any."""
        ((newest,),) = await PlainSql(self._session).rows(
            f"SELECT {LAST_ACTIVITY}",
            {"user_id": user_id},
        )
        return newest or 0

    async def count(self, user_id: str) -> int:
        """Return how many chats the user has, archived ones too, deleted ones not."""
        query = select(func.count()).where(ChatRow.user_id == user_id, ChatRow.deleted_at.is_(None))
        return await self._session.scalar(query) or 0

    async def page(
        self,
        user_id: str,
        *,
        limit: int,
        after: ChatPlace | None = None,
        archived: bool = False,
        tag: str | None = None,
        folder: str | None = None,
    ) -> Sequence[ListedChat]:
        """Return up to `limit` chats after a place: pinned first, then the newest activity first."""
        query = _LISTED.where(
            ChatRow.user_id == user_id, ChatRow.deleted_at.is_(None), ChatRow.archived.is_(archived)
        )
        if folder is not None:
            query = query.where(ChatRow.folder == folder)
        if tag is not None:
            query = query.where(self._has_tag(tag))
        if after is not None:
            place = tuple_(ChatRow.pinned, ChatRow.activity, ChatRow.id)
            query = query.where(place < tuple_(after.pinned, after.activity, after.id))
        query = query.order_by(ChatRow.pinned.desc(), ChatRow.activity.desc(), ChatRow.id.desc()).limit(limit)
        found = await self._session.execute(query)
        return [ListedChat(chat, count, run) for chat, count, run in found]

    async def listed(self, user_id: str, chat_ids: Sequence[str]) -> dict[str, ListedChat]:
        """Return these chats of the user as list items, by id."""
        found = await self._session.execute(_LISTED_BY_ID, {"user_id": user_id, "chat_ids": chat_ids})
        return {chat.id: ListedChat(chat, count, run) for chat, count, run in found}

    async def mark_deleted(self, chat_id: str, at: datetime | None) -> None:
        """Delete a chat so that it can be restored, or with None restore it."""
        await self._session.execute(update(ChatRow).where(ChatRow.id == chat_id).values(deleted_at=at))

    async def deleted_before(self, moment: datetime) -> Sequence[str]:
        """Return the ids of the chats, of any user, that were deleted before a moment."""
        found = await self._session.scalars(select(ChatRow.id).where(ChatRow.deleted_at < moment))
        return found.all()

    async def purge(self, chat_id: str) -> None:
        """Remove a chat with its messages and runs for good."""
        await forget_texts(self._session, chat_id=chat_id)
        await self._session.execute(delete(ChatRow).where(ChatRow.id == chat_id))

    def _has_tag(self, tag: str) -> ColumnElement[bool]:
        each = each_tag(self._session)
        return select(1).select_from(each).where(cast(each.c.value, String) == tag).exists()


# made once: to make a statement, and the key it is found again by, costs several times what it takes to run
def _mine(*, deleted: bool) -> Select[ChatRow]:
    gone = ChatRow.deleted_at.is_not(None) if deleted else ChatRow.deleted_at.is_(None)
    return select(ChatRow).where(
        ChatRow.id == bindparam("chat_id"), ChatRow.user_id == bindparam("user_id"), gone
    )


def _listed() -> Select[ChatRow, int, str | None]:
    count = select(func.count()).where(MessageRow.chat_id == ChatRow.id).scalar_subquery()
    live = (
        select(RunRow.id)
        .where(RunRow.chat_id == ChatRow.id, RunRow.status.in_(LIVE_STATUSES))
        .scalar_subquery()
    )
    return select(ChatRow, count, live)


_MINE, _MINE_DELETED = _mine(deleted=False), _mine(deleted=True)
_LOCKED, _LOCKED_DELETED = _MINE.with_for_update(), _MINE_DELETED.with_for_update()
_LISTED = _listed()
_LISTED_BY_ID = _LISTED.where(
    ChatRow.user_id == bindparam("user_id"),
    ChatRow.id.in_(bindparam("chat_ids", expanding=True)),
    ChatRow.deleted_at.is_(None),
)
