"""The row of a run, one generation into one assistant message, and of its tokens. Its events are not kept here."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID, Row

LIVE_STATUSES = ("queued", "streaming")


class RunRow(Row):
    """A run. `seq` is its last event, `text_seq` the last one whose text counts.

    `owner` is the backend that a live run belongs to, where several share a database.
    """

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text)
    chat_id: Mapped[str] = mapped_column(ID, ForeignKey("chats.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(ID, ForeignKey("messages.id", ondelete="CASCADE"))
    continues: Mapped[str | None] = mapped_column(ID)
    model: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    text_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None]
    origin: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    owner: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index(None, "message_id"),
        # the one place where "a chat has one run at a time" cannot be raced
        Index(
            "uq_runs_live_chat_id",
            "chat_id",
            unique=True,
            sqlite_where=text("status IN ('queued', 'streaming')"),
            postgresql_where=text("status IN ('queued', 'streaming')"),
        ),
    )


class RunTokensRow(Row):
    """The tokens of an answer that was cut, as far as its run has ended; they belong to one exact text."""

    __tablename__ = "run_tokens"

    run_id: Mapped[str] = mapped_column(ID, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    prompt_ids: Mapped[bytes] = mapped_column(LargeBinary)
    generated_ids: Mapped[bytes] = mapped_column(LargeBinary)
    model: Mapped[str] = mapped_column(Text)
    text_digest: Mapped[str] = mapped_column(Text)
