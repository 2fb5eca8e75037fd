"""The SQL of a run's end: with a hundred runs that end together, what it costs is what the next answer waits for.

What an end is, the services know; ordinary changes go through the other repositories.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ChatRow, MessageRow, RunRow
from app.repositories.indexing import index_plainly
from app.repositories.plain_sql import PlainSql


class RunEndRepository:
    """Rows that it gives out are known to no session: what is set on them is stored by `save_answer` alone."""

    def __init__(self, session: AsyncSession) -> None:
        self.sql = PlainSql(session)

    async def chat(self, user_id: str, chat_id: str) -> ChatRow | None:
        """Return the user's chat, or None."""
        where = "id = :chat_id AND user_id = :user_id AND deleted_at IS NULL"
        return await self.sql.one(ChatRow, where, {"chat_id": chat_id, "user_id": user_id})

    async def answer(self, chat_id: str, message_id: str) -> MessageRow | None:
        """Return the message that a run has written into, or None."""
        where = "id = :message_id AND chat_id = :chat_id"
        return await self.sql.one(MessageRow, where, {"message_id": message_id, "chat_id": chat_id})

    async def run(self, run_id: str) -> RunRow | None:
        """Return the run as it is stored now, or None."""
        return await self.sql.one(RunRow, "id = :run_id", {"run_id": run_id})

    async def save_answer(self, answer: MessageRow, content_before: str) -> None:
        """Store what an end changes of a message."""
        names = ("content", "reasoning", "status", "model", "details", "updated_at")
        kept = self.sql.kept(MessageRow, {name: getattr(answer, name) for name in names})
        changes = ", ".join(f"{column} = :{column}" for column in kept)
        sql = f"UPDATE messages SET {changes} WHERE id = :message_id"  # noqa: S608 (columns of the model)
        await self.sql.rows(sql, kept | {"message_id": answer.id})
        if answer.content != content_before:
            await index_plainly(self.sql, answer.chat_id, answer.id, content_before, answer.content)
