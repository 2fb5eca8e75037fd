"""Waiting for an engine that is out of reach, or that says itself that it is not well: so long as is set, and no attempt.

Asks for no answer.
"""

import asyncio

from app.errors import EngineBroken, EngineError, EngineUnreachable
from app.ports import Clock, EngineHealth
from app.services.active_run import ActiveRun
from app.services.run_attempts import Attempts

ENGINE_RETRY_S = (
    0.25,
    0.5,
    1.0,
    2.0,
)  # between looks for an engine that is out of reach; the last one repeats
RETRYABLE = frozenset({"engine_error"})  # what a second try can mend; a wrong request stays wrong


class EngineWaiting:
    """Waits for engines."""

    def __init__(self, health: EngineHealth, clock: Clock, engine_wait_s: float) -> None:
        self._health = health
        self._clock = clock
        self._engine_wait_s = engine_wait_s

    async def again(self, run: ActiveRun, attempts: Attempts) -> bool:
        """Wait a little; False when it has been waited for long enough."""
        now = self._clock.monotonic()
        if attempts.waiting_since is None:
            attempts.waiting_since, attempts.looks = now, 0
            if run.phase == "queued":
                run.log.queued(None, "engine_unavailable")
        if now - attempts.waiting_since >= self._engine_wait_s:
            return False
        await asyncio.sleep(ENGINE_RETRY_S[min(attempts.looks, len(ENGINE_RETRY_S) - 1)])
        attempts.looks += 1
        return True

    async def check(self, run: ActiveRun, attempts: Attempts) -> None:
        """Ask an engine that broke before how it is, so that no attempt is lost on one that is dying or loading.

        Raises:
            EngineUnreachable: it says that it is not well.
        """
        if attempts.is_doubtful and not await self._health.is_well(run.asked_model or ""):
            detail = "The engine says that it is not well."
            raise EngineUnreachable("engine_unavailable", detail, retry_after_s=5)
        attempts.is_doubtful = False

    async def is_dying(self, run: ActiveRun, attempts: Attempts, error: EngineError) -> bool:
        """Return whether an error came because the engine dies or loads, and not because of this run.

        A stream that broke may have killed it, so it always counts; so does what an engine refuses to a run that it
        has not begun.
        """
        if isinstance(error, EngineBroken) or error.code not in RETRYABLE or not attempts.begun:
            return False
        return not await self._health.is_well(run.asked_model or "")
