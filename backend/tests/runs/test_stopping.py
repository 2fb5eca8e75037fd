"""Stopping runs: at what was seen, whenever it comes, exactly once."""

import asyncio
import random
from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, told_text
from tests.served.chat_client import ChatClient

WORDS = [f"w{number} " for number in range(40)]


async def test_stop_cuts_at_what_was_seen_and_takes_no_number_back(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        for number in range(1, 11):
            script.step()
            await client.until(lambda c, n=number: c.text["content"] == "".join(WORDS[:n]))
        seen = client.seq - 4

        stopped = await backend.stop(run_id, seen_seq=seen)
        ended = await client.until_ended()

    assert stopped["run"]["status"] == "stopped"
    assert stopped["receipt"] is not None
    assert ended["outcome"] == "stopped"
    assert ended["text_seq"] == seen
    assert ended["seq"] == seen + 5
    told = told_text(client.of_run(run_id), seen)
    assert ended["message"]["content"] == told["content"] == "".join(WORDS[:6])
    assert (await backend.messages(chat_id))[-1] == ended["message"]
    async with asyncio.timeout(5):
        await engine.received[0].ended.wait()
    assert engine.received[0].state == "hung_up"


@pytest.mark.parametrize("seen_seq", [None, 10_000])
async def test_without_a_seen_number_the_text_ends_at_the_last_event(
    backend: Backend, engine: ScriptedVllm, seen_seq: int | None
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(3)
        await client.until(lambda c: c.text["content"] == "".join(WORDS[:3]))

        await backend.stop(run_id, **({} if seen_seq is None else {"seen_seq": seen_seq}))
        ended = await client.until_ended()

    assert ended["text_seq"] == ended["seq"] - 1
    assert ended["message"]["content"] == "".join(WORDS[:3])


async def test_stop_before_the_first_token_closes_the_engine_and_leaves_an_empty_answer(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="never", delay_s=30))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    async with asyncio.timeout(5):
        while not engine.received:
            await backend.http.get(f"/api/runs/{run_id}")

    stopped = await backend.stop(run_id)

    assert stopped["run"]["status"] == "stopped"
    assert (await backend.messages(chat_id))[-1]["content"] == ""
    async with asyncio.timeout(5):
        await engine.received[0].ended.wait()


async def test_stop_again_and_from_another_tab_says_the_same(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as one, ChatClient(backend.url) as two:
        await one.join(chat_id)
        await two.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(5)
        await one.until(lambda c: c.text["content"] == "".join(WORDS[:5]))

        stops = await asyncio.gather(*(backend.stop(run_id, seen_seq=one.seq) for _ in range(10)))
        later = await backend.stop(run_id, seen_seq=1)
        ends = [await one.until_ended(), await two.until_ended()]

    assert {stop["run"]["status"] for stop in [*stops, later]} == {"stopped"}
    assert {stop["run"]["seq"] for stop in [*stops, later]} == {ends[0]["seq"]}
    assert ends[0] == ends[1]
    assert sum(event["type"] == "run.ended" for event in one.of_run(run_id)) == 1
    assert (await backend.messages(chat_id))[-1]["content"] == "".join(WORDS[:5])


async def test_a_finished_run_keeps_its_outcome_and_text(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="All of it."))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    await backend.events(run_id)

    stopped = await backend.stop(run_id, seen_seq=1)

    assert stopped["run"]["status"] == "completed"
    assert stopped["receipt"] == {"confirmed": False, "engine_released_ms": None, "tokens": None}
    assert (await backend.messages(chat_id))[-1]["content"] == "All of it."


async def test_stop_racing_the_end_gives_one_terminal_state(backend: Backend, engine: ScriptedVllm) -> None:
    """15 rounds with the stop sent at a random moment of a short answer, from a fixed seed."""
    dice = random.Random(11)  # noqa: S311
    outcomes = set()
    for _ in range(15):
        script = engine.script(Answer(content=WORDS[:8], gated=True))
        chat_id = await backend.new_chat()
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(dice.randrange(9))
        opening = dice.random() < 0.5
        if opening:
            script.open()
        stopping = asyncio.create_task(backend.stop(run_id))
        script.open()

        stopped = await stopping
        events = await backend.events(run_id)

        stored = (await backend.messages(chat_id))[-1]
        ends = [event for event in events if event["type"] == "run.ended"]
        assert len(ends) == 1
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert stopped["run"]["status"] == ends[0]["outcome"] == stored["status"]
        assert stored["content"] == told_text(events, ends[0]["text_seq"])["content"]
        outcomes.add(stored["status"])
    assert outcomes <= {"stopped", "completed"}


async def test_deleting_the_chat_stops_its_run_first(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, endless=True, rate=200))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        await client.until(lambda c: c.text["content"] != "")

        reply = await backend.http.delete(f"/api/chats/{chat_id}")
        await client.until(lambda c: any(event["type"] == "chat.deleted" for event in c.heard))
    gone = [
        await backend.http.get(f"/api/runs/{run_id}"),
        await backend.http.get(f"/api/runs/{run_id}/events"),
        await backend.http.post(f"/api/runs/{run_id}/stop"),
        await backend.http.post(f"/api/runs/{run_id}/continue"),
    ]
    await backend.http.post(f"/api/chats/{chat_id}/restore")
    restored = await backend.http.get(f"/api/runs/{run_id}")

    assert reply.status_code == 204
    assert [(one.status_code, one.json()["code"]) for one in gone] == [(404, "run_not_found")] * 4
    assert restored.json()["run"]["status"] == "stopped"
    types = [event["type"] for event in client.heard]
    assert types.index("run.ended") < types.index("chat.deleted")
    assert engine.received[0].state == "hung_up"


@pytest.mark.parametrize("body", [{"seen_seq": -1}, {"seen_seq": "5"}, {"other": 1}])
async def test_bad_stops_are_refused_and_stop_nothing(
    backend: Backend, engine: ScriptedVllm, body: dict[str, Any]
) -> None:
    script = engine.script(Answer(content="All of it.", gated=True))
    run_id = (await backend.send(await backend.new_chat()))["run"]["id"]

    reply = await backend.http.post(f"/api/runs/{run_id}/stop", json=body)

    assert reply.status_code == 422
    script.open()
    assert (await backend.events(run_id))[-1]["outcome"] == "completed"
