"""F05, F06, F09, F11, F12: a real vLLM's own dying bytes before a whole backend, a slow one, a busy one, one that comes late."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.fakes.answers import Answer
from tests.faults.answers import question
from tests.faults.conftest import NewLane
from tests.faults.lane import Lane

RECORDED = Path(__file__).resolve().parents[1] / "recorded"
WORDS = [f"w{number} " for number in range(8)]
DYING = {
    "error": {
        "message": "EngineCore encountered an issue. See stack trace (above) for the root cause.",
        "type": "InternalServerError",
        "param": None,
        "code": 500,
    }
}


def text_of(stream: bytes) -> str:
    """Return the thought that a recorded stream carries."""
    chunks = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith(b'data: {"id"')]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get("reasoning") or "" for delta in deltas)


async def ended(lane: Lane, run_id: str) -> dict[str, object]:
    """Return a run when it has ended."""
    async with asyncio.timeout(20):
        while (run := (await lane.say("GET", f"/api/runs/{run_id}"))["run"])["ended_at"] is None:  # noqa: ASYNC110 (over the wire)
            await asyncio.sleep(0.02)
    return dict(run)


async def test_f06_the_silence_of_a_vllm_that_got_sigterm_is_noticed_and_no_word_is_lost(
    new_lane: NewLane,
) -> None:
    lane = await new_lane(resume_runs="false", idle_timeout_s=0.5)
    recorded = (RECORDED / "stream_sigterm.body").read_bytes()
    lane.engine.script(Answer(raw=recorded, end="hang"))
    asked = await question(lane)
    await asked.send()

    message = await asked.reader.until_ended()

    assert (message["status"], message["metadata"]["error"]["code"]) == ("interrupted", "engine_idle")
    assert message["reasoning"] == text_of(recorded) != ""
    async with asyncio.timeout(2):
        await lane.engine.received[0].ended.wait()
    assert lane.engine.received[0].state == "hung_up", "its place at the engine is free"


@pytest.mark.parametrize("resume", ["true", "false"])
async def test_f05_an_error_before_done_is_never_a_whole_answer(new_lane: NewLane, resume: str) -> None:
    lane = await new_lane(resume_runs=resume)
    lane.engine.script(Answer(content=WORDS, end="error_done", end_after=4))
    asked = await question(lane)
    await asked.send()

    message = await asked.reader.until_ended()

    if resume == "true":
        await asked.checked()
        assert message["metadata"]["continued"] == 1
    else:
        assert (message["status"], message["content"]) == ("interrupted", "".join(WORDS[:4]))


async def test_f05_asking_a_vllm_whose_core_is_dead_does_not_use_up_the_attempts(new_lane: NewLane) -> None:
    """What a real one did in the second after a kill -9 of its core: the next request got 200 and this, the one after it 500."""
    lane = await new_lane()
    lane.engine.script(Answer(content=WORDS, end="error_done", end_after=4))
    lane.engine.script(Answer(raw=f"data: {json.dumps(DYING)}\n\ndata: [DONE]\n\n".encode()))
    lane.engine.script(Answer(status=500, body=DYING))
    asked = await question(lane)
    await asked.send()

    await asked.checked()

    assert len(lane.engine.received) == 4


async def test_f09_stop_works_while_the_first_token_is_waited_for(new_lane: NewLane) -> None:
    lane = await new_lane(first_token_timeout_s=60)
    lane.engine.script(Answer(content=WORDS, first_token_s=50))
    asked = await question(lane)
    await asked.send()
    await asked.reader.until_seq(1)
    loop = asyncio.get_running_loop()

    began = loop.time()
    stopped = await lane.say("POST", f"/api/runs/{asked.run_id}/stop", {})
    async with asyncio.timeout(5):
        await lane.engine.received[0].ended.wait()

    assert stopped["run"]["status"] == "stopped"
    assert lane.engine.received[0].state == "hung_up"
    assert loop.time() - began < 2


@pytest.mark.parametrize(
    ("status", "requests", "code"),
    [
        (500, 2, "engine_error"),
        (503, 2, None),
        (429, None, None),
        (401, 1, None),
        (404, 1, "model_unavailable"),
    ],
)
async def test_f11_each_refusal_has_its_code_and_at_most_one_more_try(
    new_lane: NewLane, status: int, requests: int | None, code: str | None
) -> None:
    lane = await new_lane(engine_wait_s=1)
    lane.engine.script(Answer(status=status, headers={"Retry-After": "1"}, times=None))
    asked = await question(lane)
    await asked.send()

    run = await ended(lane, asked.run_id)

    assert run["status"] == "failed"
    assert isinstance(run["error"], dict)
    assert code is None or run["error"]["code"] == code
    assert "scripted" not in json.dumps(run["error"]), "what an engine says is never echoed"
    assert len(lane.engine.received) <= 2
    assert requests is None or len(lane.engine.received) <= requests


async def test_f12_a_backend_that_starts_without_an_engine_reads_and_answers_when_it_comes(
    new_lane: NewLane,
) -> None:
    lane = await new_lane()
    await lane.to_engine.refuse()
    await lane.backend.kill()
    await lane.backend.start()
    lane.answers(rate=500, parts=3)
    asked = await question(lane)
    await asked.send()
    await asked.reader.until_seq(1)
    async with lane.session.get(f"{lane.backend.url}/api/chat/health") as reply:
        assert reply.status == 503
    assert (await lane.say("GET", f"/api/chats/{asked.chat_id}"))["messages"][0]["content"] == asked.content

    await lane.to_engine.accept()

    await asked.checked()


async def test_f05_a_vllm_that_says_it_is_dying_is_waited_for_and_uses_up_no_attempt(
    new_lane: NewLane,
) -> None:
    lane = await new_lane()
    lane.engine.script(Answer(content=WORDS, end="error_done", end_after=4))
    lane.engine.script(Answer(status=500, body=DYING, times=None))
    lane.engine.healthy = False
    asked = await question(lane)
    await asked.send()
    await asked.reader.until_text("w3 ")
    async with asyncio.timeout(20):
        while lane.engine.health_asked < 4:  # noqa: ASYNC110 (over the wire)
            await asyncio.sleep(0.02)

    assert len(lane.engine.received) == 1, "it is not asked for an answer while it says that it is not well"
    lane.engine.scripts.clear()
    lane.engine.healthy = True

    stored = await asked.checked()
    assert stored["metadata"]["continued"] == 1


@pytest.mark.parametrize("after", [0, 4])
async def test_f05_refusals_of_a_dying_vllm_end_no_answer_that_had_begun(
    new_lane: NewLane, after: int
) -> None:
    """Its health is no better known to it than to us: it refuses, and says only then that it is dying."""
    lane = await new_lane()
    refusals = 4  # more than the attempts that may be fruitless
    lane.engine.script(Answer(content=WORDS, end="reset", end_after=after))
    lane.engine.script(Answer(status=500, body=DYING, times=refusals))
    lane.engine.ill_after_refusal = 3
    asked = await question(lane)
    await asked.send()

    await asked.checked()

    assert len(lane.engine.received) == 1 + refusals + 1


async def test_f05_an_engine_that_stays_ill_is_waited_for_as_long_as_is_set(new_lane: NewLane) -> None:
    lane = await new_lane(engine_wait_s=1)
    lane.engine.script(Answer(content=WORDS, end="error_done", end_after=4))
    lane.engine.healthy = False
    asked = await question(lane)
    await asked.send()

    message = await asked.reader.until_ended()

    assert (message["status"], message["metadata"]["error"]["code"]) == ("interrupted", "engine_unavailable")
    assert message["content"] == "".join(WORDS[:4])
