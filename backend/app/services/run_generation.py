"""The generation of one run: waits for its place and for the engine, reads the answer into the log, goes on after a break.

Never raises: whatever happens becomes an `Ending`, or None for a run that stays open. Stores nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from loguru import logger

from app.errors import AppError, EngineBroken, EngineCannotGoOn, EngineError, EngineUnreachable
from app.ports import ChatModel, Clock, EngineItem, Finished, Generation, Piece, PromptSeen
from app.schemas.problem import RunError
from app.services.active_run import ActiveRun, Ending
from app.services.engine_waiting import ENGINE_RETRY_S, RETRYABLE, EngineWaiting
from app.services.generation_endings import cut_off, failed, interrupted, whole_usage
from app.services.run_attempts import Attempts
from app.services.run_prompt import RunPrompt
from app.services.run_seam import Seam

ERROR_RETRY_S = 0.5  # before the one retry of an engine that answered with an error
BUDGET_SLACK = 16  # tokens: an engine that keeps the budget itself needs some to end the thought


@dataclass(frozen=True)
class GenerationLimits:
    """Seconds a generation may take; and whether it goes on after a break."""

    run_timeout_s: float
    resume: bool


class RunGeneration:
    """Generates answers."""

    def __init__(
        self,
        model: ChatModel,
        prompt: RunPrompt,
        clock: Clock,
        waiting: EngineWaiting,
        limits: GenerationLimits,
    ) -> None:
        self._model = model
        self._prompt = prompt
        self._clock = clock
        self._waiting = waiting
        self._limits = limits

    async def generate(self, run: ActiveRun) -> Ending | None:
        """Bring a run to its ending. Being cancelled is the way to stop it; None: it stays open for the next start."""
        ending: Ending | None
        run.entered = True
        try:
            if run.halt is not None:
                raise asyncio.CancelledError  # noqa: TRY301 (told to end before the first step)
            await run.ticket.granted.wait()
            ending = await self._answered(run)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            ending = self._halted(run)
        except AppError as error:
            ending = failed(error)
        except Exception:  # noqa: BLE001 (a run ends, whatever is wrong with the code)
            logger.exception("run {}: unforeseen error", run.id)
            ending = Ending("failed", RunError(code="internal_error", detail="Something went wrong here."))
        run.phase = "ending"
        return ending

    async def _answered(self, run: ActiveRun) -> Ending:
        earlier = run.seam()
        attempts = Attempts(begun=earlier.starts, fruitless=earlier.fruitless)
        while not attempts.exhausted:
            try:
                ending = await self._tried(run, attempts)
            except asyncio.CancelledError:
                if run.halt is not None or not run.closes_thought:
                    raise
                if (task := asyncio.current_task()) is not None:
                    task.uncancel()
                attempts.turning = True
                await run.log.settled()
                continue
            if ending is not None:
                return ending
        return interrupted(EngineBroken("engine_lost", "The engine broke too often in this answer."))

    async def _tried(self, run: ActiveRun, attempts: Attempts) -> Ending | None:
        """Ask the engine once; None when it is to be asked again."""
        seam = run.seam()
        try:
            await self._waiting.check(run, attempts)
            return await self._attempt(run, seam, attempts)
        except EngineUnreachable as error:
            return None if await self._waiting.again(run, attempts) else cut_off(error, seam)
        except EngineCannotGoOn as error:
            return interrupted(error)
        except EngineError as error:
            return await self._after_error(run, seam, attempts, error)

    async def _after_error(
        self, run: ActiveRun, before: Seam, attempts: Attempts, error: EngineError
    ) -> Ending | None:
        """Return the ending after an engine's error, or None when it is to be asked again."""
        await run.log.settled()
        seam = run.seam()
        attempts.is_doubtful = attempts.begun > 0
        if self._may_go_on(run, seam) and await self._waiting.is_dying(run, attempts, error):
            return None if await self._waiting.again(run, attempts) else cut_off(error, seam)
        if not seam.tokens and not isinstance(error, EngineBroken):
            if attempts.retried or error.code not in RETRYABLE or run.phase != "queued":
                return cut_off(error, seam)
            attempts.retried = True
            await asyncio.sleep(ERROR_RETRY_S)
            return None
        attempts.fruitless = 0 if seam.tokens != before.tokens else attempts.fruitless + 1
        if not self._may_go_on(run, seam) or attempts.exhausted:
            return interrupted(error)
        logger.warning("run {}: {}; going on", run.id, error.code)
        await asyncio.sleep(ENGINE_RETRY_S[min(attempts.fruitless, len(ENGINE_RETRY_S) - 1)])
        return None

    def _may_go_on(self, run: ActiveRun, seam: Seam) -> bool:
        if not self._limits.resume or run.chat_id is None:
            return False
        # a grammar begins again at a seam, so structured output cannot cross one
        return not seam.has_text or run.options.response_format is None

    async def _attempt(self, run: ActiveRun, seam: Seam, attempts: Attempts) -> Ending:
        if seam.tokens and not attempts.turning and not self._may_go_on(run, seam):
            return interrupted(EngineBroken("engine_lost", "The answer was cut and cannot be gone on with."))
        generation, ahead = await self._prompt.generation(run, seam)
        if generation.max_tokens <= 0:
            return Ending("completed", finish_reason="length")
        finished: Finished | None = None
        since: float | None = None
        run.asked_model = generation.model
        try:
            async with (
                self._model.stream(generation) as stream,
                asyncio.timeout(self._limits.run_timeout_s - attempts.spent_s),
            ):
                since = self._clock.monotonic()
                self._begin(run, generation, seam, attempts)
                run.log.hold(ahead)
                async for items in stream:
                    run.at_engine = True
                    finished = self._take(run, items, seam) or finished
                    if run.log.failure is not None:
                        raise run.log.failure
        except TimeoutError:
            detail = f"The answer took longer than {self._limits.run_timeout_s:g} seconds."
            return Ending("failed", RunError(code="run_timeout", detail=detail))
        finally:
            run.at_engine = False
            run.thought_time.end(self._clock.monotonic())
            if since is not None:
                attempts.spent_s += self._clock.monotonic() - since
        if finished is None:
            raise EngineBroken("engine_lost", "The engine's answer ended too early.")
        return Ending(
            "completed",
            finish_reason=finished.finish_reason,
            usage=whole_usage(finished.usage, generation, seam),
            timings=finished.timings,
        )

    def _begin(self, run: ActiveRun, generation: Generation, seam: Seam, attempts: Attempts) -> None:
        attempts.waiting_since = None
        if attempts.turning:
            attempts.turning = False
            return
        attempts.begun += 1
        run.phase = "streaming"
        run.model = generation.model
        run.started_at = run.started_at or self._clock.now()
        run.continued = seam.starts
        run.log.started(
            model=generation.model,
            parent_id=run.message.parent_id,
            continued=run.continued,
            continues=run.continues,
        )
        if generation.prompt_token_ids is not None and not seam.tokens:
            run.log.prompt(generation.prompt_token_ids)

    def _take(self, run: ActiveRun, items: Sequence[EngineItem], seam: Seam) -> Finished | None:
        finished = None
        for item in items:
            if isinstance(item, Piece):
                run.log.write(item.channel, item.text, item.token_ids)
                if item.text and (item.channel == "reasoning") != run.thought_time.is_running:
                    self._count_thought(run, begins=item.channel == "reasoning")
                if item.channel == "reasoning":
                    _keep_budget(run, item)
            elif isinstance(item, PromptSeen):
                if not seam.tokens:  # else it is the prompt with what was generated
                    run.log.prompt(item.token_ids)
            else:
                finished = item
        return finished

    def _count_thought(self, run: ActiveRun, *, begins: bool) -> None:
        now = self._clock.monotonic()
        if begins:
            run.thought_time.begin(now)
        else:
            run.thought_time.end(now)

    def _halted(self, run: ActiveRun) -> Ending | None:
        if run.halt == "stop":
            run.log.drop_tail()  # nobody has seen it, so it is not part of what was stopped
            return Ending("stopped", text_seq=run.seen_seq)
        if self._limits.resume and run.log.kept:
            return None
        detail = "The server was shut down before the answer was complete."
        return Ending("interrupted", RunError(code="shutting_down", detail=detail))


def _keep_budget(run: ActiveRun, thought: Piece) -> None:
    """End a thought that is over its budget, where the engine does not do it by itself."""
    budget = run.options.thinking_budget
    run.thought_tokens += len(thought.token_ids) or 1
    if budget is not None and run.thought_tokens > budget + BUDGET_SLACK and run.seam().is_exact:
        run.answer_now()
