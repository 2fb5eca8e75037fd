"""LibreChat's export of a conversation: `messages` as a list with parents, or nested in `children`."""

from typing import Any

from app.services.import_formats.values import ReadChat, ReadMessage, fields, items, key, name, text, time

NO_PARENT = "00000000-0000-0000-0000-000000000000"


def is_one(value: dict[str, Any]) -> bool:
    """Return whether a conversation is of this format."""
    return isinstance(value.get("messages"), list) and ("conversationId" in value or "exportAt" in value)


def read(value: dict[str, Any]) -> ReadChat:
    """Read a conversation. Exported without parents, it is one line."""
    options = fields(value.get("options"))
    chat = ReadChat(
        title=text(value.get("title")),
        created_at=time(value.get("createdAt")) or time(value.get("exportAt")),
        updated_at=time(value.get("updatedAt")),
        settings={
            "model": name(options.get("model")) or name(value.get("model")),
            "system_prompt": text(options.get("promptPrefix")) or None,
        },
    )
    before: str | None = None
    waiting: list[tuple[Any, str | None]] = [(each, None) for each in reversed(value["messages"])]
    while waiting:
        each, above = waiting.pop()
        message = fields(each)
        own = key(message.get("messageId")) or f"number {len(chat.messages)}"
        parent = above or key(message.get("parentMessageId")) or before
        chat.messages.append(_message(message, own, None if parent == NO_PARENT else parent))
        before = own
        waiting += [(child, own) for child in reversed(items(message.get("children")))]
    return chat


def _message(message: dict[str, Any], own: str, parent: str | None) -> ReadMessage:
    is_users = message.get("isCreatedByUser") is True or str(message.get("sender")).lower() == "user"
    content, reasoning = _texts(message)
    return ReadMessage(
        key=own,
        parent=parent,
        role="user" if is_users else "assistant",
        content=content,
        reasoning="" if is_users else reasoning,
        model=None if is_users else name(message.get("model")),
        status="interrupted" if message.get("unfinished") is True else "completed",
        created_at=time(message.get("createdAt")),
        updated_at=time(message.get("updatedAt")),
    )


def _texts(message: dict[str, Any]) -> tuple[str, str]:
    """Return (content, reasoning)."""
    blocks = [fields(each) for each in items(message.get("content"))]
    said = [_value(block.get("text")) for block in blocks if block.get("type") == "text"]
    thought = [_value(block.get("think")) for block in blocks if block.get("type") == "think"]
    if not any(said):
        said = [text(message.get("text"))]
    return "\n\n".join(filter(None, said)), "\n\n".join(filter(None, thought))


def _value(value: Any) -> str:
    return text(value) or text(fields(value).get("value"))
