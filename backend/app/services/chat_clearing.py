"""The use case of emptying a chat: its messages go, the chat stays."""

from app.errors import Conflict
from app.ports import Clock, EventSink
from app.repositories.storage import Storage
from app.schemas.chat import Chat
from app.services.conversation import (
    chat_for_change,
    mark_changed,
    summary_of,
    tell_chat_changed,
    tell_message_deleted,
)
from app.services.wire import chat_on_wire


class ChatClearing:
    """Empties chats."""

    def __init__(self, storage: Storage, clock: Clock, events: EventSink) -> None:
        self._storage = storage
        self._clock = clock
        self._events = events

    async def clear(self, user_id: str, chat_id: str) -> Chat:
        """Take every message out of a chat and return what is left.

        Raises:
            NotFound: `chat_not_found`.
            Conflict: `run_active`.
        """
        async with self._storage.of(chat_id).write() as unit:
            chat = await chat_for_change(unit, user_id, chat_id)
            if await unit.runs.live_in_chat(chat_id) is not None:
                raise Conflict("run_active", "This chat has a run that has not ended. Stop it first.")
            roots = (await unit.messages.siblings(chat_id, {None})).get(None, [])
            for root in roots:
                await unit.messages.delete_below(chat_id, root)
            chat.active_leaf_id = None
            mark_changed(chat, self._clock.now())
            await unit.chats.save()
            summary = await summary_of(unit, chat)
        for root in roots:
            tell_message_deleted(self._events, user_id, chat_id, root)
        tell_chat_changed(self._events, summary)
        return chat_on_wire(chat, [], None)
