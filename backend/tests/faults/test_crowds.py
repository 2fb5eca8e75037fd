"""F40, F41, F42: hundreds of readers that come back at once, some that read no more, and some that send nonsense."""

import asyncio
import contextlib
import json
import random
from collections.abc import Callable

import aiohttp
import psutil
import pytest

from tests.fakes.answers import Answer
from tests.faults.answers import question
from tests.faults.conftest import SEED, NewLane
from tests.faults.follower import Follower
from tests.faults.lane import Lane

pytestmark = pytest.mark.socketio
MIB = 1024 * 1024
LONG = [f"w{number} " for number in range(400)]
READERS, STUCK = 500, 30
STORM_CPU_S = 5.0
STORM_MIB, STUCK_MIB = 150, 2
FRAMES, SOCKETS = 10_000, 40


def path_of(lane: Lane) -> str:
    return f"{lane.backend.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"


async def until(is_so: Callable[[], bool], within_s: float = 30) -> None:
    """Wait until something is so that tells nobody."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 (see above)
            await asyncio.sleep(0.01)


async def slow_turns(lane: Lane) -> float:
    """Return how often the backend's loop has come to a timer more than half a second late by its own work."""
    async with lane.session.get(f"{lane.backend.url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if line.startswith("vllm_chat_loop_own_lag_seconds"))
    return float(values["vllm_chat_loop_own_lag_seconds_count"]) - float(
        values['vllm_chat_loop_own_lag_seconds_bucket{le="0.5"}']
    )


async def test_f41_a_storm_of_500_coming_back_is_served(new_lane: NewLane) -> None:
    lane = await new_lane(idle_timeout_s=60, max_sockets_per_user=READERS + 100)
    backend = psutil.Process(lane.backend.pid)
    script = lane.engine.script(Answer(content=LONG, gated=True))
    asked = await question(lane)
    await asked.send()
    script.step(5)
    await asked.reader.until_text("w4 ")
    empty = backend.memory_info().rss
    readers = [Follower(lane.backend.url, asked.chat_id, asked.run_id, seed=n) for n in range(READERS)]
    lane.readers += readers
    for reader in readers:
        reader.start(lane.session)
    await asyncio.gather(*(reader.until_text("w4 ", 40) for reader in readers))

    spent, slow, loop = sum(backend.cpu_times()[:2]), await slow_turns(lane), asyncio.get_running_loop()
    began = loop.time()
    for reader in readers:
        reader.drop()
    script.step(5)
    await asyncio.gather(*(reader.until_text("w9 ", 40) for reader in readers))
    took = loop.time() - began
    spent, slow = sum(backend.cpu_times()[:2]) - spent, await slow_turns(lane) - slow
    grown = (backend.memory_info().rss - empty) / MIB
    script.open()

    await asked.checked()
    ends = await asyncio.gather(*(reader.until_ended() for reader in readers))
    assert {end["content"] for end in ends} == {"".join(LONG)}
    assert [problem for reader in readers for problem in reader.problems] == []
    assert sum(reader.refused for reader in readers) == 0
    print(
        f"{READERS} readers came back in {took:.1f} s, clients' time included; the backend took {spent:.1f} s of a "
        f"processor and {grown:.0f} MiB; {slow:g} turns of its loop came later than half a second"
    )
    # its own time and the loop's own work, whatever else this machine does
    assert spent < STORM_CPU_S
    assert grown < STORM_MIB
    assert slow == 0


async def stuck(lane: Lane, chat_id: str) -> aiohttp.ClientWebSocketResponse:
    """Join a chat, and read nothing from then on."""
    socket = await lane.session.ws_connect(path_of(lane), max_msg_size=0)
    for send, expected in (("", "0"), ("40", "40"), (f'420["chat.join",{{"chat_id":"{chat_id}"}}]', "430")):
        if send:
            await socket.send_str(send)
        while not (await socket.receive_str()).startswith(expected):
            pass
    return socket


async def test_f40_readers_that_read_no_more_cost_little_and_harm_nobody(new_lane: NewLane) -> None:
    lane = await new_lane(idle_timeout_s=60)
    backend = psutil.Process(lane.backend.pid)
    script = lane.engine.script(
        Answer(content=["word " * 2000] * 300, gated=True)
    )  # 3 MB: more than sockets buffer
    asked = await question(lane)
    await asked.send()
    script.step(1)
    await asked.reader.until_text("word ")
    sockets = [await stuck(lane, asked.chat_id) for _ in range(STUCK)]
    before = backend.memory_info().rss

    script.open()
    stored = await asked.reader.until_ended()  # everybody else is told all of it

    assert (stored["status"], asked.reader.problems) == ("completed", [])
    grown = (backend.memory_info().rss - before) / MIB
    print(f"{STUCK} readers that read nothing cost {grown:.0f} MiB")
    assert (
        grown < STUCK_MIB * STUCK + 3 * len(stored["content"]) / MIB
    )  # the answer itself, in its log and stored
    late = Follower(lane.backend.url, asked.chat_id, asked.run_id)
    late.start(lane.session)
    lane.readers.append(late)
    assert await late.until_ended() == stored
    for socket in sockets:
        await socket.close()


def nonsense(dice: random.Random) -> str | bytes:
    """Return a frame that no client of ours sends."""
    return dice.choice(
        [
            lambda: "3" * dice.randint(1, 9),
            lambda: dice.choice("0123456789") + dice.choice("0123456789") + str(dice.random()),
            lambda: "42[" + '"chat.join",' * dice.randint(0, 50),
            lambda: (
                "42"
                + json.dumps([dice.choice(["connect", "chat.join", "x"]), dice.choice([None, 7, [], {}])])
            ),
            lambda: "42" + "[" * dice.randint(1, 3000),
            lambda: f"45{dice.randint(0, 10**9)}-" + '["chat.join",{"_placeholder":true,"num":0}]',
            lambda: dice.randbytes(dice.randint(0, 500)),
            lambda: "\x00\ud7ff𝕏" * dice.randint(1, 99),
            lambda: "2probe",
            lambda: "41",
        ]
    )()


async def test_f42_ten_thousand_frames_of_nonsense_harm_nobody(new_lane: NewLane) -> None:
    lane = await new_lane(idle_timeout_s=60)
    backend, dice = psutil.Process(lane.backend.pid), random.Random(SEED)  # noqa: S311
    script = lane.engine.script(Answer(content=LONG, gated=True))
    asked = await question(lane)
    await asked.send()
    script.step(5)
    await asked.reader.until_text("w4 ")
    before, pid = backend.memory_info().rss, lane.backend.pid
    sent = [0]

    async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for _ in socket:
            pass

    async def flood(of: random.Random) -> None:
        while sent[0] < FRAMES:
            with contextlib.suppress(aiohttp.ClientError, OSError):  # the backend closes it, as it should
                async with lane.session.ws_connect(path_of(lane), max_msg_size=0) as socket:
                    reading = asyncio.create_task(read(socket))  # to hear that it was closed
                    await socket.send_str("40" if of.random() < 0.9 else "4")
                    while not reading.done() and sent[0] < FRAMES:
                        frame = nonsense(of)
                        sent[0] += 1
                        await (
                            socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame)
                        )
                        await asyncio.sleep(0)
                    reading.cancel()
                    await asyncio.wait({reading})

    async with asyncio.timeout(120):
        await asyncio.gather(*(flood(random.Random(dice.random())) for _ in range(SOCKETS)))  # noqa: S311
    script.open()

    await asked.checked()
    assert sent[0] >= FRAMES
    assert lane.backend.pid == pid
    assert lane.backend.is_running
    assert (backend.memory_info().rss - before) / MIB < 64
    assert "Traceback" not in lane.backend.log
    assert lane.backend.log.count("\n") < FRAMES / 20, "nobody fills the log from outside"
    await until(lambda: backend.num_fds() < 100)
