"""One part's log: a private file that never grows without end. It does not decide what the terminal shows."""

import os
import re
from collections import deque
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10 * 2**20
TAIL_LINES = 12
# What the libraries below vLLM say at every end that was not quite in order, after what it ended of.
NOISE = re.compile(r"nanobind|^ - (leaked |\.\.\. skipped)|resource_tracker")


class LogFile:
    """Appends lines; at MAX_BYTES, and at the first start, the file becomes `<name>.1`, of which there is one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._file = self._begin()

    def _begin(self) -> BinaryIO:
        if self.path.exists():
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        # What people wrote may be in it.
        return os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", buffering=0)

    def write(self, line: str) -> None:
        """Adds one line. A full disk costs the line, never the part."""
        if not NOISE.search(line):
            self.tail.append(line)
        try:
            self._file.write(line.encode("utf-8", "replace") + b"\n")
            if self._file.tell() > MAX_BYTES:
                self._file.close()
                self._file = self._begin()
        except OSError:
            pass

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
