"""The row of a chat. Its messages are rows of their own."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, Index, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID, Row


class ChatRow(Row):
    """A chat.

    `activity` orders the list: microseconds of the last activity, made to grow when the clock does not.
    `temporary` is true in the database in memory alone. `origin` is the digest of the request that made the row, so that the same request is known when it comes again.
    """

    __tablename__ = "chats"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, default="")
    model: Mapped[str | None] = mapped_column(Text)
    system_prompt: Mapped[str | None] = mapped_column(Text)
    temperature: Mapped[float | None] = mapped_column(Float)
    max_tokens: Mapped[int | None] = mapped_column(BigInteger)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    pinned: Mapped[bool] = mapped_column(default=False)
    archived: Mapped[bool] = mapped_column(default=False)
    temporary: Mapped[bool] = mapped_column(default=False, server_default=false())
    tags: Mapped[list[str]] = mapped_column(default=list)
    folder: Mapped[str | None] = mapped_column(Text)
    active_leaf_id: Mapped[str | None] = mapped_column(ID)
    origin: Mapped[str | None] = mapped_column(Text)
    activity: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "user_id", "pinned", "activity", "id"), Index(None, "deleted_at"))
