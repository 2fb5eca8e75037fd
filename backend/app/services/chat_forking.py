"""The use case of going on elsewhere: a new chat with a copy of the path up to a message."""

from uuid import uuid4

from app.models import ChatRow, MessageRow
from app.ports import Clock, EventSink
from app.repositories.storage import Storage
from app.schemas.chat import Chat
from app.schemas.message import Message
from app.services.chat_creation import check_room
from app.services.conversation import (
    chat_not_found,
    mark_active,
    message_not_found,
    summary_of,
    tell_chat_changed,
)
from app.services.live_runs import LiveRuns
from app.services.wire import chat_on_wire, messages_on_wire

LIVE = frozenset({"queued", "streaming"})
COPIED = (
    "user_id",
    "title",
    "model",
    "system_prompt",
    "temperature",
    "max_tokens",
    "params",
    "tags",
    "folder",
)


class ChatForking:
    """Forks chats. A fork of a temporary chat is one too."""

    def __init__(self, storage: Storage, clock: Clock, events: EventSink, live_runs: LiveRuns) -> None:
        self._storage = storage
        self._clock = clock
        self._events = events
        self._live_runs = live_runs

    async def fork(self, user_id: str, chat_id: str, message_id: str) -> Chat:
        """Copy the path from the root to a message into a new chat. An answer that is being written is cut there.

        Raises:
            NotFound: `chat_not_found`, `message_not_found`.
            Conflict: `too_many_chats`.
        """
        place = self._storage.of(chat_id)
        async with place.write() as unit:
            source = await unit.chats.get(user_id, chat_id)
            if source is None:
                raise chat_not_found()
            if await unit.messages.get(chat_id, message_id) is None:
                raise message_not_found(field="message_id")
            check_room(await unit.chats.count(user_id), temporary=source.temporary)
            path = await messages_on_wire(unit, chat_id, await unit.messages.path(message_id))
            now = self._clock.now()
            fork = ChatRow(
                id=str(uuid4()),
                temporary=source.temporary,
                pinned=False,
                archived=False,
                created_at=now,
                updated_at=now,
                **{name: getattr(source, name) for name in COPIED},
            )
            await mark_active(unit, fork, now)
            fork.updated_at = now
            copies = self._copies(fork.id, path)
            fork.active_leaf_id = copies[-1].id
            await unit.transfers.insert(fork, copies)
            summary = await summary_of(unit, fork)
            shown = await messages_on_wire(unit, fork.id, copies)
        place.hold(fork.id)
        tell_chat_changed(self._events, summary)
        return chat_on_wire(fork, shown, None)

    def _copies(self, chat_id: str, path: list[Message]) -> list[MessageRow]:
        copies: list[MessageRow] = []
        for position, original in enumerate(path, start=1):
            seen = self._live_runs.present_message(original)
            copies.append(
                MessageRow(
                    id=str(uuid4()),
                    chat_id=chat_id,
                    parent_id=copies[-1].id if copies else None,
                    position=position,
                    role=seen.role,
                    content=seen.content,
                    reasoning=seen.reasoning,
                    model=seen.model,
                    status="interrupted" if seen.status in LIVE else seen.status,
                    details={name: value for name, value in seen.metadata.items() if name != "run_id"},
                    created_at=seen.created_at,
                    updated_at=seen.updated_at,
                )
            )
        return copies
