"""The use case of making a chat: in the database, or for a temporary one in memory.

Opening and changing chats is chat_service's.
"""

from uuid import uuid4

from app.errors import Conflict
from app.models import ChatRow
from app.ports import Clock, EventSink
from app.repositories.chats import ListedChat
from app.repositories.storage import Storage, Unit
from app.schemas.chat import ChatSummary, CreateChat
from app.services.conversation import check_max_tokens, mark_active, tell_chat_changed
from app.services.option_checks import check_response_format
from app.services.wire import summary_on_wire
from app.utils.digest import digest

MAX_CHATS_PER_USER = 50_000
MAX_TEMPORARY_CHATS_PER_USER = 1_000  # they are in memory


class ChatCreation:
    """Makes chats, each request once."""

    def __init__(self, storage: Storage, clock: Clock, events: EventSink, *, max_new_tokens: int) -> None:
        self._storage = storage
        self._clock = clock
        self._events = events
        self._max_new_tokens = max_new_tokens

    async def create(self, user_id: str, request: CreateChat) -> tuple[ChatRow, bool]:
        """Make a chat. Returns it, and False when the same request had made it before.

        Raises:
            Conflict: `id_conflict`, `too_many_chats`.
            Invalid: `max_tokens_too_large`.
        """
        check_response_format(request.params, field="params.response_format")
        origin = digest(request.model_dump(mode="json", exclude={"id"}))
        try:
            chat, summary = await self._create(user_id, request, origin)
        except Conflict:
            if request.id is None:
                raise
            # somebody else stored the id between our look and our insert: now it is there to be compared
            chat, summary = await self._create(user_id, request, origin)
        if summary is not None:
            tell_chat_changed(self._events, summary)
        return chat, summary is not None

    async def _create(
        self, user_id: str, request: CreateChat, origin: str
    ) -> tuple[ChatRow, ChatSummary | None]:
        place = self._storage.temporary if request.temporary else self._storage
        if request.id is not None:
            await self._check_not_elsewhere(request.id, temporary=request.temporary)

        async def work(unit: Unit) -> tuple[ChatRow, ChatSummary | None]:
            known = await unit.chats.with_id(request.id) if request.id is not None else None
            if known is not None:
                if known.user_id != user_id or known.origin != origin or known.deleted_at is not None:
                    raise _taken()
                return known, None
            # after the look for a request sent again, which is answered whatever the limits say now
            check_max_tokens(request.max_tokens, limit=self._max_new_tokens)
            check_max_tokens(request.params.max_tokens, limit=self._max_new_tokens, field="params.max_tokens")
            check_room(await unit.chats.count(user_id), temporary=request.temporary)
            chat = self._new_row(user_id, request, origin)
            await mark_active(unit, chat, chat.created_at)
            chat.updated_at = chat.created_at
            await unit.chats.insert(chat)
            return chat, summary_on_wire(ListedChat(chat, 0, None))

        chat, summary = await place.transaction(work)
        place.hold(chat.id)
        return chat, summary

    async def _check_not_elsewhere(self, chat_id: str, *, temporary: bool) -> None:
        """Refuse an id that a chat of the other kind has: a chat is in one place only."""
        if not temporary:
            taken = self._storage.temporary.holds(chat_id)
        else:
            async with self._storage.read() as unit:
                taken = await unit.chats.with_id(chat_id) is not None
        if taken:
            raise _taken()

    def _new_row(self, user_id: str, request: CreateChat, origin: str) -> ChatRow:
        now = self._clock.now()
        return ChatRow(
            id=request.id or str(uuid4()),
            user_id=user_id,
            title=request.title or "",
            model=request.model,
            system_prompt=request.system_prompt,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            params=request.params.model_dump(mode="json", exclude_none=True),
            pinned=False,
            archived=False,
            temporary=request.temporary,
            tags=[],
            origin=origin,
            created_at=now,
            updated_at=now,
        )


def check_room(count: int, *, temporary: bool) -> None:
    """Refuse one chat more than a user can have.

    Raises:
        Conflict: `too_many_chats`.
    """
    limit = MAX_TEMPORARY_CHATS_PER_USER if temporary else MAX_CHATS_PER_USER
    if count >= limit:
        detail = f"There is room for {limit} {'temporary ' * temporary}chats. Delete some first."
        raise Conflict("too_many_chats", detail, limit=limit)


def _taken() -> Conflict:
    return Conflict("id_conflict", "Another chat has this id.")
