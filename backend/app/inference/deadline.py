"""A deadline that looks again before it is believed: a loop that was held hears of its timers before its sockets.

Knows no engine, and reads nothing.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

# Turns of the loop after the deadline: one to read what the sockets have, one for whoever waits for it, and some more.
LOOKS = 4
LOOK_S = 0.005


class Deadline:
    """Calls `over` when `at` has passed on the loop's clock, and what had come until then has been read.

    `at` may be moved while it is armed: one timer serves for many reads, where one for each costs more than the read.
    """

    def __init__(self, at: float, over: Callable[[], None]) -> None:
        self.at = at
        self._over = over
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._passed: float | None = None  # which deadline has been seen to pass, and is looked at again
        self._looks = 0

    def arm(self) -> None:
        """Begin to watch, where it is not watched."""
        if self._timer is None:
            self._passed = None
            self._timer = self._loop.call_at(self.at, self._check)

    def disarm(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if self._loop.time() < self.at:
            self._timer = self._loop.call_at(self.at, self._check)
            return
        if self._passed != self.at:
            self._passed, self._looks = self.at, LOOKS
        if self._looks:
            self._looks -= 1
            self._timer = self._loop.call_later(LOOK_S, self._check)
        else:
            self._over()


class TimeoutLookingAgain:
    """As `asyncio.timeout_at`, with such a deadline."""

    def __init__(self, at: float) -> None:
        self._timeout = asyncio.timeout(None)
        self._deadline = Deadline(at, self._end)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._deadline.arm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadline.disarm()
        await self._timeout.__aexit__(kind, error, trace)

    def _end(self) -> None:
        self._timeout.reschedule(asyncio.get_running_loop().time())
