"""F17: a computer that sleeps for minutes: the backend, its readers, or both; the answer goes on, and nothing seems to go on."""

import asyncio
import signal
from datetime import timedelta
from itertools import count

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.faults.answers import question
from tests.faults.conftest import NewLane
from tests.served.backend_server import Backend
from tests.served.chat_client import ChatClient

pytestmark = pytest.mark.socketio
WORDS = [f"w{number} " for number in range(40)]
TEN_MINUTES_S = 600.0


@pytest.mark.parametrize("readers_too", [False, True])
async def test_f17_a_backend_that_was_asleep_goes_on(new_lane: NewLane, *, readers_too: bool) -> None:
    lane = await new_lane()
    lane.engine.fresh = lambda number: Answer(content=[f"a{number} ", *WORDS], rate=100)
    asked = await question(lane)
    await asked.send()
    await asked.reader.until_text("w3 ")

    lane.backend.send(signal.SIGSTOP)
    if readers_too:
        lane.to_backend.hold()
    await asyncio.sleep(1.5)  # longer than the idle limit, and than the answer takes
    lane.to_backend.cut()
    lane.to_backend.release()
    lane.backend.send(signal.SIGCONT)

    stored = await asked.checked()
    assert stored["content"].endswith("".join(WORDS))


@pytest.mark.parametrize("wakes", ["while it is written", "after its end"])
async def test_f17_ten_minutes_asleep_leave_no_answer_that_seems_to_go_on(
    backend: Backend, engine: ScriptedVllm, monkeypatch: pytest.MonkeyPatch, wakes: str
) -> None:
    clock = backend.running.parts.clock
    now, monotonic, slept = clock.now, clock.monotonic, count()
    hours = [0.0]

    def sleep() -> None:
        next(slept)
        hours[0] += TEN_MINUTES_S

    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(seconds=hours[0]))
    monkeypatch.setattr(clock, "monotonic", lambda: monotonic() + hours[0])
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(3)
        await client.until(lambda c: "w2 " in c.text["content"])
        seen = client.seq

    sleep()
    ended = None
    if wakes == "after its end":
        script.open()
        ended = (await backend.events(run_id, seen))[-1]
        sleep()
    async with ChatClient(backend.url) as client:
        client.run_id, client.seq = run_id, seen
        client.text["content"] = "".join(WORDS[:3])
        answer = await client.join(chat_id, run_id=run_id, after_seq=seen)
        if ended is None:
            script.open()
            ended = await client.until_ended()
            assert client.text["content"] == "".join(WORDS)
        else:
            assert answer["run"] is None, "nothing seems to go on"
            assert answer["chat"]["messages"][-1] == ended["message"]

    chat = (await backend.http.get(f"/api/chats/{chat_id}")).json()
    assert chat["active_run"] is None
    assert chat["messages"][-1] == ended["message"]
    assert (ended["outcome"], ended["message"]["content"]) == ("completed", "".join(WORDS))
