"""What every change of a conversation has in common: finding the chat, growing the tree, titles, order in the list.

Opens no unit of work: the services that use it hold one.
"""

from datetime import datetime, timedelta
from typing import Any

from app.errors import Conflict, FieldProblem, Invalid, NotFound, TooLarge
from app.models import ChatRow, MessageRow
from app.ports import EventSink, Turn
from app.repositories.storage import Unit
from app.schemas.chat import ChatSummary
from app.schemas.events import ChatChangedEvent, ChatDeletedEvent, MessageChangedEvent, MessageDeletedEvent
from app.schemas.message import Message
from app.services.wire import summary_on_wire

MAX_MESSAGES_PER_CHAT = 5000
TITLE_CHARS = 60  # what a sidebar shows
TICK = timedelta(microseconds=1)


def chat_not_found() -> NotFound:
    """Return the one answer for an unknown, deleted or foreign chat."""
    return NotFound("chat_not_found", "There is no such chat.")


def message_not_found(*, field: str | None = None) -> NotFound:
    """Return the one answer for an unknown message, or one of another chat, named by a field of the request."""
    detail = "There is no such message in this chat."
    fields = (FieldProblem(field, "message_not_found", detail),) if field is not None else ()
    return NotFound("message_not_found", detail, fields=fields)


def invalid(field: str, code: str, detail: str) -> Invalid:
    """Return the refusal of one field."""
    return Invalid("invalid_request", f"{field}: {detail}", fields=(FieldProblem(field, code, detail),))


def check_length(content: str, *, limit: int, field: str = "content") -> None:
    """Refuse a text of more than `limit` code points.

    Raises:
        TooLarge: `message_too_large`.
    """
    if len(content) > limit:
        detail = f"must be at most {limit} characters"
        raise TooLarge(
            "message_too_large",
            f"{field}: {detail}",
            fields=(FieldProblem(field, "too_long", detail),),
            limit=limit,
        )


def check_max_tokens(asked: int | None, *, limit: int, field: str = "max_tokens") -> None:
    """Refuse to ask for more new tokens than the server gives.

    Raises:
        Invalid: `max_tokens_too_large`.
    """
    if asked is not None and asked > limit:
        detail = f"must be at most {limit}"
        fields = (FieldProblem(field, "too_large", detail),)
        raise Invalid("max_tokens_too_large", f"{field}: {detail}", fields=fields, limit=limit)


async def chat_for_change(unit: Unit, user_id: str, chat_id: str) -> ChatRow:
    """Return the user's chat, locked until the unit ends.

    Raises:
        NotFound: `chat_not_found`.
    """
    chat = await unit.chats.get_for_change(user_id, chat_id)
    if chat is None:
        raise chat_not_found()
    return chat


def default_title(content: str) -> str:
    """Return the title that a first user message gives its chat: its first line with words in it, shortened."""
    line = next((" ".join(line.split()) for line in content.splitlines() if line.strip()), "")
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1].rstrip() + "…"


def mark_changed(row: ChatRow | MessageRow, now: datetime) -> None:
    """Give a row a new `updated_at`: always a later one, so that `If-Match` cannot miss a change."""
    row.updated_at = max(now, row.updated_at + TICK)


async def mark_active(unit: Unit, chat: ChatRow, now: datetime) -> None:
    """Bring a chat to the top of the list, also when the clock was set back."""
    bring_to_top(chat, await unit.chats.last_activity(chat.user_id), now)


def bring_to_top(chat: ChatRow, newest: int, now: datetime) -> None:
    """Give a chat an activity above the newest one of its user."""
    microseconds = int(now.timestamp() * 1_000_000)
    chat.activity = microseconds if microseconds > newest else newest + 1
    mark_changed(chat, now)


def check_room(messages: int, *, new: int = 1) -> None:
    """Refuse to make a chat longer than it may be.

    Raises:
        Conflict: `chat_full`.
    """
    if messages + new > MAX_MESSAGES_PER_CHAT:
        detail = f"A chat holds at most {MAX_MESSAGES_PER_CHAT} messages. Begin a new one."
        raise Conflict("chat_full", detail, limit=MAX_MESSAGES_PER_CHAT)


def take_title(chat: ChatRow, message: MessageRow) -> None:
    """Name a chat without a title after its first user message."""
    if not chat.title and message.role == "user":
        chat.title = default_title(message.content)


async def append_message(
    unit: Unit,
    chat: ChatRow,
    *,
    message_id: str,
    parent_id: str | None,
    role: str,
    content: str,
    now: datetime,
    status: str = "completed",
    model: str | None = None,
    metadata: dict[str, Any] | None = None,
    origin: str | None = None,
) -> MessageRow:
    """Add a message below `parent_id` (None: a new root) and make it the active leaf; the chat must be locked.

    A chat without a title takes it from its first user message.

    Raises:
        NotFound: `message_not_found`: the parent is not in this chat.
        Conflict: `id_conflict` or `chat_full`.
    """
    if parent_id is not None and await unit.messages.get(chat.id, parent_id) is None:
        raise message_not_found(field="parent_id")
    check_room(await unit.messages.count(chat.id))
    message = MessageRow(
        id=message_id,
        chat_id=chat.id,
        parent_id=parent_id,
        role=role,
        content=content,
        reasoning="",
        status=status,
        model=model,
        details=metadata or {},
        origin=origin,
        created_at=now,
        updated_at=now,
    )
    await unit.messages.insert(message)
    chat.active_leaf_id = message.id
    take_title(chat, message)
    await mark_active(unit, chat, now)
    await unit.chats.save()
    return message


async def prompt_turns(unit: Unit, chat: ChatRow, leaf_id: str | None, *last: Turn) -> tuple[Turn, ...]:
    """Return a prompt: the system prompt, the path down to a message (None: there is none), and what comes last.

    Of answers only the text.
    """
    system = (Turn("system", chat.system_prompt),) if chat.system_prompt else ()
    path = await unit.starts.path_texts(leaf_id) if leaf_id is not None else ()
    return (*system, *map(Turn._make, path), *last)


async def summary_of(unit: Unit, chat: ChatRow) -> ChatSummary:
    """Return the list item of a chat as the unit sees it now."""
    return summary_on_wire((await unit.chats.listed(chat.user_id, [chat.id]))[chat.id])


def tell_chat_changed(events: EventSink, chat: ChatSummary) -> None:
    """Publish that a chat is new or has changed; only after the unit has ended."""
    events.user_event(chat.user_id, ChatChangedEvent(chat=chat).model_dump(mode="json"))


def tell_chat_deleted(events: EventSink, user_id: str, chat_id: str) -> None:
    """Publish that a chat is gone; only after the unit has ended."""
    events.user_event(user_id, ChatDeletedEvent(chat_id=chat_id).model_dump(mode="json"))


def tell_message_changed(events: EventSink, user_id: str, message: Message) -> None:
    """Publish that a message is new or has changed; only after the unit has ended."""
    events.user_event(user_id, MessageChangedEvent(message=message).model_dump(mode="json"))


def tell_message_deleted(events: EventSink, user_id: str, chat_id: str, message_id: str) -> None:
    """Publish that a message and all below it are gone; only after the unit has ended."""
    event = MessageDeletedEvent(chat_id=chat_id, message_id=message_id)
    events.user_event(user_id, event.model_dump(mode="json"))
