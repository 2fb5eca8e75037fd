"""Starts real backends quickly: a process that has imported everything forks one whenever it is told to.

A start then costs what the backend itself does, not the second of its imports; each backend is a process of its own that
can be killed. Told by lines of JSON on its standard input, answers on its output. Holds no test.
"""

import gc
import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import main  # noqa: E402 (its place has to be known before)
from app.api import app as described  # noqa: E402
from tests.faults import failpoints  # noqa: E402

PRELOADED = ("alembic.command", "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.dialects.sqlite")


def serve(order: dict[str, Any]) -> int:
    """Be a backend, in the child: returns its exit code."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.setsid()
    os.environ.update(order["settings"])
    failpoints.arm(order["failpoint"])
    return int(main.main([]))


def fork(order: dict[str, Any]) -> int:
    """Fork a backend and return its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs the tests may have it ignored, as nohup does
    try:
        code = serve(order)
    except BaseException:  # noqa: BLE001 (a child must never come back into the loop below)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def reap(children: set[int]) -> None:
    """Say which children have ended, and how."""
    for pid in tuple(children):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            children.remove(pid)
            say(pid=pid, ended=os.waitstatus_to_exitcode(status))


def run() -> None:
    """Serve orders until the input ends; then nothing that was started is left."""
    for name in PRELOADED:
        __import__(name)
    document = main.create_app(None).openapi()
    vars(described)["document"] = lambda _app: document  # the same for all: no backend has to make it again
    gc.collect()
    gc.freeze()  # what is shared with the children is not copied by their collector
    children: set[int] = set()
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    say(ready=os.getpid())
    left = b""
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
            reap(children)
        if 0 not in ready:
            continue
        data = os.read(0, 65536)
        if not data:
            break
        *lines, left = (left + data).split(b"\n")
        for line in lines:
            signal.set_wakeup_fd(-1)
            pid = fork(json.loads(line))
            signal.set_wakeup_fd(waker)
            children.add(pid)
            say(pid=pid)
        reap(children)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    run()
