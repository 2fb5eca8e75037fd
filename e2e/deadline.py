"""Waiting for something to become true, with a deadline.

Not for the page: there `expect(...)` of playwright waits.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.02


def eventually(probe: Callable[[], T], within_s: float, what: str) -> T:
    """Return the first true answer of `probe`.

    Raises:
        AssertionError: there was none within `within_s` seconds; names `what` and the last answer.
    """
    deadline = time.monotonic() + within_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s} s for {what}; last seen: {answer!r}")
        time.sleep(_POLL_S)
