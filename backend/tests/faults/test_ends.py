"""An end that is stored and not yet told: whoever reads the chat in that moment finds an answer that has ended."""

import asyncio
from typing import Any

import pytest

from app.services.run_ending import RunEnding
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend


async def test_a_chat_without_a_live_run_has_no_answer_that_streams(
    backend: Backend, engine: ScriptedVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.script(Answer(content="All of it."))
    stored, told = asyncio.Event(), asyncio.Event()
    store = RunEnding._stored

    async def held(self: RunEnding, *args: Any) -> Any:
        result = await store(self, *args)
        stored.set()
        await told.wait()
        return result

    monkeypatch.setattr(RunEnding, "_stored", held)
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    await stored.wait()

    chat = (await backend.http.get(f"/api/chats/{chat_id}")).json()
    listed = (await backend.http.get(f"/api/chats/{chat_id}/messages")).json()["items"]
    run = (await backend.http.get(f"/api/runs/{run_id}")).json()["run"]

    told.set()
    assert listed[-1]["status"] == "completed"
    assert run["ended_at"] is not None
    assert run["status"] == "completed", "a run that has ended does not stream"
    assert (chat["active_run"], chat["messages"][-1]["status"]) == (None, "completed")
    assert (await backend.events(run_id))[-1]["outcome"] == "completed"
