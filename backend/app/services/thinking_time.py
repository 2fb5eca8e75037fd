"""How long a run has thought: from the first of a thought to what ends it, over the requests of the run. Pure.

Waiting for an engine between two requests is not in it.
"""


class ThinkingTime:
    """A clock that runs while a thought comes in; times are seconds of a clock that never jumps."""

    def __init__(self) -> None:
        self._spent_s = 0.0
        self._since: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether a thought comes in."""
        return self._since is not None

    def begin(self, now: float) -> None:
        """Note that a thought comes in, if none does."""
        self._since = now if self._since is None else self._since

    def end(self, now: float) -> None:
        """Note that it is over, for now or for good."""
        if self._since is not None:
            self._spent_s += now - self._since
            self._since = None

    @property
    def spent_ms(self) -> int:
        """The time of the thoughts that are over, in milliseconds."""
        return round(self._spent_s * 1000)
