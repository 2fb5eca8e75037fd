"""One supervised part (vLLM, backend, page): its process group, its output, and whether it answers.

It does not decide when to start it again: `supervisor.py` does.
"""

import asyncio
import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from supervision.guard import Guard, group_lives
from supervision.log_file import LogFile

PROBE_S = 2.0
LOOK_EVERY_S = 0.1
STEADY_S = 60.0  # ready this long, it may end as often again before it is given up
# What the scripts say to people: steps, notes, errors; and what the backend calls an error.
SPOKEN = re.compile(r"^(==> |  ! |Error: |  What to do: )|\| (ERROR|CRITICAL) ")


class Part:
    """A child that runs in a process group of its own.

    Args:
        name: what people call it.
        command: started anew each time; sets itself up and then becomes the server.
        probe: host, port and path that answer 200 once it is ready.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        probe: tuple[str, int, str],
        logs: Path,
        say: Callable[[str], None],
        *,
        verbose: bool,
    ) -> None:
        self.name = name
        self.log = LogFile(logs / f"{name}.log")
        self.was_steady = False
        self._ready_since: float | None = None
        self.last_step = "starting"
        self._command = command
        self._probe = probe
        self._say = say
        self._verbose = verbose
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, environment: dict[str, str], guard: Guard) -> int:
        """Starts it, passes its output on, and returns its exit code when all of its group is gone."""
        self.was_steady, self._ready_since = False, None
        self.last_step = "starting"
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        guard.watch(process.pid)
        output = process.stdout or asyncio.StreamReader()
        reading = asyncio.create_task(self._read(output))
        try:
            code = await _ended(process)
        finally:
            # A dead server's own children keep its port and its memory.
            self.signal(signal.SIGKILL)
            guard.forget(process.pid)
        await asyncio.wait({reading}, timeout=1)
        reading.cancel()
        self._process = None
        return code

    async def _read(self, output: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await output.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._heard(line.decode("utf-8", "replace").rstrip("\r"))
        if rest:
            self._heard(rest.decode("utf-8", "replace"))

    def _heard(self, line: str) -> None:
        self.log.write(line)
        if line.startswith(("==> ", "... ")):
            self.last_step = line[4:]
        if self._verbose or SPOKEN.search(line):
            self._say(f"{self.name:<8}{line}")

    @property
    def lives(self) -> bool:
        """Whether anything of its group is there."""
        return self._process is not None and group_lives(self._process.pid)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the whole group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    async def answers(self) -> bool:
        """Whether it is ready; `was_steady` from then on when it has been so for STEADY_S."""
        ready = await _status(*self._probe) == HTTPStatus.OK
        now = time.monotonic()
        self._ready_since = (self._ready_since or now) if ready else None
        if self._ready_since is not None and now - self._ready_since >= STEADY_S:
            self.was_steady = True
        return ready


async def _ended(process: asyncio.subprocess.Process) -> int:
    """The exit code, once it has one. `process.wait()` waits for the end of the output too, and that is held by its children."""
    while process.returncode is None:  # noqa: ASYNC110 (nothing else tells)
        await asyncio.sleep(LOOK_EVERY_S)
    return process.returncode


async def _status(host: str, port: int, path: str) -> int:
    """HTTP status of a GET on this machine, 0 when there is none."""
    writer = None
    try:
        async with asyncio.timeout(PROBE_S):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            words = (await reader.readline()).split()
            return int(words[1]) if len(words) > 1 else 0
    except (OSError, ValueError, TimeoutError):
        return 0
    finally:
        if writer is not None:
            writer.close()
