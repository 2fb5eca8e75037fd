"""Completion for programs: in a chat or without one, streamed or whole."""

import asyncio
from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, sse_events, told_text

WORDS = ["All ", "is ", "well", "."]
URL = "/api/chat/completion"


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"max_concurrent_runs": 2, "max_queued_runs": 0}


async def test_a_chat_is_answered_whole(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, reasoning="Hm."))
    chat_id = await backend.new_chat()

    reply = await backend.http.post(URL, json={"chat_id": chat_id, "content": "Hi", "thinking": True})

    assert reply.status_code == 200
    assert reply.json() == (await backend.messages(chat_id))[-1]
    assert (reply.json()["content"], reply.json()["status"]) == ("All is well.", "completed")


async def test_a_chat_is_answered_as_a_stream(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS))
    chat_id = await backend.new_chat()

    reply = await backend.http.post(URL, json={"chat_id": chat_id, "content": "Hi", "stream": True})

    events = sse_events(reply.text)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["chat_id"] for event in events} == {chat_id}
    assert events[-1]["message"] == (await backend.messages(chat_id))[-1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "asked",
    [
        {"content": "Hi"},
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Yes?"},
                {"role": "user", "content": "Go on"},
            ]
        },
    ],
)
async def test_without_a_chat_nothing_is_stored(
    backend: Backend, engine: ScriptedVllm, asked: dict[str, Any], *, stream: bool
) -> None:
    engine.script(Answer(content=WORDS))

    reply = await backend.http.post(URL, json={**asked, "stream": stream, "temperature": 0.1})

    assert reply.status_code == 200
    if stream:
        events = sse_events(reply.text)
        assert {(event["chat_id"], event["message_id"]) for event in events} == {(None, None)}
        message = events[-1]["message"]
        assert told_text(events)["content"] == message["content"]
        gone = await backend.http.get(f"/api/runs/{events[0]['run_id']}")
        assert gone.status_code == 404
    else:
        message = reply.json()
    assert (message["chat_id"], message["content"], message["status"]) == (None, "All is well.", "completed")
    assert (await backend.http.get("/api/chats/")).json()["items"] == []
    body = engine.received[-1].body
    expected = asked.get("messages", [{"role": "user", "content": "Hi"}])
    assert [(turn["role"], turn["content"]) for turn in body["messages"]] == [
        (turn["role"], turn["content"]) for turn in expected
    ]
    assert body["temperature"] == 0.1
    assert len(backend.running.parts.admission) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_without_a_chat_it_ends_when_its_client_leaves(
    backend: Backend, engine: ScriptedVllm, *, stream: bool
) -> None:
    engine.script(Answer(content="more ", endless=True, rate=100))
    asking = asyncio.create_task(_read(backend, {"content": "Hi", "stream": stream}))
    async with asyncio.timeout(10):
        while not engine.received or engine.received[0].sent_tokens < 3:
            await backend.http.get("/api/chats/?limit=1")

    asking.cancel()

    async with asyncio.timeout(10):
        await engine.received[0].ended.wait()
    assert engine.received[0].state == "hung_up"


async def _read(backend: Backend, body: dict[str, Any]) -> None:
    async with backend.http.stream("POST", URL, json=body) as reply:
        await reply.aread()


async def test_it_counts_against_the_limits(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content=WORDS, gated=True, times=None))
    running = [
        asyncio.create_task(backend.http.post(URL, json={"content": "Hi", "stream": number == 0}))
        for number in range(2)
    ]
    async with asyncio.timeout(10):
        while len(engine.received) < 2:
            await backend.http.get("/api/chats/?limit=1")

    third = await backend.http.post(URL, json={"content": "Hi"})

    assert (third.status_code, third.json()["code"]) == (429, "too_many_runs")
    script.open()
    assert [(await reply).status_code for reply in running] == [200, 200]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"content": "x", "messages": [{"role": "user", "content": "x"}]}, 422, "invalid_request"),
        ({"messages": []}, 422, "invalid_request"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 422, "invalid_request"),
        (
            {
                "chat_id": "00000000-0000-4000-8000-000000000000",
                "messages": [{"role": "user", "content": "x"}],
            },
            422,
            "invalid_request",
        ),
        ({"chat_id": "00000000-0000-4000-8000-000000000000", "content": "x"}, 404, "chat_not_found"),
        ({"content": "x" * 100_001}, 413, "message_too_large"),
        ({"content": "x", "max_tokens": 100_000}, 422, "max_tokens_too_large"),
        ({"content": "x", "n": 2}, 422, "invalid_request"),
    ],
)
async def test_bad_requests_ask_the_engine_nothing(
    backend: Backend, engine: ScriptedVllm, body: dict[str, Any], status: int, code: str
) -> None:
    reply = await backend.http.post(URL, json=body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert engine.received == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (URL, {"content": "x" * 100_001}, "content"),
        (URL, {"messages": [{"role": "user", "content": "x" * 100_001}]}, "messages.0.content"),
        (URL, {"chat_id": True, "content": "x" * 100_001}, "content"),
        (URL, {"chat_id": True, "content": "x", "max_tokens": 100_000}, "max_tokens"),
        (URL, {"chat_id": True, "content": "x", "response_format": {"type": "y"}}, "response_format"),
        ("/api/generate", {"prompt": "x" * 100_001}, "prompt"),
    ],
)
async def test_a_refusal_names_the_field_as_it_is_called_in_this_request(
    backend: Backend, path: str, body: dict[str, Any], field: str
) -> None:
    if "chat_id" in body:
        body = body | {"chat_id": await backend.new_chat()}

    reply = await backend.http.post(path, json=body)

    assert reply.status_code in (413, 422)
    assert [error["field"] for error in reply.json()["errors"]] == [field]


async def test_a_failure_is_the_final_message(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(status=500, times=None))

    reply = await backend.http.post(URL, json={"content": "Hi"})

    assert reply.status_code == 200
    assert (reply.json()["status"], reply.json()["metadata"]["error"]["code"]) == ("failed", "engine_error")


async def test_generate_streams_the_answer_to_a_prompt(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS))

    reply = await backend.http.post("/api/generate", json={"prompt": "Once", "max_tokens": 20})
    bad = await backend.http.post("/api/generate", json={"prompt": " "})

    assert sse_events(reply.text)[-1]["message"]["content"] == "All is well."
    assert engine.received[0].body["messages"] == [{"role": "user", "content": "Once"}]
    assert bad.status_code == 422


async def test_clearing_takes_every_message_and_keeps_the_chat(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat(title="Kept")
    await backend.events((await backend.send(chat_id))["run"]["id"])
    script = engine.script(Answer(content=WORDS, gated=True))
    run_id = (await backend.send(chat_id))["run"]["id"]

    busy = await backend.http.post("/api/chat/clear", json={"chat_id": chat_id})
    script.open()
    await backend.events(run_id)
    cleared = await backend.http.post("/api/chat/clear", json={"chat_id": chat_id})

    assert (busy.status_code, busy.json()["code"]) == (409, "run_active")
    assert cleared.status_code == 200
    chat = (await backend.http.get(f"/api/chats/{chat_id}")).json()
    assert cleared.json() == chat
    assert (chat["title"], chat["messages"], chat["active_leaf_id"]) == ("Kept", [], None)
    assert (await backend.http.post("/api/chat/clear", json={"chat_id": "nonsense"})).status_code == 404
