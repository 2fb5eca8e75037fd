"""The figures of an answer that took several requests: how long was thought, and how many tokens of what."""

import math
import time
from pathlib import Path
from typing import Any

import pytest

from app.ports import AnswerSoFar, Generation
from app.schemas.message import Message
from app.services.answer_metadata import begun_again, whole_timings
from app.services.generation_endings import whole_usage
from app.services.run_seam import Seam
from app.services.thinking_time import ThinkingTime
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_process import backend_process
from tests.served.backend_server import Backend
from tests.served.chat_client import ChatClient

THOUGHT = [f"t{number} " for number in range(6)]
WORDS = [f"w{number} " for number in range(6)]


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"engine_wait_s": 20.0, "idle_timeout_s": 5.0}


def stored(reasoning: str, metadata: dict[str, Any]) -> Message:
    """An answer as far as its figures are concerned."""
    return Message.model_construct(reasoning=reasoning, metadata=metadata)


# --- thinking -----------------------------------------------------------------------------------------------


def test_a_thought_that_is_broken_off_goes_on_being_counted_without_the_wait() -> None:
    spent = ThinkingTime()
    spent.begin(10.0)
    spent.begin(11.0)  # more of the same thought
    spent.end(12.5)
    spent.end(20.0)  # it was over already
    assert not spent.is_running
    spent.begin(30.0)
    spent.end(30.25)

    assert spent.spent_ms == 2750


@pytest.mark.parametrize(
    ("before", "own_ms", "expected"),
    [
        pytest.param(stored("", {}), 0, {"queue_time_ms": 1.0}, id="no thought"),
        pytest.param(stored("", {}), 70, {"queue_time_ms": 1.0, "thinking_ms": 70}, id="one run"),
        pytest.param(
            stored("hm", {"timings": {"thinking_ms": 30}}),
            70,
            {"queue_time_ms": 1.0, "thinking_ms": 100},
            id="two runs",
        ),
        pytest.param(
            stored("hm", {"timings": {"thinking_ms": 30}}),
            0,
            {"queue_time_ms": 1.0, "thinking_ms": 30},
            id="only the one before",
        ),
        pytest.param(stored("hm", {}), 70, {"queue_time_ms": 1.0}, id="part of it is not known"),
        pytest.param(stored("", {}), None, {"queue_time_ms": 1.0}, id="nobody knows"),
    ],
)
def test_it_is_told_where_all_of_it_is_known(
    before: Message, own_ms: int | None, expected: dict[str, Any]
) -> None:
    assert whole_timings({"queue_time_ms": 1.0}, before, own_ms) == expected


def test_an_engine_that_tells_no_times_leaves_the_thinking() -> None:
    assert whole_timings(None, stored("", {}), 70) == {"thinking_ms": 70}
    assert whole_timings(None, stored("", {}), 0) is None


def test_of_an_answer_that_is_gone_on_with_only_the_time_of_the_thought_stays() -> None:
    metadata = {
        "usage": {},
        "timings": {"thinking_ms": 30, "queue_time_ms": 1.0},
        "continued": 1,
        "run_id": "a",
    }

    assert begun_again(metadata, "b") == {"timings": {"thinking_ms": 30}, "continued": 1, "run_id": "b"}
    assert begun_again({"timings": {"queue_time_ms": 1.0}}, "b") == {"run_id": "b"}


async def test_the_thought_is_timed_from_its_first_word_to_the_first_of_the_answer(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        before = time.monotonic()
        await backend.send(chat_id)
        script.step(2)
        await client.until(lambda c: c.text["reasoning"] != "")
        thinking_at = time.monotonic()
        for _ in range(5):
            await backend.messages(chat_id)
        least = time.monotonic() - thinking_at
        script.step(len(THOUGHT))
        await client.until(lambda c: c.text["content"] != "")
        most = time.monotonic() - before
        while time.monotonic() - before < 2 * most:  # an answer that takes as long again is no thought
            await backend.messages(chat_id)
        script.open()
        ended = await client.until_ended()

    thinking_ms = ended["message"]["metadata"]["timings"]["thinking_ms"]
    assert math.floor(least * 1000) <= thinking_ms <= math.ceil(most * 1000)
    assert (await backend.messages(chat_id))[-1]["metadata"]["timings"]["thinking_ms"] == thinking_ms


async def test_an_answer_without_a_thought_tells_none(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS))
    chat_id = await backend.new_chat()
    await backend.events((await backend.send(chat_id, options={"thinking": False}))["run"]["id"])

    assert "thinking_ms" not in (await backend.messages(chat_id))[-1]["metadata"].get("timings", {})


async def test_a_thought_that_was_stopped_counts_with_what_it_went_on_with(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(3)
        await client.until(lambda c: "t1" in c.text["reasoning"])
        await backend.stop(run_id, seen_seq=client.seq)
        first = (await client.until_ended())["message"]["metadata"]["timings"]["thinking_ms"]
    reply = await backend.http.post(f"/api/runs/{run_id}/continue", json={})
    begun = reply.json()["assistant_message"]["metadata"]["timings"]
    await backend.events(reply.json()["run"]["id"])

    whole = (await backend.messages(chat_id))[-1]
    assert whole["reasoning"] == "".join(THOUGHT)
    assert begun == {"thinking_ms": first}
    assert whole["metadata"]["timings"]["thinking_ms"] > first > 0


async def test_after_a_crash_of_the_backend_in_a_thought_its_time_is_not_guessed(
    engine: ScriptedVllm, tmp_path: Path
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    settings = {
        "database_url": f"sqlite:///{tmp_path / 'data' / 'chat.db'}",
        "vllm_api_base_url": engine.url,
        "default_model": "scripted",
        "drain_s": 0,
    }
    async with backend_process(tmp_path / "log", **settings) as (process, backend):
        chat_id = await backend.new_chat()
        async with ChatClient(backend.url) as client:
            await client.join(chat_id)
            run_id = (await backend.send(chat_id))["run"]["id"]
            script.step(3)
            await client.until(lambda c: "t1" in c.text["reasoning"])
            await process.kill()
        await process.start()
        events = await backend.events(run_id)

    message = events[-1]["message"]
    assert message["reasoning"] == "".join(THOUGHT)
    assert message["metadata"]["continued"] == 1
    assert "thinking_ms" not in message["metadata"].get("timings", {})


# --- tokens -------------------------------------------------------------------------------------------------

TOLD = {
    "prompt_tokens": 14,
    "completion_tokens": 2,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 13},
}
SEAM = Seam(tuple(range(10)), (1, 2, 3), is_exact=True, has_text=True, inside_thought=False, starts=1)
FRESH = Generation("m", (), 8)


def test_one_request_is_told_as_the_engine_tells_it() -> None:
    assert whole_usage(TOLD, FRESH, SEAM) == TOLD
    assert whole_usage(None, FRESH, SEAM) is None


def test_after_a_seam_the_prompt_is_that_of_the_first_request_and_no_figure_is_of_another() -> None:
    """One token that ends the thought stands in the prompt of the second request and is part of the answer."""
    asked = Generation("m", (), 8, prompt_token_ids=(*range(10), 1, 2, 3, 99))

    assert whole_usage(TOLD, asked, SEAM) == {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 16,
    }
    assert whole_usage({"prompt_tokens": 14}, asked, SEAM) is None
    assert whole_usage(None, asked, SEAM) is None


def test_after_a_seam_without_tokens_only_the_sum_is_known() -> None:
    asked = Generation("m", (), 8, begun=AnswerSoFar("", "so far", closed=True))

    assert whole_usage(TOLD, asked, SEAM) == {"total_tokens": 16}


async def test_the_usage_of_a_continued_run_adds_up(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, reasoning=THOUGHT, end="reset", end_after=9))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    message = (await backend.events(run_id))[-1]["message"]

    first = engine.vocabulary.prompt(engine.received[0].body["messages"], thinking=True)
    generated = len(THOUGHT) + 1 + len(WORDS)  # with the end of the thought
    assert message["metadata"]["continued"] == 1
    assert message["metadata"]["usage"] == {
        "prompt_tokens": len(first),
        "completion_tokens": generated,
        "total_tokens": len(first) + generated,
    }
