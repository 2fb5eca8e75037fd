"""What has to hold across a seam: stop strings, characters of several tokens, grammars, limits."""

from itertools import pairwise
from typing import Any

import pytest

from app.config import Settings
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving, told_text


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"engine_wait_s": 5.0, "idle_timeout_s": 0.5}


async def answered(backend: Backend, **options: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run one question to its end; returns its events and the stored answer."""
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id, options={"thinking": False, **options}))["run"]["id"]
    events = await backend.events(run_id)
    return events, (await backend.messages(chat_id))[-1]


@pytest.mark.parametrize("after", [1, 2, 3, 4])
async def test_a_stop_string_that_a_seam_cuts_in_two_stops_the_answer(
    backend: Backend, engine: ScriptedVllm, after: int
) -> None:
    engine.script(Answer(content=["one ", "two ST", "O", "P three ", "four"], end="reset", end_after=after))

    events, stored = await answered(backend, stop=["STOP"])

    assert stored["content"] == told_text(events)["content"] == "one two "
    assert (stored["status"], stored["metadata"]["finish_reason"]) == ("completed", "stop")
    assert [one.body["stop"] for one in engine.received] == [["STOP"]] * len(engine.received)
    assert all(one.body["include_stop_str_in_output"] for one in engine.received)
    assert len(engine.received) == (1 if after == 4 else 2)


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
async def test_a_seam_inside_a_character_neither_repeats_nor_loses_text(
    backend: Backend, engine: ScriptedVllm, after: int
) -> None:
    """The first tokens of a character have no text of their own: the prompt after the seam ends before them."""
    tokens = ["hello ", "", "\x00", "\U0001fae0", " end"]
    tokens[2] = ""
    engine.script(Answer(content=tokens, end="reset", end_after=after))

    events, stored = await answered(backend)

    assert stored["content"] == told_text(events)["content"] == "hello \U0001fae0 end"
    first, *rest = (one.body for one in engine.received)
    if rest:
        whole = 1 if after < 4 else after
        assert (
            len(rest[0]["prompt"]) == len(engine.vocabulary.prompt(first["messages"], thinking=False)) + whole
        )


async def test_tokens_that_waited_for_their_text_at_one_seam_are_not_told_twice_at_the_next(
    backend: Backend, engine: ScriptedVllm
) -> None:
    tokens = ["hello ", "", "\U0001fae0", " and ", "on"]
    engine.script(Answer(content=tokens, end="reset", end_after=2))
    engine.script(Answer(content=tokens, end="reset", end_after=2))

    _, stored = await answered(backend)

    assert stored["content"] == "".join(tokens)
    assert len(engine.received) == 3
    assert all(engine.plans.rest(one.body["prompt"]) is not None for one in engine.received[1:])
    for before, after in pairwise(engine.received[1:]):
        assert after.body["prompt"][: len(before.body["prompt"])] == before.body["prompt"]


async def test_structured_output_begins_again_when_nothing_was_shown(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content=['{"a"', ": 1}"], end="reset", end_after=0))
    engine.script(Answer(content=['{"a"', ": 1}"]))

    _, stored = await answered(backend, response_format={"type": "json_object"})

    assert (stored["status"], stored["content"]) == ("completed", '{"a": 1}')
    assert [one.path.rpartition("/v1/")[2] for one in engine.received] == ["chat/completions"] * 2


async def test_an_engine_without_token_ids_goes_on_by_the_text(
    backend: Backend, engine: ScriptedVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "gives_ids", False)
    engine.script(Answer(content=["one ", "two ", "three"], end="reset", end_after=2))
    engine.script(Answer(content=["three"]))

    events, stored = await answered(backend)

    assert (stored["status"], stored["content"]) == ("completed", "one two three")
    assert stored["metadata"]["continued"] == 1
    again = engine.received[1].body
    assert again["messages"][-1] == {"role": "assistant", "content": "one two "}
    assert (again["continue_final_message"], again["add_generation_prompt"]) == (True, False)
    assert again["max_tokens"] < engine.received[0].body["max_tokens"]
    assert [event["type"] for event in events].count("run.ended") == 1


async def test_the_time_of_a_run_counts_across_its_seams(
    live_settings: Settings, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="more ", endless=True, rate=50, end="reset", end_after=10, times=None))
    async with serving(live_settings.model_copy(update={"run_timeout_s": 1.5})) as backend:
        _, stored = await answered(backend)

    assert stored["status"] == "failed"
    assert stored["metadata"]["error"]["code"] == "run_timeout"
    assert stored["content"].startswith("more ")
    assert len(engine.received) >= 2
