"""The stored side of a run's start: recognises a request sent again, stores a new one whole.

Admits nothing and starts nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from app.errors import Conflict, FieldProblem, Invalid
from app.models import ChatRow, MessageRow, RunRow
from app.ports import Clock
from app.repositories.storage import Storage, Unit
from app.schemas.chat import ChatSummary
from app.schemas.message import Message
from app.schemas.options import Params
from app.schemas.run import Run, RunStarted, StartRun
from app.services.conversation import (
    append_message,
    chat_for_change,
    chat_not_found,
    message_not_found,
    summary_of,
)
from app.services.run_options import run_options
from app.services.wire import messages_on_wire, run_on_wire
from app.utils.digest import digest

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class StoredStart:
    """What a start has stored: both messages and the run, as they go on the wire."""

    run: Run
    user_message: Message | None
    assistant_message: Message
    chat: ChatSummary
    options: Params


class RunStart:
    """Stores the starts of runs."""

    def __init__(self, storage: Storage, clock: Clock, *, default_max_tokens: int) -> None:
        self._storage = storage
        self._clock = clock
        self._default_max_tokens = default_max_tokens

    async def known(self, user_id: str, chat_id: str, request: StartRun) -> RunStarted | None:
        """Return what this very request has stored before, or None when it is new.

        Raises:
            NotFound: `chat_not_found`.
            Conflict: `id_conflict`: an id of it belongs to another request.
        """
        async with self._storage.read() as unit:
            if await unit.chats.get(user_id, chat_id) is None:
                raise chat_not_found()
            run = await _known_run(unit, chat_id, request, request_origin(chat_id, request))
            if run is None:
                return None
            answer = await unit.messages.get(chat_id, run.message_id)
            question = None
            if answer is not None and answer.parent_id is not None and request.message is not None:
                question = await unit.messages.get(chat_id, answer.parent_id)
            rows = [row for row in (question, answer) if row is not None]
            shown = await messages_on_wire(unit, chat_id, rows)
        return RunStarted(
            run=run_on_wire(run),
            user_message=shown[0] if question is not None else None,
            assistant_message=shown[-1],
        )

    async def store(self, user_id: str, chat_id: str, run_id: str, request: StartRun) -> StoredStart:
        """Store the user message, the empty answer and the run, all or nothing.

        Raises:
            NotFound: `chat_not_found`, `message_not_found` (the parent).
            Invalid: `not_a_user_message`: there is no question to be answered.
            Conflict: `run_active`, `id_conflict`, `chat_full`.
        """
        origin = request_origin(chat_id, request)
        now = self._clock.now()
        async with self._storage.write() as unit:
            chat = await chat_for_change(unit, user_id, chat_id)
            question: MessageRow | None = None
            if request.message is not None:
                question = await append_message(
                    unit,
                    chat,
                    message_id=request.message.id or str(uuid4()),
                    parent_id=_given_parent(request) if _has_parent(request) else chat.active_leaf_id,
                    role="user",
                    content=request.message.content,
                    origin=origin,
                    now=now,
                )
            parent_id = question.id if question is not None else await _question(unit, chat, request)
            answer = await append_message(
                unit,
                chat,
                message_id=str(uuid4()),
                parent_id=parent_id,
                role="assistant",
                content="",
                status="queued",
                now=now,
            )
            options = run_options(request.options, chat, default_max_tokens=self._default_max_tokens)
            row = RunRow(
                id=run_id,
                user_id=user_id,
                chat_id=chat_id,
                message_id=answer.id,
                continues=None,
                model=options.model,
                status="queued",
                seq=0,
                text_seq=0,
                options=options.model_dump(mode="json", exclude_none=True),
                error=None,
                origin=origin,
                created_at=now,
                started_at=None,
                ended_at=None,
            )
            await unit.runs.insert(row)
            rows: Sequence[MessageRow] = [answer] if question is None else [question, answer]
            shown = await messages_on_wire(unit, chat_id, rows)
            summary = await summary_of(unit, chat)
        return StoredStart(
            run=run_on_wire(row),
            user_message=shown[0] if question is not None else None,
            assistant_message=shown[-1],
            chat=summary,
            options=options,
        )


def request_origin(chat_id: str, request: StartRun) -> str:
    """Return the fingerprint of a request without the ids that its client chose."""
    content = request.message.content if request.message is not None else None
    return digest(
        [
            chat_id,
            content,
            _has_parent(request),
            request.parent_id,
            request.options.model_dump(mode="json", exclude_none=True),
        ]
    )


def _has_parent(request: StartRun) -> bool:
    return "parent_id" in request.model_fields_set


def _given_parent(request: StartRun) -> str | None:
    return request.parent_id


async def _known_run(unit: Unit, chat_id: str, request: StartRun, origin: str) -> RunRow | None:
    if request.run_id is not None:
        run = await unit.runs.with_id(request.run_id)
        if run is not None:
            if run.chat_id != chat_id or run.origin != origin:
                raise Conflict("id_conflict", "Another run has this id.")
            return run
    if request.message is None or request.message.id is None:
        return None
    message = await unit.messages.with_id(request.message.id)
    if message is None:
        return None
    if message.chat_id != chat_id or message.origin != origin or request.run_id is not None:
        raise Conflict("id_conflict", "Another message has this id.")
    answers = (await unit.messages.siblings(chat_id, {message.id})).get(message.id, [])
    runs = await unit.runs.of_message(answers[0]) if answers else ()
    return runs[0] if runs else None


async def _question(unit: Unit, chat: ChatRow, request: StartRun) -> str:
    """Return the id of the user message that is to be answered again."""
    if _has_parent(request):
        named = request.parent_id
        message = await unit.messages.get(chat.id, named) if named is not None else None
        if named is not None and message is None:
            raise message_not_found(field="parent_id")
    else:
        leaf = await unit.messages.get(chat.id, chat.active_leaf_id) if chat.active_leaf_id else None
        message = leaf
        if leaf is not None and leaf.role != "user" and leaf.parent_id is not None:
            message = await unit.messages.get(chat.id, leaf.parent_id)
    if message is None or message.role != "user":
        detail = "must name a user message, which is then answered again"
        fields = (FieldProblem("parent_id", "not_a_user_message", detail),)
        raise Invalid("not_a_user_message", f"parent_id: {detail}", fields=fields)
    return message.id
