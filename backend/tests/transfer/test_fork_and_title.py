"""Going on elsewhere from a message, and a title by the model."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from app.config import Settings
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving


async def asked(backend: Backend, chat_id: str, content: str) -> dict[str, Any]:
    started = await backend.send(chat_id, content)
    return (await backend.events(started["run"]["id"]))[-1]["message"]


@pytest.mark.parametrize("temporary", [False, True])
async def test_a_fork_is_the_path_up_to_the_message(
    backend: Backend, engine: ScriptedVllm, temporary: bool
) -> None:
    engine.script(Answer(content="one", reasoning="hm", times=None))
    chat_id = await backend.new_chat(title="T", system_prompt="S", params={"seed": 7}, temporary=temporary)
    first = await asked(backend, chat_id, "a")
    await asked(backend, chat_id, "b")
    before = (await backend.http.get(f"/api/chats/{chat_id}")).json()
    reply = await backend.http.post(f"/api/chats/{chat_id}/fork", json={"message_id": first["id"]})
    fork = reply.json()

    assert reply.status_code == 201
    assert (fork["title"], fork["system_prompt"], fork["params"]) == ("T", "S", {"seed": 7})
    assert fork["temporary"] is temporary
    assert [(m["role"], m["content"], m["reasoning"]) for m in fork["messages"]] == [
        ("user", "a", ""),
        ("assistant", "one", "hm"),
    ]
    assert fork["active_leaf_id"] == fork["messages"][1]["id"]
    assert not {m["id"] for m in fork["messages"]} & {m["id"] for m in before["messages"]}
    assert fork["messages"][1]["created_at"] == first["created_at"]
    assert (await backend.http.get(f"/api/chats/{fork['id']}")).json() == fork
    assert (await backend.http.get(f"/api/chats/{chat_id}")).json() == before
    assert (await asked(backend, fork["id"], "c"))["content"] == "one"
    assert [turn["content"] for turn in engine.received[-1].body["messages"]] == ["S", "a", "one", "c"]


async def test_a_fork_of_an_answer_that_is_being_written_is_cut_there(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=["a ", "b "], gated=True, endless=True))
    chat_id = await backend.new_chat()
    started = await backend.send(chat_id)
    script.step(2)
    stream = backend.http.stream("GET", f"/api/runs/{started['run']['id']}/events")
    async with stream as reply:
        seen = ""
        async for line in reply.aiter_lines():
            seen += line
            if '"b "' in seen or '"a b "' in seen:
                break
    message_id = started["assistant_message"]["id"]
    fork = (await backend.http.post(f"/api/chats/{chat_id}/fork", json={"message_id": message_id})).json()
    await backend.stop(started["run"]["id"])

    assert [(m["content"], m["status"]) for m in fork["messages"]] == [
        ("Hello", "completed"),
        ("a b ", "interrupted"),
    ]
    assert fork["active_run"] is None


async def test_what_cannot_be_forked_is_named(backend: Backend) -> None:
    chat_id, other = await backend.new_chat(), await backend.new_chat()
    said = {"role": "user", "content": "x"}
    foreign = (await backend.http.post(f"/api/chats/{other}/messages", json=said)).json()["id"]
    for message_id in (str(uuid4()), foreign):
        reply = await backend.http.post(f"/api/chats/{chat_id}/fork", json={"message_id": message_id})
        assert (reply.status_code, reply.json()["code"]) == (404, "message_not_found")
        assert reply.json()["errors"][0]["field"] == "message_id"
    assert (
        await backend.http.post(f"/api/chats/{uuid4()}/fork", json={"message_id": foreign})
    ).status_code == 404
    assert len((await backend.http.get("/api/chats/")).json()["items"]) == 2


async def test_the_model_gives_the_title_behind_the_same_prompt(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="Because.", reasoning="xyzzythought", times=1))
    engine.script(Answer(content='"Why the sky is blue."\nMore words', times=1))
    chat_id = await backend.new_chat(system_prompt="Be brief.")
    await asked(backend, chat_id, "Why?")
    reply = await backend.http.post(f"/api/chats/{chat_id}/title")

    first, second = (received.body for received in engine.received)
    assert (reply.status_code, reply.json()["title"]) == (200, "Why the sky is blue")
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert second["messages"][len(first["messages"])] == {"role": "assistant", "content": "Because."}
    assert second["chat_template_kwargs"] == {"enable_thinking": False}
    assert len(reply.json()["messages"]) == 2
    assert "xyzzythought" not in str(second)


async def test_a_model_without_words_leaves_the_first_line(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="ok", times=1))
    engine.script(Answer(content='""', times=1))
    chat_id = await backend.new_chat(title="Old")
    await asked(backend, chat_id, "First line\nsecond")

    assert (await backend.http.post(f"/api/chats/{chat_id}/title")).json()["title"] == "First line"


async def test_an_answer_longer_than_a_message_may_be_does_not_keep_a_chat_from_its_title(
    live_settings: Settings, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="word " * 20, times=1))
    engine.script(Answer(content="Many words", times=1))
    async with serving(live_settings.model_copy(update={"max_message_chars": 10})) as backend:
        chat_id = await backend.new_chat()
        await asked(backend, chat_id, "x")
        reply = await backend.http.post(f"/api/chats/{chat_id}/title")

    assert (reply.status_code, reply.json()["title"]) == (200, "Many words")


async def test_a_title_without_an_engine_says_when_to_try_again(
    live_settings: Settings, engine: ScriptedVllm
) -> None:
    async with serving(live_settings.model_copy(update={"engine_wait_s": 0})) as backend:
        chat_id = await backend.new_chat()
        message = {"role": "user", "content": "x"}
        await backend.http.post(f"/api/chats/{chat_id}/messages", json=message)
        await engine.stop()
        reply = await backend.http.post(f"/api/chats/{chat_id}/title")

    assert (reply.status_code, reply.json()["code"]) == (503, "engine_unavailable")
    assert int(reply.headers["Retry-After"]) > 0


async def test_a_title_that_fails_changes_nothing(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="ok", times=1))
    engine.script(Answer(status=400, body={"error": {"message": "no"}}, times=None))
    chat_id = await backend.new_chat(title="Old")
    empty = await backend.http.post(f"/api/chats/{chat_id}/title")
    await asked(backend, chat_id, "x")
    reply = await backend.http.post(f"/api/chats/{chat_id}/title")

    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "messages")
    assert reply.status_code == 502, reply.text
    assert (await backend.http.get(f"/api/chats/{chat_id}")).json()["title"] == "Old"


class TestBehindEverybody:
    """With one place to run, a title waits until nobody else does."""

    @pytest.fixture
    def overrides(self) -> dict[str, Any]:
        return {"max_concurrent_runs": 1}

    async def test_a_run_that_comes_later_goes_first(self, backend: Backend, engine: ScriptedVllm) -> None:
        engine.script(Answer(content="ok", times=1))
        chat_id, busy, later = [await backend.new_chat() for _ in range(3)]
        await asked(backend, chat_id, "title me")
        gate = engine.script(Answer(content=["a "], gated=True, endless=True))
        engine.script(Answer(content="The title", match="Write a title", times=1))
        engine.script(Answer(content="later", match="later", times=1))
        first = await backend.send(busy)
        gate.step(1)
        titled = asyncio.create_task(backend.http.post(f"/api/chats/{chat_id}/title"))
        admission = backend.running.parts.admission
        async with asyncio.timeout(20):
            while admission.queued() < 1:
                await asyncio.wait({titled}, timeout=0.01)
        second = await backend.send(later, "later")
        assert [ticket.last for _, ticket in admission.queue()] == [False, True]
        await backend.stop(first["run"]["id"])
        await backend.events(second["run"]["id"])

        assert (await titled).json()["title"] == "The title"
        assert [r.body["messages"][-1]["content"][:5] for r in engine.received[-2:]] == ["later", "Write"]
