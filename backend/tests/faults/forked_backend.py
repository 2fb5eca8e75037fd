"""A backend that is killed and started again on its port and its data, and the fork server that starts it.

`async with ForkServer() as server: backend = server.backend(folder, database_url=…)`.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.faults.failpoints import Failpoint
from tests.served.backend_process import free_port

BACKEND = Path(__file__).resolve().parents[2]
WITHIN_S = 30.0


def fork_server() -> subprocess.Popen[bytes]:
    """Start the process that forks backends, and wait until it can."""
    process = subprocess.Popen(
        [sys.executable, str(BACKEND / "tests/faults/forkserver.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        cwd=BACKEND,
        env=os.environ | {"ENV_FILE": os.devnull, "PYTHONPATH": str(BACKEND)},
    )
    assert process.stdout is not None
    assert b"ready" in process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """End it, and with it every backend that it has forked."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(WITHIN_S)
    process.stdout.close()


class ForkServer:
    """The process that forks backends; one that runs already is used and left running."""

    def __init__(self, process: subprocess.Popen[bytes] | None = None) -> None:
        self._given = process
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._process = self._given or await asyncio.to_thread(fork_server)
        assert self._process.stdout is not None
        self._reader = asyncio.StreamReader()
        pipe = os.fdopen(os.dup(self._process.stdout.fileno()), "rb", 0)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), pipe
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        left = list(self._ended.items())
        for pid, _ended in left:
            with contextlib.suppress(ProcessLookupError):  # it has just ended, and has been heard of soon
                os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*(ended for _, ended in left))
        self._listening.cancel()
        self._transport.close()
        if self._given is None:
            await asyncio.to_thread(end, self._process)

    def backend(self, folder: Path, **settings: Any) -> "ForkedBackend":
        """Return a backend that keeps its data and its log in a folder, not yet started."""
        return ForkedBackend(self, folder, settings)

    async def fork(self, order: dict[str, Any]) -> tuple[int, asyncio.Future[int]]:
        """Start a backend; returns its pid and its exit code to come."""
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            async with asyncio.timeout(WITHIN_S):
                said = await self._answers.get()
        return said["pid"], said["ends"]

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while line := await self._reader.readline():
            said = json.loads(line)
            if "ended" in said:
                self._ended.pop(said["pid"]).set_result(said["ended"])
                continue
            if "pid" in said:
                # kept with the answer, too: its end may be heard before the answer is taken
                said["ends"] = self._ended[said["pid"]] = loop.create_future()
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
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                self.send(signal.SIGKILL)
            await self.ended()
