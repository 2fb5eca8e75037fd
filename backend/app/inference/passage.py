"""Passing OpenAI requests on to an engine, and its bytes back untouched; implements `ports.EnginePassage`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp

from app.errors import EngineBroken, EngineError
from app.inference.engine_errors import from_status, from_transport, unreachable
from app.inference.engines import Engines
from app.inference.vllm_client import StreamLimits, first_token_timeout
from app.ports import PassedReply


class Passage:
    """Asks the engine that serves the model."""

    def __init__(self, session: aiohttp.ClientSession, engines: Engines, limits: StreamLimits) -> None:
        self._session = session
        self._engines = engines
        self._limits = limits

    @asynccontextmanager
    async def post(self, path: str, model: str | None, body: bytes) -> AsyncIterator[PassedReply]:
        """Pass a request on. See the port."""
        response = await self._ask(path, model, body)
        try:
            if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                raise from_status(response.status, b"")
            yield PassedReply(response.status, response.content_type, self._bytes(response))
        finally:
            response.close()

    async def _ask(self, path: str, model: str | None, body: bytes) -> aiohttp.ClientResponse:
        failure: EngineError = unreachable()
        for engine in self._engines.serving(model or ""):
            try:
                async with asyncio.timeout(self._limits.first_token_s):
                    return await self._session.post(
                        f"{engine.base}/{path}",
                        data=body,
                        headers={"Content-Type": "application/json"},
                        allow_redirects=False,
                    )
            except TimeoutError:
                raise first_token_timeout() from None
            except (aiohttp.ClientError, OSError) as error:
                failure = from_transport(error, begun=False) or failure
        raise failure

    async def _bytes(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            while True:
                async with asyncio.timeout(self._limits.first_token_s):
                    chunk = await response.content.readany()
                if not chunk:
                    return
                yield chunk
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise EngineBroken("engine_lost", "The connection to the engine broke.") from error
