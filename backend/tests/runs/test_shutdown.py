"""Ending the process: what runs is let finish for a while, then ended with its text; nothing hangs for ever."""

import signal
from pathlib import Path

import httpx2

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_process import BackendProcess, backend_process
from tests.served.backend_server import Backend
from tests.served.chat_client import ChatClient

WORDS = [f"w{number} " for number in range(20)]


def settings_of(engine: ScriptedVllm, tmp_path: Path, drain_s: float) -> dict[str, object]:
    return {
        "database_url": f"sqlite:///{tmp_path / 'data' / 'chat.db'}",
        "vllm_api_base_url": engine.url,
        "default_model": "scripted",
        "drain_s": drain_s,
        "resume_runs": "false",
    }


async def running(backend: Backend, client: ChatClient) -> tuple[str, str]:
    chat_id = await backend.new_chat()
    await client.join(chat_id)
    run_id = (await backend.send(chat_id))["run"]["id"]
    await client.until(lambda c: c.text["content"].startswith("w0 w1 "))
    return chat_id, run_id


async def told_to_end(process: BackendProcess, backend: Backend) -> httpx2.Response:
    """Send SIGTERM and return the first refusal of a new run: from then on the signal has been seen."""
    process.send(signal.SIGTERM)
    while True:
        chat_id = await backend.new_chat()
        reply = await backend.http.post(f"/api/chats/{chat_id}/runs", json={"message": {"content": "No"}})
        if reply.status_code != 202:
            return reply


async def test_a_run_that_ends_in_time_is_completed_and_heard_to_the_end(
    engine: ScriptedVllm, tmp_path: Path
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    script.step(2)
    async with backend_process(tmp_path / "log", **settings_of(engine, tmp_path, 20)) as (process, backend):
        async with ChatClient(backend.url) as client:
            chat_id, _ = await running(backend, client)
            refused = await told_to_end(process, backend)
            script.open()
            ended = await client.until_ended()
        assert await process.ended() == 0
        await process.start()
        stored = (await backend.messages(chat_id))[-1]

    assert (refused.status_code, refused.json()["code"]) == (503, "shutting_down")
    assert int(refused.headers["Retry-After"]) > 0
    assert (ended["outcome"], stored["content"]) == ("completed", "".join(WORDS))


async def test_a_run_that_does_not_end_in_time_is_interrupted_with_its_text(
    engine: ScriptedVllm, tmp_path: Path
) -> None:
    engine.script(Answer(content=WORDS, gated=True)).step(2)
    async with backend_process(tmp_path / "log", **settings_of(engine, tmp_path, 0.3)) as (process, backend):
        async with ChatClient(backend.url) as client:
            chat_id, _ = await running(backend, client)
            process.send(signal.SIGTERM)
            ended = await client.until_ended()
        assert await process.ended() == 0
        await process.start()
        stored = (await backend.messages(chat_id))[-1]

    assert ended["outcome"] == stored["status"] == "interrupted"
    assert stored["content"] == "w0 w1 "
    assert stored["metadata"]["error"]["code"] == "shutting_down"
    assert engine.received[0].state == "hung_up"
    assert " ERROR " not in (tmp_path / "log").read_text()


async def test_a_second_signal_does_not_wait(engine: ScriptedVllm, tmp_path: Path) -> None:
    engine.script(Answer(content=WORDS, gated=True)).step(2)
    async with backend_process(tmp_path / "log", **settings_of(engine, tmp_path, 600)) as (process, backend):
        async with ChatClient(backend.url) as client:
            await running(backend, client)
            await told_to_end(process, backend)
            process.send(signal.SIGTERM)
            ended = await client.until_ended()
        assert await process.ended() == 0

    assert ended["outcome"] == "interrupted"


async def test_a_killed_backend_leaves_no_run_open(engine: ScriptedVllm, tmp_path: Path) -> None:
    engine.script(Answer(content=WORDS, gated=True)).step(2)
    async with backend_process(tmp_path / "log", **settings_of(engine, tmp_path, 1)) as (process, backend):
        async with ChatClient(backend.url) as client:
            chat_id, run_id = await running(backend, client)
            await process.kill()
        await process.start()
        run = (await backend.http.get(f"/api/runs/{run_id}")).json()
        chat = (await backend.http.get(f"/api/chats/{chat_id}")).json()

    assert run["run"]["status"] == chat["messages"][-1]["status"] == "interrupted"
    assert chat["active_run"] is None
