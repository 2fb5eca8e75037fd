"""Starting runs: what is answered, stored and asked; the same request again; what is refused."""

import asyncio
from uuid import uuid4

import pytest

from app.schemas.run import StartRun
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, told_text


async def test_an_answer_is_stored_whole_with_what_the_engine_told(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="Hello there, friend.", reasoning="They greet. 你好"))
    chat_id = await backend.new_chat()

    started = await backend.send(chat_id, "First line\nsecond")
    events = await backend.events(started["run"]["id"])

    assert started["run"]["status"] in {"queued", "streaming"}
    assert started["assistant_message"]["parent_id"] == started["user_message"]["id"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] for event in events[:1] + events[-1:]] == ["run.started", "run.ended"]
    ended = events[-1]
    stored = (await backend.messages(chat_id))[-1]
    assert ended["outcome"] == "completed"
    assert ended["message"] == stored
    assert (stored["content"], stored["reasoning"]) == ("Hello there, friend.", "They greet. 你好")
    assert told_text(events, ended["text_seq"]) == {
        "content": stored["content"],
        "reasoning": stored["reasoning"],
    }
    assert stored["status"] == "completed"
    assert stored["metadata"]["finish_reason"] == "stop"
    assert stored["metadata"]["usage"]["completion_tokens"] > 0
    assert "error" not in stored["metadata"]
    chat = (await backend.http.get(f"/api/chats/{chat_id}")).json()
    assert (chat["title"], chat["active_run"]) == ("First line", None)
    run = (await backend.http.get(f"/api/runs/{started['run']['id']}")).json()
    assert (run["run"]["status"], run["seq"], run["content"]) == (
        "completed",
        ended["seq"],
        stored["content"],
    )
    assert run["run"]["started_at"] is not None
    assert run["run"]["ended_at"] is not None


async def test_the_prompt_is_the_system_prompt_and_the_path_without_thoughts(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat(system_prompt="Be brief.", temperature=0.5)
    engine.script(Answer(content="One.", reasoning="secret thought"))
    await backend.events((await backend.send(chat_id, "first"))["run"]["id"])

    second = await backend.send(chat_id, "second", options={"seed": 7, "max_tokens": 50, "thinking": False})
    await backend.events(second["run"]["id"])

    body = engine.received[-1].body
    assert [(turn["role"], turn["content"]) for turn in body["messages"]] == [
        ("system", "Be brief."),
        ("user", "first"),
        ("assistant", "One."),
        ("user", "second"),
    ]
    assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.5, 7, 50)


async def test_answering_again_makes_a_sibling(backend: Backend, engine: ScriptedVllm) -> None:
    chat_id = await backend.new_chat()
    first = await backend.send(chat_id)
    await backend.events(first["run"]["id"])

    reply = await backend.http.post(f"/api/chats/{chat_id}/runs", json={})
    again = reply.json()
    await backend.events(again["run"]["id"])

    assert reply.status_code == 202
    assert again["user_message"] is None
    assert again["assistant_message"]["parent_id"] == first["user_message"]["id"]
    assert again["assistant_message"]["sibling_ids"] == [
        first["assistant_message"]["id"],
        again["assistant_message"]["id"],
    ]
    assert len(engine.received) == 2


async def test_only_a_question_can_be_answered(backend: Backend) -> None:
    chat_id = await backend.new_chat()
    empty = await backend.http.post(f"/api/chats/{chat_id}/runs", json={})
    started = await backend.send(chat_id)
    await backend.events(started["run"]["id"])

    answers = [
        empty,
        await backend.http.post(
            f"/api/chats/{chat_id}/runs", json={"parent_id": started["assistant_message"]["id"]}
        ),
        await backend.http.post(f"/api/chats/{chat_id}/runs", json={"parent_id": None}),
    ]

    for reply in answers:
        assert (reply.status_code, reply.json()["code"]) == (422, "not_a_user_message")
        assert reply.json()["errors"][0]["field"] == "parent_id"
    foreign = await backend.http.post(f"/api/chats/{chat_id}/runs", json={"parent_id": str(uuid4())})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "message_not_found")


async def test_fifty_times_the_same_request_at_once_is_one_run(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content="Only once.", gated=True))
    chat_id = await backend.new_chat()
    request = {"run_id": str(uuid4()), "message": {"id": str(uuid4()), "content": "Hello"}}

    replies = await asyncio.gather(
        *(backend.http.post(f"/api/chats/{chat_id}/runs", json=request) for _ in range(50))
    )

    assert sorted(reply.status_code for reply in replies) == [200] * 49 + [202]
    assert len({reply.json()["assistant_message"]["id"] for reply in replies}) == 1
    script.open()
    await backend.events(request["run_id"])
    assert len(await backend.messages(chat_id)) == 2
    assert len(engine.received) == 1
    late = await backend.http.post(f"/api/chats/{chat_id}/runs", json=request)
    assert (late.status_code, late.json()["run"]["status"]) == (200, "completed")
    assert late.json()["assistant_message"]["content"] == "Only once."


@pytest.mark.parametrize("turns", range(4))
async def test_a_start_whose_client_leaves_in_the_middle_is_whole(
    backend: Backend, engine: ScriptedVllm, turns: int
) -> None:
    """Else its row would stand there for ever, and the chat take no other question."""
    engine.script(Answer(content="All the same."))
    chat_id = await backend.new_chat()
    request = StartRun.model_validate({"run_id": str(uuid4()), "message": {"content": "Hello"}})
    asking = asyncio.create_task(backend.running.services.runs.start("local", chat_id, request))
    for _ in range(turns):
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    if turns:
        async with asyncio.timeout(20):
            while backend.running.parts.logs.get(request.run_id or "") is None:  # noqa: ASYNC110 (its log stays)
                await asyncio.sleep(0.001)
        await backend.events(request.run_id or "")
    stored = await backend.messages(chat_id)
    assert [message["content"] for message in stored] == (["Hello", "All the same."] if turns else [])


@pytest.mark.parametrize("chosen", ["run_id", "message"])
async def test_an_id_with_other_content_or_in_another_chat_is_a_conflict(
    backend: Backend, chosen: str
) -> None:
    chat_id, other = await backend.new_chat(), await backend.new_chat()
    request = {"run_id": str(uuid4()), "message": {"id": str(uuid4()), "content": "Hello"}}
    await backend.http.post(f"/api/chats/{chat_id}/runs", json=request)
    await backend.events(request["run_id"])
    again = {"message": {"content": "Other"}}
    if chosen == "run_id":
        again["run_id"] = request["run_id"]
    else:
        again["message"]["id"] = request["message"]["id"]

    replies = [
        await backend.http.post(f"/api/chats/{chat_id}/runs", json=again),
        await backend.http.post(f"/api/chats/{other}/runs", json=again),
    ]

    assert [(reply.status_code, reply.json()["code"]) for reply in replies] == [(409, "id_conflict")] * 2
    assert len(await backend.messages(chat_id)) == 2
    assert await backend.messages(other) == []


async def test_a_message_id_alone_makes_a_request_the_same(backend: Backend, engine: ScriptedVllm) -> None:
    chat_id = await backend.new_chat()
    request = {"message": {"id": str(uuid4()), "content": "Hello"}}
    first = await backend.http.post(f"/api/chats/{chat_id}/runs", json=request)
    await backend.events(first.json()["run"]["id"])

    again = await backend.http.post(f"/api/chats/{chat_id}/runs", json=request)

    assert again.status_code == 200
    assert again.json()["run"]["id"] == first.json()["run"]["id"]
    assert len(engine.received) == 1


async def test_a_chat_has_one_run_at_a_time(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content="Slow", gated=True))
    chat_id = await backend.new_chat()
    started = await backend.send(chat_id)

    second = await backend.http.post(f"/api/chats/{chat_id}/runs", json={"message": {"content": "More"}})

    assert (second.status_code, second.json()["code"]) == (409, "run_active")
    assert len(await backend.messages(chat_id)) == 2
    script.open()
    await backend.events(started["run"]["id"])
    assert (await backend.send(chat_id, "More"))["run"]["status"] in {"queued", "streaming"}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"message": {"content": "   "}}, 422, "invalid_request", "message.content"),
        ({"message": {"content": "a\x00b"}}, 422, "invalid_request", "message.content"),
        ({"message": {"content": 5}}, 422, "invalid_request", "message.content"),
        ({"message": {}}, 422, "invalid_request", "message.content"),
        ({"message": {"content": "x" * 100_001}}, 413, "message_too_large", "message.content"),
        ({"run_id": "no", "message": {"content": "x"}}, 422, "invalid_request", "run_id"),
        ({"message": {"content": "x"}, "role": "user"}, 422, "invalid_request", "role"),
        ({"message": {"content": "x"}, "options": {"n": 2}}, 422, "invalid_request", "options.n"),
        (
            {"message": {"content": "x"}, "options": {"temperature": 9}},
            422,
            "invalid_request",
            "options.temperature",
        ),
        (
            {"message": {"content": "x"}, "options": {"max_tokens": 8193}},
            422,
            "max_tokens_too_large",
            "options.max_tokens",
        ),
    ],
)
async def test_bad_requests_name_the_field_and_store_nothing(
    backend: Backend, engine: ScriptedVllm, body: dict, status: int, code: str, field: str
) -> None:
    chat_id = await backend.new_chat()

    reply = await backend.http.post(f"/api/chats/{chat_id}/runs", json=body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.json()["errors"][0]["field"] == field
    assert len(reply.content) < 4096
    assert await backend.messages(chat_id) == []
    assert engine.received == []


@pytest.mark.parametrize("chat_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
async def test_unknown_and_malformed_chats_and_runs_are_not_found(backend: Backend, chat_id: str) -> None:
    replies = [
        await backend.http.post(f"/api/chats/{chat_id}/runs", json={"message": {"content": "x"}}),
        await backend.http.get(f"/api/runs/{chat_id}"),
        await backend.http.get(f"/api/runs/{chat_id}/events"),
        await backend.http.post(f"/api/runs/{chat_id}/stop"),
        await backend.http.post(f"/api/runs/{chat_id}/continue"),
    ]

    assert [reply.status_code for reply in replies] == [404] * 5
    assert [reply.json()["code"] for reply in replies] == ["chat_not_found"] + ["run_not_found"] * 4
