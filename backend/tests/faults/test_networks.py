"""F08, F13, F14, F16: readers behind a bad network, and two of one answer."""

import asyncio
import os
from collections.abc import Callable

import pytest
from aiohttp import ClientSession

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.faults.answers import question
from tests.faults.chaos_proxy import ChaosProxy
from tests.faults.conftest import NewLane
from tests.faults.follower import Follower
from tests.served.backend_server import Backend

pytestmark = pytest.mark.socketio
LONG = [f"w{number} " for number in range(400)]
NASTY = ["天气", "👩‍👩‍👧‍👦", "🇨🇳", "é", "𝕏", "\u2028", "data: [DONE]\n\n", "\r\n", "\ufeff", "नि"]
CUTS = 200
# Seconds; LONG_FAULTS=1 plays a whole minute too, which is longer than a socket may be silent.
LOST_S = [3.0, *([60.0] if os.environ.get("LONG_FAULTS") else [])]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so that tells nobody."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 (see above)
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("slices", [1, 7])
async def test_f08_characters_cut_anywhere_on_the_way_arrive_whole(new_lane: NewLane, slices: int) -> None:
    lane = await new_lane()
    lane.to_engine.slices = slices
    lane.engine.fresh = lambda _: Answer(content=NASTY * 3, reasoning=NASTY, slice_bytes=slices)
    asked = await question(lane)
    await asked.send()

    stored = await asked.checked()

    assert (stored["content"], stored["reasoning"]) == ("".join(NASTY * 3), "".join(NASTY))


async def test_f14_two_hundred_cuts_lose_and_double_nothing(new_lane: NewLane) -> None:
    lane = await new_lane(idle_timeout_s=20)
    script = lane.engine.script(Answer(content=LONG, gated=True))
    asked = [await question(lane)]
    first = asked[0].reader
    readers = [first]
    for door in ("sse", "socket", "sse"):
        reader = Follower(first.url, first.chat_id, first.run_id, door=door, seed=lane.dice.getrandbits(32))
        reader.start(lane.session)
        lane.readers.append(reader)
        readers.append(reader)
    await asked[0].send()

    for _ in range(CUTS // len(readers)):
        script.step(lane.dice.randint(1, 8))
        await lane.dice.choice(readers).until_seq(first.seq + 1)
        if lane.dice.random() < 0.5:
            lane.to_backend.cut(reset=lane.dice.random() < 0.5)
        for reader in readers:
            if lane.dice.random() < 0.5:
                reader.drop()
    script.open()

    stored = await asked[0].checked()
    for reader in readers:
        assert await reader.until_ended() == stored
        assert reader.problems == []
    assert sum(reader.joined for reader in readers) >= CUTS // 4


@pytest.mark.parametrize("lost_s", LOST_S)
@pytest.mark.parametrize("how", ["refused", "dark"])
async def test_f14_a_network_that_was_lost_for_long_leaves_no_hole(
    new_lane: NewLane, how: str, lost_s: float
) -> None:
    """Refused: every connection is reset and none is taken; dark: packets go nowhere, and nobody hears of it."""
    lane = await new_lane(idle_timeout_s=300)
    script = lane.engine.script(Answer(content=LONG, gated=True))
    asked = await question(lane)
    sse = Follower(asked.reader.url, asked.chat_id, asked.run_id, door="sse")
    sse.start(lane.session)
    lane.readers.append(sse)
    readers = (asked.reader, sse)
    await asked.send()
    script.step(5)
    await asyncio.gather(*(reader.until_text("w4 ") for reader in readers))
    shown = [reader.seq for reader in readers]

    if how == "refused":
        await lane.to_backend.refuse()
        lane.to_backend.cut(reset=True)
    else:
        lane.to_backend.hold()
    loop = asyncio.get_running_loop()
    until = loop.time() + lost_s
    while loop.time() < until:  # the answer goes on meanwhile
        script.step(10)
        await asyncio.sleep(lost_s / 20)
    assert [reader.seq for reader in readers] == shown, "nothing comes through"
    seen = (await lane.say("GET", f"/api/runs/{asked.run_id}", direct=True))["seq"]
    if how == "refused":
        await lane.to_backend.accept()
    else:
        lane.to_backend.cut()
        lane.to_backend.release()

    await asyncio.gather(*(reader.until_seq(seen) for reader in readers))
    script.open()
    stored = await asked.checked()
    assert await sse.until_ended() == stored
    assert sse.problems == []


async def test_f14_a_reader_is_up_to_date_soon_after_the_network_is_back(new_lane: NewLane) -> None:
    lane = await new_lane(idle_timeout_s=20)
    script = lane.engine.script(Answer(content=LONG, gated=True))
    asked = await question(lane)
    await asked.send()
    loop = asyncio.get_running_loop()
    took = []
    for number in range(20):
        script.step(2)
        await asked.reader.until_seq(2 + number)
        await lane.to_backend.refuse()
        lane.to_backend.cut()
        script.step(10)
        await until(lambda sent=12 * (number + 1): lane.engine.received[0].sent_tokens >= sent)
        seen = (await lane.say("GET", f"/api/runs/{asked.run_id}", direct=True))["seq"]
        began = loop.time()
        await lane.to_backend.accept()
        await asked.reader.until_seq(seen)
        took.append(loop.time() - began)
    script.open()

    await asked.checked()
    assert sorted(took)[int(len(took) * 0.95)] <= 2.0


@pytest.fixture
def quick_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty seconds, scaled down: the library's own code decides."""
    monkeypatch.setattr("app.realtime.gateway.PING_INTERVAL_S", 0.3)
    monkeypatch.setattr("app.realtime.gateway.PING_TIMEOUT_S", 0.3)


async def test_f13_a_half_open_connection_is_let_go_and_harms_nobody(
    quick_pings: None, engine: ScriptedVllm, backend: Backend
) -> None:
    script = engine.script(Answer(content=LONG[:30], gated=True))
    chat_id = await backend.new_chat()
    port = int(backend.url.rsplit(":", 1)[1])
    async with ChaosProxy(port) as lost, ClientSession() as session:
        run_id = (await backend.send(chat_id))["run"]["id"]
        dark = Follower(lost.url, chat_id, run_id)
        light = Follower(backend.url, chat_id, run_id)
        for reader in (dark, light):
            reader.start(session)
        script.step(3)
        await asyncio.gather(dark.until_text("w2 "), light.until_text("w2 "))
        assert len(backend.running.rooms) == 2

        lost.hold()
        await until(lambda: len(backend.running.rooms) == 1)
        script.open()
        ended = await light.until_ended()
        await lost.refuse()
        lost.cut()
        lost.release()
        await lost.accept()

        assert await dark.until_ended() == ended
        assert ended["content"] == "".join(LONG[:30])
        assert dark.problems == light.problems == []
        for reader in (dark, light):
            await reader.stop()


async def test_f16_of_two_readers_one_stops_and_both_end_the_same(new_lane: NewLane) -> None:
    lane = await new_lane()
    lane.engine.script(Answer(content=LONG, gated=True)).step(20)
    asked = await question(lane)
    other = Follower(asked.reader.url, asked.chat_id, asked.run_id, door="sse")
    other.start(lane.session)
    lane.readers.append(other)
    await asked.send()
    await asyncio.gather(asked.reader.until_text("w19 "), other.until_text("w19 "))

    await lane.say("POST", f"/api/runs/{asked.run_id}/stop", {"seen_seq": other.seq})

    stored = await asked.checked(status="stopped")
    assert await other.until_ended() == stored
    assert stored["content"] == "".join(LONG[:20])
