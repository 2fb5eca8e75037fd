"""Rows as they go on the wire.

Asks the database for nothing but siblings; decides nothing.
"""

from collections.abc import Sequence

from app.models import ChatRow, MessageRow, RunRow
from app.repositories.chats import ListedChat
from app.repositories.storage import Unit
from app.schemas.chat import Chat, ChatSummary
from app.schemas.message import Message
from app.schemas.run import Run

CHAT_FIELDS = (
    "id",
    "title",
    "user_id",
    "model",
    "temperature",
    "max_tokens",
    "params",
    "pinned",
    "archived",
    "temporary",
    "tags",
    "folder",
    "active_leaf_id",
    "created_at",
    "updated_at",
)


def chat_on_wire(row: ChatRow, messages: Sequence[Message], active_run: Run | None) -> Chat:
    """Return a chat with these of its messages."""
    return Chat.model_validate(
        {field: getattr(row, field) for field in CHAT_FIELDS}
        | {"system_prompt": row.system_prompt}
        | {"messages": list(messages), "active_run": active_run}
    )


def summary_on_wire(listed: ListedChat) -> ChatSummary:
    """Return a chat as a list item."""
    return ChatSummary.model_validate(
        {field: getattr(listed.chat, field) for field in CHAT_FIELDS}
        | {"message_count": listed.message_count, "active_run_id": listed.active_run_id}
    )


def message_on_wire(row: MessageRow, sibling_ids: Sequence[str]) -> Message:
    """Return a message; its own id must be among `sibling_ids`."""
    return Message.model_validate(
        {
            "id": row.id,
            "chat_id": row.chat_id,
            "parent_id": row.parent_id,
            "sibling_ids": list(sibling_ids),
            "role": row.role,
            "content": row.content,
            "reasoning": row.reasoning,
            "model": row.model,
            "status": row.status,
            "metadata": row.details,
            "timestamp": int(row.created_at.timestamp()),
            "created_at": row.created_at,
            "updated_at": row.updated_at,
        }
    )


async def messages_on_wire(unit: Unit, chat_id: str, rows: Sequence[MessageRow]) -> list[Message]:
    """Return messages of one chat, in the order given, with their siblings."""
    children = await unit.messages.siblings(chat_id, {row.parent_id for row in rows}) if rows else {}
    return [message_on_wire(row, children.get(row.parent_id, [row.id])) for row in rows]


def tree_on_wire(rows: Sequence[MessageRow]) -> list[Message]:
    """Return all messages of one chat, oldest first: their siblings are among them."""
    children: dict[str | None, list[str]] = {}
    for row in rows:
        children.setdefault(row.parent_id, []).append(row.id)
    return [message_on_wire(row, children[row.parent_id]) for row in rows]


def run_on_wire(row: RunRow, *, position: int | None = None) -> Run:
    """Return a run as stored; `position` is its place in the queue."""
    return Run.model_validate(
        {
            "id": row.id,
            "chat_id": row.chat_id,
            "message_id": row.message_id,
            "model": row.model,
            "status": row.status,
            "seq": row.seq,
            "position": position,
            "error": row.error,
            "continues": row.continues,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
        }
    )
