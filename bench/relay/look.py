"""What is looked at while a load is measured, beside its clients: commits, the loop's lag, rotations and ends of runs.

Decides nothing.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from commits import Commits
from machine import HERE, OTHER, pinned
from product import Backend
from raw_client import RawClient

LOOK_S = 0.01
# An end is seen when it is stored; what it cost came before, and a little after.
BEFORE_END_NS, AFTER_END_NS = 200_000_000, 100_000_000
BEFORE_FILE_NS = 50_000_000  # a new file is seen a little after it was begun
Span = tuple[int, int]


class Look:
    """Looks on for one load; see `product.Watch`. Spans are of the monotonic clock, in nanoseconds."""

    def __init__(self) -> None:
        self.commits = Commits(())
        self.lags_ms: list[float] = []
        self.rotations: list[Span] = []
        self.ends: list[Span] = []

    @asynccontextmanager
    async def __call__(self, backend: Backend, clients: Sequence[RawClient]) -> AsyncIterator[None]:
        """Look on for as long as the block lasts."""
        for client in clients:
            client.done.add_done_callback(lambda _done: self._ended())
        folder = backend.database.with_name(f"{backend.database.name}-runs")
        watching = asyncio.create_task(self._watch(folder))
        command = [*pinned(OTHER), sys.executable, str(HERE / "loop_lag.py"), backend.url]
        pipe = asyncio.subprocess.PIPE
        probe = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert probe.stdin is not None  # noqa: S101 (both are piped)
        assert probe.stdout is not None  # noqa: S101
        await probe.stdout.readline()
        before = Commits.of(await backend.metrics())
        try:
            yield
        finally:
            watching.cancel()
            self.commits = Commits.of(await backend.metrics()).since(before)
            probe.stdin.close()
            said, _ = await probe.communicate()
            self.lags_ms = json.loads(said or b"[]")

    def _ended(self) -> None:
        now = time.monotonic_ns()
        self.ends.append((now - BEFORE_END_NS, now + AFTER_END_NS))

    async def _watch(self, folder: Path) -> None:
        begun: int | None = None
        while True:
            files = _files(folder)
            now = time.monotonic_ns()
            if files > 1 and begun is None:
                begun = now - BEFORE_FILE_NS
            elif files == 1 and begun is not None:
                self.rotations.append((begun, now))
                begun = None
            await asyncio.sleep(LOOK_S)


def _files(folder: Path) -> int:
    return len(list(folder.glob("*.db")))
