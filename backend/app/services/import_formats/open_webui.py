"""Open WebUI's export: a list of chats, each with its tree in `chat.history.messages`."""

import html
import re
from typing import Any

from app.services.import_formats.values import ReadChat, ReadMessage, fields, items, key, name, text, time

# how it keeps thinking: in front of the answer, quoted
THOUGHT = re.compile(
    r'<details type="reasoning"[^>]*>\s*(?:<summary>[^<]*</summary>)?(.*?)</details>\s*', re.DOTALL
)


def is_one(value: dict[str, Any]) -> bool:
    """Return whether a conversation is of this format."""
    chat = fields(value.get("chat"))
    return isinstance(chat.get("history"), dict) or isinstance(chat.get("messages"), list)


def read(value: dict[str, Any]) -> ReadChat:
    """Read a chat; without a history it is one line."""
    inner, about = fields(value.get("chat")), fields(value.get("meta"))
    history = fields(inner.get("history"))
    models = items(inner.get("models"))
    tags = [found for each in [*items(about.get("tags")), *items(inner.get("tags"))] if (found := name(each))]
    chat = ReadChat(
        title=text(value.get("title")) or text(inner.get("title")),
        created_at=time(value.get("created_at")) or time(inner.get("timestamp")),
        updated_at=time(value.get("updated_at")),
        active=key(history.get("currentId")),
        settings={
            "archived": value.get("archived") is True,
            "pinned": value.get("pinned") is True,
            "model": name(models[0]) if models else None,
            "system_prompt": text(inner.get("system"))
            or text(fields(inner.get("params")).get("system"))
            or None,
            "tags": tags,
        },
    )
    nodes = fields(history.get("messages"))
    if nodes:
        chat.messages = [
            _message(fields(node), own, key(fields(node).get("parentId"))) for own, node in nodes.items()
        ]
        return chat
    before: str | None = None
    for number, each in enumerate(items(inner.get("messages"))):
        message = fields(each)
        own = key(message.get("id")) or f"number {number}"
        chat.messages.append(_message(message, own, key(message.get("parentId")) or before))
        before = own
    return chat


def _message(message: dict[str, Any], own: str, parent: str | None) -> ReadMessage:
    role = str(message.get("role"))
    content = text(message.get("content"))
    thoughts: list[str] = []
    if role == "assistant":
        thoughts = [_unquoted(found) for found in THOUGHT.findall(content)]
        content = THOUGHT.sub("", content)
    return ReadMessage(
        key=own,
        parent=parent,
        role=role if role in ("user", "assistant", "system") else "",
        content=content,
        reasoning="\n\n".join(filter(None, thoughts)),
        model=name(message.get("model")) if role == "assistant" else None,
        status="interrupted" if message.get("done") is False else "completed",
        created_at=time(message.get("timestamp")),
    )


def _unquoted(thought: str) -> str:
    lines = (line.removeprefix(">").removeprefix(" ") for line in thought.strip().splitlines())
    return html.unescape("\n".join(lines))
