"""Limits of runs at one time, and the queue."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"max_concurrent_runs": 8, "max_queued_runs": 16}


STORMS = 20


async def test_a_storm_of_100_sends_gives_exactly_running_queued_and_429(
    backend: Backend, engine: ScriptedVllm
) -> None:
    """Twenty storms, one after the other, into the same hundred chats."""
    chats = [await backend.new_chat() for _ in range(100)]
    answered = Counter[str]()
    for number in range(1, STORMS + 1):
        script = engine.script(Answer(content="Done.", gated=True, times=24))
        ready = asyncio.Event()

        async def send(chat_id: str, ready: asyncio.Event = ready) -> Any:
            await ready.wait()
            return await backend.http.post(f"/api/chats/{chat_id}/runs", json={"message": {"content": "Hi"}})

        sending = [asyncio.create_task(send(chat_id)) for chat_id in chats]
        ready.set()
        replies = await asyncio.gather(*sending)

        assert Counter(reply.status_code for reply in replies) == {202: 24, 429: 76}
        refused = [reply for reply in replies if reply.status_code == 429]
        assert {reply.json()["code"] for reply in refused} == {"too_many_runs"}
        assert all(int(reply.headers["Retry-After"]) > 0 for reply in refused)
        admitted = [reply.json()["run"] for reply in replies if reply.status_code == 202]
        answered.update(run["chat_id"] for run in admitted)
        script.open()
        ended = await asyncio.gather(*(backend.events(run["id"]) for run in admitted))
        assert {events[-1]["outcome"] for events in ended} == {"completed"}
        assert len(engine.received) == 24 * number

    stored = {chat_id: len(await backend.messages(chat_id)) for chat_id in chats}
    assert stored == {chat_id: 2 * answered[chat_id] for chat_id in chats}


async def test_those_who_wait_hear_how_they_move_up_and_start_in_their_order(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content="Done.", gated=True, times=None))
    running = [await backend.send(await backend.new_chat()) for _ in range(8)]
    waiting = [await backend.send(await backend.new_chat()) for _ in range(3)]
    assert [run["run"]["position"] for run in waiting] == [1, 2, 3]
    assert [run["run"]["status"] for run in waiting] == ["queued"] * 3

    await backend.stop(running[0]["run"]["id"])
    await backend.stop(waiting[1]["run"]["id"])
    script.open()
    events = [await backend.events(run["run"]["id"]) for run in waiting]

    assert [event["position"] for event in events[0] if event["type"] == "run.queued"] == [1]
    assert [event["position"] for event in events[2] if event["type"] == "run.queued"] == [3, 2, 1]
    assert {event["reason"] for event in events[2] if event["type"] == "run.queued"} == {"capacity"}
    assert [run_events[-1]["outcome"] for run_events in events] == ["completed", "stopped", "completed"]
    assert [event["type"] for event in events[1]] == ["run.queued", "run.queued", "run.ended"]
    assert len(engine.received) == 10
