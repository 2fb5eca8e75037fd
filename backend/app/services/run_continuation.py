"""Going on with an answer by hand: a new run into the same message, after its last token; and ending a thought.

How a run goes on after a crash is the generation's business.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from app.config import Settings
from app.errors import Conflict, NotFound
from app.models import LIVE_STATUSES, MessageRow, RunRow
from app.repositories.run_tokens import KeptTokens
from app.repositories.storage import Unit
from app.schemas.chat import ChatSummary
from app.schemas.message import Message
from app.schemas.options import Options
from app.schemas.run import ContinueRun, Run, RunSnapshot, RunStarted
from app.services.active_run import ActiveRun
from app.services.admission import Ticket
from app.services.answer_metadata import begun_again, can_go_on, text_digest
from app.services.conversation import (
    TICK,
    chat_for_change,
    mark_active,
    mark_changed,
    message_not_found,
    summary_of,
    tell_chat_changed,
    tell_message_changed,
)
from app.services.id_places import check_run_is_new
from app.services.option_checks import check_options
from app.services.run_parts import RunParts
from app.services.run_seam import BegunTokens
from app.services.run_service import RunService
from app.services.wire import messages_on_wire, run_on_wire
from app.utils.digest import digest


@dataclass(frozen=True)
class _Stored:
    run: Run
    message: Message
    chat: ChatSummary
    options: Options
    begun: BegunTokens | None


class RunContinuation:
    """Continues answers."""

    def __init__(self, runs: RunService, parts: RunParts, settings: Settings) -> None:
        self._runs = runs
        self._parts = parts
        self._max_new_tokens = settings.max_new_tokens
        self._turn = asyncio.Lock()  # the same request twice at once is the same request

    async def start(self, user_id: str, run_id: str, request: ContinueRun) -> tuple[RunStarted, bool]:
        """Go on with the answer that a run has written into. Returns the new run, and False when it is known.

        Raises:
            NotFound: `run_not_found`.
            Conflict: `nothing_to_continue`, `has_children`, `run_active`, `id_conflict`.
            Invalid: `max_tokens_too_large`.
            Overloaded: `too_many_runs`; nothing was stored.
            Unavailable: shutting down, or the database cannot be used; nothing was stored.
        """
        return await asyncio.shield(asyncio.create_task(self._start(user_id, run_id, request)))

    async def answer_now(self, user_id: str, run_id: str) -> RunSnapshot:
        """End the thought that a run is in, and have it go on to the answer.

        Raises:
            NotFound: `run_not_found`.
            Conflict: `not_thinking`.
        """
        run = self._parts.view.live(user_id, run_id)
        if run is None:
            await self._parts.view.stored(user_id, run_id)
        if run is None or not run.answer_now():
            raise Conflict("not_thinking", "This run is not thinking.")
        return await self._parts.view.snapshot(user_id, run_id)

    async def _start(self, user_id: str, run_id: str, request: ContinueRun) -> tuple[RunStarted, bool]:
        async with self._turn:
            known, chat_id = await self._known(user_id, run_id, request)
            if known is not None:
                return self._present(known), False
            if request.run_id is not None:
                await check_run_is_new(self._parts.storage, self._parts.storage.of(chat_id), request.run_id)
            check_options(request.options, limit=self._max_new_tokens, field="options")
            self._runs.check_open()
            new_id = request.run_id or str(uuid4())
            ticket = self._parts.admission.admit(new_id, user_id, chat_id)
            self._parts.storage.of(chat_id).hold(new_id)
            try:
                stored = await self._stored(user_id, chat_id, run_id, new_id, request)
            except BaseException:
                self._parts.lives.give_back(ticket)
                raise
            run = self._live_run(user_id, chat_id, stored, ticket)
            tell_message_changed(self._parts.events, user_id, stored.message)
            tell_chat_changed(self._parts.events, stored.chat)
            self._parts.lives.launch(run)
        started = RunStarted(run=stored.run, user_message=None, assistant_message=stored.message)
        return self._present(started), True

    async def _known(self, user_id: str, run_id: str, request: ContinueRun) -> tuple[RunStarted | None, str]:
        """Return what this very request has begun before, and the chat it is about."""
        async with self._parts.storage.of(run_id).read() as unit:
            before = await unit.runs.get(user_id, run_id)
            if before is None or await unit.chats.get(user_id, before.chat_id) is None:
                raise _run_not_found()
            known = await unit.runs.with_id(request.run_id) if request.run_id is not None else None
            if known is None:
                return None, before.chat_id
            if known.chat_id != before.chat_id or known.origin != _origin(run_id, request):
                raise Conflict("id_conflict", "Another run has this id.")
            message = await unit.messages.get(known.chat_id, known.message_id)
            if message is None:
                raise message_not_found()
            [shown] = await messages_on_wire(unit, known.chat_id, [message])
            return RunStarted(
                run=run_on_wire(known), user_message=None, assistant_message=shown
            ), known.chat_id

    async def _stored(
        self, user_id: str, chat_id: str, run_id: str, new_id: str, request: ContinueRun
    ) -> _Stored:
        now = self._parts.clock.now()
        storage = self._parts.storage
        async with storage.of(chat_id).write() as unit:
            chat = await chat_for_change(unit, user_id, chat_id)
            before = await unit.runs.get(user_id, run_id)
            message = await unit.messages.get(chat_id, before.message_id) if before is not None else None
            if before is None or message is None:
                raise _run_not_found()
            newest = (await unit.runs.of_message(message.id))[-1]
            options = Options.model_validate(
                newest.options | request.options.model_dump(mode="json", exclude_none=True)
            )
            await _check(unit, message, options)
            message.status = "queued"
            message.details = begun_again(message.details, new_id)
            mark_changed(message, now)
            await unit.messages.save()
            row = _row(newest, new_id, options, _origin(run_id, request), now)
            row.owner = storage.of(chat_id).owner
            await unit.runs.insert(row)
            chat.active_leaf_id = message.id
            await mark_active(unit, chat, now)
            await unit.chats.save()
            [shown] = await messages_on_wire(unit, chat_id, [message])
            begun = begun_tokens(await unit.run_tokens.get(newest.id), shown, options.model or newest.model)
            return _Stored(run_on_wire(row), shown, await summary_of(unit, chat), options, begun)

    def _live_run(self, user_id: str, chat_id: str, stored: _Stored, ticket: Ticket) -> ActiveRun:
        return ActiveRun(
            id=stored.run.id,
            user_id=user_id,
            chat_id=chat_id,
            message=stored.message,
            options=stored.options,
            ticket=ticket,
            log=self._parts.logs.open(
                user_id=user_id,
                chat_id=chat_id,
                run_id=stored.run.id,
                message_id=stored.message.id,
                kept=not stored.chat.temporary,
            ),
            created_at=stored.run.created_at,
            continues=stored.run.continues,
            begun=stored.begun,
        )

    def _present(self, started: RunStarted) -> RunStarted:
        return RunStarted(
            run=self._runs.present(started.run),
            user_message=None,
            assistant_message=self._runs.present_message(started.assistant_message),
        )


def begun_tokens(kept: KeptTokens | None, message: Message, model: str | None) -> BegunTokens | None:
    """Return the tokens of an answer if they still make exactly its text, for the model that is to go on."""
    if kept is None or kept.text_digest != text_digest(message.reasoning, message.content):
        return None
    return BegunTokens(kept.prompt_ids, kept.generated_ids) if model in (None, kept.model) else None


async def _check(unit: Unit, message: MessageRow, options: Options) -> None:
    if message.status in LIVE_STATUSES:
        raise Conflict("run_active", "This chat has a run that has not ended.")
    if not can_go_on(message.status, message.details.get("finish_reason")):
        raise Conflict("nothing_to_continue", "This answer is whole. Regenerate it for another one.")
    if options.response_format is not None and (message.content or message.reasoning):
        detail = "Structured output cannot be gone on with: its grammar would begin again. Regenerate it."
        raise Conflict("nothing_to_continue", detail)
    if await unit.messages.siblings(message.chat_id, {message.id}):
        raise Conflict(
            "has_children", "There are messages after this answer. Regenerate it on a branch of its own."
        )


def _row(newest: RunRow, new_id: str, options: Options, origin: str, now: datetime) -> RunRow:
    return RunRow(
        id=new_id,
        user_id=newest.user_id,
        chat_id=newest.chat_id,
        message_id=newest.message_id,
        continues=newest.id,
        model=options.model or newest.model,
        status="queued",
        seq=0,
        text_seq=0,
        options=options.model_dump(mode="json", exclude_none=True),
        error=None,
        origin=origin,
        created_at=max(now, newest.created_at + TICK),
        started_at=None,
        ended_at=None,
    )


def _origin(run_id: str, request: ContinueRun) -> str:
    return digest(["continue", run_id, request.options.model_dump(mode="json", exclude_none=True)])


def _run_not_found() -> NotFound:
    return NotFound("run_not_found", "There is no such run.")
