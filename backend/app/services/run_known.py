"""Recognises a start of a run that was asked for before: the same ids, the same content.

Changes nothing.
"""

from app.errors import Conflict
from app.models import RunRow
from app.repositories.storage import Unit
from app.schemas.run import RunStarted, StartRun
from app.services.wire import messages_on_wire, run_on_wire
from app.utils.digest import digest


def request_origin(chat_id: str, request: StartRun) -> str:
    """Return the fingerprint of a request without the ids that its client chose."""
    content = request.message.content if request.message is not None else None
    return digest(
        [
            chat_id,
            content,
            has_parent(request),
            request.parent_id,
            request.options.model_dump(mode="json", exclude_none=True),
        ]
    )


def has_parent(request: StartRun) -> bool:
    """Return whether a request names a parent, which may be null."""
    return "parent_id" in request.model_fields_set


async def known_start(unit: Unit, chat_id: str, request: StartRun) -> RunStarted | None:
    """Return what this very request has stored before, or None when it is new.

    Raises:
        Conflict: `id_conflict`: an id of it belongs to another request.
    """
    run = await _known_run(unit, chat_id, request, request_origin(chat_id, request))
    if run is None:
        return None
    answer = await unit.messages.get(chat_id, run.message_id)
    question = None
    if answer is not None and answer.parent_id is not None and request.message is not None:
        question = await unit.messages.get(chat_id, answer.parent_id)
    rows = [row for row in (question, answer) if row is not None]
    shown = await messages_on_wire(unit, chat_id, rows)
    return RunStarted(
        run=run_on_wire(run),
        user_message=shown[0] if question is not None else None,
        assistant_message=shown[-1],
    )


async def _known_run(unit: Unit, chat_id: str, request: StartRun, origin: str) -> RunRow | None:
    if request.run_id is not None:
        run = await unit.runs.with_id(request.run_id)
        if run is not None:
            if run.chat_id != chat_id or run.origin != origin:
                raise Conflict("id_conflict", "Another run has this id.")
            return run
    if request.message is None or request.message.id is None:
        return None
    message = await unit.messages.with_id(request.message.id)
    if message is None:
        return None
    if message.chat_id != chat_id or message.origin != origin or request.run_id is not None:
        raise Conflict("id_conflict", "Another message has this id.")
    answers = (await unit.messages.siblings(chat_id, {message.id})).get(message.id, [])
    runs = await unit.runs.of_message(answers[0]) if answers else ()
    return runs[0] if runs else None
