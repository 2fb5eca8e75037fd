"""How much an engine has to do, from its Prometheus page.

Judges nothing: whether a request was dropped is for whoever asked before and after.
"""

import re
from http import HTTPStatus

import aiohttp

from app.inference.engines import Engines
from app.ports import EngineLoad

TIMEOUT_S = 1.0
MAX_PAGE_BYTES = 4 * 1024 * 1024
_SAMPLE = re.compile(rb"^vllm:(\w+)\{([^}]*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(rb'(\w+)="((?:[^"\\]|\\.)*)"')


def load_of(page: bytes, model: str) -> EngineLoad | None:
    """Return what a page says of one model, over all of its engine cores; None where it says nothing."""
    totals = {b"num_requests_running": 0.0, b"num_requests_waiting": 0.0, b"aborted": 0.0}
    seen = False
    for name, labels, value in _SAMPLE.findall(page):
        found = dict(_LABEL.findall(labels))
        if found.get(b"model_name") != model.encode():
            continue
        if name == b"request_success_total" and found.get(b"finished_reason") == b"abort":
            totals[b"aborted"] += float(value)
        elif name in totals:
            seen = True
            totals[name] += float(value)
    if not seen:
        return None
    running, waiting, aborted = (int(value) for value in totals.values())
    return EngineLoad(running=running, waiting=waiting, aborted=aborted)


class EngineMetrics:
    """Asks the engines that serve a model; implements `ports.EngineGauge`."""

    def __init__(self, session: aiohttp.ClientSession, engines: Engines) -> None:
        self._session = session
        self._engines = engines

    async def load(self, model: str) -> EngineLoad | None:
        """Return what they have to do. See the port."""
        total: EngineLoad | None = None
        for engine in self._engines.serving(model):
            found = load_of(await self._page(engine.root), model)
            if found is None:
                return None
            total = found if total is None else total + found
        return total

    async def _page(self, root: str) -> bytes:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with self._session.get(f"{root}/metrics", timeout=timeout, allow_redirects=False) as reply:
                if reply.status != HTTPStatus.OK:
                    return b""
                page = bytearray()
                async for chunk in reply.content.iter_any():
                    page += chunk
                    if len(page) > MAX_PAGE_BYTES:
                        return b""
                return bytes(page)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return b""
