"""The plain WebSocket: the same runs in the first reference document's words."""

import json
from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend
from tests.served.raw_socket import Raw, raw_socket

PATH = "/ws/chat"
WORDS = ["Hello ", "世界", " and ", "all ", "of ", "you", "."]


async def say(raw: Raw, message: dict[str, Any]) -> None:
    await raw.socket.send(json.dumps(message))


async def hear(raw: Raw) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await raw.receive())
    return message


async def hear_until(raw: Raw, kind: str) -> list[dict[str, Any]]:
    heard = [await hear(raw)]
    while heard[-1]["type"] != kind:
        heard.append(await hear(raw))
    return heard


async def test_a_question_is_answered_in_a_new_chat(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, reasoning="Hm."))
    async with raw_socket(backend.url, PATH) as raw:
        await say(raw, {"type": "chat", "content": "Hi", "thinking": True})
        start, *deltas, done = await hear_until(raw, "done")

    assert start["type"] == "start"
    stored = await backend.messages(start["chat_id"])
    assert stored[-1]["id"] == start["message_id"]
    assert done == {"type": "done", "outcome": "completed", "message": stored[-1]}
    assert {delta["type"] for delta in deltas} == {"delta"}
    told = {"content": "", "reasoning": ""}
    for delta in deltas:
        told[delta["channel"]] += delta["text"]
    assert told == {"content": "".join(WORDS), "reasoning": "Hm."}
    numbers = [delta["seq"] for delta in deltas]
    assert numbers == list(range(2, 2 + len(deltas))), "run.started has number 1"


async def test_a_second_question_goes_into_the_chat_it_names(backend: Backend, engine: ScriptedVllm) -> None:
    chat_id = await backend.new_chat()
    async with raw_socket(backend.url, PATH) as raw:
        for number in (1, 2):
            engine.script(Answer(content=f"Answer {number}."))
            await say(raw, {"type": "chat", "chat_id": chat_id, "content": f"Question {number}"})
            heard = await hear_until(raw, "done")
            assert heard[0]["chat_id"] == chat_id

    assert len(await backend.messages(chat_id)) == 4


async def test_stop_ends_the_run_that_is_being_read(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    async with raw_socket(backend.url, PATH) as raw:
        await say(raw, {"type": "chat", "content": "Hi"})
        start = await hear(raw)
        script.step(1)
        await hear(raw)
        await say(raw, {"type": "chat", "content": "Not now"})
        refused = await hear(raw)
        await say(raw, {"type": "stop"})
        done = (await hear_until(raw, "done"))[-1]

    assert refused["error"]["code"] == "run_active"
    assert (done["outcome"], done["message"]["content"]) == ("stopped", "Hello ")
    assert (await backend.http.get(f"/api/runs/{start['run_id']}")).json()["run"]["status"] == "stopped"


async def test_leaving_stops_nothing_and_resume_goes_on_from_any_number(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    async with raw_socket(backend.url, PATH) as raw:
        await say(raw, {"type": "chat", "content": "Hi"})
        start = await hear(raw)
        seen = []
        for _ in range(2):
            script.step()
            seen.append(await hear(raw))
    script.open()
    async with raw_socket(backend.url, PATH) as raw:
        await say(raw, {"type": "resume", "run_id": start["run_id"], "after_seq": seen[0]["seq"]})
        again, *deltas, done = await hear_until(raw, "done")
    backend.running.parts.logs.drop(start["run_id"])
    async with raw_socket(backend.url, PATH) as raw:
        await say(raw, {"type": "resume", "run_id": start["run_id"], "after_seq": 0})
        late = await hear_until(raw, "done")

    assert again == start
    assert seen[0]["text"] + "".join(delta["text"] for delta in deltas) == "".join(WORDS)
    assert deltas[0] == seen[1]
    assert done["outcome"] == "completed"
    assert late == [start, done | {"message": late[-1]["message"]}]
    assert late[-1]["message"]["content"] == done["message"]["content"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed_json"),
        ("{", "malformed_json"),
        ("[" * 60_000, "malformed_json"),
        ("9" * 10_000, "malformed_json"),
        ("5", "invalid_request"),
        ("{}", "invalid_request"),
        ('{"type":"other"}', "invalid_request"),
        ('{"type":"chat"}', "invalid_request"),
        ('{"type":"chat","content":" "}', "invalid_request"),
        ('{"type":"chat","content":"x","n":2}', "invalid_request"),
        ('{"type":"chat","content":"x","options":{"temperature":9}}', "invalid_request"),
        ('{"type":"chat","content":"\\ud800"}', "invalid_request"),
        ('{"type":"chat","content":"x","chat_id":"nonsense"}', "chat_not_found"),
        ('{"type":"chat","content":"x","options":{"max_tokens":1000000}}', "max_tokens_too_large"),
        ('{"type":"chat","content":"x","chat_id":"00000000-0000-4000-8000-000000000000"}', "chat_not_found"),
        ('{"type":"stop"}', "run_not_found"),
        ('{"type":"resume","run_id":"00000000-0000-4000-8000-000000000000"}', "run_not_found"),
        ('{"type":"resume","run_id":"nonsense"}', "run_not_found"),
        (
            '{"type":"resume","run_id":"00000000-0000-4000-8000-000000000000","after_seq":-1}',
            "invalid_request",
        ),
    ],
)
async def test_bad_messages_are_refused_and_the_connection_lives(
    backend: Backend, engine: ScriptedVllm, text: str, code: str
) -> None:
    async with raw_socket(backend.url, PATH) as raw:
        await raw.socket.send(text)
        refused = await hear(raw)
        kept = (await backend.http.get("/api/chats/")).json()["items"]
        engine.script(Answer(content="Still here."))
        await say(raw, {"type": "chat", "content": "Hi"})
        done = (await hear_until(raw, "done"))[-1]

    assert (refused["type"], refused["error"]["code"]) == ("error", code)
    assert len(json.dumps(refused)) < 4096
    assert kept == []  # no chat was made for what was refused
    assert done["message"]["content"] == "Still here."


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"type": "chat"}, "content"),
        ({"type": "chat", "content": "x", "options": {"temperature": 9}}, "options.temperature"),
        ({"type": "stop", "n": 2}, "n"),
        ({"type": "resume", "run_id": "00000000-0000-4000-8000-000000000000", "after_seq": -1}, "after_seq"),
    ],
)
async def test_the_wrong_field_is_named_as_the_client_wrote_it(
    backend: Backend, message: dict[str, Any], field: str
) -> None:
    async with raw_socket(backend.url, PATH) as raw:
        await say(raw, message)
        refused = await hear(raw)

    assert [each["field"] for each in refused["error"]["errors"]] == [field]
    assert refused["error"]["detail"].startswith(f"{field}: ")


async def test_binary_frames_and_floods_close_the_connection(backend: Backend) -> None:
    async with raw_socket(backend.url, PATH) as raw:
        await raw.socket.send(b"{}")
        assert await raw.closed() == 1008
    async with raw_socket(backend.url, PATH) as raw:
        for _ in range(60):
            await raw.socket.send('{"type":"stop"}')
        assert await raw.closed() == 1008
