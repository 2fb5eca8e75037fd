"""Child processes of the end-to-end tests: each in a group of its own, with its output in a file.

Does not know what the processes are; `system.py` does.
"""

import contextlib
import functools
import os
import re
import signal
import subprocess
from pathlib import Path

import psutil

from e2e.deadline import eventually

REPOSITORY = Path(__file__).resolve().parents[1]


class Process:
    """A running child in its own session, so that its whole group can be ended and looked at."""

    def __init__(
        self, name: str, command: list[str], *, log: Path, env: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        # A developer's exported BACKEND_PORT must not leak in.
        kept = {key: value for key, value in os.environ.items() if key not in settings_of_the_product()}
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**kept, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def output(self) -> str:
        """Return everything it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself."""
        self._popen.send_signal(number)

    def kill(self) -> None:
        """End the whole group at once, as a crash would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait(10)

    def end(self, within_s: float = 20, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the group to end and return the exit code; what is still there afterwards is killed and an error.

        Raises:
            AssertionError: something of the group outlived the deadline.
        """
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, how)
        try:
            code = self._popen.wait(within_s)
            eventually(lambda: not self.group(), 5, f"the group of {self.name} to be gone")
        except (subprocess.TimeoutExpired, AssertionError):
            left = self.group()
            self.kill()
            raise AssertionError(f"{self.name} left processes behind: {left}\n{self.tail()}") from None
        return code

    def group(self) -> list[str]:
        """Return the command lines of the living processes of its session."""
        return [" ".join(member.cmdline())[:200] for member in members(self.pid)]

    def tail(self, lines: int = 60) -> str:
        """Return the end of its output, with its name."""
        return f"--- {self.name} ({self.log})\n" + "\n".join(self.output().splitlines()[-lines:])


@functools.cache
def settings_of_the_product() -> frozenset[str]:
    """Return the names of all settings."""
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^#? ?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))


def members(session: int) -> list[psutil.Process]:
    """Return the living processes of a session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
