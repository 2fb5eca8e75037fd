"""From what a file tells of a conversation to rows: a sound tree, or a reason why not. Pure.

Messages without text, or of roles we do not have, go; what was below them hangs where they hung.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from app.models import ChatRow, MessageRow
from app.schemas.chat import MAX_SYSTEM_PROMPT_CHARS, MAX_TAG_CHARS, MAX_TAGS, MAX_TITLE_CHARS
from app.services.conversation import MAX_MESSAGES_PER_CHAT, default_title
from app.services.import_formats.values import ReadChat, ReadMessage, Unreadable
from app.utils.digest import digest

MAX_TEXT_CHARS = 2_000_000
CIRCLE = "its messages go round in a circle"


def rows(read: ReadChat, user_id: str, now: datetime) -> tuple[ChatRow, list[MessageRow]]:
    """Return the rows of a conversation. The same conversation gives the same ids, whenever and however often.

    Raises:
        Unreadable: it is no tree, too large, or holds nothing.
    """
    kept = _in_order(_attached(read.messages))
    if not kept and not read.title:
        raise Unreadable("it is empty")
    if len(kept) > MAX_MESSAGES_PER_CHAT:
        raise Unreadable(f"it has more than {MAX_MESSAGES_PER_CHAT} messages")
    created = read.created_at or next((each.created_at for each in kept if each.created_at), now)
    updated = max(read.updated_at or created, created)
    settings = _settings(read.settings)
    title = read.title or next((default_title(each.content) for each in kept if each.role == "user"), "")
    chat_id = _chat_id(user_id, read, kept, settings)
    ids = {each.key: str(uuid5(NAMESPACE_OID, f"{chat_id}:{number}")) for number, each in enumerate(kept)}
    messages = [
        MessageRow(
            id=ids[each.key],
            chat_id=chat_id,
            parent_id=ids[each.parent] if each.parent is not None else None,
            position=number,
            role=each.role,
            content=each.content,
            reasoning=each.reasoning,
            model=each.model,
            status=each.status,
            details=each.metadata,
            created_at=each.created_at or created,
            updated_at=each.updated_at or each.created_at or created,
        )
        for number, each in enumerate(kept, start=1)
    ]
    chat = ChatRow(
        id=chat_id,
        user_id=user_id,
        title=title[:MAX_TITLE_CHARS],
        active_leaf_id=_leaf(read, kept, ids),
        activity=int(updated.timestamp() * 1_000_000),
        created_at=created,
        updated_at=updated,
        temporary=False,
        **settings,
    )
    return chat, messages


def _attached(messages: Sequence[ReadMessage]) -> list[ReadMessage]:
    """Return the messages that stay, each below the nearest one above it that stays too."""
    by_key = {each.key: each for each in messages}
    if len(by_key) != len(messages):
        raise Unreadable("two of its messages have the same id")
    if any(max(len(each.content), len(each.reasoning)) > MAX_TEXT_CHARS for each in messages):
        raise Unreadable(f"one of its messages has more than {MAX_TEXT_CHARS} characters")
    stays = {
        each.key for each in messages if each.role and (each.keep or each.content.strip() or each.reasoning)
    }
    above: dict[str, str | None] = {}
    for each in messages:
        passed: dict[str, None] = {}
        parent = each.parent
        while parent in by_key and parent not in stays and parent not in above:
            if parent in passed:
                raise Unreadable(CIRCLE)
            passed[parent] = None
            parent = by_key[parent].parent
        found = parent if parent in stays else above.get(parent or "")
        above.update(dict.fromkeys(passed, found))
        each.parent = found
    return [each for each in messages if each.key in stays]


def _in_order(messages: list[ReadMessage]) -> list[ReadMessage]:
    """Return the messages in their order, each after the one above it."""
    placed: dict[str | None, None] = {None: None}
    ordered: list[ReadMessage] = []
    below: dict[str | None, list[ReadMessage]] = {}
    for each in messages:
        if each.parent not in placed:
            below.setdefault(each.parent, []).append(each)
            continue
        ready = [each]
        while ready:
            one = ready.pop()
            placed[one.key] = None
            ordered.append(one)
            ready += reversed(below.pop(one.key, []))
    if below:
        raise Unreadable(CIRCLE)
    return ordered


def _leaf(read: ReadChat, kept: list[ReadMessage], ids: dict[str, str]) -> str | None:
    """Return the leaf that was looked at: the newest below the active message, else the newest of all."""
    if not kept:
        return None
    below = {read.active} if read.active in ids else {each.key for each in kept[-1:]}
    leaf = next(iter(below))
    for each in kept:
        if each.parent in below:
            below.add(each.key)
            leaf = each.key
    return ids[leaf] if leaf is not None else None


def _settings(found: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a chat; what a format does not have is as in a new one."""
    given = {name: value for name, value in found.items() if value is not None}
    prompt = given.get("system_prompt")
    tags = [tag[:MAX_TAG_CHARS] for tag in dict.fromkeys(given.get("tags", []))]
    return {
        "model": given.get("model"),
        "system_prompt": prompt[:MAX_SYSTEM_PROMPT_CHARS] if prompt else None,
        "temperature": given.get("temperature"),
        "max_tokens": given.get("max_tokens"),
        "params": given.get("params", {}),
        "pinned": given.get("pinned", False),
        "archived": given.get("archived", False),
        "tags": tags[:MAX_TAGS],
        "folder": given.get("folder"),
    }


def _chat_id(user_id: str, read: ReadChat, kept: list[ReadMessage], settings: dict[str, Any]) -> str:
    """Return an id that says what the conversation is, whatever ids its file has."""
    number = {each.key: place for place, each in enumerate(kept)}
    whole = [
        user_id,
        read.title,
        str(read.created_at),
        settings,
        [
            (number.get(each.parent or ""), each.role, each.content, each.reasoning, str(each.created_at))
            for each in kept
        ],
    ]
    return str(uuid5(NAMESPACE_OID, digest(whole)))
