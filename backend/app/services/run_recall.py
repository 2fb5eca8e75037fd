"""The logs of runs that ended before this process began: read from the journal when somebody asks for their events.

What runs of this process have told, the logs keep.
"""

from typing import TYPE_CHECKING, cast

from app.models.run import LIVE_STATUSES
from app.ports import Clock, JournalPast
from app.repositories.journal_past import KEPT_S
from app.repositories.storage import Storage
from app.schemas.numbered import Ended
from app.services.run_log import RunLog
from app.services.run_logs import RunLogs
from app.services.wire import messages_on_wire

if TYPE_CHECKING:
    from app.schemas.run import Outcome


class RunRecall:
    """Finds logs."""

    def __init__(self, storage: Storage, logs: RunLogs, past: JournalPast, clock: Clock) -> None:
        self._storage = storage
        self._logs = logs
        self._past = past
        self._clock = clock

    async def log(self, user_id: str, run_id: str) -> RunLog | None:
        """Return the log of a run: one that is kept here, or of a user's run whose events are all known still; else None."""
        kept = self._logs.get(run_id)
        if kept is not None:
            return kept
        end = await self._end(user_id, run_id)
        if end is None:
            return None
        ended, left_s = end
        known = (await self._past.find(run_id)).events[: ended.seq - 1]
        if len(known) < ended.seq - 1:
            return None
        # somebody else may have asked meanwhile
        return self._logs.get(run_id) or self._logs.recalled(user_id, [*known, ended], left_s)

    async def _end(self, user_id: str, run_id: str) -> tuple[Ended, float] | None:
        """Return the end of a run as it was told, and for how many seconds it is to be told again; None when it is not."""
        async with self._storage.read() as unit:
            run = await unit.runs.get(user_id, run_id)
            if run is None or run.ended_at is None or run.status in LIVE_STATUSES:
                return None
            left_s = KEPT_S - (self._clock.now() - run.ended_at).total_seconds()
            message = await unit.messages.get(run.chat_id, run.message_id)
            # where another run has gone on with the answer, how this one left it is not known any longer
            if left_s <= 0 or message is None or message.details.get("run_id") != run_id:
                return None
            [shown] = await messages_on_wire(unit, run.chat_id, [message])
        ended = Ended(
            run.chat_id,
            run.id,
            run.message_id,
            run.seq,
            outcome=cast("Outcome", run.status),
            text_seq=run.text_seq,
            message=shown.model_dump(mode="json"),
        )
        return ended, left_s
