"""Looking at runs: snapshots, events, and stored things shown with their live state.

Changes nothing.
"""

from collections.abc import AsyncGenerator, Sequence

from app.errors import Gone, NotFound
from app.models.run import LIVE_STATUSES
from app.repositories.storage import Storage, Unit
from app.schemas.message import Message
from app.schemas.numbered import Numbered
from app.schemas.run import Run, RunSnapshot
from app.services.active_run import ActiveRun, ActiveRuns
from app.services.admission import Admission
from app.services.conversation import message_not_found
from app.services.run_logs import RunLogs
from app.services.run_recall import RunRecall
from app.services.wire import message_on_wire, run_on_wire


class RunView:
    """What can be seen of runs."""

    def __init__(
        self, storage: Storage, logs: RunLogs, recall: RunRecall, active: ActiveRuns, admission: Admission
    ) -> None:
        self._storage = storage
        self._logs = logs
        self._recall = recall
        self._active = active
        self._admission = admission

    def live(self, user_id: str, run_id: str) -> ActiveRun | None:
        """Return the user's run in a chat that lives here, or None."""
        run = self._active.get(run_id)
        return run if run is not None and run.user_id == user_id and run.chat_id is not None else None

    async def stored(self, user_id: str, run_id: str) -> tuple[Run, Message]:
        """Return a run and its message as the database has them.

        Raises:
            NotFound: `run_not_found`.
        """

        async def look(unit: Unit) -> tuple[Run, Message]:
            row = await unit.runs.get(user_id, run_id)
            if row is None or await unit.chats.get(user_id, row.chat_id) is None:  # or it is deleted
                raise NotFound("run_not_found", "There is no such run.")
            message = await unit.messages.get(row.chat_id, row.message_id)
            if message is None:
                raise message_not_found()
            return run_on_wire(row), message_on_wire(message, [message.id])

        return await self._storage.of(run_id).look(look)

    async def snapshot(self, user_id: str, run_id: str) -> RunSnapshot:
        """Return the run with its whole message as of one event.

        Raises:
            NotFound: `run_not_found`.
        """
        live = self.live(user_id, run_id)
        stored, message = await self.stored(user_id, run_id)
        if live is None or live.phase == "ended":
            if live is not None:
                stored, message = await self.stored(user_id, run_id)
            return RunSnapshot(
                run=stored, reasoning=message.reasoning, content=message.content, seq=stored.seq
            )
        seen = live.log.snapshot()
        return RunSnapshot(
            run=self.present(stored),
            reasoning=live.message.reasoning + seen.reasoning,
            content=live.message.content + seen.content,
            seq=seen.seq,
        )

    async def events(
        self, user_id: str, run_id: str, *, after_seq: int
    ) -> AsyncGenerator[Sequence[Numbered], None] | None:
        """Return the events after a number, up to the end; None when there are and will be none.

        Raises:
            NotFound: `run_not_found`.
            Gone: `run_log_gone`: the run has ended and its events are not kept any longer.
        """
        stored, _ = await self.stored(user_id, run_id)
        log = self._logs.get(run_id)
        ended_at = log.seq if log is not None and log.ended else stored.seq
        if stored.ended_at is not None and after_seq >= ended_at:
            return None
        log = log or await self._recall.log(user_id, run_id)
        if log is None:
            raise Gone("run_log_gone", "The events of this run are not kept any longer. Take the snapshot.")
        if log.ended and after_seq >= log.seq:
            return None
        return log.follow(after_seq)

    def present(self, run: Run) -> Run:
        """Return the run with its live state, if it lives here."""
        live = self._active.get(run.id)
        if live is None or run.status not in LIVE_STATUSES:  # its end is stored, and about to be told
            return run
        return run.model_copy(
            update={
                "status": live.status,
                "seq": live.log.seq,
                "model": live.model or run.model,
                "started_at": live.started_at,
                "position": self._admission.position(run.id),
            }
        )

    def present_message(self, message: Message) -> Message:
        """Return the message with the text that is visible so far, if a run into it lives here."""
        live = self._active.into(message.id)
        if live is None or message.status not in LIVE_STATUSES:  # its end is stored, and about to be told
            return message
        seen = live.log.snapshot()
        return message.model_copy(
            update={
                "status": live.status,
                "model": live.model or message.model,
                "content": live.message.content + seen.content,
                "reasoning": live.message.reasoning + seen.reasoning,
            }
        )
