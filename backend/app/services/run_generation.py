"""The generation of one run: waits for its place and for the engine, reads the answer into the log.

Never raises: whatever happens becomes an `Ending`. Stores nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from loguru import logger

from app.errors import AppError, EngineBroken, EngineError, EngineUnreachable
from app.ports import (
    ChatModel,
    Clock,
    EngineItem,
    Finished,
    Generation,
    ModelCatalogue,
    Piece,
    PromptSeen,
    Turn,
)
from app.repositories.storage import Storage
from app.schemas.problem import RunError
from app.services.active_run import ActiveRun, Ending
from app.services.run_options import sampling

ENGINE_RETRY_S = (
    0.25,
    0.5,
    1.0,
    2.0,
)  # between looks for an engine that is out of reach; the last one repeats
ERROR_RETRY_S = 0.5  # before the one retry of an engine that answered with an error
RETRYABLE = frozenset({"engine_error"})  # what a second try can mend; a wrong request stays wrong


@dataclass(frozen=True)
class GenerationLimits:
    """Seconds a generation may wait for an engine, and may take once the engine works on it."""

    engine_wait_s: float
    run_timeout_s: float


class RunGeneration:
    """Generates answers."""

    def __init__(
        self,
        model: ChatModel,
        catalogue: ModelCatalogue,
        storage: Storage,
        clock: Clock,
        limits: GenerationLimits,
    ) -> None:
        self._model = model
        self._catalogue = catalogue
        self._storage = storage
        self._clock = clock
        self._limits = limits

    async def generate(self, run: ActiveRun) -> Ending:
        """Bring a run to its ending. Being cancelled is the way to stop it."""
        ending: Ending
        run.entered = True
        try:
            if run.halt is not None:
                raise asyncio.CancelledError  # noqa: TRY301 (told to end before the first step)
            await run.ticket.granted.wait()
            ending = await self._answered(run)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            ending = halted(run)
        except AppError as error:
            ending = failed(error)
        except Exception:  # noqa: BLE001 (a run ends, whatever is wrong with the code)
            logger.exception("run {}: unforeseen error", run.id)
            ending = Ending("failed", RunError(code="internal_error", detail="Something went wrong here."))
        run.phase = "ending"
        return ending

    async def _answered(self, run: ActiveRun) -> Ending:
        waited_since = self._clock.monotonic()
        looks = 0
        retried = False
        while True:
            try:
                return await self._attempt(run)
            except EngineUnreachable as error:
                if run.phase != "queued":
                    return _interrupted(error)
                if self._clock.monotonic() - waited_since >= self._limits.engine_wait_s:
                    return failed(error)
                if looks == 0:
                    run.log.queued(None, "engine_unavailable")
                await asyncio.sleep(ENGINE_RETRY_S[min(looks, len(ENGINE_RETRY_S) - 1)])
                looks += 1
            except EngineBroken as error:
                return _interrupted(error)
            except EngineError as error:
                if any(run.log.text(run.log.seq)):
                    return _interrupted(error)
                if retried or run.phase != "queued" or error.code not in RETRYABLE:
                    return failed(error)
                retried = True
                await asyncio.sleep(ERROR_RETRY_S)

    async def _attempt(self, run: ActiveRun) -> Ending:
        generation = await self._generation(run)
        try:
            async with (
                self._model.stream(generation) as stream,
                asyncio.timeout(self._limits.run_timeout_s),
            ):
                self._begin(run, generation.model)
                finished: Finished | None = None
                async for items in stream:
                    finished = _take(run, items) or finished
        except TimeoutError:
            detail = f"The answer took longer than {self._limits.run_timeout_s:g} seconds."
            return Ending("failed", RunError(code="run_timeout", detail=detail))
        if finished is None:
            raise EngineBroken("engine_lost", "The engine's answer ended too early.")
        return Ending(
            "completed",
            finish_reason=finished.finish_reason,
            usage=finished.usage,
            timings=finished.timings,
        )

    async def _generation(self, run: ActiveRun) -> Generation:
        options = run.options
        model = options.model or (await self._catalogue.default()).id
        return Generation(
            model=model,
            turns=run.turns if run.turns is not None else await self._turns(run),
            max_tokens=options.max_tokens or 1,
            thinking=options.thinking,
            sampling=sampling(options),
        )

    async def _turns(self, run: ActiveRun) -> tuple[Turn, ...]:
        if run.chat_id is None or run.message.parent_id is None:
            return ()
        async with self._storage.read() as unit:
            chat = await unit.chats.get(run.user_id, run.chat_id)
            path = await unit.messages.path(run.message.parent_id)
        system = [Turn("system", chat.system_prompt)] if chat is not None and chat.system_prompt else []
        return (*system, *(Turn(row.role, row.content) for row in path if row.content))  # type: ignore[arg-type]

    def _begin(self, run: ActiveRun, model: str) -> None:
        if run.phase == "streaming":
            return
        run.phase = "streaming"
        run.model = model
        run.started_at = self._clock.now()
        run.log.started(model=model, parent_id=run.message.parent_id, continued=0, continues=None)


def failed(error: AppError) -> Ending:
    """Return the ending of a run that an error ended."""
    return Ending("failed", RunError.model_validate({"code": error.code, "detail": error.detail}))


def halted(run: ActiveRun) -> Ending:
    """Return the ending of a run that was told to end."""
    if run.halt == "stop":
        run.log.drop_tail()  # nobody has seen it, so it is not part of what was stopped
        return Ending("stopped", text_seq=run.seen_seq)
    detail = "The server was shut down before the answer was complete."
    return Ending("interrupted", RunError(code="shutting_down", detail=detail))


def _interrupted(error: EngineError) -> Ending:
    known = RunError.model_validate({"code": error.code, "detail": error.detail})
    return Ending("interrupted", known)


def _take(run: ActiveRun, items: Sequence[EngineItem]) -> Finished | None:
    finished = None
    for item in items:
        if isinstance(item, Piece):
            run.log.write(item.channel, item.text, item.token_ids)
        elif isinstance(item, PromptSeen):
            run.log.prompt(item.token_ids)
        else:
            finished = item
    return finished
