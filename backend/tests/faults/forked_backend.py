"""A backend that is killed and started again on its port and its data, and the fork server that starts it.

`async with ForkServer() as server: backend = server.backend(folder, database_url=…)`.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Self

from tests.faults.failpoints import Failpoint
from tests.served.backend_process import free_port

BACKEND = Path(__file__).resolve().parents[2]
WITHIN_S = 30.0


class ForkServer:
    """The process that forks backends."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listening: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(BACKEND / "tests/faults/forkserver.py"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=BACKEND,
            env=os.environ | {"ENV_FILE": os.devnull, "PYTHONPATH": str(BACKEND)},
        )
        self._listening = asyncio.create_task(self._listen())
        async with asyncio.timeout(WITHIN_S):
            assert "ready" in await self._answers.get()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._listening is not None
        self._process.stdin.close()
        async with asyncio.timeout(WITHIN_S):
            await self._process.wait()
        await self._listening

    def backend(self, folder: Path, **settings: Any) -> "ForkedBackend":
        """Return a backend that keeps its data and its log in a folder, not yet started."""
        return ForkedBackend(self, folder, settings)

    async def fork(self, order: dict[str, Any]) -> tuple[int, asyncio.Future[int]]:
        """Start a backend; returns its pid and its exit code to come."""
        assert self._process is not None
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            async with asyncio.timeout(WITHIN_S):
                pid = (await self._answers.get())["pid"]
        return pid, self._ended[pid]

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        loop = asyncio.get_running_loop()
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            if "ended" in said:
                self._ended.pop(said["pid"]).set_result(said["ended"])
                continue
            if "pid" in said:
                self._ended[said["pid"]] = loop.create_future()
            await self._answers.put(said)


class ForkedBackend:
    """One backend, as often as it is started; `url` stays the same."""

    def __init__(self, server: ForkServer, folder: Path, settings: dict[str, Any]) -> None:
        self._server = server
        self.folder = folder
        self.log_file = folder / "backend.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "database_url": f"sqlite:///{folder / 'chat.db'}",
            "models_dir": str(folder / "models"),
            "default_model": "scripted",
            "backend_host": "127.0.0.1",
            "drain_s": 0,
            "log_level": "INFO",
            **settings,
        }
        self.pid: int | None = None
        self._ended: asyncio.Future[int] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.log_file.touch()

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._ended is not None and not self._ended.done()

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_file.read_text()

    async def launch(self, failpoint: Failpoint | None = None) -> None:
        """Start it and return at once."""
        assert not self.is_running
        settings = {name.upper(): str(value) for name, value in self.settings.items()}
        settings["BACKEND_PORT"] = str(self.port)
        order = {"settings": settings, "log": str(self.log_file), "failpoint": failpoint}
        self.pid, self._ended = await self._server.fork(order)

    async def start(self, failpoint: Failpoint | None = None) -> None:
        """Start it and wait until it listens, or until its failpoint has ended it."""
        await self.launch(failpoint)
        await self.listening(may_die=failpoint is not None)

    async def listening(self, *, may_die: bool = False) -> None:
        """Wait until it listens."""
        assert self._ended is not None
        async with asyncio.timeout(WITHIN_S):
            while not await self._answers():
                await asyncio.wait({self._ended}, timeout=0.005)
                if self._ended.done():
                    assert may_die, f"it ended with {self._ended.result()}\n{self.log[-4000:]}"
                    return

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    def send(self, kind: signal.Signals) -> None:
        """Send it a signal."""
        assert self.pid is not None
        assert self.is_running
        os.kill(self.pid, kind)

    async def ended(self) -> int:
        """Wait until it has ended and return its exit code; that of a signal is negative."""
        assert self._ended is not None
        async with asyncio.timeout(WITHIN_S):
            return await asyncio.shield(self._ended)

    async def kill(self) -> None:
        """Kill it as the kernel would, with nothing left to say."""
        if self.is_running:
            self.send(signal.SIGKILL)
            await self.ended()
