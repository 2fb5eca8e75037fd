"""Use cases on chats: make, list, open, change, delete, restore.

What happens inside a chat is in message_service and run_service.
"""

from datetime import timedelta
from uuid import UUID

from app.errors import Conflict
from app.models import ChatRow
from app.ports import Clock, EventSink
from app.repositories.chats import ChatPlace
from app.repositories.storage import Storage, Unit
from app.schemas.chat import Chat, ChatPage, CreateChat, UpdateChat
from app.services.chat_creation import ChatCreation
from app.services.conversation import (
    chat_for_change,
    chat_not_found,
    check_max_tokens,
    invalid,
    mark_changed,
    message_not_found,
    summary_of,
    tell_chat_changed,
    tell_chat_deleted,
)
from app.services.live_runs import LiveRuns
from app.services.option_checks import check_options
from app.services.precondition import check_not_stale
from app.services.wire import chat_on_wire, messages_on_wire, run_on_wire, summary_on_wire, tree_on_wire
from app.utils.cursor import decode_cursor, encode_cursor

RESTORABLE_FOR = timedelta(days=30)
STOP_ATTEMPTS = 3  # a run may begin between stopping one and deleting its chat
NEVER_NULL = ("title", "params", "pinned", "archived", "tags", "active_leaf_id")


class ChatService:
    """Chats of a user. Every change is published after it is stored."""

    def __init__(
        self, storage: Storage, clock: Clock, events: EventSink, live_runs: LiveRuns, *, max_new_tokens: int
    ) -> None:
        self._storage = storage
        self._creation = ChatCreation(storage, clock, events, max_new_tokens=max_new_tokens)
        self._clock = clock
        self._events = events
        self._live_runs = live_runs
        self._max_new_tokens = max_new_tokens

    async def create(self, user_id: str, request: CreateChat) -> tuple[Chat, bool]:
        """Make a chat. Returns it, and False when the same request had made it before.

        Raises:
            Conflict: `id_conflict`, `too_many_chats`.
            Invalid: `max_tokens_too_large`.
        """
        chat, created = await self._creation.create(user_id, request)
        if created:
            return chat_on_wire(chat, [], None), True
        return await self.get(user_id, chat.id), False

    async def page(
        self,
        user_id: str,
        *,
        limit: int,
        cursor: str | None,
        archived: bool,
        tag: str | None,
        folder: str | None,
    ) -> ChatPage:
        """Return a page of chats: pinned first, then the newest activity first.

        Raises:
            Invalid: the cursor is none of ours.
        """
        after = _place(cursor) if cursor is not None else None
        found = await self._storage.look(
            lambda unit: unit.chats.page(
                user_id, limit=limit + 1, after=after, archived=archived, tag=tag, folder=folder
            )
        )
        shown = found[:limit]
        more = len(found) > limit
        last = shown[-1].chat if more else None
        next_cursor = encode_cursor([last.pinned, last.activity, last.id]) if last is not None else None
        return ChatPage(items=[summary_on_wire(listed) for listed in shown], next_cursor=next_cursor)

    async def get(self, user_id: str, chat_id: str, *, last: int | None = None) -> Chat:
        """Return a chat with its whole tree, or with the `last` messages of its active path.

        Raises:
            NotFound: `chat_not_found`.
        """

        async def look(unit: Unit) -> Chat:
            chat = await unit.chats.get(user_id, chat_id)
            if chat is None:
                raise chat_not_found()
            return await _whole(unit, chat, last=last)

        return self._presented(await self._storage.of(chat_id).look(look))

    async def update(
        self, user_id: str, chat_id: str, request: UpdateChat, *, if_match: str | None = None
    ) -> Chat:
        """Change a chat; what is left out stays.

        Raises:
            NotFound: `chat_not_found`, `message_not_found` (for `active_leaf_id`).
            Stale: somebody else was faster.
            Invalid: a field is null that cannot be, or `max_tokens_too_large`.
        """
        given = {name: getattr(request, name) for name in request.model_fields_set}
        for name in NEVER_NULL:
            if name in given and given[name] is None:
                raise invalid(name, "null", "must not be null; leave it out to keep it")
        check_max_tokens(request.max_tokens, limit=self._max_new_tokens)
        if request.params is not None:
            check_options(request.params, limit=self._max_new_tokens, field="params")
            given["params"] = request.params.model_dump(mode="json", exclude_none=True)
        async with self._storage.of(chat_id).write() as unit:
            chat = await chat_for_change(unit, user_id, chat_id)
            check_not_stale(if_match, chat.updated_at)
            if request.active_leaf_id is not None:
                if await unit.messages.get(chat_id, request.active_leaf_id) is None:
                    raise message_not_found(field="active_leaf_id")
                given["active_leaf_id"] = await unit.messages.newest_below(request.active_leaf_id)
            for name, value in given.items():
                setattr(chat, name, value)
            mark_changed(chat, self._clock.now())
            await unit.chats.save()
            summary = await summary_of(unit, chat)
            whole = await _whole(unit, chat, last=None)
        tell_chat_changed(self._events, summary)
        return self._presented(whole)

    async def delete(self, user_id: str, chat_id: str) -> None:
        """Delete a chat so that it can be restored; a live run in it is stopped first.

        Raises:
            NotFound: `chat_not_found`.
            Conflict: `run_active`: runs begin faster than they can be stopped.
        """
        for _ in range(STOP_ATTEMPTS):
            async with self._storage.of(chat_id).write() as unit:
                chat = await chat_for_change(unit, user_id, chat_id)
                live = await unit.runs.live_in_chat(chat_id)
                if live is None and chat.temporary:
                    await unit.chats.purge(chat_id)  # nothing of it is left, and nothing can be restored
                elif live is None:
                    chat.deleted_at = self._clock.now()
                    await unit.chats.save()
            if live is None:
                self._storage.of(chat_id).let_go(chat_id)
                tell_chat_deleted(self._events, user_id, chat_id)
                return
            await self._live_runs.stop_for_delete(user_id, live.id)
        raise Conflict("run_active", "This chat has a run that has not ended.")

    async def restore(self, user_id: str, chat_id: str) -> Chat:
        """Undo a deletion; a chat that is not deleted stays as it is.

        Raises:
            NotFound: `chat_not_found`: unknown, or deleted too long ago.
        """
        async with self._storage.of(chat_id).write() as unit:
            chat = await unit.chats.get_for_change(user_id, chat_id, deleted=True)
            if chat is not None:
                chat.deleted_at = None
                mark_changed(chat, self._clock.now())
                await unit.chats.save()
                summary = await summary_of(unit, chat)
        if chat is not None:
            tell_chat_changed(self._events, summary)
        return await self.get(user_id, chat_id)

    async def purge_deleted(self) -> int:
        """Remove for good what was deleted 30 days ago or earlier, of every user. Returns how many chats."""
        async with self._storage.read() as unit:
            gone = await unit.chats.deleted_before(self._clock.now() - RESTORABLE_FOR)
        for chat_id in gone:
            async with self._storage.write() as unit:
                await unit.chats.purge(chat_id)
        return len(gone)

    def _presented(self, chat: Chat) -> Chat:
        """Return a chat as stored with the live state of its run."""
        if chat.active_run is None:
            return chat
        messages = [self._live_runs.present_message(message) for message in chat.messages]
        run = self._live_runs.present(chat.active_run)
        return chat.model_copy(update={"messages": messages, "active_run": run})


async def _whole(unit: Unit, chat: ChatRow, *, last: int | None) -> Chat:
    if last is None:
        shown = tree_on_wire(await unit.messages.tree(chat.id))
    elif last and chat.active_leaf_id is not None:
        path = await unit.messages.path(chat.active_leaf_id, limit=last)
        shown = await messages_on_wire(unit, chat.id, path)
    else:
        shown = []
    live = await unit.runs.live_in_chat(chat.id)
    return chat_on_wire(chat, shown, run_on_wire(live) if live else None)


def _place(cursor: str) -> ChatPlace:
    try:
        pinned, activity, chat_id = decode_cursor(cursor)
        place = ChatPlace(pinned=bool(pinned), activity=int(activity), id=str(UUID(str(chat_id))))
    except ValueError as error:
        raise invalid("cursor", "invalid_cursor", "is not a cursor of this list") from error
    if not 0 <= place.activity < 2**63:
        raise invalid("cursor", "invalid_cursor", "is not a cursor of this list")
    return place
