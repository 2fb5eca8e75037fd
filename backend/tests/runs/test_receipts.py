"""The receipt of a stop: confirmed only when the engine's own count was seen to go down, and in time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend
from tests.served.chat_client import ChatClient

WORDS = [f"w{number} " for number in range(40)]


async def shown(backend: Backend, engine: ScriptedVllm, client: ChatClient, words: int) -> str:
    """Start a run and return its id once so many words are shown."""
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    await client.join(chat_id)
    run_id = str((await backend.send(chat_id))["run"]["id"])
    for number in range(1, words + 1):
        script.step()
        await client.until(lambda c, n=number: c.text["content"] == "".join(WORDS[:n]))
    return run_id


@pytest.fixture
async def client(backend: Backend) -> AsyncIterator[ChatClient]:
    async with ChatClient(backend.url) as client:
        yield client


async def test_a_stop_closes_the_engine_at_once_and_is_confirmed_by_its_count(
    backend: Backend, engine: ScriptedVllm, client: ChatClient
) -> None:
    run_id = await shown(backend, engine, client, 3)
    asked_at = asyncio.get_running_loop().time()
    run = backend.running.parts.active.get(run_id)

    stopped = await backend.stop(run_id, seen_seq=client.seq)
    took = asyncio.get_running_loop().time() - asked_at
    ended = await client.until_ended()

    closed_at = engine.received[0].ended_at
    assert closed_at is not None
    assert run is not None
    assert run.watch is not None
    assert closed_at - run.watch.asked_at < 0.1
    assert took < 1
    receipt = stopped["receipt"]
    assert (receipt["confirmed"], receipt["tokens"]) == (True, 3)
    assert 0 < receipt["engine_released_ms"] < 1000
    assert ended["message"]["metadata"]["receipt"] == receipt
    assert (await backend.stop(run_id))["receipt"] == receipt


@pytest.mark.parametrize("count", [0, 1, 5])
async def test_a_count_that_never_moves_confirms_nothing(
    backend: Backend, engine: ScriptedVllm, client: ChatClient, count: int
) -> None:
    run_id = await shown(backend, engine, client, 2)
    engine.frozen_running = count

    async with asyncio.timeout(1):
        stopped = await backend.stop(run_id)
    ended = await client.until_ended()

    assert stopped["receipt"] == {"confirmed": False, "engine_released_ms": None, "tokens": 2}
    assert ended["message"]["metadata"]["receipt"] == stopped["receipt"]


async def test_a_second_stop_moves_nothing_that_the_first_one_said(
    backend: Backend, engine: ScriptedVllm, client: ChatClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one comes while the first still looks at the engine, before the run has heard of it."""
    run_id = await shown(backend, engine, client, 6)
    receipts = backend.running.parts.receipts
    watch, looking, go_on = receipts.watch, asyncio.Event(), asyncio.Event()

    async def held(run: Any) -> Any:
        looking.set()
        await go_on.wait()
        return await watch(run)

    monkeypatch.setattr(receipts, "watch", held)
    seen = client.seq
    first = asyncio.create_task(backend.stop(run_id, seen_seq=seen))
    await looking.wait()
    second = asyncio.create_task(backend.stop(run_id, seen_seq=2))
    await backend.http.get(f"/api/runs/{run_id}")  # the second one has been read by then
    go_on.set()
    ended = await client.until_ended()

    assert (await first)["run"] == (await second)["run"]
    assert ended["text_seq"] == seen
    assert ended["message"]["content"] == "".join(WORDS[:6])


async def test_another_run_that_goes_on_does_not_hide_the_one_that_was_stopped(
    backend: Backend, engine: ScriptedVllm, client: ChatClient
) -> None:
    async with ChatClient(backend.url) as other:
        await shown(backend, engine, other, 2)
        run_id = await shown(backend, engine, client, 2)

        stopped = await backend.stop(run_id)

    assert stopped["receipt"]["confirmed"] is True
    assert len(engine.running) == 1


async def test_a_stop_before_the_first_token_is_confirmed_too(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="never", delay_s=30))
    run_id = (await backend.send(await backend.new_chat()))["run"]["id"]
    async with asyncio.timeout(5):
        while not engine.running:
            await backend.http.get(f"/api/runs/{run_id}")

    stopped = await backend.stop(run_id)

    assert stopped["receipt"]["confirmed"] is True
    assert stopped["receipt"]["tokens"] == 0


async def test_a_run_that_the_engine_never_saw_is_not_confirmed(
    backend: Backend, engine: ScriptedVllm
) -> None:
    await engine.stop()
    run_id = (await backend.send(await backend.new_chat()))["run"]["id"]

    stopped = await backend.stop(run_id)

    assert stopped["run"]["status"] == "stopped"
    assert stopped["receipt"] == {"confirmed": False, "engine_released_ms": None, "tokens": 0}


async def test_an_answer_that_ends_by_itself_meanwhile_keeps_its_end(
    backend: Backend, engine: ScriptedVllm, client: ChatClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop looks at the engine first; the run ends in that very moment."""
    run_id = await shown(backend, engine, client, 2)
    receipts = backend.running.parts.receipts
    script = engine.received[0].script
    assert script is not None
    watch = receipts.watch

    async def slow(run: Any) -> Any:
        script.open()
        await run.finished.wait()
        return await watch(run)

    monkeypatch.setattr(receipts, "watch", slow)
    stopped = await backend.stop(run_id, seen_seq=1)

    assert stopped["run"]["status"] == "completed"
    assert stopped["receipt"] == {"confirmed": False, "engine_released_ms": None, "tokens": None}
    assert (await client.until_ended())["message"]["content"] == "".join(WORDS)
