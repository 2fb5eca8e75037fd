"""Taking up the runs that an earlier process left open: before the server listens, so that nobody sees them half.

What becomes of them is decided in run_lives.
"""

from collections.abc import Collection, Mapping

from loguru import logger

from app.models import RunRow
from app.ports import JournaledRun
from app.repositories.storage import Unit
from app.schemas.numbered import Started
from app.schemas.options import Options
from app.services.active_run import ActiveRun
from app.services.run_continuation import begun_tokens
from app.services.run_parts import RunParts
from app.services.wire import messages_on_wire


async def recover(
    parts: RunParts,
    known: Mapping[str, JournaledRun],
    only: Collection[str] | None = None,
) -> int:
    """Let every open run (in `only`) live again, the oldest first, from where its journal ends. Returns how many.

    A run that the journal does not know has shown nothing, and begins.
    """
    async with parts.storage.read() as unit:
        left = [
            run
            for row in await unit.runs.live()
            if (only is None or row.id in only)
            and parts.active.get(row.id) is None
            and (run := await _revived(parts, unit, row, known.get(row.id, JournaledRun()))) is not None
        ]
    for run in left:
        parts.lives.revive(run)
    if left:
        logger.info("{} runs of an earlier process were open", len(left))
    return len(left)


async def _revived(parts: RunParts, unit: Unit, row: RunRow, known: JournaledRun) -> ActiveRun | None:
    message = await unit.messages.get(row.chat_id, row.message_id)
    if message is None:
        return None
    [shown] = await messages_on_wire(unit, row.chat_id, [message])
    started = [event for event in known.events if isinstance(event, Started)]
    log = parts.logs.open(user_id=row.user_id, chat_id=row.chat_id, run_id=row.id, message_id=row.message_id)
    log.restore(known)
    run = ActiveRun(
        id=row.id,
        user_id=row.user_id,
        chat_id=row.chat_id,
        message=shown,
        options=Options.model_validate(row.options),
        ticket=parts.admission.readmit(row.id, row.user_id, row.chat_id),
        log=log,
        created_at=row.created_at,
        model=started[-1].model if started else None,
        phase="streaming" if started else "queued",
        continues=row.continues,
        is_thought_timed=not log.text(log.seq)[0],
    )
    if row.continues is not None:
        run.begun = begun_tokens(
            await unit.run_tokens.get(row.continues), shown, run.model or run.options.model
        )
    return run
