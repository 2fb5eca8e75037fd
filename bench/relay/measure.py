"""What a run of the bench has measured: delays of tokens, CPU of the relay. Starts nothing."""

import re
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

STAMP = re.compile(rb" *(\d{10,19}) ")
QUANTILES = (0.5, 0.95, 0.99)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of them does not exceed; none: not a number."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def three(values: Sequence[float], form: str = ".1f") -> str:
    """Return p50, p95 and p99 as the tables write them."""
    return " / ".join(format(quantile(values, share), form) for share in QUANTILES)


@dataclass
class Measured:
    """The figures of one load. Times are of the machine's monotonic clock; `cpu` holds some of them with the CPU time."""

    stamps: "array[int]" = field(default_factory=lambda: array("q"))
    frames: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    rss_mb: float = 0.0
    cpu: list[tuple[int, float]] = field(default_factory=list)
    _reads: list[tuple[int, int]] = field(default_factory=list)
    _delays: list[float] = field(default_factory=list)

    def take(self, data: bytes) -> int:
        """Note the tokens in what a client has just received; returns how many there were."""
        now = time.monotonic_ns()
        stamps = STAMP.findall(data)
        if stamps:
            self.stamps.extend(map(int, stamps))  # what they mean is worked out when all is over
            self._reads.append((now, len(stamps)))
            self.frames += 1
        return len(stamps)

    @property
    def delays_ms(self) -> list[float]:
        """Milliseconds from the writing of each token to its reading, in the order of `stamps`."""
        if len(self._delays) != len(self.stamps):
            at = 0
            self._delays = []
            for now, count in self._reads:
                self._delays.extend((now - stamp) / 1e6 for stamp in self.stamps[at : at + count])
                at += count
        return self._delays

    def within(self, spans: Sequence[tuple[int, int]]) -> tuple[list[float], list[float]]:
        """Return the delays of what was written in one of these spans of time, and those of the rest."""
        inside: list[float] = []
        outside: list[float] = []
        for stamp, delay in zip(self.stamps, self.delays_ms, strict=True):
            (inside if any(first <= stamp <= last for first, last in spans) else outside).append(delay)
        return inside, outside

    def cpu_us(self, first: int, last: int) -> float:
        """Return the CPU time of the relay for one token written between two moments, in microseconds."""
        seen = [cpu for at, cpu in self.cpu if first <= at <= last]
        moments = [at for at, _ in self.cpu if first <= at <= last]
        count = sum(moments[0] <= stamp <= moments[-1] for stamp in self.stamps) if seen else 0
        return (seen[-1] - seen[0]) * 1e6 / count if count else float("nan")

    def at(self, share: float) -> float:
        """Return a quantile of the delays in milliseconds."""
        return quantile(self.delays_ms, share)

    @property
    def cpu_per_1000_ms(self) -> float:
        """CPU time of the relay for 1000 tokens, in milliseconds: also that of one in microseconds."""
        return self.cpu_s * 1e6 / max(1, len(self.stamps))

    def row(self, name: str, offered: int) -> str:
        """Return the figures as a line of the table."""
        delivered = 100 * len(self.stamps) / offered
        return (
            f"| {name} | {delivered:.1f} % | {self.cpu_per_1000_ms:.1f} | {three(self.delays_ms)} | "
            f"{len(self.stamps) / max(self.wall_s, 1e-9):,.0f} | {self.rss_mb:.0f} |"
        )


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time a process has used."""
    times = process.cpu_times()
    return times.user + times.system
