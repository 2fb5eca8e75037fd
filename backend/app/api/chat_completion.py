"""Routes for programs: completion in a chat or without one, and emptying a chat."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.contract import problems
from app.api.deps import ServicesDep, UserId
from app.api.event_stream import blocks, event_stream
from app.api.leaving import until_gone
from app.schemas.chat import Chat
from app.schemas.completion import ClearChat, Completion, Generate
from app.schemas.message import Message
from app.services.active_run import ActiveRun

router = APIRouter(tags=["completion"])

EITHER: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Message,
        "content": {"text/event-stream": {}},
        "description": "The final message, or with `stream` its events",
    }
}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "Events, until the run has ended"}
}


@router.post(
    "/api/chat/completion", response_model=None, responses=EITHER | problems(404, 409, 413, 429, 503)
)
async def complete(
    body: Completion, request: Request, services: ServicesDep, user_id: UserId
) -> Response | Message:
    """Answer, in a chat or without storing anything."""
    run = await services.completion.start(user_id, body)
    if body.stream:
        return _streamed(run)
    return await _whole(run, request)


@router.post("/api/generate", response_class=Response, responses=STREAM | problems(413, 429, 503))
async def generate(body: Generate, services: ServicesDep, user_id: UserId) -> Response:
    """Answer a prompt without storing anything, as a stream of events."""
    return _streamed(services.completion.generate(user_id, body))


@router.post("/api/chat/clear", responses=problems(404, 409))
async def clear_chat(body: ClearChat, services: ServicesDep, user_id: UserId) -> Chat:
    """Take every message out of a chat."""
    return await services.clearing.clear(user_id, body.chat_id)


def _streamed(run: ActiveRun) -> Response:
    return event_stream(blocks(run.log.follow(0), on_leave=lambda: _leave(run)))


def _leave(run: ActiveRun) -> None:
    if run.chat_id is None:  # a run in a chat goes on without its reader
        run.cancel("stop")


async def _whole(run: ActiveRun, request: Request) -> Message:
    ended = asyncio.ensure_future(run.finished.wait())
    gone = asyncio.ensure_future(until_gone(request))
    try:
        await asyncio.wait({ended, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            _leave(run)
            await ended
    finally:
        ended.cancel()
        gone.cancel()
        _leave(run)
    assert run.result is not None  # noqa: S101 (an ended run has one)
    return run.result[1]
