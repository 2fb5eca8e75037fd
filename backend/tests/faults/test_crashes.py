"""F01, F02, F03, F33, F34: the backend is killed or told to end, at drawn moments and at every named one."""

import asyncio
import signal
import sqlite3

import pytest

from tests.fakes.answers import Answer
from tests.faults.answers import question
from tests.faults.conftest import NewLane
from tests.faults.failpoints import POINTS, Failpoint
from tests.faults.follower import Door

pytestmark = pytest.mark.socketio
LONG = [f"w{number} " for number in range(40)]
DOORS: tuple[Door, ...] = ("socket", "sse", "socket")


async def test_f01_kill_9_of_the_backend_loses_nothing_and_the_run_goes_on(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either)
    lane.engine.fresh = lambda number: Answer(
        content=[f"a{number} ", *LONG], reasoning=[f"t{number} ", *LONG[:9]], rate=100
    )
    asked = [await question(lane, f"question {number}", door=door) for number, door in enumerate(DOORS)]
    await asyncio.gather(*(each.send() for each in asked))
    for word in ("w3 ", "w8 w0", "w20 "):
        await asyncio.gather(*(each.reader.until_text(word) for each in asked))
        await lane.backend.kill()
        await lane.backend.start()

    for each in asked:
        stored = await each.checked()
        assert stored["metadata"]["continued"] >= 1
    await lane.backend.kill()
    if not either:
        with sqlite3.connect(lane.backend.folder / "chat.db") as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.close()


async def test_f02_a_kill_between_the_commit_and_the_reply_leaves_one_message(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either)
    lane.answers(rate=500, parts=3)
    asked = await question(lane)
    await lane.backend.kill()
    await lane.backend.start(Failpoint(point="after the question is stored", hit=1, sleep_s=0))
    sending = asyncio.create_task(asked.send())

    assert await lane.backend.ended() == -signal.SIGKILL
    await lane.backend.start()
    await sending

    await asked.checked()
    # the one that was killed had asked the engine while it stored the question; nobody had seen anything of that
    assert len([one for one in lane.engine.received if one.planned]) <= 2


IN_RECOVERY = {"while runs are taken up", "when a run goes on"}
# Nothing of a run is written at its end but to the main database, so this one is passed before it.
HITS = {"at a number": 4, "before a commit of the journal": 3, "after a commit of the journal": 3}
HITS |= {"before events are shown": 3, "after events are shown": 3, "when a run goes on": 1}


@pytest.mark.parametrize("name", POINTS)
async def test_f03_a_kill_at_every_failpoint_is_survived(new_lane: NewLane, name: str) -> None:
    lane = await new_lane()
    lane.engine.fresh = lambda number: Answer(
        content=[f"a{number} ", *LONG], reasoning=[f"t{number} "], rate=200
    )
    asked = await question(lane)
    failpoint = Failpoint(point=name, hit=HITS.get(name, 1), sleep_s=0)
    sending = asyncio.create_task(asked.send())
    if name in IN_RECOVERY:
        await asked.reader.until_text("w3 ")
    await lane.backend.kill()
    await lane.backend.start(failpoint)

    assert await lane.backend.ended() == -signal.SIGKILL, "it was never reached"
    await lane.backend.start()
    await sending

    stored = await asked.checked()
    assert stored["content"].endswith("".join(LONG))


async def test_f33_sigterm_while_five_answers_stream_loses_none(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either, max_concurrent_runs=5, drain_s=0.2)
    lane.engine.fresh = lambda number: Answer(content=[f"a{number} ", *LONG], rate=60)
    asked = [await question(lane, f"question {number}") for number in range(5)]
    await asyncio.gather(*(each.send() for each in asked))
    await asyncio.gather(*(each.reader.until_text("w3 ") for each in asked))

    began = asyncio.get_running_loop().time()
    lane.backend.send(signal.SIGTERM)
    assert await lane.backend.ended() == 0
    assert asyncio.get_running_loop().time() - began < 0.2 + 3
    await lane.backend.start()

    for each in asked:
        stored = await each.checked()
        assert stored["metadata"]["continued"] == 1


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        ([signal.SIGTERM, signal.SIGTERM], 0),
        ([signal.SIGINT, signal.SIGTERM], 0),
        ([signal.SIGHUP], -signal.SIGHUP),
    ],
    ids=["twice SIGTERM", "SIGINT then SIGTERM", "SIGHUP"],
)
async def test_f34_impatient_signals_end_it_at_once_and_lose_nothing(
    new_lane: NewLane, signals: list[signal.Signals], code: int
) -> None:
    lane = await new_lane(drain_s=60)
    lane.engine.fresh = lambda number: Answer(content=[f"a{number} ", *LONG], rate=60)
    asked = await question(lane)
    await asked.send()
    await asked.reader.until_text("w3 ")

    for each in signals:
        lane.backend.send(each)
        await asyncio.sleep(0.2)  # two of one kind at once are one to the kernel
    assert await lane.backend.ended() == code
    await lane.backend.start()

    await asked.checked()
