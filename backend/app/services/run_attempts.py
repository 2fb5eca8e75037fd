"""How often the engine was asked for one run, and when that is often enough. Asks nobody."""

from dataclasses import dataclass

MAX_FRUITLESS = (
    3  # attempts in a row without a new token, so that a prompt that kills engines cannot do so for ever
)
MAX_ATTEMPTS = 10


@dataclass
class Attempts:
    """How often a run was asked for, and what came of it."""

    begun: int = 0
    fruitless: int = 0
    spent_s: float = 0.0
    retried: bool = False
    turning: bool = False  # from the thought to the answer: that is no break
    is_doubtful: bool = False  # it broke or refused: it is asked how it is before it is asked for more
    looks: int = 0
    waiting_since: float | None = None

    @property
    def exhausted(self) -> bool:
        """Whether it is time to give up."""
        return self.fruitless >= MAX_FRUITLESS or self.begun >= MAX_ATTEMPTS
