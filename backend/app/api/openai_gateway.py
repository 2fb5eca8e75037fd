"""The OpenAI-compatible routes in front of vLLM. Bodies and errors are OpenAI's; a stream's bytes are untouched."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.deps import ServicesDep, UserId
from app.errors import AppError
from app.ports import PassedReply

router = APIRouter(tags=["openai"])

EVENT_STREAM = "text/event-stream"
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
MAX_REPLY_BYTES = 64 * 1024 * 1024
REPLY: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}, EVENT_STREAM: {}}, "description": "As OpenAI answers"}}


@router.get("/v1/models")
async def openai_models(services: ServicesDep) -> Response:
    """List the models served now, as OpenAI does."""
    try:
        models = await services.gateway.models()
    except AppError as error:
        return _error(error)
    data = [
        {
            "id": model.id,
            "object": "model",
            "created": 0,
            "owned_by": "vllm",
            "max_model_len": model.max_model_len,
        }
        for model in models
    ]
    return JSONResponse({"object": "list", "data": data})


@router.post("/v1/chat/completions", response_class=Response, responses=REPLY)
@router.post("/api/chat/completions", response_class=Response, responses=REPLY, name="chat_completions_alias")
async def openai_chat_completions(request: Request, services: ServicesDep, user_id: UserId) -> Response:
    """Answer a chat, as OpenAI does."""
    return await _pass_on(request, services, user_id, "chat/completions")


@router.post("/v1/completions", response_class=Response, responses=REPLY)
async def openai_completions(request: Request, services: ServicesDep, user_id: UserId) -> Response:
    """Complete a text, as OpenAI does."""
    return await _pass_on(request, services, user_id, "completions")


async def _pass_on(request: Request, services: ServicesDep, user_id: str, path: str) -> Response:
    body = await _object(request)
    if body is None:
        return _problem(
            400, "The body must be a JSON object.", "invalid_request_error", None, "malformed_json"
        )
    stack = AsyncExitStack()
    try:
        reply = await stack.enter_async_context(services.gateway.ask(user_id, path, body))
        if reply.status == 200 and reply.content_type == EVENT_STREAM:  # noqa: PLR2004 (OK)
            return _PassedStream(reply, stack)
        content = b"".join([chunk async for chunk in _bounded(reply)])
    except AppError as error:
        await stack.aclose()
        return _error(error)
    except BaseException:
        await stack.aclose()
        raise
    await stack.aclose()
    return Response(content, reply.status, media_type=reply.content_type)


class _PassedStream(StreamingResponse):
    """Gives the stream's bytes; when its reader leaves, at whatever moment, the engine is left too."""

    def __init__(self, reply: PassedReply, stack: AsyncExitStack) -> None:
        super().__init__(reply.body, reply.status, STREAM_HEADERS, f"{EVENT_STREAM}; charset=utf-8")
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)


async def _bounded(reply: PassedReply) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in reply.body:
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise AppError("engine_malformed", "The engine's reply is too large.")
        yield chunk


async def _object(request: Request) -> dict[str, Any] | None:
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _error(error: AppError) -> JSONResponse:
    """Return an error as OpenAI shapes it."""
    status = 400 if error.status == 422 else error.status  # noqa: PLR2004 (OpenAI's word for it)
    kind = {400: "invalid_request_error", 404: "invalid_request_error", 429: "rate_limit_error"}.get(
        status, "api_error"
    )
    reply = _problem(status, error.detail, kind, error.fields[0].field if error.fields else None, error.code)
    if error.retry_after_s is not None:
        reply.headers["Retry-After"] = str(error.retry_after_s)
    return reply


def _problem(status: int, message: str, kind: str, param: str | None, code: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status)
