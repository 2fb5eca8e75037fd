"""A backend in a process of its own, to be killed and started again on the same database and port."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.served.backend_server import Backend

REPOSITORY = Path(__file__).resolve().parents[3]
WITHIN_S = 30.0


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class BackendProcess:
    """`python backend/main.py` with settings from the environment."""

    def __init__(self, log: Path, **settings: Any) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._environment = os.environ | {name.upper(): str(value) for name, value in settings.items()}
        self._environment |= {"BACKEND_PORT": str(self.port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it serves."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "backend/main.py",
                cwd=REPOSITORY,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        ended = asyncio.ensure_future(self._process.wait())
        async with asyncio.timeout(WITHIN_S):
            while not await self._serves():
                await asyncio.wait({ended}, timeout=0.05)
                assert not ended.done(), self._log.read_text()
        ended.cancel()

    async def _serves(self) -> bool:
        try:
            async with httpx2.AsyncClient() as http:
                await http.get(f"{self.url}/api/chats/?limit=1")
        except httpx2.TransportError:
            return False
        return True

    def send(self, kind: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(kind)

    async def ended(self) -> int:
        """Wait until it has ended and return its exit code."""
        assert self._process is not None
        async with asyncio.timeout(WITHIN_S):
            return await self._process.wait()

    async def kill(self) -> None:
        """Kill it as the kernel would, with nothing left to say."""
        if self._process is not None and self._process.returncode is None:
            self.send(signal.SIGKILL)
            await self.ended()

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()


@asynccontextmanager
async def backend_process(log: Path, **settings: Any) -> AsyncIterator[tuple[BackendProcess, Backend]]:
    """Give a started backend process and a client of it; both are ended in the end."""
    process = BackendProcess(log, **settings)
    await process.start()
    try:
        async with httpx2.AsyncClient(base_url=process.url, timeout=WITHIN_S) as http:
            yield process, Backend(process.url, http)
    finally:
        await process.kill()
