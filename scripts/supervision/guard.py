"""Ends the parts when the supervisor dies without a chance to do it itself (kill -9).

It does not end them in the ordinary way: the supervisor does, and tells the guard of every group that comes and goes.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

DEAD = {b"Z", b"X"}
GRACE_S = 15.0  # longer than the backend's DRAIN_S


def end_groups(groups: set[int], grace_s: float = GRACE_S) -> None:
    """Asks every process group to end, waits, and kills what is left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        deadline = time.monotonic() + grace_s
        while number == signal.SIGTERM and time.monotonic() < deadline and any(map(group_lives, groups)):
            time.sleep(0.1)


def group_lives(group: int) -> bool:
    """Whether the process group has a member that is not dead already: where nobody takes leave of the dead, they stay."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    states = [state for state, its in _states() if its == group]
    return not states or any(state not in DEAD for state in states)


def _states() -> Iterator[tuple[bytes, int]]:
    """State and process group of every process; nothing where the system does not tell."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            # The name before it may hold anything.
            state, _parent, group = file.read_bytes().rpartition(b")")[2].split()[:3]
            yield state, int(group)


class Guard:
    """A child process that holds the reading end of a pipe; the system closes the other end when the supervisor is gone."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._writing)
            _watch(reading)
        os.close(reading)

    def watch(self, group: int) -> None:
        """Ends this group too, should the supervisor die."""
        os.write(self._writing, f"+{group}\n".encode())

    def forget(self, group: int) -> None:
        """Leaves a group alone that has ended: its number may become somebody else's."""
        os.write(self._writing, f"-{group}\n".encode())

    def close(self) -> None:
        """Ends the guard, and every group it still knows."""
        os.close(self._writing)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _watch(reading: int) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    groups: set[int] = set()
    with os.fdopen(reading) as lines:
        for line in lines:
            change = groups.add if line[0] == "+" else groups.discard
            change(int(line[1:]))
    end_groups(groups)
    os._exit(0)
