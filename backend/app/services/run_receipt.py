"""The receipt of a stop: whether the engine was seen to drop the request, by its own count of its work.

Stops nothing. A count that does not move, or that nobody gives, confirms nothing.
"""

import asyncio

from app.ports import EngineGauge, EngineLoad
from app.schemas.run import Receipt
from app.services.active_run import ActiveRun, ActiveRuns, StopWatch

BEFORE_WITHIN_S = 0.05  # the connection is not to be closed later than this
RELEASED_WITHIN_S = 0.6  # of the second that a stop may take
LOOK_EVERY_S = 0.02


class RunReceipts:
    """Watches engines let go of runs."""

    def __init__(self, gauge: EngineGauge, active: ActiveRuns) -> None:
        self._gauge = gauge
        self._active = active

    async def watch(self, run: ActiveRun) -> StopWatch | None:
        """Look at the engine before a run is stopped; None when there is nothing to be seen. Takes 50 ms at most."""
        model, asked_at = run.asked_model, asyncio.get_running_loop().time()
        if model is None:
            return None
        others = self._others(run, model)
        before = asyncio.create_task(self._gauge.load(model))
        await asyncio.wait({before}, timeout=BEFORE_WITHIN_S)  # an answer that comes later still counts
        return StopWatch(model, asked_at, before, others)

    async def receipt(self, run: ActiveRun, watch: StopWatch | None) -> Receipt:
        """Return the receipt of a run whose connection is closed; the engine is watched until it has let go."""
        seam = run.log.seam()
        tokens = None if seam.tokens and not seam.generated_ids else len(seam.generated_ids)
        released_ms = await self._released_ms(run, watch) if watch is not None else None
        return Receipt(confirmed=released_ms is not None, engine_released_ms=released_ms, tokens=tokens)

    async def _released_ms(self, run: ActiveRun, watch: StopWatch) -> float | None:
        time = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout_at(watch.asked_at + RELEASED_WITHIN_S):
                before = await watch.before
                if before is None or _work(before) <= len(watch.others):
                    return None  # the request was not in the count, so its going cannot be seen either
                while True:
                    others = self._others(run, watch.model)
                    now = await self._gauge.load(watch.model)
                    if now is not None and self._is_released(run, watch, _work(before), _work(now), others):
                        return round((time() - watch.asked_at) * 1000, 1)
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            return None

    def _is_released(
        self, run: ActiveRun, watch: StopWatch, before: int, now: int, others: frozenset[str]
    ) -> bool:
        still = self._others(run, watch.model)
        if now <= len(others & still):
            return True  # nothing but the other runs here is left
        # others, of other programs too, may be in both counts: ours is gone when more went than those we know of
        return before - now > len(watch.others - still)

    def _others(self, run: ActiveRun, model: str) -> frozenset[str]:
        return frozenset(
            one.id for one in self._active if one is not run and one.at_engine and one.asked_model == model
        )


def _work(load: EngineLoad) -> int:
    return load.running + load.waiting
