"""The commits of the journal as the backend counts them itself: `vllm_chat_commit_seconds` of its `/metrics`."""

import re
from dataclasses import dataclass
from typing import Self

BUCKET = re.compile(r'^vllm_chat_commit_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Commits:
    """How many commits took at most so many seconds, for each bound that is counted."""

    counts: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, metrics: str) -> Self:
        """Read them."""
        return cls(tuple((float(bound), float(count)) for bound, count in BUCKET.findall(metrics)))

    def since(self, before: Self) -> "Commits":
        """Return those that have come after an earlier reading."""
        pairs = zip(self.counts, before.counts, strict=True)
        return Commits(tuple((bound, count - earlier) for (bound, count), (_, earlier) in pairs))

    @property
    def total(self) -> int:
        """How many there were."""
        return int(self.counts[-1][1]) if self.counts else 0

    def at_most_ms(self, share: float) -> float:
        """Return a bound in milliseconds that this share of them kept; with 1 that of the worst."""
        for bound, count in self.counts:
            if count >= share * self.total:
                return bound * 1000
        return float("nan")
