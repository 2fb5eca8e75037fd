"""All SQL about messages and their tree. Which message is active is a chat's property."""

from collections.abc import Collection, Sequence

from sqlalchemy import CTE, ColumnElement, Select, bindparam, delete, literal, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict
from app.models import MessageRow
from app.repositories.indexing import flush_indexed, forget_texts
from app.repositories.plain_sql import PlainSql


class MessageRepository:
    """Messages of chats the caller has already found to be the user's."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, chat_id: str, message_id: str) -> MessageRow | None:
        """Return a message of this chat, or None."""
        found = await self._session.execute(_OF_CHAT, {"message_id": message_id, "chat_id": chat_id})
        return found.scalar_one_or_none()

    async def with_id(self, message_id: str) -> MessageRow | None:
        """Return any message with this id, whosever it is: for deciding about id conflicts only."""
        return await self._session.get(MessageRow, message_id)

    async def insert(self, message: MessageRow) -> None:
        """Store a new message; its `position` becomes the last of its chat, whose row must be locked.

        Raises:
            Conflict: `id_conflict`: the id is taken. The unit is lost.
        """
        ((last,),) = await PlainSql(self._session).rows(
            "SELECT max(position) FROM messages WHERE chat_id = :chat_id", {"chat_id": message.chat_id}
        )
        message.position = (last or 0) + 1
        self._session.add(message)
        try:
            await flush_indexed(self._session)
        except IntegrityError as error:
            raise Conflict("id_conflict", "This id is taken.") from error

    async def save(self) -> None:
        """Store what was set on rows that this unit gave out."""
        await flush_indexed(self._session)

    async def count(self, chat_id: str) -> int:
        """Return how many messages a chat has, on all its branches."""
        ((count,),) = await PlainSql(self._session).rows(
            "SELECT count(*) FROM messages WHERE chat_id = :chat_id", {"chat_id": chat_id}
        )
        return int(count)

    async def tree(self, chat_id: str) -> Sequence[MessageRow]:
        """Return every message of a chat, oldest first."""
        query = select(MessageRow).where(MessageRow.chat_id == chat_id).order_by(MessageRow.position)
        return (await self._session.scalars(query)).all()

    async def path(self, leaf_id: str, *, limit: int | None = None) -> Sequence[MessageRow]:
        """Return the messages from the root down to `leaf_id`, oldest first; with `limit` the last ones only."""
        step = (
            select(MessageRow.id, MessageRow.parent_id, literal(1).label("depth"))
            .where(MessageRow.id == leaf_id)
            .cte("path", recursive=True)
        )
        up = select(MessageRow.id, MessageRow.parent_id, (step.c.depth + 1).label("depth")).join(
            step, MessageRow.id == step.c.parent_id
        )
        step = step.union_all(up.where(step.c.depth < limit) if limit is not None else up)
        query = select(MessageRow).join(step, MessageRow.id == step.c.id).order_by(step.c.depth.desc())
        return (await self._session.scalars(query)).all()

    async def siblings(self, chat_id: str, parent_ids: Collection[str | None]) -> dict[str | None, list[str]]:
        """Return the ids of the children of each parent, oldest first; None stands for the roots."""
        known = [parent for parent in parent_ids if parent is not None]
        query = _CHILDREN_AND_ROOTS if None in parent_ids else _CHILDREN
        children: dict[str | None, list[str]] = {}
        for parent_id, message_id in await self._session.execute(
            query, {"chat_id": chat_id, "parent_ids": known}
        ):
            children.setdefault(parent_id, []).append(message_id)
        return children

    async def newest_below(self, message_id: str) -> str:
        """Return the newest leaf below a message, which is the message itself when it is one."""
        below = self._below(message_id)
        query = (
            select(MessageRow.id)
            .join(below, MessageRow.id == below.c.id)
            .order_by(MessageRow.position.desc())
            .limit(1)
        )
        return (await self._session.execute(query)).scalar_one()

    async def newest(self, chat_id: str) -> str | None:
        """Return the newest message of a chat, which is a leaf, or None without any."""
        query = (
            select(MessageRow.id)
            .where(MessageRow.chat_id == chat_id)
            .order_by(MessageRow.position.desc())
            .limit(1)
        )
        return await self._session.scalar(query)

    async def ids_below(self, message_id: str) -> set[str]:
        """Return a message's id and those of all messages below it."""
        return set((await self._session.scalars(select(self._below(message_id).c.id))).all())

    async def delete_below(self, chat_id: str, message_id: str) -> None:
        """Remove a message and everything below it, with their runs."""
        await forget_texts(self._session, chat_id=chat_id, message_ids=await self.ids_below(message_id))
        await self._session.execute(delete(MessageRow).where(MessageRow.id == message_id))

    def _below(self, message_id: str) -> CTE:
        step = select(MessageRow.id).where(MessageRow.id == message_id).cte("below", recursive=True)
        down = select(MessageRow.id).join(step, MessageRow.parent_id == step.c.id)
        return step.union_all(down)


# made once: to make a statement, and the key it is found again by, costs several times what it takes to run
_OF_CHAT = select(MessageRow).where(
    MessageRow.id == bindparam("message_id"), MessageRow.chat_id == bindparam("chat_id")
)


def _children(below: ColumnElement[bool]) -> Select[str | None, str]:
    return (
        select(MessageRow.parent_id, MessageRow.id)
        .where(MessageRow.chat_id == bindparam("chat_id"), below)
        .order_by(MessageRow.position)
    )


_BELOW = MessageRow.parent_id.in_(bindparam("parent_ids", expanding=True))
_CHILDREN, _CHILDREN_AND_ROOTS = _children(_BELOW), _children(or_(_BELOW, MessageRow.parent_id.is_(None)))
