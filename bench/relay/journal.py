"""What durability costs: everything on the disk before it is seen, against temporary chats, which no disk ever sees.

`python bench/relay/journal.py [PART ...]` prints figure, goal and ratio beside the disk's own fdatasync in the same run;
asserts nothing. Without a part all of them, about 15 minutes:

step      200 streams that tick together, with and without in turn: delay, CPU, the loop's lag, commits (2 minutes)
random    the same, each stream at its own time: CPU (2 minutes)
minute    60 s in step: the 99th percentile and the worst of the commits (80 seconds)
ends      what the end of an answer of 10,000 tokens costs the others (50 seconds)
rotation  what a new file of the journal costs, while 200 answers live in it (50 seconds)
long      answers of 10,000 tokens: their beginnings and their ends, with and without (8 minutes)
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import uvloop
from disk import fdatasyncs_ms
from look import Look
from machine import HERE, OTHER, stay_on, upstream
from measure import QUANTILES, Measured, quantile, three
from product import BACKEND, through_backend

from relay import through_passthrough

RATE = 50.0
ROUNDS, SECONDS = 3, 10.0
MINUTE_S = 60.0
YARDSTICK_S, YARDSTICK_US = 5.0, 26.0  # the passthrough on the machine that the goals were set on
ENDS, LONG_TOKENS, DISTURBED_S = 10, 10_000, 25.0
ROTATE_BYTES = 10 * 1024  # for each stream: every four seconds or so
EDGE_TOKENS = 500  # at the beginning and the end of a long answer
STEP_US, RANDOM_US, P99_COMMIT_MS, WORST_COMMIT_MS, OTHERS_MS, LAG_RATIO = 5.0, 15.0, 5.0, 20.0, 5.0, 1.2


def show(name: str, figure: float, goal: float, unit: str, baseline: str = "") -> None:
    """Print one line: what, how much, against which goal, beside which baseline."""
    line = f"{name:<52} {figure:8.2f} {unit:<3} goal {goal:6.2f}  ratio {figure / goal:5.2f}  {baseline}"
    print(line, flush=True)


class Plan(NamedTuple):
    """What is asked for, and the disk's own p50."""

    streams: int
    sync_ms: float


async def load(
    plan: Plan, seconds: float, *options: str, kept: bool = True, program: Sequence[str] = BACKEND
) -> tuple[Measured, Look]:
    """Measure one load, and print its line."""
    look, tokens = Look(), int(RATE * seconds)
    with upstream(plan.streams, RATE, tokens, *options) as engine:
        figures = await through_backend(engine, plan.streams, tokens, kept=kept, watch=look, program=program)
    name = "journal" if kept else "without"
    print(
        f"  {name} {' '.join(options)} {seconds:g} s: delay {three(figures.delays_ms)} ms, "
        f"CPU {figures.cpu_per_1000_ms:.1f} µs a delta, loop's lag {three(look.lags_ms)} ms, "
        f"commits {look.commits.total}, RSS {figures.rss_mb:.0f} MB",
        flush=True,
    )
    return figures, look


Loads = list[tuple[Measured, Look]]


async def with_and_without(plan: Plan, *options: str) -> tuple[Loads, Loads]:
    """Measure both in turn, a few times."""
    kept: Loads = []
    unkept: Loads = []
    for _ in range(ROUNDS):
        unkept.append(await load(plan, SECONDS, *options, kept=False))
        kept.append(await load(plan, SECONDS, *options))
    return kept, unkept


def added_delay(kept: Sequence[Sequence[float]], unkept: Sequence[Sequence[float]], sync_ms: float) -> None:
    """Print how much later tokens come, medians of the rounds."""
    for share in QUANTILES:
        with_it, without = (median(quantile(delays, share) for delays in each) for each in (kept, unkept))
        baseline = f"{with_it:.2f} with, {without:.2f} without"
        # one goal, for the median: the others stand beside it
        show(f"added delay, p{share * 100:.0f}", with_it - without, 1.5 + 1.5 * sync_ms, "ms", baseline)


def added_cpu(kept: Sequence[float], unkept: Sequence[float], goal_us: float) -> None:
    """Print how much more CPU time a delta takes, medians of the rounds."""
    with_it, without = median(kept), median(unkept)
    show(
        "added CPU of a delta", with_it - without, goal_us, "µs", f"{with_it:.1f} with, {without:.1f} without"
    )


def commits(looks: Sequence[Look]) -> None:
    """Print what the backend itself has counted; a bound of its histogram is said, not the very figure."""
    for name, share, goal in (("p99", 0.99, P99_COMMIT_MS), ("worst", 1.0, WORST_COMMIT_MS)):
        figure = max(look.commits.at_most_ms(share) for look in looks)
        show(
            f"commit, {name}, at most",
            figure,
            goal,
            "ms",
            f"{sum(look.commits.total for look in looks)} commits",
        )


async def step(plan: Plan) -> None:
    """All streams tick together."""
    kept, unkept = await with_and_without(plan)
    added_delay([each.delays_ms for each, _ in kept], [each.delays_ms for each, _ in unkept], plan.sync_ms)
    added_cpu(*([each.cpu_per_1000_ms for each, _ in loads] for loads in (kept, unkept)), STEP_US)
    with_it, without = (median(quantile(look.lags_ms, 0.99) for _, look in loads) for loads in (kept, unkept))
    show(
        "loop's lag p99, with by without",
        with_it / without,
        LAG_RATIO,
        "×",
        f"{with_it:.2f} by {without:.2f} ms",
    )
    commits([look for _, look in kept])


async def random(plan: Plan) -> None:
    """Each stream ticks at its own time."""
    kept, unkept = await with_and_without(plan, "--random")
    added_cpu(*([each.cpu_per_1000_ms for each, _ in loads] for loads in (kept, unkept)), RANDOM_US)


async def minute(plan: Plan) -> None:
    """Long enough for checkpoints and for the worst."""
    _, look = await load(plan, MINUTE_S)
    commits([look])


async def ends(plan: Plan) -> None:
    """Long answers end one after the other, while the others go on."""
    figures, look = await load(plan, DISTURBED_S, "--ends", str(ENDS), "--head", str(LONG_TOKENS))
    others(f"an answer of {LONG_TOKENS} tokens ends", figures, look.ends[:ENDS])


async def rotation(plan: Plan) -> None:
    """Files are full early, and what lives is written to the next one."""
    program = (str(HERE / "early_rotation.py"), str(ROTATE_BYTES * plan.streams))
    figures, look = await load(plan, DISTURBED_S, program=program)
    others("the journal rotates", figures, look.rotations)


def others(what: str, figures: Measured, spans: Sequence[tuple[int, int]]) -> None:
    """Print how much later tokens come while something happens than otherwise."""
    during, else_ = figures.within(spans)
    lasted = sum(last - first for first, last in spans) / 1e9
    print(
        f"  {what}: {len(spans)} times, {lasted:.1f} s together; delay then {three(during)}, else {three(else_)} ms"
    )
    if not during:
        return
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        then, otherwise = quantile(during, share), quantile(else_, share)
        show(
            f"others while {what}, {name}",
            then - otherwise,
            OTHERS_MS,
            "ms",
            f"{then:.1f} against {otherwise:.1f}",
        )
    show(
        "  the worst of them",
        max(during) - max(else_),
        OTHERS_MS,
        "ms",
        f"{max(during):.1f} against {max(else_):.1f}",
    )


async def long(plan: Plan) -> None:
    """The same at 100 and at 10,000 tokens."""
    unkept, _ = await load(plan, LONG_TOKENS / RATE, kept=False)
    kept, look = await load(plan, LONG_TOKENS / RATE)
    for name, first in (("beginning", 0), ("end", LONG_TOKENS - EDGE_TOKENS)):
        print(f"  {name} of answers of {LONG_TOKENS} tokens, {EDGE_TOKENS} tokens:")
        spans = [_edge(each, first) for each in (kept, unkept)]
        delays = [each.within([span])[0] for each, span in zip((kept, unkept), spans, strict=True)]
        added_delay([delays[0]], [delays[1]], plan.sync_ms)
        cpu = [each.cpu_us(*span) for each, span in zip((kept, unkept), spans, strict=True)]
        added_cpu([cpu[0]], [cpu[1]], STEP_US)
    commits([look])
    others("the journal rotates", kept, look.rotations)


def _edge(figures: Measured, first: int) -> tuple[int, int]:
    begun = min(figures.stamps, default=0) + int(first / RATE * 1e9)
    return begun, begun + int(EDGE_TOKENS / RATE * 1e9)


async def yardstick(streams: int) -> None:
    """Say how fast this machine is, by what passing bytes on takes here; the goals are of another one."""
    tokens = int(RATE * YARDSTICK_S)
    with upstream(streams, RATE, tokens) as engine:
        figures = await through_passthrough(engine, streams, tokens)
    factor = figures.cpu_per_1000_ms / YARDSTICK_US
    print(
        f"an SSE passthrough takes {figures.cpu_per_1000_ms:.1f} µs a delta here and delays it {three(figures.delays_ms)} ms: "
        f"{factor:.1f} × the CPU time of the machine of the goals"
    )


PARTS = {"step": step, "random": random, "minute": minute, "ends": ends, "rotation": rotation, "long": long}


async def main(options: argparse.Namespace) -> None:
    """Measure the disk, then the parts, then the disk once more."""
    load_before = os.getloadavg()[0]
    print(
        f"load of the machine before: {load_before:.1f}; {options.streams} streams, {RATE:g} tokens a second"
    )
    with tempfile.TemporaryDirectory() as folder:
        syncs = fdatasyncs_ms(Path(folder))
        print(f"fdatasync of the disk: p50 / p95 / p99 {three(syncs, '.2f')} ms")
        await yardstick(options.streams)
        for part in options.parts or PARTS:
            print(f"\n{part}")
            await PARTS[part](Plan(options.streams, quantile(syncs, 0.5)))
        print(f"\nfdatasync of the disk, at the end: {three(fdatasyncs_ms(Path(folder)), '.2f')} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--streams", type=int, default=200)
    stay_on(OTHER)
    uvloop.run(main(parser.parse_args()))
