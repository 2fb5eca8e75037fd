"""What engines say of themselves at `/health`; implements `ports.EngineHealth`.

Remembers nothing.
"""

import aiohttp

from app.inference.engines import Engine, Engines

ASK_TIMEOUT_S = 1.0
SERVER_ERROR = 500


class EngineHealth:
    """Asks the engines of a model, one after the other, until one is well."""

    def __init__(self, session: aiohttp.ClientSession, engines: Engines) -> None:
        self._session = session
        self._engines = engines

    async def is_well(self, model: str) -> bool:
        """Return whether one of them does not say, and is not seen, to be out of order. See the port."""
        for engine in self._engines.serving(model):
            if await self._is_well(engine):
                return True
        return False

    async def _is_well(self, engine: Engine) -> bool:
        timeout = aiohttp.ClientTimeout(total=ASK_TIMEOUT_S)
        try:
            async with self._session.get(
                f"{engine.root}/health", timeout=timeout, allow_redirects=False
            ) as reply:
                return (
                    reply.status < SERVER_ERROR
                )  # servers that know no such address are asked for an answer
        except TimeoutError:
            return True  # it is busy: that is no word against it
        except (aiohttp.ClientError, OSError, ValueError):
            return False
