"""Routes of runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from app.api.contract import problems
from app.api.deps import ChatId, RunId, ServicesDep, UserId
from app.api.event_stream import blocks, event_stream
from app.schemas.run import ContinueRun, RunSnapshot, RunStarted, RunStopped, StartRun, StopRun

router = APIRouter(tags=["runs"])

MAX_SEQ = 2**53
AfterSeq = Annotated[int, Query(ge=0, le=MAX_SEQ, description="The last event the client has")]
LastEventId = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, le=MAX_SEQ, description="As `after_seq`, and stronger than it"),
]
SAME_RUN: dict[int | str, dict[str, Any]] = {
    200: {"model": RunStarted, "description": "The same request as before: the present state"}
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events, until the run has ended"},
    204: {"description": "The run has ended and there is nothing after this number"},
}


@router.post(
    "/api/chats/{chat_id}/runs", status_code=202, responses=SAME_RUN | problems(404, 409, 413, 429, 503)
)
async def start_run(
    chat_id: ChatId, request: StartRun, response: Response, services: ServicesDep, user_id: UserId
) -> RunStarted:
    """Add a user message and answer it, or answer `parent_id` again."""
    started, is_new = await services.runs.start(user_id, chat_id, request)
    response.status_code = 202 if is_new else 200
    return started


@router.get("/api/runs/{run_id}", responses=problems(404))
async def get_run(run_id: RunId, services: ServicesDep, user_id: UserId) -> RunSnapshot:
    """Take a snapshot: the whole message as of one event."""
    return await services.run_view.snapshot(user_id, run_id)


@router.get(
    "/api/runs/{run_id}/events",
    response_class=Response,
    responses=EVENTS | problems(404, 410),
)
async def follow_run(
    run_id: RunId,
    services: ServicesDep,
    user_id: UserId,
    after_seq: AfterSeq = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a run."""
    after = after_seq if last_event_id is None else last_event_id
    events = await services.run_view.events(user_id, run_id, after_seq=after)
    return Response(status_code=204) if events is None else event_stream(blocks(events))


@router.post("/api/runs/{run_id}/stop", responses=problems(404, 503))
async def stop_run(
    run_id: RunId, services: ServicesDep, user_id: UserId, request: StopRun | None = None
) -> RunStopped:
    """Stop a run; an ended one keeps its outcome and its text."""
    return await services.runs.stop(
        user_id, run_id, seen_seq=request.seen_seq if request is not None else None
    )


@router.post(
    "/api/runs/{run_id}/continue", status_code=202, responses=SAME_RUN | problems(404, 409, 429, 503)
)
async def continue_run(
    run_id: RunId,
    response: Response,
    services: ServicesDep,
    user_id: UserId,
    request: ContinueRun | None = None,
) -> RunStarted:
    """Go on with an answer that was stopped, interrupted or cut by `max_tokens`: a new run into the same message."""
    started, is_new = await services.continuation.start(user_id, run_id, request or ContinueRun())
    response.status_code = 202 if is_new else 200
    return started


@router.post("/api/runs/{run_id}/answer", responses=problems(404, 409))
async def answer_now(run_id: RunId, services: ServicesDep, user_id: UserId) -> RunSnapshot:
    """End the thinking now and go on to the answer, in the same run."""
    return await services.continuation.answer_now(user_id, run_id)
