"""Claude's `conversations.json`: a list of conversations, each with `chat_messages` in their order."""

from typing import Any

from app.services.import_formats.values import ReadChat, ReadMessage, fields, items, key, name, text, time

NO_PARENT = "00000000-0000-4000-8000-000000000000"
ROLES = {"human": "user", "assistant": "assistant"}


def is_one(value: dict[str, Any]) -> bool:
    """Return whether a conversation is of this format."""
    return isinstance(value.get("chat_messages"), list)


def read(value: dict[str, Any]) -> ReadChat:
    """Read a conversation; without parents it is one line."""
    chat = ReadChat(
        title=text(value.get("name")),
        created_at=time(value.get("created_at")),
        updated_at=time(value.get("updated_at")),
        active=key(value.get("current_leaf_message_uuid")),
        settings={"model": name(value.get("model"))},
    )
    before: str | None = None
    for number, each in enumerate(value["chat_messages"]):
        message = fields(each)
        own = key(message.get("uuid")) or f"number {number}"
        parent = key(message.get("parent_message_uuid")) or before
        content, reasoning = _texts(message)
        chat.messages.append(
            ReadMessage(
                key=own,
                parent=None if parent == NO_PARENT else parent,
                role=ROLES.get(str(message.get("sender")), ""),
                content=content,
                reasoning=reasoning,
                created_at=time(message.get("created_at")),
                updated_at=time(message.get("updated_at")),
            )
        )
        before = own
    return chat


def _texts(message: dict[str, Any]) -> tuple[str, str]:
    """Return (content, reasoning); the text of attached files belongs to the content."""
    blocks = [fields(each) for each in items(message.get("content"))]
    said = [text(block.get("text")) for block in blocks if block.get("type") == "text"]
    thought = [text(block.get("thinking")) for block in blocks if block.get("type") == "thinking"]
    if not any(said):
        said = [text(message.get("text"))]
    for each in items(message.get("attachments")):
        attached = fields(each)
        extracted = text(attached.get("extracted_content"))
        if extracted:
            said.append(f"{name(attached.get('file_name')) or 'file'}:\n\n{extracted}")
    return "\n\n".join(filter(None, said)), "\n\n".join(filter(None, thought))
