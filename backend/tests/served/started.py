"""The real backend as a process of its own, as people start it, for tests that wait without an event loop."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.config import REPOSITORY

START_WITHIN_S = 60
MAIN = [sys.executable, str(REPOSITORY / "backend/main.py")]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a backend that keeps everything in this folder and has no engine."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("VLLM_", "BACKEND_"))},
        "DATABASE_URL": f"sqlite:///{folder}/data/chat.db",
        "MODELS_DIR": str(folder),
        "BACKEND_PORT": "0",
        "VLLM_API_BASE_URL": "http://127.0.0.1:9",
        **more,
    }


@contextmanager
def backend(folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Give a running backend and its URL, taken from what it says when it listens; its log is `backend.log`."""
    log = folder / "backend.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(MAIN, env=environment(folder, **more), stderr=stderr, cwd=folder)
    try:
        yield process, _url(process, log)
    finally:
        process.kill()
        process.wait()


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if "listening on" in line:
                return line.rsplit(" ", 1)[-1]
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"the backend does not listen:\n{log.read_text()}")
