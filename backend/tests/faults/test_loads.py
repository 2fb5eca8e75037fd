"""F39, F44: the event loop is never held for long, and nothing grows under faults that go on and on."""

import asyncio
import gc
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.faults.answers import question
from tests.faults.conftest import NewLane
from tests.served.backend_server import Backend

HELD_S = 0.2
STREAMS = 20
ROUNDS = 12


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The processor time of each step of the loop.

    Neither what others do to this machine counts, nor the heap that the tests before have left for the collector.
    """
    steps: list[float] = []
    run = asyncio.Handle._run

    def timed(self: asyncio.Handle) -> None:
        began = time.thread_time()
        run(self)
        steps.append(time.thread_time() - began)

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    gc.collect()
    gc.freeze()
    yield steps
    gc.unfreeze()


async def test_f39_no_step_of_the_loop_is_long_under_load(
    held: list[float], engine: ScriptedVllm, backend: Backend
) -> None:
    engine.fresh = lambda _: Answer(content="word 天气 " * 100, rate=500)
    chats = [await backend.new_chat(title=f"chat {number}") for number in range(STREAMS)]
    held.clear()
    started = await asyncio.gather(*(backend.send(chat_id, "long " * 2000) for chat_id in chats))
    following = [asyncio.create_task(backend.events(each["run"]["id"])) for each in started]
    for _ in range(10):
        await asyncio.gather(
            backend.http.get("/api/chats/?limit=100"),
            backend.http.get("/api/chats/search", params={"q": "天气"}),
            backend.http.get(f"/api/chats/{chats[0]}"),
        )
    await asyncio.gather(*following)

    held.sort()
    assert len(held) > 1000
    assert held[int(len(held) * 0.99)] < 0.05
    assert held[-1] < HELD_S


async def test_f44_faults_that_go_on_leave_nothing_behind(new_lane: NewLane) -> None:
    """In short; `bench/footprint.py` looks for longer."""
    lane = await new_lane()
    lane.engine.fresh = lambda number: Answer(content=[f"a{number} ", *["word "] * 40], rate=400)
    process = psutil.Process(lane.backend.pid)
    counts = []
    for number in range(ROUNDS):
        asked = [await question(lane, f"question {number}.{index}") for index in range(3)]
        await asyncio.gather(*(each.send() for each in asked))
        await asyncio.sleep(0.05)
        lane.to_engine.cut()
        lane.to_backend.cut()
        for each in asked:
            await each.checked()
            await each.reader.stop()
        async with asyncio.timeout(10):
            while process.num_fds() > (min(counts) if counts else 10_000) + 3:  # noqa: ASYNC110 (the kernel tells nobody)
                await asyncio.sleep(0.05)
        counts.append(process.num_fds())
        lane.engine.reset()

    assert max(counts[2:]) <= min(counts[2:]) + 3
    wal = lane.backend.folder / "chat.db-wal"
    assert wal.stat().st_size < 16 * 1024 * 1024
