"""ChatGPT's `conversations.json`: a list of conversations, each a tree in `mapping`."""

from typing import Any

from app.services.import_formats.values import ReadChat, ReadMessage, fields, items, key, name, text, time


def is_one(value: dict[str, Any]) -> bool:
    """Return whether a conversation is of this format."""
    return isinstance(value.get("mapping"), dict)


def read(value: dict[str, Any]) -> ReadChat:
    """Read a conversation. What is no message of people or model keeps its place in the tree, without text."""
    chat = ReadChat(
        title=text(value.get("title")),
        created_at=time(value.get("create_time")),
        updated_at=time(value.get("update_time")),
        active=key(value.get("current_node")),
        settings={
            "archived": value.get("is_archived") is True,
            "model": name(value.get("default_model_slug")),
        },
    )
    for node_key, node in value["mapping"].items():
        chat.messages.append(_message(node_key, fields(node)))
    return chat


def _message(node_key: str, node: dict[str, Any]) -> ReadMessage:
    message = fields(node.get("message"))
    role = fields(message.get("author")).get("role")
    about = fields(message.get("metadata"))
    content, reasoning = _texts(fields(message.get("content")))
    shown = role in ("user", "assistant") and about.get("is_visually_hidden_from_conversation") is not True
    return ReadMessage(
        key=node_key,
        parent=key(node.get("parent")),
        role=str(role) if shown else "",
        content=content if shown else "",
        reasoning=reasoning if role == "assistant" else "",
        model=name(about.get("model_slug")) if role == "assistant" else None,
        created_at=time(message.get("create_time")),
        updated_at=time(message.get("update_time")),
    )


def _texts(content: dict[str, Any]) -> tuple[str, str]:
    """Return (content, reasoning)."""
    kind = content.get("content_type")
    if kind in ("text", "multimodal_text"):
        parts = [
            part if isinstance(part, str) else fields(part).get("text")
            for part in items(content.get("parts"))
        ]
        return "\n\n".join(filter(None, map(text, parts))), ""
    if kind == "code":
        return f"```{name(content.get('language')) or ''}\n{text(content.get('text'))}\n```", ""
    if kind == "thoughts":
        thoughts = [text(fields(each).get("content")) for each in items(content.get("thoughts"))]
        return "", "\n\n".join(filter(None, thoughts))
    return "", ""
