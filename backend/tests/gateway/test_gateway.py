"""The OpenAI gateway over real sockets: untouched bytes, OpenAI's errors, our limits, no engine left working."""

import asyncio
import json
from typing import Any

import pytest

from app.config import Settings
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving

CHAT = "/v1/chat/completions"
ALIAS = "/api/chat/completions"
WITHIN_S = 5.0


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"max_concurrent_runs": 1, "max_queued_runs": 0, "max_new_tokens": 1000}


def ask(**fields: Any) -> dict[str, Any]:
    return {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], **fields}


@pytest.mark.parametrize("path", [CHAT, ALIAS])
async def test_the_bytes_of_a_stream_are_those_of_the_engine(
    backend: Backend, engine: ScriptedVllm, path: str
) -> None:
    raw = 'data: {"choices":[{"delta":{"content":"é 😀"}}]}\r\n\r\n: c\n\ndata:[DONE]\n\n'.encode()
    engine.script(Answer(raw=raw, slice_bytes=1))

    reply = await backend.http.post(path, json=ask(stream=True))

    assert reply.content == raw
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"


async def test_a_whole_answer_is_the_engines_own(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="Hello 你好"))

    reply = await backend.http.post(CHAT, json=ask())

    assert reply.status_code == 200
    assert reply.json()["object"] == "chat.completion"
    assert reply.json()["choices"][0]["message"]["content"] == "Hello 你好"


async def test_a_completion_goes_on_from_token_ids(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="Hello"))

    reply = await backend.http.post("/v1/completions", json={"prompt": [1, 2, 3], "max_tokens": 5})

    assert reply.json()["object"] == "text_completion"
    assert engine.received[0].body == {"prompt": [1, 2, 3], "max_tokens": 5, "model": "scripted"}


async def test_models_are_listed_as_openai_does(backend: Backend) -> None:
    reply = await backend.http.get("/v1/models")

    assert [card["id"] for card in reply.json()["data"]] == ["scripted"]


async def test_a_model_is_described_as_openai_does(backend: Backend) -> None:
    known = await backend.http.get("/v1/models/scripted")
    unknown = await backend.http.get("/v1/models/some/other")

    assert known.json() == (await backend.http.get("/v1/models")).json()["data"][0]
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")


async def test_a_client_that_leaves_a_stream_ends_it_at_the_engine(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=["a", "b", "c"], gated=True))
    script.step(1)
    async with backend.http.stream("POST", CHAT, json=ask(stream=True)) as reply:
        coming = reply.aiter_bytes()  # held: a forgotten iterator closes the connection
        await anext(coming)
        assert [one.state for one in engine.running] == ["running"]

    await _ended(engine)
    assert engine.received[0].state == "hung_up"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_the_answer_ends_it_at_the_engine(
    backend: Backend, engine: ScriptedVllm, *, stream: bool
) -> None:
    engine.script(Answer(content="late", delay_s=60))
    asked = asyncio.create_task(backend.http.post(CHAT, json=ask(stream=stream)))
    async with asyncio.timeout(WITHIN_S):
        while not engine.received:
            await asyncio.wait({asked}, timeout=0.005)

    asked.cancel()
    await asyncio.wait({asked})

    await _ended(engine)
    assert engine.received[0].state == "hung_up"


async def test_a_place_is_taken_and_given_back(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content=["a", "b"], gated=True))
    script.step(1)
    async with backend.http.stream("POST", CHAT, json=ask(stream=True)) as reply:
        coming = reply.aiter_bytes()  # held: a forgotten iterator closes the connection
        await anext(coming)
        refused = await backend.http.post(CHAT, json=ask())

        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["type"] == "rate_limit_error"
    await _ended(engine)
    engine.script(Answer(content="free again"))
    async with asyncio.timeout(WITHIN_S):
        while (again := await backend.http.post(CHAT, json=ask())).status_code == 429:
            pass

    assert again.status_code == 200


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"max_tokens": 1001}, "max_tokens", "max_tokens_too_large"),
        ({"max_completion_tokens": 10**30}, "max_completion_tokens", "max_tokens_too_large"),
        ({"max_tokens": "1001"}, "max_tokens", "invalid_request"),
        ({"max_completion_tokens": 1001.0}, "max_completion_tokens", "invalid_request"),
        ({"n": "9"}, "n", "invalid_request"),
        ({"n": 9}, "n", "invalid_request"),
        ({"logit_bias": {str(n): 1 for n in range(301)}}, "logit_bias", "invalid_request"),
        ({"messages": [{"role": "root", "content": "x"}]}, "messages.0.role", "invalid_request"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages.0.role", "invalid_request"),
        ({"messages": ["x"]}, "messages.0.role", "invalid_request"),
        ({"model": ["scripted"]}, "model", "invalid_request"),
        ({"model": {"id": "scripted"}}, "model", "invalid_request"),
        ({"chat_template_kwargs": {"x": 1}}, "chat_template_kwargs", "invalid_request"),
        *(
            ({name: 1}, name, "invalid_request")
            for name in (
                "prompt_logprobs", "ignore_eos", "min_tokens", "bad_words", "stop_token_ids", "chat_template",
                "documents", "structured_outputs", "guided_json", "priority", "cache_salt", "kv_transfer_params",
                "vllm_xargs", "mm_processor_kwargs", "prompt_embeds", "add_special_tokens", "request_id",
                "return_tokens_as_token_ids",
            )
        ),
    ],
)  # fmt: skip
async def test_what_is_over_a_limit_or_dangerous_never_reaches_the_engine(
    backend: Backend, engine: ScriptedVllm, fields: dict[str, Any], param: str, code: str
) -> None:
    reply = await backend.http.post(CHAT, json=ask(**fields))

    assert reply.status_code == 400
    assert (reply.json()["error"]["param"], reply.json()["error"]["code"]) == (param, code)
    assert engine.received == []


async def test_what_openais_clients_send_is_taken(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="ok"))
    fields = {
        "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["x"], "n": 1, "user": "someone", "metadata": {},
        "stream_options": {"include_usage": True}, "max_tokens": 1000, "presence_penalty": 0.1, "store": False,
    }  # fmt: skip

    reply = await backend.http.post(CHAT, json=ask(stream=True, **fields))

    assert reply.status_code == 200
    assert engine.received[0].body == ask(
        stream=True,
        **{name: value for name, value in fields.items() if name not in {"user", "metadata", "store"}},
    )


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, {"max_tokens": 1000}),
        ({"max_tokens": None, "max_completion_tokens": None}, {"max_tokens": 1000}),
        ({"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
    ],
)
async def test_a_chat_without_an_end_gets_one(
    backend: Backend, engine: ScriptedVllm, fields: dict[str, Any], sent: dict[str, Any]
) -> None:
    engine.script(Answer(content="ok"))

    await backend.http.post(CHAT, json={"messages": ask()["messages"], **fields})

    assert engine.received[0].body == ask() | sent


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nope",
        b'"\\ud800"',
        b"[" * 100_000,
        b'{"model": NaN}',
        b'{"seed": 1e999}',
        b'{"messages": 5}',
    ],
)
async def test_a_body_that_is_no_object_of_json_is_refused(
    backend: Backend, engine: ScriptedVllm, body: bytes
) -> None:
    reply = await backend.http.post(CHAT, content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert len(reply.content) < 4096


@pytest.mark.parametrize(
    ("status", "answer", "expected", "code"),
    [
        (400, {"error": {"message": "SECRET", "param": "temperature", "code": 400}}, 400, "invalid_request"),
        (401, {"error": "Unauthorized SECRET"}, 502, "engine_unauthorized"),
        (404, {"error": {"message": "SECRET"}}, 404, "model_not_found"),
        (500, {"error": {"message": "SECRET"}}, 502, "engine_error"),
        (503, {"error": {"message": "SECRET"}}, 502, "engine_error"),
    ],
)
async def test_an_engines_refusal_is_said_in_our_words(
    backend: Backend, engine: ScriptedVllm, status: int, answer: Any, expected: int, code: str
) -> None:
    engine.script(Answer(status=status, body=answer))

    reply = await backend.http.post(CHAT, json=ask(stream=True))

    assert (reply.status_code, reply.json()["error"]["code"]) == (expected, code)
    assert "SECRET" not in reply.text
    if status == 400:
        assert reply.json()["error"]["param"] == "temperature"


async def test_a_prompt_that_is_too_long_has_openais_code(backend: Backend, engine: ScriptedVllm) -> None:
    engine.max_model_len = 10

    reply = await backend.http.post(
        CHAT, json=ask(messages=[{"role": "user", "content": "word " * 50}], max_tokens=5)
    )

    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "context_length_exceeded"


async def test_a_stream_that_breaks_ends_with_an_error_and_without_done(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content=["a", "b", "c"], end="reset", end_after=2))

    reply = await backend.http.post(CHAT, json=ask(stream=True))

    last = reply.text.rstrip().rsplit("data: ", 1)[1]
    assert json.loads(last)["error"]["code"] == "engine_lost"
    assert "[DONE]" not in reply.text


async def test_without_an_engine_it_says_so_at_once(live_settings: Settings) -> None:
    away = live_settings.model_copy(update={"vllm_api_base_url": ["http://127.0.0.1:9/v1"]})
    async with serving(away) as backend:
        replies = [
            await backend.http.post(CHAT, json=ask(stream=True)),
            await backend.http.get("/v1/models"),
            await backend.http.get("/v1/models/scripted"),
        ]

    for reply in replies:
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "engine_unavailable")
        assert int(reply.headers["retry-after"]) > 0


async def _ended(engine: ScriptedVllm) -> None:
    async with asyncio.timeout(WITHIN_S):
        await engine.received[0].ended.wait()
