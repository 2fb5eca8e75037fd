"""What becomes of a run when the engine is absent, refuses, breaks or goes silent."""

import asyncio
from typing import Any

import pytest

from app.config import Settings
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving, told_text

LIMITS = {
    "engine_wait_s": 5.0,
    "idle_timeout_s": 0.3,
    "first_token_timeout_s": 0.6,
    "run_timeout_s": 5.0,
    "resume_runs": False,
}


@pytest.fixture
def overrides() -> dict[str, Any]:
    return dict(LIMITS)


async def ended(backend: Backend) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Start a run, follow it to its end; return its events and the stored answer."""
    chat_id = await backend.new_chat()
    started = await backend.send(chat_id)
    events = await backend.events(started["run"]["id"])
    stored = (await backend.messages(chat_id))[-1]
    assert [event["type"] for event in events].count("run.ended") == 1
    assert events[-1]["message"] == stored
    assert stored["content"] == told_text(events)["content"]
    return events, stored


async def test_a_run_waits_for_an_engine_that_comes_later(backend: Backend, engine: ScriptedVllm) -> None:
    await engine.stop()
    chat_id = await backend.new_chat()
    started = await backend.send(chat_id)
    following = asyncio.create_task(backend.events(started["run"]["id"]))
    async with asyncio.timeout(5):
        while (await backend.http.get(f"/api/runs/{started['run']['id']}")).json()["seq"] < 1:
            pass
    waiting = (await backend.http.get(f"/api/runs/{started['run']['id']}")).json()
    assert waiting["run"]["status"] == "queued"

    await engine.start()
    events = await following

    assert events[0]["type"] == "run.queued"
    assert (events[0]["reason"], events[0]["position"]) == ("engine_unavailable", None)
    assert events[-1]["outcome"] == "completed"


async def test_an_engine_that_never_comes_fails_the_run_and_keeps_the_question(
    live_settings: Settings, engine: ScriptedVllm
) -> None:
    await engine.stop()
    async with serving(live_settings.model_copy(update={"engine_wait_s": 0.3})) as backend:
        events, stored = await ended(backend)
        question = (await backend.messages(stored["chat_id"]))[0]

    assert events[-1]["outcome"] == "failed"
    assert stored["metadata"]["error"]["code"] == "engine_unavailable"
    assert question["content"] == "Hello"


async def test_one_server_error_is_tried_again(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(status=500))
    engine.script(Answer(content="Second time."))

    events, stored = await ended(backend)

    assert stored["content"] == "Second time."
    assert events[-1]["outcome"] == "completed"
    assert len(engine.received) == 2


async def test_a_second_server_error_fails_the_run(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(status=500, times=None))

    events, stored = await ended(backend)

    assert events[-1]["outcome"] == "failed"
    assert stored["metadata"]["error"]["code"] == "engine_error"
    assert len(engine.received) == 2


async def test_an_unknown_model_fails_at_once(backend: Backend, engine: ScriptedVllm) -> None:
    chat_id = await backend.new_chat(model="no/such")
    started = await backend.send(chat_id)
    events = await backend.events(started["run"]["id"])

    assert events[-1]["outcome"] == "failed"
    assert events[-1]["message"]["metadata"]["error"]["code"] == "model_unavailable"
    assert len(engine.received) == 1


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("reset", "engine_lost"),
        ("eof", "engine_lost"),
        ("hang", "engine_idle"),
        ("no_done", "engine_lost"),
        ("error", "engine_lost"),
        ("error_done", "engine_lost"),
    ],
)
async def test_a_stream_that_breaks_is_interrupted_with_its_text(
    backend: Backend, engine: ScriptedVllm, end: Any, code: str
) -> None:
    words = ["one ", "two ", "three ", "four "]
    engine.script(Answer(content=words, end=end, end_after=None if end == "no_done" else 3))

    events, stored = await ended(backend)

    assert events[-1]["outcome"] == "interrupted"
    assert stored["content"] == "".join(words[: 4 if end == "no_done" else 3])
    assert stored["metadata"]["error"]["code"] in {code, "engine_error"}
    assert events[-1]["text_seq"] == events[-1]["seq"] - 1


async def test_silence_before_the_first_token_fails_at_its_limit(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="late", first_token_s=30))

    events, stored = await ended(backend)

    assert events[-1]["outcome"] == "failed"
    assert stored["metadata"]["error"]["code"] == "first_token_timeout"


async def test_a_run_that_takes_too_long_is_ended_with_its_text(
    live_settings: Settings, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="more ", endless=True, rate=100))
    async with serving(live_settings.model_copy(update={"run_timeout_s": 0.4})) as backend:
        events, stored = await ended(backend)

    assert events[-1]["outcome"] == "failed"
    assert stored["metadata"]["error"]["code"] == "run_timeout"
    assert stored["content"].startswith("more ")
    assert engine.received[0].state == "hung_up"
