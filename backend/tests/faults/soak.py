"""Answers and faults that go on and on in one backend, and what it holds on to meanwhile.

How long, and what is too much, is said elsewhere.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from tests.faults.faults import OF_ONE_PROCESS
from tests.faults.lane import Lane
from tests.faults.rounds import Rounds, Tally

MIB = 1024 * 1024
LOOKS, LOOK_S = 20, 0.1
SETTINGS = {"max_concurrent_runs": 64, "max_sockets_per_user": 400}


@dataclass(frozen=True)
class Held:
    """What a backend holds at one moment, with nothing under way."""

    at_s: float
    rss_mib: float
    fds: int
    tasks: int
    wal_mib: float


@dataclass
class Soak:
    """What was seen."""

    tally: Tally = field(default_factory=Tally)
    held: list[Held] = field(default_factory=list)

    def after(self, warm_up_s: float) -> list[Held]:
        """Return what was held once everything had been used that is kept for later."""
        return [held for held in self.held if held.at_s >= warm_up_s]


def growth(held: list[Held], of: Callable[[Held], float]) -> float:
    """Return how much something grows in a second, by least squares."""
    mean_at = sum(one.at_s for one in held) / len(held)
    mean = sum(of(one) for one in held) / len(held)
    below = sum((one.at_s - mean_at) ** 2 for one in held)
    return sum((one.at_s - mean_at) * (of(one) - mean) for one in held) / below if below else 0.0


async def soak(
    lane: Lane, *, streams: int, seconds: float = 0, rounds: int = 0, tell: Callable[[str], None] = print
) -> Soak:
    """Play rounds of so many streams at once, one drawn fault in each: for so long, and at least so many."""
    playing, found = Rounds(lane, streams=(streams, streams), faults=OF_ONE_PROCESS), Soak()
    loop_time = asyncio.get_running_loop().time
    began = loop_time()
    while loop_time() - began < seconds or found.tally.rounds < rounds:
        found.tally.add(await playing.play())
        found.held.append(await settled(lane, loop_time() - began))
        if found.tally.rounds % 20 == 0:
            last = found.held[-1]
            tell(f"{last.at_s:.0f} s: {found.tally.rounds} rounds, {found.tally.runs} answers, {last}")
    return found


async def settled(lane: Lane, at_s: float) -> Held:
    """Look until nothing is let go any more: connections that were cut take a moment."""
    least = await held(lane, at_s)
    for _ in range(LOOKS):
        await asyncio.sleep(LOOK_S)
        now = await held(lane, at_s)
        if now.fds + now.tasks >= least.fds + least.tasks:
            break
        least = now
    return least


async def held(lane: Lane, at_s: float) -> Held:
    """Look at a backend that has nothing to do."""
    process = psutil.Process(lane.backend.pid)
    async with lane.session.get(f"{lane.backend.url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    [tasks] = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("vllm_chat_tasks ")]
    wal = lane.backend.folder / "chat.db-wal"
    return Held(
        at_s, process.memory_info().rss / MIB, process.num_fds(), int(tasks), wal.stat().st_size / MIB
    )
