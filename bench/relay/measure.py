"""What a run of the bench has measured: delays of tokens, CPU of the relay. Starts nothing."""

import re
import time
from dataclasses import dataclass, field

import psutil

STAMP = re.compile(rb" *(\d{10,19}) ")


@dataclass
class Measured:
    """The figures of one load."""

    delays_ms: list[float] = field(default_factory=list)
    frames: int = 0
    cpu_s: float = 0.0
    begun_at: float | None = None
    wall_s: float = 0.0
    rss_mb: float = 0.0

    def take(self, data: bytes) -> int:
        """Note the tokens in what a client has just received; returns how many there were."""
        now = time.monotonic_ns()
        stamps = STAMP.findall(data)
        self.delays_ms.extend((now - int(stamp)) / 1e6 for stamp in stamps)
        self.frames += bool(stamps)
        return len(stamps)

    def at(self, share: float) -> float:
        """Return a quantile of the delays in milliseconds."""
        ordered = sorted(self.delays_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")

    @property
    def cpu_per_1000_ms(self) -> float:
        """CPU time of the relay for 1000 tokens, in milliseconds."""
        return self.cpu_s * 1e6 / max(1, len(self.delays_ms))

    def row(self, name: str, offered: int) -> str:
        """Return the figures as a line of the table."""
        delivered = 100 * len(self.delays_ms) / offered
        return (
            f"| {name} | {delivered:.1f} % | {self.cpu_per_1000_ms:.1f} | "
            f"{self.at(0.5):.1f} / {self.at(0.95):.1f} / {self.at(0.99):.1f} | "
            f"{len(self.delays_ms) / max(self.wall_s, 1e-9):,.0f} | {self.rss_mb:.0f} |"
        )


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time a process has used."""
    times = process.cpu_times()
    return times.user + times.system
