"""The client of vLLM: asks for answers and gives them back piece by piece, one batch per socket read.

Leaving an answer closes its connection, which makes the engine drop the request.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from app.errors import EngineCannotGoOn, EngineError, EngineUnreachable
from app.inference.answer_stream import AnswerStream
from app.inference.control_tokens import ControlTokens
from app.inference.deadline import TimeoutLookingAgain
from app.inference.engine_errors import (
    first_token_timeout,
    from_status,
    from_transport,
    refuses_a_field,
    room_left,
    unreachable,
)
from app.inference.engines import Engine, Engines
from app.inference.generation_body import BUDGET, chat_body, completion_body
from app.inference.openai_chunks import ChunkDecoder
from app.ports import Generation
from app.utils.measures import Measures

CONNECT_TIMEOUT_S = 5.0
# Shorter than the 5 s after which vLLM's server closes an idle connection, so that none is used while it closes.
KEEP_ALIVE_S = 3.0
MAX_ERROR_BYTES = 64 * 1024

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class StreamLimits:
    """Seconds of silence that are borne: before the first text, and between two pieces of it."""

    first_token_s: float
    idle_s: float


def engine_session(api_key: str | None) -> aiohttp.ClientSession:
    """Return the one session to the engines: no total timeout, no cookies, as many connections as there are runs."""
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
    )


class VllmClient:
    """Answers from the engines; implements `ports.ChatModel`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        engines: Engines,
        limits: StreamLimits,
        control: ControlTokens,
        measures: Measures,
    ) -> None:
        self._session = session
        self._engines = engines
        self._limits = limits
        self._control = control
        self._measures = measures

    @asynccontextmanager
    async def stream(self, generation: Generation) -> AsyncIterator[AnswerStream]:
        """Ask for an answer. See `ports.ChatModel`.

        Raises:
            EngineUnreachable: none of the engines that may serve the model can be reached.
            EngineError: the engine refused.
        """
        asked_at = asyncio.get_running_loop().time()
        deadline = asked_at + self._limits.first_token_s
        with self._counting():
            engine, response = await self._ask(generation, deadline)
        goes_on = generation.prompt_token_ids is not None or generation.begun is not None
        inside = generation.inside_thought or (
            not goes_on and generation.thinking is not False and generation.model in engine.opens_thoughts
        )
        stream = AnswerStream(
            response,
            ChunkDecoder(
                inside_thought=inside, after_seam=goes_on, stop=generation.sampling.get("stop") or ()
            ),
            deadline,
            self._limits.idle_s,
        )
        try:
            with self._counting():
                yield stream
        finally:
            if stream.first_at is not None:
                self._measures.first_token.observe(stream.first_at - asked_at)
            response.close()  # at once, also in the middle: this is what makes the engine stop
            if stream.closed_unopened:
                engine.opens_thoughts.add(generation.model)
            elif stream.ended_inside and not generation.inside_thought:
                # It was an answer: what was learned was wrong.
                engine.opens_thoughts.discard(generation.model)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        try:
            yield
        except EngineError as error:
            self._measures.engine_failures.labels(error.code).inc()
            raise

    async def _ask(self, generation: Generation, deadline: float) -> tuple[Engine, aiohttp.ClientResponse]:
        failure: EngineError = unreachable()
        for engine in self._engines.serving(generation.model):
            try:
                return engine, await self._ask_one(engine, generation, deadline)
            except EngineUnreachable as error:
                failure = error
        raise failure

    async def _ask_one(
        self, engine: Engine, generation: Generation, deadline: float
    ) -> aiohttp.ClientResponse:
        plain, has_shrunk = engine.is_plain, False
        while True:
            try:
                response = await self._post(*self._request(engine, generation, plain=plain), deadline)
            except _UnknownFieldError:
                if plain:
                    raise
                plain = True  # an OpenAI-compatible server that is not vLLM: ask without vLLM's own fields
            except _NoBudgetError:
                if engine.ends_no_thoughts:
                    raise
                engine.ends_no_thoughts = True  # whoever asked counts the thought as it comes
            except _LittleRoomError as error:
                if has_shrunk or error.room >= generation.max_tokens:
                    raise
                has_shrunk = True
                generation = replace(generation, max_tokens=error.room)
            else:
                engine.is_plain = plain  # remembered once it has helped
                return response

    def _request(self, engine: Engine, generation: Generation, *, plain: bool) -> tuple[str, dict[str, Any]]:
        if engine.ends_no_thoughts:
            left = {name: value for name, value in generation.sampling.items() if name != BUDGET}
            generation = replace(generation, sampling=left)
        if generation.prompt_token_ids is not None:
            return f"{engine.base}/completions", completion_body(generation)
        if plain and generation.begun is not None:
            raise EngineCannotGoOn(
                "engine_lost", "The answer was cut, and this engine cannot go on with one."
            )
        inert = self._control.inert_for(generation.model, engine.models.get(generation.model))
        return f"{engine.base}/chat/completions", chat_body(generation, plain=plain, inert=inert)

    async def _post(self, url: str, body: dict[str, Any], deadline: float) -> aiohttp.ClientResponse:
        data = _encode(body)
        try:
            async with TimeoutLookingAgain(deadline):
                response = await self._send(url, data)
        except TimeoutError as error:
            raise first_token_timeout() from error
        except (aiohttp.ClientError, OSError) as error:
            raise from_transport(error, begun=False) or error from error
        if response.status == HTTPStatus.OK:
            return response
        raise await _refusal(response)

    async def _send(self, url: str, data: bytes) -> aiohttp.ClientResponse:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        try:
            return await self._session.post(url, data=data, headers=headers, allow_redirects=False)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):
                raise
            # A kept connection that the engine closed at the same moment: a fresh one says what is true.
            return await self._session.post(url, data=data, headers=headers, allow_redirects=False)


class _UnknownFieldError(EngineError):
    """The engine does not know one of vLLM's own fields."""


class _NoBudgetError(EngineError):
    """The engine cannot end a thought by itself, or was not started so that it can."""


class _LittleRoomError(EngineError):
    """The prompt fits, but not together with as many new tokens as were asked for."""

    def __init__(self, error: EngineError, room: int) -> None:
        super().__init__(error.code, error.detail, limit=error.limit)
        self.room = room


async def error_bytes(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an error reply, bounded in size and time, and close the connection."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await response.content.read(MAX_ERROR_BYTES)
    except (TimeoutError, aiohttp.ClientError, OSError):
        return b""
    finally:
        response.close()


async def _refusal(response: aiohttp.ClientResponse) -> EngineError:
    body = await error_bytes(response)
    error = from_status(response.status, body)
    if response.status in (400, 422) and BUDGET.encode() in body:
        return _NoBudgetError(error.code, error.detail)
    if refuses_a_field(response.status, body):
        return _UnknownFieldError(error.code, error.detail)
    room = room_left(response.status, body)
    return error if room is None else _LittleRoomError(error, room)
