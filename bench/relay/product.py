"""The product under the bench: a real backend on a database of its own, its chats, and clients that read along.

Knows no goal.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from machine import MEASURED, free_port, process, until_serving
from measure import Measured, cpu_seconds
from raw_client import RawClient, joined

MAX_S = 600.0  # of one load
SAMPLE_S = 0.5
BACKEND = ("backend/main.py",)
SETTINGS = {
    "DEFAULT_MODEL": "bench",
    "MAX_CONCURRENT_RUNS": "5000",
    "MAX_SOCKETS_PER_USER": "5000",
    "MAX_SOCKETS": "5000",
    "MAX_NEW_TOKENS": "1000000",
    "DRAIN_S": "0",
    "LOG_LEVEL": "WARNING",
}


@dataclass
class Backend:
    """A backend that serves, and its folder."""

    url: str
    process: psutil.Process
    http: aiohttp.ClientSession
    database: Path

    async def metrics(self) -> str:
        """Return what Prometheus would read."""
        async with self.http.get("/metrics") as reply:
            return await reply.text()


async def new_chat(http: aiohttp.ClientSession, *, temporary: bool = False) -> str:
    """Create a chat and return its id."""
    async with http.post("/api/chats/", json={"temporary": temporary}) as reply:
        return str((await reply.json())["id"])


async def send(http: aiohttp.ClientSession, chat_id: str, tokens: int) -> int:
    """Ask for an answer and return the status of the reply."""
    body = {"message": {"content": "Hello"}, "options": {"max_tokens": tokens + 10}}
    async with http.post(f"/api/chats/{chat_id}/runs", json=body) as reply:
        await reply.read()
        return reply.status


Watch = Callable[[Backend, Sequence[RawClient]], AbstractAsyncContextManager[None]]
"""Looks on while a load is measured: entered when everything has been asked for, left when all has come."""


@asynccontextmanager
async def unwatched(_backend: Backend, _clients: Sequence[RawClient]) -> AsyncIterator[None]:
    """Look at nothing."""
    yield


@asynccontextmanager
async def serving(engine: str, *program: str, **settings: str) -> AsyncIterator[Backend]:
    """Run a backend for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "data" / "chat.db"
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        own = {
            "ENV_FILE": "/dev/null",
            "BACKEND_PORT": str(port),
            "DATABASE_URL": f"sqlite:///{database}",
            "VLLM_API_BASE_URL": engine,
        }
        with process(*(program or BACKEND), core=MEASURED, **own, **(SETTINGS | settings)) as relay:
            await until_serving(f"{url}/api/chats/")
            async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=50)) as http:
                yield Backend(url, psutil.Process(relay.pid), http, database)


async def measured(clients: Sequence[asyncio.Future[None]], relay: psutil.Process, figures: Measured) -> None:
    """Note what the relay uses from now, before the first token, until the clients have everything."""
    before, begun = cpu_seconds(relay), time.monotonic()

    async def sample() -> None:
        while True:
            figures.cpu.append((time.monotonic_ns(), cpu_seconds(relay)))
            await asyncio.sleep(SAMPLE_S)

    sampling = asyncio.create_task(sample())
    await asyncio.wait(clients, timeout=MAX_S)
    sampling.cancel()
    figures.cpu_s = cpu_seconds(relay) - before
    figures.wall_s = time.monotonic() - begun
    figures.rss_mb = relay.memory_info().rss / 1e6


async def through_backend(
    engine: str,
    streams: int,
    tokens: int,
    *,
    kept: bool = True,
    watch: Watch = unwatched,
    program: Sequence[str] = BACKEND,
) -> Measured:
    """Measure the product, with everything real: a database, runs, rooms."""
    figures = Measured()
    async with serving(engine, *program) as backend:
        chats = [await new_chat(backend.http, temporary=not kept) for _ in range(streams)]
        clients = [await joined(backend.url, chat_id, figures.take, tokens) for chat_id in chats]
        statuses = await asyncio.gather(*(send(backend.http, chat_id, tokens) for chat_id in chats))
        assert set(statuses) == {202}, statuses  # noqa: S101
        async with watch(backend, clients):
            await measured([client.done for client in clients], backend.process, figures)
        for client in clients:
            client.transport.close()
    return figures
