"""The faults that a round is drawn from: each does its harm at a moment of its own and leaves everything running again.

Checks nothing.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

from tests.faults.failpoints import POINTS, Failpoint
from tests.faults.follower import Follower
from tests.faults.lane import Lane

Fault = Callable[[Lane, Sequence[Follower]], Awaitable[None]]
SPAN_S = 0.35  # how long a round's answers take, about


async def _sometime(lane: Lane, span_s: float = SPAN_S) -> None:
    await asyncio.sleep(lane.dice.uniform(0, span_s))


async def kill_backend(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    await lane.backend.kill()
    await lane.backend.start()


async def kill_backend_while_it_recovers(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    await lane.backend.kill()
    await lane.backend.launch()
    await _sometime(lane, 0.5)
    await lane.backend.kill()
    await lane.backend.start()


async def kill_backend_at_a_failpoint(lane: Lane, _: Sequence[Follower]) -> None:
    """Arms the one that is started after a kill, so that it dies a second time at a chosen moment."""
    await _sometime(lane)
    await lane.backend.kill()
    point = lane.dice.choice(sorted(POINTS))
    await lane.backend.start(Failpoint(point=point, hit=lane.dice.randint(1, 12), sleep_s=0))
    await asyncio.wait({asyncio.ensure_future(lane.backend.ended())}, timeout=lane.dice.uniform(0.1, 1))
    await lane.backend.kill()
    await lane.backend.start()


async def end_backend(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    kind = lane.dice.choice([signal.SIGTERM, signal.SIGINT])
    lane.backend.send(kind)
    assert await lane.backend.ended() == 0, lane.backend.log[-4000:]
    await lane.backend.start()


async def pause_backend(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    lane.backend.send(signal.SIGSTOP)
    await _sometime(lane)
    lane.backend.send(signal.SIGCONT)


async def cut_engine(lane: Lane, _: Sequence[Follower]) -> None:
    for _time in range(lane.dice.randint(1, 2)):
        await _sometime(lane)
        lane.to_engine.cut(reset=lane.dice.random() < 0.5)


async def engine_goes_and_comes(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    await lane.to_engine.refuse()
    lane.to_engine.cut()
    await _sometime(lane)
    await lane.to_engine.accept()


async def engine_falls_silent(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    lane.to_engine.hold()
    await asyncio.sleep(lane.dice.choice([0.2, 1.3]))  # within the idle limit, and beyond it
    lane.to_engine.release()


async def kill_both(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    first, second = lane.dice.sample([lane.backend.kill, lane.to_engine.refuse], 2)
    await first()
    await second()
    lane.to_engine.cut()
    if lane.dice.random() < 0.5:
        await lane.backend.start()
        await lane.to_engine.accept()
    else:
        await lane.to_engine.accept()
        await lane.backend.start()


async def cut_readers(lane: Lane, followers: Sequence[Follower]) -> None:
    for _time in range(lane.dice.randint(1, 4)):
        await _sometime(lane, SPAN_S / 2)
        if lane.dice.random() < 0.5:
            lane.to_backend.cut(reset=lane.dice.random() < 0.5)
        else:
            lane.dice.choice(followers).drop()


async def hold_readers(lane: Lane, _: Sequence[Follower]) -> None:
    await _sometime(lane)
    lane.to_backend.hold()
    await _sometime(lane)
    lane.to_backend.release()


FAULTS: dict[str, tuple[Fault, int]] = {
    "backend killed": (kill_backend, 8),
    "backend killed twice": (kill_backend_while_it_recovers, 3),
    "backend killed at a failpoint": (kill_backend_at_a_failpoint, 3),
    "backend told to end": (end_backend, 2),
    "backend paused": (pause_backend, 1),
    "engine cut": (cut_engine, 4),
    "engine gone": (engine_goes_and_comes, 2),
    "engine silent": (engine_falls_silent, 1),
    "backend and engine killed": (kill_both, 3),
    "readers cut": (cut_readers, 2),
    "readers held": (hold_readers, 1),
}
"""By name: what it does, and how often it is drawn."""

OF_ONE_PROCESS = {
    name: FAULTS[name]
    for name in (
        "backend paused",
        "engine cut",
        "engine gone",
        "engine silent",
        "readers cut",
        "readers held",
    )
}
"""Those that the backend outlives, so that what it holds on to can be watched."""
