"""The moments at which a backend can be made to die, each hung on a named function of the product from outside.

The product knows nothing of them: the process that forks backends wraps the function before it serves.
"""

import asyncio
import functools
import importlib
import inspect
import os
import signal
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypedDict


class Point(NamedTuple):
    """Before or after a function of a class or module."""

    module: str
    name: str
    when: Literal["before", "after"]


class Failpoint(TypedDict):
    """Die at `point` when it is reached for the `hit`th time; or sleep there for `sleep_s`, each time from then on."""

    point: str
    hit: int
    sleep_s: float


POINTS = {
    "before the question is stored": Point("app.services.run_start", "RunStart.store", "before"),
    "after the question is stored": Point("app.services.run_start", "RunStart.store", "after"),
    "before the reply": Point("app.services.run_lives", "RunLives.launch", "before"),
    "before the engine is asked": Point("app.inference.vllm_client", "VllmClient._post", "before"),
    "after the engine has replied": Point("app.inference.vllm_client", "VllmClient._post", "after"),
    "at a number": Point("app.services.run_log", "RunLog._append", "before"),
    "before a commit of the journal": Point("app.repositories.journal_file", "JournalFile.append", "before"),
    "after a commit of the journal": Point("app.repositories.journal_file", "JournalFile.append", "after"),
    "before events are shown": Point("app.services.run_log", "RunLog.durable", "before"),
    "after events are shown": Point("app.services.run_log", "RunLog.durable", "after"),
    "before the end is stored": Point("app.services.run_ending", "RunEnding._store", "before"),
    "between the end and its commit": Point("app.services.run_ending", "RunEnding._store", "after"),
    "after the end is stored": Point("app.services.run_ending", "RunEnding._stored", "after"),
    "before the end is shown": Point("app.services.run_log", "RunLog.end", "before"),
    "after the end is shown": Point("app.services.run_log", "RunLog.end", "after"),
    "while runs are taken up": Point("app.services.run_log", "RunLog.restore", "after"),
    "when a run goes on": Point("app.services.run_generation", "RunGeneration._begin", "after"),
}


def die(*_: object) -> None:
    """End this process as the kernel would."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # another thread may receive it: nothing happens here meanwhile


def arm(failpoint: Failpoint | None) -> None:
    """Hang the failpoint on its function."""
    if failpoint is None:
        return
    point = POINTS[failpoint["point"]]
    owner: Any = importlib.import_module(point.module)
    *path, name = point.name.split(".")
    for step in path:
        owner = getattr(owner, step)
    setattr(owner, name, wrapped(getattr(owner, name), point.when, _counting(failpoint)))


def _counting(failpoint: Failpoint) -> Callable[[], float]:
    left = failpoint["hit"]

    def reached() -> float:
        nonlocal left
        left -= 1
        if left > 0:
            return 0
        if not failpoint["sleep_s"]:
            die()
        return failpoint["sleep_s"]

    return reached


def wrapped(function: Callable[..., Any], when: str, reached: Callable[[], float]) -> Callable[..., Any]:
    """Return the function with something to be done before or after it."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*args: Any, **kwargs: Any) -> Any:
            if when == "before":
                await asyncio.sleep(reached())
            result = await function(*args, **kwargs)
            if when == "after":
                await asyncio.sleep(reached())
            return result

        return later

    @functools.wraps(function)
    def now(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            time.sleep(reached())
        result = function(*args, **kwargs)
        if when == "after":
            time.sleep(reached())
        return result

    return now
