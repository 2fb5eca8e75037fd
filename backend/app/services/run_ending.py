"""How a run ends: settle its events, store its text and state by compare-and-set, then say so, once.

What made it end is the generation's business.
"""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

from loguru import logger

from app.errors import Unavailable
from app.ports import Clock, EventSink
from app.repositories.chats import ListedChat
from app.repositories.run_tokens import KeptTokens
from app.repositories.storage import Storage, Unit
from app.schemas.chat import ChatSummary
from app.schemas.message import Message
from app.schemas.problem import RunError
from app.schemas.run import Run
from app.services.active_run import ActiveRun, Ending
from app.services.answer_metadata import text_digest, whole_timings
from app.services.conversation import bring_to_top, tell_chat_changed
from app.services.wire import message_on_wire, run_on_wire, summary_on_wire

RETRY_S = (0.1, 0.3, 1.0, 3.0)  # a database that is busy or full may come back; the last one repeats


class RunEnding:
    """Brings runs to their one end."""

    def __init__(self, storage: Storage, clock: Clock, events: EventSink) -> None:
        self._storage = storage
        self._clock = clock
        self._events = events

    async def finish(self, run: ActiveRun, ending: Ending) -> None:
        """Store how the run came out and publish `run.ended`. Comes back when both are done, however long it takes."""
        try:
            await run.log.settled()
        except Unavailable as error:
            logger.warning("run {}: the last events could not be made safe: {}", run.id, error.code)
            if ending.outcome == "completed":  # it was, but not all of it was kept
                known = RunError.model_validate({"code": error.code, "detail": error.detail})
                ending = replace(ending, outcome="interrupted", error=known)
        last = run.log.seq
        text_seq = last if ending.text_seq is None else min(ending.text_seq, last)
        reasoning, content = run.log.text(text_seq)
        now = self._clock.now()
        message = run.message.model_copy(
            update={
                "content": run.message.content + content,
                "reasoning": run.message.reasoning + reasoning,
                "status": ending.outcome,
                "model": run.model,
                "metadata": _metadata(run, ending, reasoning),
                "updated_at": max(now, run.message.updated_at),
            }
        )
        summary: ChatSummary | None = None
        stored: Run | None = None
        if run.chat_id is not None:
            stored, message, summary = await self._stored(run, ending, message, text_seq, now)
        run.result = (stored, message)
        run.log.end(outcome=ending.outcome, text_seq=text_seq, message=message.model_dump(mode="json"))
        if summary is not None:
            tell_chat_changed(self._events, summary)

    async def _stored(
        self, run: ActiveRun, ending: Ending, message: Message, text_seq: int, now: datetime
    ) -> tuple[Run | None, Message, ChatSummary | None]:
        for attempt in range(1_000_000):
            try:
                return await self._storage.of(run.chat_id).transaction(
                    lambda unit: self._store(unit, run, ending, message, text_seq, now)
                )
            except Unavailable as error:
                delay = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                logger.warning(
                    "run {}: its end cannot be stored ({}), again in {} s", run.id, error.code, delay
                )
                await asyncio.sleep(delay)
        raise AssertionError  # pragma: no cover

    async def _store(  # noqa: PLR0917 (one transaction's worth)
        self, unit: Unit, run: ActiveRun, ending: Ending, message: Message, text_seq: int, now: datetime
    ) -> tuple[Run | None, Message, ChatSummary | None]:
        moved = await unit.runs.move(
            run.id,
            to=ending.outcome,
            by=self._storage.of(run.chat_id).owner,
            seq=run.log.seq + 1,
            text_seq=text_seq,
            model=run.model,
            error=ending.error.model_dump() if ending.error is not None else None,
            started_at=run.started_at,
            ended_at=now,
        )
        row = await unit.ends.answer(message.chat_id or "", message.id)
        if not moved or row is None:
            return None, message, None  # deleted under its hands: nothing is left to be stored
        content_before = row.content
        row.content, row.reasoning = message.content, message.reasoning
        row.status, row.model, row.details = message.status, message.model, message.metadata
        row.updated_at = message.updated_at
        await unit.ends.save_answer(row, content_before)
        await _keep_tokens(unit, run, ending, message, text_seq)
        stored = await unit.ends.run(run.id)
        chat = await unit.ends.chat(run.user_id, row.chat_id)
        summary = None
        if chat is not None:
            places = await unit.starts.places(run.user_id, chat.id)
            bring_to_top(chat, places.activity, now)
            await unit.starts.save_chat(chat, chat.title)
            summary = summary_on_wire(ListedChat(chat, places.messages, None))  # its one live run has ended
        siblings = await unit.starts.children(row.chat_id, row.parent_id)
        shown = message_on_wire(row, siblings)
        return run_on_wire(stored) if stored is not None else None, shown, summary


async def _keep_tokens(unit: Unit, run: ActiveRun, ending: Ending, message: Message, text_seq: int) -> None:
    """Keep what is needed to go on from here by hand, and forget where this run went on from."""
    if run.continues is not None:
        await unit.run_tokens.forget(run.continues)
    seam = run.seam(text_seq)
    if ending.goes_on and seam.is_exact and run.model is not None:
        text = text_digest(message.reasoning, message.content)
        await unit.run_tokens.keep(run.id, KeptTokens(run.model, seam.prompt_ids, seam.generated_ids, text))


def _metadata(run: ActiveRun, ending: Ending, reasoning: str) -> dict[str, Any]:
    continued = run.message.metadata.get("continued", 0) + run.continued
    own_ms = (max(1, run.thought_time.spent_ms) if run.is_thought_timed else None) if reasoning else 0
    found = {
        "run_id": run.id,
        "usage": ending.usage,
        "timings": whole_timings(ending.timings, run.message, own_ms),
        "finish_reason": ending.finish_reason,
        "error": ending.error.model_dump() if ending.error is not None else None,
        "receipt": ending.receipt.model_dump(mode="json") if ending.receipt is not None else None,
        "continued": continued or None,
        "dropped_turns": run.dropped_turns or None,
        "options": run.options.model_dump(mode="json", exclude_none=True),
    }
    kept = {name: value for name, value in run.message.metadata.items() if name != "timings"}
    return kept | {name: value for name, value in found.items() if value is not None}
