"""All SQL about chats that come and go as a whole: export, import, fork."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ChatRow, MessageRow
from app.repositories.indexing import flush_indexed


class TransferRepository:
    """Whole chats."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ids_after(self, user_id: str, after: str, *, limit: int) -> Sequence[str]:
        """Return the ids of the user's chats after an id, in the order of ids."""
        query = select(ChatRow.id).where(
            ChatRow.user_id == user_id, ChatRow.deleted_at.is_(None), ChatRow.id > after
        )
        return (await self._session.scalars(query.order_by(ChatRow.id).limit(limit))).all()

    async def insert(self, chat: ChatRow, messages: Sequence[MessageRow]) -> None:
        """Store a new chat with its messages, which have their positions and stand after those above them."""
        self._session.add(chat)
        await flush_indexed(self._session)
        for message in messages:
            self._session.add(message)
        await flush_indexed(self._session)

    def forget(self, chat: ChatRow) -> None:
        """Know no longer of a row that was purged, so that its id can be used again in this unit."""
        self._session.expunge(chat)
