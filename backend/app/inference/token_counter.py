"""Counting tokens with the engine's own tokeniser, remembered by text; implements `ports.TokenCounter`.

Where the engine does not count, a careful guess stands for it.
"""

from collections import OrderedDict
from http import HTTPStatus

import aiohttp
import msgspec

from app.inference.engines import Engines
from app.utils.digest import digest

TIMEOUT_S = 5.0
REMEMBERED = 20_000
BYTES_A_TOKEN = 3  # fewer than in most texts of most languages


class _Counted(msgspec.Struct):
    count: int


class EngineTokenCounter:
    """Asks the engines that serve a model."""

    def __init__(self, session: aiohttp.ClientSession, engines: Engines) -> None:
        self._session = session
        self._engines = engines
        self._known: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def count(self, model: str, text: str) -> int:
        """Return how many tokens a text has. See the port."""
        key = (model, digest(text))
        if key not in self._known:
            counted = await self._ask(model, text)
            if counted is None:
                return -(-len(text.encode()) // BYTES_A_TOKEN)
            self._known[key] = counted
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[key]

    async def _ask(self, model: str, text: str) -> int | None:
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        for engine in self._engines.serving(model):
            try:
                async with self._session.post(
                    f"{engine.root}/tokenize",
                    json=body,
                    timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                    allow_redirects=False,
                ) as reply:
                    if reply.status == HTTPStatus.OK:
                        return msgspec.json.decode(await reply.read(), type=_Counted).count
            except (TimeoutError, aiohttp.ClientError, OSError, msgspec.DecodeError):
                continue
        return None
