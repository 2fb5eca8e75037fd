"""The life of each run in this process, from its admission to its end.

What an engine is asked and what is stored at an end is in run_generation and run_ending.
"""

import asyncio
from dataclasses import replace

from app.schemas.problem import RunError
from app.services.active_run import ActiveRun, ActiveRuns, Ending
from app.services.admission import Admission, Ticket
from app.services.run_ending import RunEnding
from app.services.run_generation import RunGeneration
from app.services.run_logs import RunLogs
from app.services.run_receipt import RunReceipts


class RunLives:
    """Lets runs live. Nobody else puts runs among the active ones or takes them out."""

    def __init__(  # noqa: PLR0917 (the parts of a life)
        self,
        active: ActiveRuns,
        logs: RunLogs,
        admission: Admission,
        generation: RunGeneration,
        ending: RunEnding,
        receipts: RunReceipts,
        *,
        resume: bool,
    ) -> None:
        self._active = active
        self._logs = logs
        self._admission = admission
        self._generation = generation
        self._ending = ending
        self._receipts = receipts
        self._resume = resume

    def begin(self, run: ActiveRun) -> None:
        """Let the engine be asked while the run is being stored. Its log must be held: nothing is seen of it yet."""
        run.task = asyncio.create_task(self._live(run), name=f"run {run.id}")

    def launch(self, run: ActiveRun) -> None:
        """Let a run that is stored live: it will end by itself, and be gone from here then."""
        self._active.put(run)
        self._tell_positions()
        run.launched.set()
        run.log.release()
        if run.task is None:
            self.begin(run)

    def forget(self, run: ActiveRun) -> None:
        """Let go of a run that was begun and could not be stored: its request is closed, and nobody hears of it."""
        run.is_unstored = True
        run.launched.set()
        run.cancel("shutdown")

    def give_back(self, ticket: Ticket) -> None:
        """Give back a place, and tell those who wait how far they have come."""
        self._admission.release(ticket)
        self._tell_positions()

    def revive(self, run: ActiveRun) -> None:
        """Let a run of an earlier process go on, or end it with its text where runs do not go on."""
        if self._resume:
            self.launch(run)
            return
        error = RunError(code="shutting_down", detail="The server ended before the answer was complete.")
        run.phase = "ending"
        self._active.put(run)
        run.task = asyncio.create_task(self._end(run, Ending("interrupted", error)))

    # --- inside -------------------------------------------------------------------------------------------

    async def _live(self, run: ActiveRun) -> None:
        ending = await self._generation.generate(run)
        await run.launched.wait()
        if run.is_unstored:
            self._logs.drop(run.id)
            return
        if ending is not None and ending.outcome == "stopped":
            ending = replace(ending, receipt=await self._receipts.receipt(run, run.watch))
        await self._end(run, ending)

    async def _end(self, run: ActiveRun, ending: Ending | None) -> None:
        """Bring a run to its end and let its place go; without an ending it stays open for the next start."""
        try:
            if ending is not None:
                await self._ending.finish(run, ending)
        finally:
            # no await from `run.ended` to here: who starts the next run on hearing of it finds the place free
            run.phase = "ended"
            self._active.remove(run)
            if run.chat_id is not None:
                self._logs.close(run.id)
            else:
                self._logs.drop(run.id)
            self.give_back(run.ticket)
            run.finished.set()

    def _tell_positions(self) -> None:
        for position, ticket in self._admission.queue():
            run = self._active.get(ticket.run_id)
            if run is not None and run.phase == "queued" and run.told_position != position:
                run.told_position = position
                run.log.queued(position, "capacity")
