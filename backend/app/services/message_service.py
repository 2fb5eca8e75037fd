"""Use cases on messages without a run: add by hand, page through, change in place, delete.

Answers of the model are run_service's.
"""

from uuid import uuid4

from app.errors import Conflict
from app.models import LIVE_STATUSES, MessageRow
from app.ports import Clock, EventSink
from app.repositories.storage import Storage, Unit
from app.schemas.message import CreateMessage, Message, MessagePage, UpdateMessage
from app.services.conversation import (
    append_message,
    chat_for_change,
    chat_not_found,
    check_length,
    invalid,
    mark_changed,
    message_not_found,
    summary_of,
    tell_chat_changed,
    tell_message_changed,
    tell_message_deleted,
)
from app.services.id_places import check_message_is_new, message_key
from app.services.live_runs import LiveRuns
from app.services.precondition import check_not_stale
from app.services.wire import messages_on_wire
from app.utils.digest import digest

STOP_ATTEMPTS = 3  # a run may begin between stopping one and deleting its message


class MessageService:
    """Messages of a user's chats. Every change is published after it is stored."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        events: EventSink,
        live_runs: LiveRuns,
        *,
        max_message_chars: int,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._events = events
        self._live_runs = live_runs
        self._max_message_chars = max_message_chars

    async def create(self, user_id: str, chat_id: str, request: CreateMessage) -> tuple[Message, bool]:
        """Add a message. Returns it, and False when the same request had added it before.

        Raises:
            NotFound: `chat_not_found`, `message_not_found` (the parent).
            Conflict: `id_conflict`, `chat_full`.
            TooLarge: `message_too_large`.
        """
        origin = digest(
            [
                chat_id,
                request.model_dump(mode="json", exclude={"id"}),
                "parent_id" in request.model_fields_set,
            ]
        )
        place = self._storage.of(chat_id)
        if request.id is not None:
            await check_message_is_new(self._storage, place, request.id)
        async with place.write() as unit:
            chat = await chat_for_change(unit, user_id, chat_id)
            known = await unit.messages.with_id(request.id) if request.id is not None else None
            if known is not None:
                if known.chat_id != chat_id or known.origin != origin:
                    raise Conflict("id_conflict", "Another message has this id.")
                return await self._one(unit, known), False
            check_length(request.content, limit=self._max_message_chars)
            message = await append_message(
                unit,
                chat,
                message_id=request.id or str(uuid4()),
                # left out: below the active leaf; null: a new root
                parent_id=request.parent_id
                if "parent_id" in request.model_fields_set
                else chat.active_leaf_id,
                role=request.role,
                content=request.content,
                metadata=request.metadata,
                origin=origin,
                now=self._clock.now(),
            )
            shown = await self._one(unit, message)
            summary = await summary_of(unit, chat)
        place.hold(message_key(shown.id))
        tell_message_changed(self._events, user_id, shown)
        tell_chat_changed(self._events, summary)
        return shown, True

    async def page(self, user_id: str, chat_id: str, *, limit: int, before: str | None) -> MessagePage:
        """Return a page of the active path, oldest first within it, the newest page first.

        Raises:
            NotFound: `chat_not_found`, `message_not_found` (for `before`).
        """
        async with self._storage.of(chat_id).read() as unit:
            chat = await unit.chats.get(user_id, chat_id)
            if chat is None:
                raise chat_not_found()
            leaf = chat.active_leaf_id
            if before is not None:
                mark = await unit.messages.get(chat_id, before)
                if mark is None:
                    raise message_not_found(field="before")
                leaf = mark.parent_id
            rows = await unit.messages.path(leaf, limit=limit) if leaf is not None else []
            items = [self._live_runs.present_message(m) for m in await messages_on_wire(unit, chat_id, rows)]
        more = bool(items) and items[0].parent_id is not None
        return MessagePage(items=items, next_cursor=items[0].id if more else None)

    async def update(
        self,
        user_id: str,
        chat_id: str,
        message_id: str,
        request: UpdateMessage,
        *,
        if_match: str | None = None,
    ) -> Message:
        """Change a message in place; what is left out stays.

        Raises:
            NotFound: `chat_not_found`, `message_not_found`.
            Conflict: `run_active`: a run writes into it.
            Stale: somebody else was faster.
            TooLarge: `message_too_large`.
        """
        for name in request.model_fields_set:
            if getattr(request, name) is None:
                raise invalid(name, "null", "must not be null; leave it out to keep it")
        if request.content is not None:
            check_length(request.content, limit=self._max_message_chars)
        async with self._storage.of(chat_id).write() as unit:
            chat = await chat_for_change(unit, user_id, chat_id)
            message = await self._found(unit, chat_id, message_id)
            if message.status in LIVE_STATUSES:
                raise Conflict("run_active", "A run writes into this message. Stop it first.")
            check_not_stale(if_match, message.updated_at)
            now = self._clock.now()
            if request.content is not None:
                message.content = request.content
            if request.metadata is not None:
                kept = {name: message.details[name] for name in ("run_id",) if name in message.details}
                message.details = request.metadata | kept
            mark_changed(message, now)
            mark_changed(chat, now)
            await unit.messages.save()
            shown = await self._one(unit, message)
        tell_message_changed(self._events, user_id, shown)
        return shown

    async def delete(self, user_id: str, chat_id: str, message_id: str) -> None:
        """Delete a message with everything below it; a live run in there is stopped first.

        Raises:
            NotFound: `chat_not_found`, `message_not_found`.
            Conflict: `run_active`: runs begin faster than they can be stopped.
        """
        for _ in range(STOP_ATTEMPTS):
            async with self._storage.of(chat_id).write() as unit:
                chat = await chat_for_change(unit, user_id, chat_id)
                message = await self._found(unit, chat_id, message_id)
                below = await unit.messages.ids_below(message_id)
                live = await unit.runs.live_in_chat(chat_id)
                if live is not None and live.message_id not in below:
                    live = None
                if live is None:
                    await unit.messages.delete_below(chat_id, message_id)
                    if chat.active_leaf_id in below:
                        chat.active_leaf_id = await _leaf_after(unit, message)
                    mark_changed(chat, self._clock.now())
                    await unit.chats.save()
                    summary = await summary_of(unit, chat)
            if live is None:
                tell_message_deleted(self._events, user_id, chat_id, message_id)
                tell_chat_changed(self._events, summary)
                return
            await self._live_runs.stop_for_delete(user_id, live.id)
        raise Conflict("run_active", "A run writes into this message.")

    async def _found(self, unit: Unit, chat_id: str, message_id: str) -> MessageRow:
        message = await unit.messages.get(chat_id, message_id)
        if message is None:
            raise message_not_found()
        return message

    async def _one(self, unit: Unit, message: MessageRow) -> Message:
        return self._live_runs.present_message((await messages_on_wire(unit, message.chat_id, [message]))[0])


async def _leaf_after(unit: Unit, deleted: MessageRow) -> str | None:
    """Return where a chat stands after its active branch is gone: beside it, else above, else anywhere."""
    if deleted.parent_id is not None:
        return await unit.messages.newest_below(deleted.parent_id)
    return await unit.messages.newest(deleted.chat_id)
