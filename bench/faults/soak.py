"""A backend under answers and faults for as long as is asked for: `python bench/faults/soak.py --minutes 30`.

Twenty streams at once, one drawn fault in each round, every law checked; then whether anything grows. What is watched
is in `backend/tests/faults/soak.py`.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "backend"))

from tests.faults.lane import lane  # noqa: E402 (its place has to be known before)
from tests.faults.soak import SETTINGS, Soak, growth, soak  # noqa: E402

WARM_UP = 0.4  # of the time, and at least so long as the events of ended answers are kept
KEPT_S = 660.0
MAX_MIB_IN_TEN_MINUTES = 1.0
MAX_MORE = 3  # descriptors and tasks
MAX_WAL_MIB = 16.0


def found_wrong(found: Soak, warm_up_s: float) -> list[str]:
    """Return what grows, and every broken promise."""
    wrong = list(found.tally.problems)
    held = found.after(warm_up_s)
    if len(held) < 10:
        return [*wrong, f"only {len(held)} looks after the first {warm_up_s:.0f} s: play for longer"]
    slope = growth(held, lambda one: one.rss_mib) * 600
    print(f"after {warm_up_s:.0f} s: memory {slope:+.2f} MiB in ten minutes, {held[0]} ... {held[-1]}")
    if slope > MAX_MIB_IN_TEN_MINUTES and held[-1].at_s - warm_up_s >= 600:
        wrong.append(f"memory grows by {slope:.2f} MiB in ten minutes")
    half = len(held) // 2
    for name in ("fds", "tasks"):
        first, last = (min(getattr(one, name) for one in part) for part in (held[:half], held[half:]))
        if last > first + MAX_MORE:
            wrong.append(f"{name} grow from {first} to {last}")
    if max(one.wal_mib for one in held) >= MAX_WAL_MIB:
        wrong.append("the write-ahead log is too large")
    return wrong


async def play(options: argparse.Namespace) -> int:
    """Play; the exit code says whether nothing grew and every promise was kept."""
    seconds = options.minutes * 60
    warm_up_s = min(max(seconds * WARM_UP, KEPT_S), seconds / 2)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        async with lane(Path(folder), options.seed, **SETTINGS) as made:
            found = await soak(made, streams=options.streams, seconds=seconds)
    wrong = found_wrong(found, warm_up_s)
    for each in wrong:
        print(f"WRONG: {each}")
    tally = found.tally
    print(
        f"{tally.rounds} rounds, {tally.runs} answers, {tally.characters} characters, {tally.continued} times gone on, "
        f"{dict(tally.outcomes)}, faults {dict(tally.faults)}, {len(wrong)} wrong"
    )
    return 1 if wrong else 0


def main() -> int:
    """Read the arguments and play."""
    parser = argparse.ArgumentParser(description="answers and faults for a long time")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    return asyncio.run(play(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
