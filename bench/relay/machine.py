"""Processes of the bench and the cores they run on: what is measured has one, the engine and the clients the other.

Measures nothing.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psutil

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
MEASURED, OTHER = 0, 1  # cores


def pinned(core: int) -> list[str]:
    """Return the prefix that keeps a process on one core, where the machine has two."""
    has_two = shutil.which("taskset") is not None and (os.cpu_count() or 1) > 1
    return ["taskset", "-c", str(core)] if has_two else []


def stay_on(core: int) -> None:
    """Keep this process on one core, where the machine has two."""
    if pinned(core):
        os.sched_setaffinity(0, {core})


def keep_on(core: int, pids: Iterable[int]) -> None:
    """Keep other processes, with all their threads, on one core, where the machine has two."""
    for pid in pids if pinned(core) else ():
        for thread in psutil.Process(pid).threads():
            os.sched_setaffinity(thread.id, {core})


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*command: str, core: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process for as long as the block lasts."""
    started = subprocess.Popen(
        [*pinned(core), sys.executable, *command],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | settings,
    )
    try:
        yield started
    finally:
        started.terminate()
        started.communicate(timeout=30)


@contextmanager
def upstream(streams: int, rate: float, tokens: int, *options: str) -> Iterator[str]:
    """Run the engine and give its OpenAI base; the options are those of `upstream.py`."""
    numbers = str(streams), str(rate), str(tokens)
    with process(str(HERE / "upstream.py"), *numbers, *options, core=OTHER) as engine:
        assert engine.stdout is not None  # noqa: S101
        yield f"http://127.0.0.1:{engine.stdout.readline().strip()}/v1"


async def until_serving(url: str) -> None:
    """Wait until something answers there."""
    async with aiohttp.ClientSession() as http:
        for _ in range(2400):  # a busy machine starts slowly
            try:
                async with http.get(url):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    raise TimeoutError(url)
