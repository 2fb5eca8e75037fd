"""Options of a run: what is refused, what is dropped, what reaches the engine, and whose word counts."""

from typing import Any
from uuid import uuid4

import pytest

from app.config import Settings
from app.ports import Turn
from app.services.context_window import ContextWindow
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving

MODEL_LEN = 1000


@pytest.fixture
async def engine() -> Any:
    async with ScriptedVllm(max_model_len=MODEL_LEN) as engine:
        yield engine


async def asked(backend: Backend, chat_id: str, content: str, **options: Any) -> dict[str, Any]:
    started = await backend.send(chat_id, content, options=options)
    message: dict[str, Any] = (await backend.events(started["run"]["id"]))[-1]["message"]
    return message


# --- max_tokens -------------------------------------------------------------------------------------------


async def test_what_a_chat_has_kept_is_held_to_the_present_limit(
    live_settings: Settings, engine: ScriptedVllm
) -> None:
    """It may come from an import, or from before the limit was lowered; and what is sent again is no new request."""
    new = {"id": str(uuid4()), "max_tokens": 900, "params": {"max_tokens": 800}}
    async with serving(live_settings) as backend:
        assert (await backend.http.post("/api/chats/", json=new)).status_code == 201
    lower = live_settings.model_copy(update={"max_new_tokens": 500})
    async with serving(lower) as backend:
        again = await backend.http.post("/api/chats/", json=new)
        reply = await backend.http.post(f"/api/chats/{new['id']}/runs", json={"message": {"content": "x"}})
        engine.script(Answer(content="ok"))
        await asked(backend, await backend.new_chat(), "nobody's wish gives way")

    assert again.status_code == 200
    assert (reply.status_code, reply.json()["code"], reply.json()["limit"]) == (
        422,
        "max_tokens_too_large",
        500,
    )
    assert [received.body["max_tokens"] for received in engine.received] == [500]


async def test_more_tokens_than_the_model_holds_are_refused_with_its_limit(
    backend: Backend, engine: ScriptedVllm
) -> None:
    await backend.http.get("/api/chat/models")  # so that the model is known
    chat_id = await backend.new_chat()
    asked_for = {"message": {"content": "x"}, "options": {"max_tokens": MODEL_LEN + 1}}
    replies = [
        await backend.http.post(f"/api/chats/{chat_id}/runs", json=asked_for),
        await backend.http.post("/api/chat/completion", json={"content": "x", "max_tokens": MODEL_LEN + 1}),
    ]
    await backend.http.put(f"/api/chats/{chat_id}", json={"max_tokens": MODEL_LEN + 1})
    replies.append(await backend.http.post(f"/api/chats/{chat_id}/runs", json={"message": {"content": "x"}}))

    for reply, field in zip(replies, ("options.max_tokens", "max_tokens", "max_tokens"), strict=True):
        assert (reply.status_code, reply.json()["code"]) == (422, "max_tokens_too_large"), reply.text
        assert reply.json()["limit"] == MODEL_LEN
        assert reply.json()["errors"][0]["field"] == field
    assert await backend.messages(chat_id) == []
    assert engine.received == []


async def test_the_servers_own_default_gives_way_to_a_small_model(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat()

    assert (await asked(backend, chat_id, "x"))["status"] == "completed"
    assert engine.received[-1].body["max_tokens"] == MODEL_LEN
    assert (await asked(backend, chat_id, "x", max_tokens=MODEL_LEN))["status"] == "completed"


# --- whose word counts ------------------------------------------------------------------------------------


async def test_a_runs_option_is_over_the_chats_is_over_the_default(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat(
        temperature=0.5, params={"top_p": 0.5, "top_k": 5, "seed": 1, "stop": ["x"], "min_p": 0.1}
    )
    await asked(backend, chat_id, "a", top_p=0.9, presence_penalty=1.0)
    body = engine.received[-1].body

    assert {name: body[name] for name in ("temperature", "top_p", "top_k", "seed", "stop", "min_p")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "seed": 1,
        "stop": ["x"],
        "min_p": 0.1,
    }
    assert body["presence_penalty"] == 1.0
    assert "frequency_penalty" not in body


# --- response_format --------------------------------------------------------------------------------------

SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}}


@pytest.mark.parametrize("good", [{"type": "text"}, {"type": "json_object"}, SCHEMA])
async def test_a_response_format_reaches_the_engine(
    backend: Backend, engine: ScriptedVllm, good: dict[str, Any]
) -> None:
    chat_id = await backend.new_chat(params={"response_format": good})
    await asked(backend, chat_id, "x")

    assert engine.received[-1].body["response_format"] == good


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"type": "xml"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {}},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": "x"}},
        {"type": "json_schema", "json_schema": {"name": 7, "schema": {}}},
        {"type": "json_object", "more": 1},
        {"type": ["json_object"]},
    ],
)
async def test_a_response_format_that_none_could_follow_is_named(
    backend: Backend, bad: dict[str, Any]
) -> None:
    chat_id = await backend.new_chat()
    for path, body, field in (
        (
            f"/api/chats/{chat_id}/runs",
            {"message": {"content": "x"}, "options": {"response_format": bad}},
            "options",
        ),
        ("/api/chats/", {"params": {"response_format": bad}}, "params"),
        ("/api/presets", {"name": "n", "options": {"response_format": bad}}, "options"),
        ("/api/chat/completion", {"content": "x", "response_format": bad}, ""),
    ):
        reply = await backend.http.post(path, json=body)
        named = ".".join(filter(None, (field, "response_format")))
        assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, named), reply.text
        assert reply.json()["errors"][0]["code"] == "invalid_response_format"


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        pytest.param({"type": "strng"}, "/type", id="no type"),
        pytest.param(
            {"properties": {"a/b": {"minLength": -1}}}, "/properties/a~1b/minLength", id="below zero"
        ),
        pytest.param({"required": "name"}, "/required", id="no list"),
        pytest.param({"anyOf": []}, "/anyOf", id="nothing to choose"),
        pytest.param({"$defs": {"d": {"items": 3}}}, "/$defs/d/items", id="in a definition"),
        pytest.param({"$schema": 5}, "/$schema", id="no name of a draft"),
        pytest.param({"properties": {"x" * 300: 1}}, "/properties/" + "x" * 188, id="long name"),
    ],
)
async def test_a_schema_that_is_none_is_named_with_the_place(
    backend: Backend, engine: ScriptedVllm, schema: dict[str, Any], path: str
) -> None:
    chat_id = await backend.new_chat()
    bad = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    for method, url, body, field in (
        (
            "POST",
            f"/api/chats/{chat_id}/runs",
            {"message": {"content": "x"}, "options": {"response_format": bad}},
            "options",
        ),
        ("PUT", f"/api/chats/{chat_id}", {"params": {"response_format": bad}}, "params"),
    ):
        reply = await backend.http.request(method, url, json=body)
        [error] = reply.json()["errors"]
        assert (reply.status_code, error["code"]) == (422, "invalid_response_format")
        assert error["field"] == f"{field}.response_format.json_schema.schema"
        assert error["detail"].endswith(f" {path}")
    assert engine.received == []


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(
            {"$schema": "http://127.0.0.1:9/none", "$ref": "http://127.0.0.1:9/none"}, id="elsewhere"
        ),
        pytest.param({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}]}, id="draft-07"),
        pytest.param({"$defs": {"d": True}, "prefixItems": [{"$ref": "#/$defs/d"}]}, id="2020-12"),
    ],
)
async def test_a_schema_of_either_draft_is_one_and_nothing_is_fetched_for_it(
    backend: Backend, schema: dict[str, Any]
) -> None:
    good = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    reply = await backend.http.post("/api/chats/", json={"params": {"response_format": good}})
    assert reply.status_code == 201, reply.text


# --- thinking_budget --------------------------------------------------------------------------------------


async def test_a_budget_goes_to_the_engine_under_its_name(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="ok", reasoning="hm", times=None))
    chat_id = await backend.new_chat()
    await asked(backend, chat_id, "x", thinking=True, thinking_budget=7)
    await asked(backend, chat_id, "x", thinking=False, thinking_budget=7)

    assert engine.received[0].body["thinking_token_budget"] == 7
    assert "thinking_token_budget" not in engine.received[1].body


async def test_an_engine_without_budgets_is_asked_without_one(backend: Backend, engine: ScriptedVllm) -> None:
    """VLLM 0.32 says this when it was started without a reasoning parser."""
    message = "thinking_token_budget is set but reasoning_config is not configured."
    engine.script(Answer(status=400, body={"error": {"message": message, "param": None}}, times=1))
    engine.script(Answer(content="ok", times=None))
    chat_id = await backend.new_chat()
    first = await asked(backend, chat_id, "x", thinking=True, thinking_budget=7)
    second = await asked(backend, chat_id, "y", thinking=True, thinking_budget=7)

    assert [(each["status"], each["content"]) for each in (first, second)] == [("completed", "ok")] * 2
    budgets = ["thinking_token_budget" in received.body for received in engine.received]
    assert budgets == [True, False, False]
    assert all(received.body["return_token_ids"] for received in engine.received)


async def test_a_thought_over_its_budget_is_ended_where_the_engine_does_not(
    backend: Backend, engine: ScriptedVllm
) -> None:
    thought = [f"t{number} " for number in range(200)]
    engine.script(Answer(content="the answer", reasoning=thought, rate=400.0, times=None))
    chat_id = await backend.new_chat()
    message = await asked(backend, chat_id, "x", thinking=True, thinking_budget=5)

    assert message["status"] == "completed", message
    assert 5 <= len(message["reasoning"].split()) < 150
    assert message["content"]


# --- context ----------------------------------------------------------------------------------------------


async def test_a_conversation_that_is_too_long_is_refused_with_what_to_do(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat()
    for options in ({}, {"context": "refuse"}):
        message = await asked(backend, chat_id, "word " * 2000, **options)
        assert message["status"] == "failed"
        assert message["metadata"]["error"]["code"] == "context_too_long"
        assert "drop_oldest" in message["metadata"]["error"]["detail"]
        assert str(MODEL_LEN) in message["metadata"]["error"]["detail"]


async def test_the_oldest_turns_go_and_the_system_prompt_stays(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="short answer", times=None))
    chat_id = await backend.new_chat(system_prompt="Be brief.", params={"context": "drop_oldest"})
    seen = []
    for number in range(14):
        message = await asked(backend, chat_id, f"question {number} " + "word " * 80)
        seen.append((engine.received[-1].body["messages"], message["metadata"].get("dropped_turns", 0)))
        assert message["status"] == "completed"

    prompts, dropped = [prompt for prompt, _ in seen], [number for _, number in seen]
    assert dropped[0] == 0
    assert dropped[-1] > 0
    assert dropped == sorted(dropped)
    for number, (prompt, gone) in enumerate(seen):
        assert prompt[0] == {"role": "system", "content": "Be brief."}
        assert prompt[1]["role"] == "user"
        assert prompt[-1]["content"].startswith(f"question {number} ")
        assert len(prompt) == 2 + 2 * number - gone
    # the beginning stays byte for byte the same as long as the cut does, and the cut moves seldom
    same = [a == b for a, b in zip(dropped, dropped[1:], strict=False)]
    assert same.count(True) >= len(same) // 2
    for before, after, stays in zip(prompts, prompts[1:], same, strict=False):
        if stays:
            assert after[: len(before)] == before


async def test_a_question_that_alone_is_too_long_is_not_dropped(backend: Backend) -> None:
    chat_id = await backend.new_chat(params={"context": "drop_oldest"})
    await asked(backend, chat_id, "first")
    message = await asked(backend, chat_id, "word " * 2000)

    assert message["metadata"]["error"]["code"] == "context_too_long"


class Letters:
    """Counts letters as tokens, and how often it was asked. Implements `ports.TokenCounter`."""

    def __init__(self) -> None:
        self.asked = 0

    async def count(self, model: str, text: str) -> int:  # noqa: ARG002
        self.asked += 1
        return len(text)


async def test_what_surely_fits_is_not_counted() -> None:
    counter = Letters()
    turns = [Turn("user", "x" * 10)] * 3
    found = await ContextWindow(counter).fitted(turns, model="m", room=1000, max_tokens=100)

    assert found == (tuple(turns), 0)
    assert counter.asked == 0


@pytest.mark.parametrize("room", [64, 100, 200, 333, 1000])
@pytest.mark.parametrize("system", [True, False])
async def test_what_is_left_fits_and_holds_the_question(room: int, system: bool) -> None:
    turns = [Turn("system", "s" * 5)] if system else []
    for number in range(40):
        turns.append(Turn("user", "u" * (number % 13 + 1)))
        turns.append(Turn("assistant", "a" * (number % 7 + 1)))
    turns.append(Turn("user", "the question"))
    left, dropped = await ContextWindow(Letters()).fitted(turns, model="m", room=room, max_tokens=10)

    assert left[-1] == turns[-1]
    assert len(left) + dropped == len(turns)
    assert (left[0].role == "system") is system
    assert left[1 if system else 0].role == "user"
    if room >= 100:
        assert sum(len(turn.content) + 8 for turn in left) <= room
