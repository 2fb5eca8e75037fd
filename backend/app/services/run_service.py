"""Use cases that change runs: start and stop, and bringing all of them to their end.

What is stored at a start is in run_start, the life of each run in run_lives, looking at runs in run_view.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from loguru import logger

from app.config import Settings
from app.errors import AppError, Unavailable
from app.schemas.message import Message
from app.schemas.run import Receipt, Run, RunStarted, RunStopped, StartRun
from app.services.active_run import ActiveRun
from app.services.admission import Ticket
from app.services.conversation import (
    check_length,
    tell_chat_changed,
    tell_message_changed,
)
from app.services.option_checks import check_options
from app.services.run_parts import RunParts
from app.services.run_start import StoredStart

STOP_WITHIN_S = 1.0
DRAINING_RETRY_S = 5


@dataclass
class _Turn:
    """Whose turn it is to start a run in one chat."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    takers: int = 0


class RunService:
    """Runs of users. Implements `LiveRuns` for the other services."""

    def __init__(self, parts: RunParts, settings: Settings) -> None:
        self._parts = parts
        self._active = parts.active
        self._lives = parts.lives
        self._view = parts.view
        self._max_message_chars = settings.max_message_chars
        self._max_new_tokens = settings.max_new_tokens
        self._starting: dict[str, _Turn] = {}
        self._draining = False

    # --- start --------------------------------------------------------------------------------------------

    async def start(self, user_id: str, chat_id: str, request: StartRun) -> tuple[RunStarted, bool]:
        """Start a run in a chat. Returns it, and False when this very request had started it before.

        Raises:
            NotFound: `chat_not_found`, `message_not_found`.
            Conflict: `run_active`, `id_conflict`, `chat_full`.
            Invalid: `max_tokens_too_large`, `not_a_user_message`.
            TooLarge: `message_too_large`.
            Overloaded: `too_many_runs`; nothing was stored.
            Unavailable: shutting down, or the database cannot be used; nothing was stored.
        """
        # who asks may leave at any moment; what is stored must live
        return await asyncio.shield(asyncio.create_task(self._start(user_id, chat_id, request)))

    def check_open(self) -> None:
        """Refuse new work while shutting down, or while the disk takes no answers.

        Raises:
            Unavailable: `shutting_down`, `storage_unavailable`, `storage_busy`; `storage_full` as `StorageFull`.
        """
        if self._draining:
            raise Unavailable("shutting_down", "The server is shutting down.", retry_after_s=DRAINING_RETRY_S)
        if (trouble := self._parts.logs.trouble) is not None:
            raise trouble

    def started(self, run_id: str) -> ActiveRun:
        """Return a run that this process has just started."""
        run = self._active.get(run_id)
        assert run is not None  # noqa: S101 (nothing was awaited since its start)
        return run

    # --- stop ---------------------------------------------------------------------------------------------

    async def stop(self, user_id: str, run_id: str, *, seen_seq: int | None = None) -> RunStopped:
        """Stop a run: its text ends at `seen_seq`. A run that has ended keeps its outcome and its text.

        Raises:
            NotFound: `run_not_found`.
            Unavailable: the end could not be stored within a second; it will be.
        """
        run = self._view.live(user_id, run_id)
        if run is None:
            stored, message = await self._view.stored(user_id, run_id)
            return RunStopped(run=stored, receipt=_receipt(stored, message))
        if run.stopping is None:
            run.seen_seq = seen_seq
            run.stopping = asyncio.create_task(self._stop(run))
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await run.finished.wait()
        except TimeoutError:
            raise Unavailable(
                "storage_busy", "The run stops as soon as its end can be stored.", retry_after_s=2
            ) from None
        ended, message = run.result if run.result is not None else (None, run.message)
        if ended is None:
            ended, message = await self._view.stored(user_id, run_id)
        return RunStopped(run=ended, receipt=_receipt(ended, message))

    async def stop_for_delete(self, user_id: str, run_id: str) -> None:
        """Stop a run and come back when it has ended."""
        run = self._view.live(user_id, run_id)
        if run is not None:
            run.cancel("stop")
            await run.finished.wait()

    def present(self, run: Run) -> Run:
        """Return the run with its live state, if it lives here."""
        return self._view.present(run)

    def present_message(self, message: Message) -> Message:
        """Return the message with the text that is visible so far, if a run into it lives here."""
        return self._view.present_message(message)

    # --- start of the process and its end -----------------------------------------------------------------------------------------

    async def shutdown(self, drain_s: float, hurry: asyncio.Event | None = None) -> None:
        """Admit nothing more, let runs end for `drain_s` seconds or until `hurry`, then end what is left."""
        self._draining = True
        if len(self._active) and drain_s:
            logger.info("shutting down: {} runs may go on for {:g} s", len(self._active), drain_s)
            hurried: asyncio.Future[Any] = asyncio.ensure_future((hurry or asyncio.Event()).wait())
            ended: asyncio.Future[Any] = asyncio.gather(*(run.finished.wait() for run in self._active))
            await asyncio.wait({hurried, ended}, timeout=drain_s, return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            ended.cancel()
            await asyncio.gather(hurried, ended, return_exceptions=True)  # else it is logged
        for run in self._active:
            run.cancel("shutdown")
        if left := [run.task for run in self._active if run.task is not None]:
            await asyncio.wait(left)

    # --- inside -------------------------------------------------------------------------------------------

    async def _start(self, user_id: str, chat_id: str, request: StartRun) -> tuple[RunStarted, bool]:
        async with self._one_at_a_time(chat_id):
            run_id = request.run_id or str(uuid4())
            try:
                ticket = self._admitted(user_id, chat_id, run_id, request)
            except AppError:
                # a request that is known already is answered whatever the limits say now
                known = await self._parts.starts.known(user_id, chat_id, request)
                if known is None:
                    raise
                return self._present_start(known), False
            begun: list[ActiveRun] = []

            def ready(stored: StoredStart) -> None:
                if ticket.running:
                    begun.append(self._live_run(user_id, stored, ticket, held=True))
                    self._lives.begin(begun[0])

            try:
                stored = await self._parts.starts.store(user_id, chat_id, run_id, request, ready)
            except BaseException:
                for run in begun:
                    self._lives.forget(run)
                self._lives.give_back(ticket)
                raise
            if isinstance(stored, RunStarted):
                self._lives.give_back(ticket)
                return self._present_start(stored), False
            run = begun[0] if begun else self._live_run(user_id, stored, ticket)
            if stored.user_message is not None:
                tell_message_changed(self._parts.events, user_id, stored.user_message)
            tell_message_changed(self._parts.events, user_id, stored.assistant_message)
            self._lives.launch(run)
            tell_chat_changed(self._parts.events, stored.chat)
        started = RunStarted(
            run=stored.run, user_message=stored.user_message, assistant_message=stored.assistant_message
        )
        return self._present_start(started), True

    def _admitted(self, user_id: str, chat_id: str, run_id: str, request: StartRun) -> Ticket:
        if request.message is not None:
            check_length(request.message.content, limit=self._max_message_chars, field="message.content")
        check_options(request.options, limit=self._max_new_tokens, field="options")
        self.check_open()
        return self._parts.admission.admit(run_id, user_id, chat_id)

    async def _stop(self, run: ActiveRun) -> None:
        run.watch = await self._parts.receipts.watch(run)
        run.cancel("stop")

    def _live_run(
        self, user_id: str, stored: StoredStart, ticket: Ticket, *, held: bool = False
    ) -> ActiveRun:
        message = stored.assistant_message
        log = self._parts.logs.open(
            user_id=user_id,
            chat_id=message.chat_id,
            run_id=stored.run.id,
            message_id=message.id,
            kept=not stored.chat.temporary,
            held=held,
        )
        return ActiveRun(
            id=stored.run.id,
            user_id=user_id,
            chat_id=message.chat_id,
            message=message,
            options=stored.options,
            ticket=ticket,
            log=log,
            created_at=stored.run.created_at,
            turns=stored.turns if ticket.running else None,  # prompts that wait are not kept in memory
        )

    def _present_start(self, started: RunStarted) -> RunStarted:
        return RunStarted(
            run=self.present(started.run),
            user_message=started.user_message,
            assistant_message=self.present_message(started.assistant_message),
        )

    @asynccontextmanager
    async def _one_at_a_time(self, chat_id: str) -> AsyncGenerator[None, None]:
        """Let starts in one chat come one by one: the same request twice at once is then the same request."""
        self._starting[chat_id] = turn = self._starting.get(chat_id) or _Turn()
        turn.takers += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.takers -= 1
            if not turn.takers:
                del self._starting[chat_id]


def _receipt(run: Run, message: Message) -> Receipt:
    """Return the receipt of a run's stop; of one that was not stopped it says that nothing was seen."""
    found = message.metadata.get("receipt") if message.metadata.get("run_id") == run.id else None
    if found is None or run.status != "stopped":
        return Receipt(confirmed=False, engine_released_ms=None, tokens=None)
    return Receipt.model_validate(found)
