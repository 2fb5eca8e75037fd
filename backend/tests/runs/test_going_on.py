"""After a crash a run goes on from the very token where it was, in the same message, whoever has crashed."""

import asyncio
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.received import Received
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_process import BackendProcess, backend_process
from tests.served.backend_server import Backend, told_text
from tests.served.chat_client import ChatClient

THOUGHT = [f"t{number} " for number in range(8)]
WORDS = [f"w{number} " for number in range(12)]
CLOSE_THOUGHT = 151668


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"engine_wait_s": 20.0, "idle_timeout_s": 0.5, "first_token_timeout_s": 5.0}


def settings_of(engine: ScriptedVllm, tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {
        "database_url": f"sqlite:///{tmp_path / 'data' / 'chat.db'}",
        "vllm_api_base_url": engine.url,
        "default_model": "scripted",
        "drain_s": 0,
        **more,
    }


def check_whole(events: list[dict[str, Any]], stored: dict[str, Any], *, continued: int) -> None:
    """One run, one end, every number once, the text once, and as often gone on as it was cut."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] for event in events].count("run.ended") == 1
    starts = [event["continued"] for event in events if event["type"] == "run.started"]
    assert starts == list(range(continued + 1))
    assert stored == events[-1]["message"]
    assert (stored["status"], stored["metadata"].get("continued", 0)) == ("completed", continued)
    assert stored["reasoning"] == "".join(THOUGHT)
    assert stored["content"] == "".join(WORDS)
    assert told_text(events) == {"content": stored["content"], "reasoning": stored["reasoning"]}


def check_seams(received: list[Received]) -> None:
    """Every request after the first goes on from the tokens of the one before it, and asks for fewer."""
    assert received[0].path.endswith("/chat/completions")
    for before, after in pairwise(received):
        assert after.path.endswith("/v1/completions")
        prompt = after.body["prompt"]
        assert all(isinstance(token, int) for token in prompt)
        assert after.body["max_tokens"] < before.body["max_tokens"]
        if isinstance(before.body.get("prompt"), list):
            assert prompt[: len(before.body["prompt"])] == before.body["prompt"]


async def cut_at(client: ChatClient, script: Any, shown: Callable[[ChatClient], bool]) -> None:
    """Let tokens go until so much is shown, and not one more."""
    while not shown(client):
        before = len(client.heard)
        script.step()
        await asyncio.wait(
            {asyncio.ensure_future(client.until(lambda c, n=before: len(c.heard) > n))}, timeout=0.2
        )


POINTS = {
    "in the thought": lambda c: "t2 " in c.text["reasoning"],
    "at the end of the thought": lambda c: "t7 " in c.text["reasoning"],
    "at the first word": lambda c: "w0 " in c.text["content"],
    "in the answer": lambda c: "w5 " in c.text["content"],
}


@pytest.mark.parametrize("end", ["reset", "eof", "hang", "error_done"])
@pytest.mark.parametrize("after", [1, 5, 8, 9, 10, 15])
async def test_when_the_stream_breaks_the_run_goes_on_by_itself(
    backend: Backend, engine: ScriptedVllm, end: Any, after: int
) -> None:
    engine.script(Answer(content=WORDS, reasoning=THOUGHT, end=end, end_after=after))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        events = await backend.events(run_id)
        await client.until_ended()

    check_whole(events, (await backend.messages(chat_id))[-1], continued=1)
    assert client.of_run(run_id) == events
    check_seams(engine.received)
    assert len(engine.received) == 2


async def test_it_goes_on_as_often_as_it_must(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, reasoning=THOUGHT, end="reset", end_after=4, times=5))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]

    events = await backend.events(run_id)

    check_whole(events, (await backend.messages(chat_id))[-1], continued=5)
    check_seams(engine.received)


async def test_three_attempts_without_a_new_token_interrupt_it(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content=WORDS, end="reset", end_after=3))
    engine.script(Answer(content=WORDS, end="reset", end_after=0, times=None))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]

    events = await backend.events(run_id)

    assert events[-1]["outcome"] == "interrupted"
    assert events[-1]["message"]["content"] == "".join(WORDS[:3])
    assert len(engine.received) == 4


async def test_ten_attempts_in_all_interrupt_it(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=[f"w{n} " for n in range(30)], end="reset", end_after=1, times=None))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]

    events = await backend.events(run_id)

    assert events[-1]["outcome"] == "interrupted"
    assert events[-1]["message"]["content"] == "".join(f"w{n} " for n in range(10))
    assert len(engine.received) == 10


async def test_structured_output_crosses_no_seam(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, end="reset", end_after=3))
    chat_id = await backend.new_chat()
    started = await backend.send(chat_id, options={"response_format": {"type": "json_object"}})

    events = await backend.events(started["run"]["id"])

    assert events[-1]["outcome"] == "interrupted"
    assert len(engine.received) == 1


async def test_an_engine_that_gives_no_tokens_leaves_it_interrupted(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.is_plain = True
    engine.script(Answer(content=WORDS, end="reset", end_after=3, times=None))
    chat_id = await backend.new_chat()

    events = await backend.events((await backend.send(chat_id))["run"]["id"])

    assert events[-1]["outcome"] == "interrupted"
    assert events[-1]["message"]["content"] == "".join(WORDS[:3])


async def test_max_tokens_counts_across_the_seam(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, end="reset", end_after=4))
    chat_id = await backend.new_chat()
    started = await backend.send(chat_id, options={"max_tokens": 6, "thinking": False})

    events = await backend.events(started["run"]["id"])

    assert events[-1]["message"]["content"] == "".join(WORDS[:6])
    assert events[-1]["message"]["metadata"]["finish_reason"] == "length"
    assert engine.received[1].body["max_tokens"] == 2


async def test_a_run_waits_for_the_engine_to_come_back(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        await cut_at(client, script, POINTS["in the answer"])

        await engine.stop()
        waiting = (await backend.http.get(f"/api/runs/{run_id}")).json()
        assert waiting["run"]["status"] == "streaming"
        await engine.start()
        ended = await client.until_ended()

    check_whole(client.of_run(run_id), ended["message"], continued=1)
    check_seams(engine.received)


@pytest.mark.parametrize("point", POINTS)
async def test_after_kill_9_of_the_backend_the_same_run_goes_on(
    engine: ScriptedVllm, tmp_path: Path, point: str
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    async with backend_process(tmp_path / "log", **settings_of(engine, tmp_path)) as (process, backend):
        async with ChatClient(backend.url) as client:
            chat_id = await backend.new_chat()
            await client.join(chat_id)
            run_id = (await backend.send(chat_id))["run"]["id"]
            await cut_at(client, script, POINTS[point])
            await process.kill()
            shown, seq = dict(client.text), client.seq
        await process.start()
        again = ChatClient(backend.url)
        again.run_id, again.seq, again.text = run_id, seq, dict(shown)
        async with again:
            await again.join(chat_id, run_id=run_id, after_seq=seq)
            await again.until_ended()
        events = await backend.events(run_id)
        stored = (await backend.messages(chat_id))[-1]

    check_whole(events, stored, continued=1)
    assert told_text(events, seq) == shown, "what was shown is neither lost nor changed"
    assert again.text == {"content": stored["content"], "reasoning": stored["reasoning"]}
    assert again.gaps == 0
    check_seams(engine.received)


async def test_backend_and_engine_may_die_in_any_order_and_often(
    engine: ScriptedVllm, tmp_path: Path
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True, times=None))
    async with backend_process(tmp_path / "log", **settings_of(engine, tmp_path)) as (process, backend):
        chat_id = await backend.new_chat()
        run_id = (await backend.send(chat_id))["run"]["id"]
        for point in POINTS.values():
            async with ChatClient(backend.url) as client:
                await client.join(chat_id)
                await cut_at(client, script, point)
                await process.kill()
            await engine.stop()
            await process.start()
            await engine.start()
        script.open()
        events = await backend.events(run_id)
        stored = (await backend.messages(chat_id))[-1]

    starts = [event for event in events if event["type"] == "run.started"]
    assert 3 <= len(starts) <= 1 + len(POINTS), "a run may be killed again before it has gone on"
    check_whole(events, stored, continued=len(starts) - 1)
    check_seams(engine.received)


async def test_four_running_and_four_queued_all_complete_in_order(
    engine: ScriptedVllm, tmp_path: Path
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True, times=None))
    settings = settings_of(engine, tmp_path, max_concurrent_runs=4)
    async with backend_process(tmp_path / "log", **settings) as (process, backend):
        chats = [await backend.new_chat() for _ in range(8)]
        runs = [(await backend.send(chat_id))["run"]["id"] for chat_id in chats]
        async with ChatClient(backend.url) as client:
            await client.join(chats[0])
            await cut_at(client, script, POINTS["in the thought"])
        await process.kill()
        script.open()
        await process.start()
        ended = await asyncio.gather(*(backend.events(run_id) for run_id in runs))

    assert [events[-1]["outcome"] for events in ended] == ["completed"] * 8
    queued = [[e["position"] for e in events if e["type"] == "run.queued"] for events in ended]
    assert [positions[0] if positions else None for positions in queued] == [None] * 4 + [1, 2, 3, 4]
    assert {events[-1]["message"]["content"] for events in ended} == {"".join(WORDS)}


async def test_sigterm_leaves_the_run_open_and_the_next_start_goes_on(
    engine: ScriptedVllm, tmp_path: Path
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    async with backend_process(tmp_path / "log", **settings_of(engine, tmp_path)) as (process, backend):
        async with ChatClient(backend.url) as client:
            chat_id = await backend.new_chat()
            await client.join(chat_id)
            run_id = (await backend.send(chat_id))["run"]["id"]
            await cut_at(client, script, POINTS["in the answer"])
            assert await stopped(process) == 0
        await process.start()
        events = await backend.events(run_id)
        stored = (await backend.messages(chat_id))[-1]

    check_whole(events, stored, continued=1)
    check_seams(engine.received)


async def stopped(process: BackendProcess) -> int:
    """End the process politely and return its exit code."""
    process.send(signal.SIGTERM)
    return await process.ended()


async def test_without_going_on_the_text_is_kept_and_the_run_interrupted(
    engine: ScriptedVllm, tmp_path: Path
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    settings = settings_of(engine, tmp_path, resume_runs="false")
    async with backend_process(tmp_path / "log", **settings) as (process, backend):
        async with ChatClient(backend.url) as client:
            chat_id = await backend.new_chat()
            await client.join(chat_id)
            await backend.send(chat_id)
            await cut_at(client, script, POINTS["in the answer"])
            await process.kill()
            shown = dict(client.text)
        await process.start()
        async with ChatClient(backend.url) as later:
            await later.join(chat_id)
            stored = (await backend.messages(chat_id))[-1]

    assert stored["status"] == "interrupted"
    assert {name: stored[name] for name in shown} == shown
    assert len(engine.received) == 1
