"""The OpenAI-compatible routes in front of vLLM. Bodies and errors are OpenAI's; a stream's bytes are untouched."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.deps import Services, ServicesDep, UserId
from app.api.leaving import until_gone
from app.api.openai_errors import error_body, openai_error
from app.errors import AppError, EngineBroken, EngineError, Invalid, NotFound
from app.ports import PassedReply, ServedModel

router = APIRouter(tags=["openai"])

EVENT_STREAM = "text/event-stream"
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
MAX_REPLY_BYTES = 64 * 1024 * 1024
CLIENT_CLOSED_REQUEST = 499  # nobody reads it
REPLY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {}, EVENT_STREAM: {}}, "description": "As OpenAI answers"}
}
BODY = {
    "requestBody": {
        "required": True,
        "description": "As OpenAI's clients send it",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.get("/v1/models")
async def openai_models(services: ServicesDep) -> Response:
    """List the models served now, as OpenAI does."""
    try:
        models = await services.gateway.models()
    except AppError as error:
        return openai_error(error)
    return JSONResponse({"object": "list", "data": [_card(model) for model in models]})


@router.get("/v1/models/{name:path}")
async def openai_model(name: str, services: ServicesDep) -> Response:
    """Describe one of the models served now, as OpenAI does. Its name may contain `/`."""
    try:
        models = await services.gateway.models()
    except AppError as error:
        return openai_error(error)
    for model in models:
        if model.id == name:
            return JSONResponse(_card(model))
    return openai_error(NotFound("model_unavailable", "No engine serves a model of this name now."))


def _card(model: ServedModel) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": "vllm",
        "max_model_len": model.max_model_len,
    }


@router.post("/v1/chat/completions", response_class=Response, responses=REPLY, openapi_extra=BODY)
@router.post(
    "/api/chat/completions",
    response_class=Response,
    responses=REPLY,
    openapi_extra=BODY,
    name="chat_completions_alias",
)
async def openai_chat_completions(request: Request, services: ServicesDep, user_id: UserId) -> Response:
    """Answer a chat, as OpenAI does."""
    return await pass_on(request, services, user_id, "chat/completions")


@router.post("/v1/completions", response_class=Response, responses=REPLY, openapi_extra=BODY)
async def openai_completions(request: Request, services: ServicesDep, user_id: UserId) -> Response:
    """Complete a text, as OpenAI does."""
    return await pass_on(request, services, user_id, "completions")


async def pass_on(request: Request, services: Services, user_id: str, path: str) -> Response:
    """Pass a request on to `path` of an engine; it is left there as soon as its client leaves."""
    body = await _object(request)
    if body is None:
        return openai_error(Invalid("malformed_json", "The body must be a JSON object."))
    asked = asyncio.ensure_future(_ask(services, user_id, path, body))
    gone = asyncio.ensure_future(until_gone(request))
    try:
        await asyncio.wait({asked, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await asked if asked.done() else Response(status_code=CLIENT_CLOSED_REQUEST)
    finally:
        gone.cancel()
        asked.cancel()
        await asyncio.wait({asked, gone})


async def _ask(services: Services, user_id: str, path: str, body: dict[str, Any]) -> Response:
    stack = AsyncExitStack()
    try:
        reply = await stack.enter_async_context(services.gateway.ask(user_id, path, body))
        if reply.content_type == EVENT_STREAM:
            return _PassedStream(reply, stack)
        content = await _whole(reply)
    except AppError as error:
        await stack.aclose()
        return openai_error(error)
    except BaseException:
        await stack.aclose()
        raise
    await stack.aclose()
    return Response(content, reply.status, media_type=reply.content_type)


class _PassedStream(StreamingResponse):
    """Gives the stream's bytes; when its reader leaves, at whatever moment, the engine is left too."""

    def __init__(self, reply: PassedReply, stack: AsyncExitStack) -> None:
        super().__init__(_closed(reply.body), reply.status, STREAM_HEADERS, f"{EVENT_STREAM}; charset=utf-8")
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (as ASGI has it)
        # two tasks of our own: the framework's group of them costs more than passing the stream on
        async with self._stack:
            passed = asyncio.ensure_future(self.stream_response(send))
            gone = asyncio.ensure_future(self.listen_for_disconnect(receive))
            try:
                await asyncio.wait({passed, gone}, return_when=asyncio.FIRST_COMPLETED)
                if passed.done():
                    passed.result()
            finally:
                passed.cancel()
                gone.cancel()
                await asyncio.gather(passed, gone, return_exceptions=True)


async def _closed(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Give the bytes as they are; a stream that breaks ends with an error that OpenAI's clients raise."""
    try:
        async for chunk in body:
            yield chunk
    except EngineError as error:
        yield b"\n\ndata: " + msgspec.json.encode(error_body(error)) + b"\n\n"


async def _whole(reply: PassedReply) -> bytes:
    content = bytearray()
    async for chunk in reply.body:
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise EngineBroken("engine_malformed", "The engine's reply is too large.")
    return bytes(content)


async def _object(request: Request) -> dict[str, Any] | None:
    try:
        body = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
