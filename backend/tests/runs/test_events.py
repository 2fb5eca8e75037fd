"""Following a run by SSE: the same events as over Socket.IO, from any number on."""

import asyncio
import json
from typing import Any

import pytest

from app.api.event_stream import blocks
from app.services.run_logs import MemoryJournal, RunLogs
from tests.fakes.answers import Answer
from tests.fakes.clock import FakeClock
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.runs.test_run_log import Sink
from tests.served.backend_server import Backend, sse_events
from tests.served.chat_client import ChatClient

WORDS = [f"w{number} " for number in range(12)]


async def test_sse_and_socketio_tell_the_same_event_for_event(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS, reasoning="Hm, 让我想想。", rate=200))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]

        by_sse = await backend.events(run_id)
        await client.until_ended()

    assert by_sse == client.of_run(run_id)
    assert await backend.events(run_id) == by_sse


async def test_every_number_can_be_followed_from_in_the_middle_and_after_the_end(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    script.step(5)
    async with asyncio.timeout(5):
        while (await backend.http.get(f"/api/runs/{run_id}")).json()["content"] != "".join(WORDS[:5]):
            pass
    following = [asyncio.create_task(backend.events(run_id, after)) for after in range(4)]
    await asyncio.wait(following, timeout=0.05)
    script.open()
    whole = await backend.events(run_id)

    for after, follower in enumerate(following):
        assert await follower == whole[after:]
    for after in range(len(whole)):
        assert await backend.events(run_id, after) == whole[after:]
    assert await backend.events(run_id, len(whole)) == []
    assert await backend.events(run_id, 10_000) == []


async def test_last_event_id_is_stronger_than_the_query(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=WORDS))
    run_id = (await backend.send(await backend.new_chat()))["run"]["id"]
    whole = await backend.events(run_id)

    reply = await backend.http.get(
        f"/api/runs/{run_id}/events", params={"after_seq": 0}, headers={"Last-Event-ID": "2"}
    )
    nothing = await backend.http.get(
        f"/api/runs/{run_id}/events", headers={"Last-Event-ID": str(whole[-1]["seq"])}
    )

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert sse_events(reply.text) == whole[2:]
    assert nothing.status_code == 204


@pytest.mark.parametrize("bad", ["-1", "x", "1.5", "", "9" * 40])
async def test_bad_numbers_are_refused(backend: Backend, bad: str) -> None:
    run_id = (await backend.send(await backend.new_chat()))["run"]["id"]
    await backend.events(run_id)

    replies = [
        await backend.http.get(f"/api/runs/{run_id}/events", params={"after_seq": bad}),
        await backend.http.get(f"/api/runs/{run_id}/events", headers={"Last-Event-ID": bad}),
    ]

    assert replies[0].status_code == 422
    assert replies[1].status_code == 422


async def test_events_that_are_not_kept_any_longer_are_gone(backend: Backend) -> None:
    run_id = (await backend.send(await backend.new_chat()))["run"]["id"]
    whole = await backend.events(run_id)
    forget_logs(backend)

    gone = await backend.http.get(f"/api/runs/{run_id}/events", params={"after_seq": 1})
    nothing = await backend.http.get(f"/api/runs/{run_id}/events", params={"after_seq": whole[-1]["seq"]})
    snapshot = (await backend.http.get(f"/api/runs/{run_id}")).json()

    assert (gone.status_code, gone.json()["code"]) == (410, "run_log_gone")
    assert nothing.status_code == 204
    assert snapshot["seq"] == whole[-1]["seq"]
    assert snapshot["content"] == whole[-1]["message"]["content"]


def forget_logs(backend: Backend) -> None:
    """Let ten minutes go by for the logs of ended runs."""
    logs = backend.running.parts.logs
    for run_id in tuple(logs._logs):
        logs.drop(run_id)


async def test_logs_of_ended_runs_are_kept_for_ten_minutes_and_within_bounds() -> None:
    clock = FakeClock()
    logs = RunLogs(MemoryJournal(), Sink(), clock, max_kept_events=10)

    def ended_run(run_id: str) -> None:
        log = logs.open(user_id="u", chat_id="c", run_id=run_id, message_id="m")
        log.queued(1, "capacity")
        log.end(outcome="completed", text_seq=1, message={})
        logs.close(run_id)

    ended_run("first")
    clock.advance(599)
    assert logs.get("first") is not None
    clock.advance(1)
    assert logs.get("first") is None
    for number in range(6):
        ended_run(f"r{number}")
    assert [logs.get(f"r{number}") is not None for number in range(6)] == [False] + [True] * 5


async def test_a_quiet_stream_is_kept_alive_by_comments() -> None:
    log = RunLogs(MemoryJournal(), Sink(), FakeClock()).open(
        user_id="u", chat_id="c", run_id="r", message_id="m"
    )
    stream = blocks(log.follow(0), keep_alive_s=0.01)

    quiet = await anext(stream)
    log.queued(1, "capacity")
    event = await anext(stream)
    while event.startswith(b":"):
        event = await anext(stream)
    await stream.aclose()

    assert quiet == b": keep-alive\n\n"
    lines = event.decode().splitlines()
    assert lines[:2] == ["id: 1", "event: run.queued"]
    assert json.loads(lines[2].removeprefix("data: "))["position"] == 1


async def test_leaving_the_stream_does_not_stop_the_run(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    script.step(2)
    async with backend.http.stream("GET", f"/api/runs/{run_id}/events") as reply:
        async for line in reply.aiter_lines():
            if "w1" in line:
                break

    script.open()

    events: list[dict[str, Any]] = await backend.events(run_id)
    assert events[-1]["outcome"] == "completed"
