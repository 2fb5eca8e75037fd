"""Passing OpenAI requests on to an engine, and its bytes back untouched; implements `ports.EnginePassage`.

Reads no stream; of an error only what kind it is.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp

from app.errors import EngineBroken, EngineError
from app.inference.deadline import TimeoutLookingAgain
from app.inference.engine_errors import first_token_timeout, from_status, from_transport, unreachable
from app.inference.engines import Engines
from app.inference.vllm_client import StreamLimits, error_bytes
from app.ports import PassedReply


class Passage:
    """Asks the engine that serves the model.

    Args:
        session: the session to the engines.
        engines: where they are, and what they serve.
        limits: silence that is borne in a stream.
        whole_s: seconds that an answer which is not streamed may take.
    """

    def __init__(
        self, session: aiohttp.ClientSession, engines: Engines, limits: StreamLimits, *, whole_s: float
    ) -> None:
        self._session = session
        self._engines = engines
        self._limits = limits
        self._whole_s = whole_s

    @asynccontextmanager
    async def post(
        self, path: str, model: str | None, body: bytes, *, streamed: bool
    ) -> AsyncIterator[PassedReply]:
        """Pass a request on. See the port."""
        first_s = self._limits.first_token_s if streamed else self._whole_s
        response = await self._ask(path, model, body, first_s)
        try:
            if response.status != HTTPStatus.OK:
                raise from_status(response.status, await error_bytes(response))
            yield PassedReply(response.status, response.content_type, self._bytes(response, first_s))
        finally:
            response.close()

    async def _ask(
        self, path: str, model: str | None, body: bytes, within_s: float
    ) -> aiohttp.ClientResponse:
        failure: EngineError = unreachable()
        for engine in self._engines.serving(model or ""):
            try:
                async with TimeoutLookingAgain(asyncio.get_running_loop().time() + within_s):
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

    async def _bytes(self, response: aiohttp.ClientResponse, first_s: float) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        try:
            while True:
                # The first bytes may be the role alone, long before the first token: one limit for every read.
                async with TimeoutLookingAgain(loop.time() + first_s):
                    chunk = await response.content.readany()
                if not chunk:
                    return
                yield chunk
        except TimeoutError:
            raise EngineBroken("engine_idle", "The engine has been silent for too long.") from None
        except (aiohttp.ClientError, OSError):
            raise EngineBroken(
                "engine_lost", "The connection to the engine broke in the middle of the answer."
            ) from None
