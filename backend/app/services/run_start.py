"""The stored side of a run's start: recognises a request sent again, stores a new one whole.

Admits nothing and starts nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from app.errors import Conflict, FieldProblem, Invalid
from app.models import ChatRow, MessageRow, RunRow
from app.ports import Clock, ModelCatalogue, Turn
from app.repositories.chats import ListedChat
from app.repositories.plain_sql import plain_row
from app.repositories.run_starts import Room
from app.repositories.storage import Storage, Unit
from app.schemas.chat import ChatSummary
from app.schemas.message import Message
from app.schemas.options import Params
from app.schemas.run import Run, RunStarted, StartRun
from app.services.conversation import (
    bring_to_top,
    chat_not_found,
    check_max_tokens,
    check_room,
    message_not_found,
    prompt_turns,
    take_title,
)
from app.services.id_places import check_message_is_new, check_run_is_new, message_key
from app.services.option_checks import check_room as model_room
from app.services.run_known import has_parent, known_start, request_origin
from app.services.run_options import run_options
from app.services.wire import message_on_wire, run_on_wire, summary_on_wire


@dataclass(frozen=True)
class StoredStart:
    """What a start has stored: both messages and the run, as they go on the wire; and the prompt."""

    run: Run
    user_message: Message | None
    assistant_message: Message
    chat: ChatSummary
    options: Params
    turns: tuple[Turn, ...]


class RunStart:
    """Stores the starts of runs."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        catalogue: ModelCatalogue,
        *,
        default_max_tokens: int,
        max_new_tokens: int,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._catalogue = catalogue
        self._default_max_tokens = default_max_tokens
        self._max_new_tokens = max_new_tokens

    async def known(self, user_id: str, chat_id: str, request: StartRun) -> RunStarted | None:
        """Return what this very request has stored before, or None when it is new.

        Raises:
            NotFound: `chat_not_found`.
            Conflict: `id_conflict`: an id of it belongs to another request.
        """

        async def look(unit: Unit) -> RunStarted | None:
            if await unit.chats.get(user_id, chat_id) is None:
                raise chat_not_found()
            return await known_start(unit, chat_id, request)

        return await self._storage.of(chat_id).look(look)

    async def store(
        self,
        user_id: str,
        chat_id: str,
        run_id: str,
        request: StartRun,
        ready: Callable[[StoredStart], None],
    ) -> StoredStart | RunStarted:
        """Store the user message, the empty answer and the run, all or nothing; or return what is known of the request.

        `ready` is called on the event loop with what is about to be written and committed, which may fail yet.

        Raises:
            NotFound: `chat_not_found`, `message_not_found` (the parent).
            Invalid: `not_a_user_message`: there is no question to be answered; `max_tokens_too_large`: for its model.
            Conflict: `run_active`, `id_conflict`, `chat_full`.
        """
        loop = asyncio.get_running_loop()
        origin = request_origin(chat_id, request)
        now = self._clock.now()
        message_id = (request.message.id if request.message is not None else None) or str(uuid4())

        async def work(unit: Unit) -> StoredStart | RunStarted:
            chat = await unit.starts.chat_for_change(user_id, chat_id)
            if chat is None:
                raise chat_not_found()
            above = request.parent_id if has_parent(request) else chat.active_leaf_id
            room = await unit.starts.room(user_id, chat_id, run_id, message_id, above)
            if room.has_run or room.has_message or room.is_live:
                return await _known_or_conflict(unit, chat_id, request, is_live=room.is_live)
            places = room.places
            check_room(places.messages, new=1 if request.message is None else 2)
            title_before = chat.title
            question = _question(chat_id, request, message_id, above, room)
            parent_id = question.id if question is not None else await _answered(unit, chat, request)
            answer = new_message(chat_id, str(uuid4()), parent_id, role="assistant")
            answer.status = "queued"
            answer.details = {"run_id": run_id}
            rows = [answer] if question is None else [question, answer]
            _place(rows, places.position, now)
            if question is not None:
                question.origin = origin
                take_title(chat, question)
            chat.active_leaf_id = answer.id
            bring_to_top(chat, places.activity, now)
            options = self._options(request, chat)
            run = new_run(run_id, user_id, answer, options, origin)
            run.owner = place.owner
            older: Sequence[str] = ()
            if question is None or room.has_siblings or (above is None and places.messages):
                older = await unit.starts.children(chat_id, rows[0].parent_id)
            shown = [
                message_on_wire(rows[0], [*older, rows[0].id]),
                *(message_on_wire(row, [row.id]) for row in rows[1:]),
            ]
            start = StoredStart(
                run=run_on_wire(run),
                user_message=shown[0] if question is not None else None,
                assistant_message=shown[-1],
                chat=summary_on_wire(ListedChat(chat, places.messages + len(rows), run_id)),
                options=options,
                turns=await (
                    prompt_turns(unit, chat, above, Turn("user", question.content))
                    if question is not None
                    else prompt_turns(unit, chat, parent_id)
                ),
            )
            if place.in_one_thread:
                loop.call_soon_threadsafe(ready, start)  # and so before the loop hears of the commit
            else:
                ready(start)
            await unit.starts.insert(rows, run)
            await unit.starts.save_chat(chat, title_before)
            return start

        place = self._storage.of(chat_id)
        if request.run_id is not None:
            await check_run_is_new(self._storage, place, run_id)
        if request.message is not None and request.message.id is not None:
            await check_message_is_new(self._storage, place, message_id)
        stored = await place.transaction(work, urgent=True)
        place.hold(run_id)
        place.hold(message_key(message_id))
        return stored

    def _options(self, request: StartRun, chat: ChatRow) -> Params:
        """Return the options of a run; what a chat has kept may be of a time, or of another server, with another limit."""
        options = run_options(request.options, chat, default_max_tokens=self._default_max_tokens)
        field = "max_tokens" if request.options.max_tokens is None else "options.max_tokens"
        check_max_tokens(options.max_tokens, limit=self._max_new_tokens, field=field)
        if options.max_tokens != self._default_max_tokens:  # that one is nobody's wish, and gives way
            model_room(options.max_tokens, options.model, self._catalogue.known(), field=field)
        return options


def _place(rows: Sequence[MessageRow], last: int, now: datetime) -> None:
    """Put new messages behind the last one of their chat."""
    for position, row in enumerate(rows, start=last + 1):
        row.position, row.created_at, row.updated_at = position, now, now


async def _known_or_conflict(unit: Unit, chat_id: str, request: StartRun, *, is_live: bool) -> RunStarted:
    known = await known_start(unit, chat_id, request)
    if known is not None:
        return known
    if is_live:
        raise Conflict("run_active", "This chat has a run that has not ended.")
    raise Conflict("id_conflict", "This id is taken.")


def _question(
    chat_id: str, request: StartRun, message_id: str, above: str | None, room: Room
) -> MessageRow | None:
    """Return the user message that is to be added, below `above`, or None when an old one is answered again."""
    if request.message is None:
        return None
    if above is not None and not room.has_above:
        raise message_not_found(field="parent_id")
    message = new_message(chat_id, message_id, above, role="user")
    message.content = request.message.content
    return message


async def _answered(unit: Unit, chat: ChatRow, request: StartRun) -> str:
    """Return the id of the user message that is to be answered again."""
    if has_parent(request):
        named = request.parent_id
        message = await unit.starts.message(chat.id, named) if named is not None else None
        if named is not None and message is None:
            raise message_not_found(field="parent_id")
    else:
        leaf = await unit.starts.message(chat.id, chat.active_leaf_id) if chat.active_leaf_id else None
        message = leaf
        if leaf is not None and leaf.role != "user" and leaf.parent_id is not None:
            message = await unit.starts.message(chat.id, leaf.parent_id)
    if message is None or message.role != "user":
        detail = "must name a user message, which is then answered again"
        fields = (FieldProblem("parent_id", "not_a_user_message", detail),)
        raise Invalid("not_a_user_message", f"parent_id: {detail}", fields=fields)
    return message.id


def new_message(chat_id: str, message_id: str, parent_id: str | None, *, role: str) -> MessageRow:
    """Return a new message without content; its place and its times are still to be set."""
    return plain_row(
        MessageRow,
        id=message_id,
        chat_id=chat_id,
        parent_id=parent_id,
        role=role,
        content="",
        reasoning="",
        status="completed",
        details={},
    )


def new_run(run_id: str, user_id: str, answer: MessageRow, options: Params, origin: str) -> RunRow:
    """Return a new run into an answer that is being stored."""
    return plain_row(
        RunRow,
        id=run_id,
        user_id=user_id,
        chat_id=answer.chat_id,
        message_id=answer.id,
        model=options.model,
        status="queued",
        seq=0,
        text_seq=0,
        options=options.model_dump(mode="json", exclude_none=True),
        origin=origin,
        created_at=answer.created_at,
    )
