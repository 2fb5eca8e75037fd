"""F35: a stop that races the end, five hundred times, at any moment around the last delta."""

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from app.api.deps import LOCAL_USER
from app.errors import Unavailable
from app.schemas.numbered import Ended
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.faults.conftest import SEED
from tests.served.backend_server import Backend

ROUNDS, AT_ONCE = 500, 10
WORDS = [f"w{number} " for number in range(4)]
TURNS = 60  # of the loop, between the last word and the stop: so many before it, and so many after


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"max_concurrent_runs": AT_ONCE, "idle_timeout_s": 60.0}


async def stop(backend: Backend, run_id: str, **seen: int) -> str:
    """Stop a run, again where a machine with much to do could not store the end within a second; returns its outcome."""
    async with asyncio.timeout(30):
        while True:
            try:
                stopped = await backend.running.services.runs.stop(LOCAL_USER, run_id, **seen)
            except Unavailable:
                continue
            return stopped.run.status


async def turns(number: int) -> None:
    """Let the loop go round so often."""
    for _ in range(number):
        await asyncio.sleep(0)


async def race(backend: Backend, engine: ScriptedVllm, dice: random.Random, number: int) -> str:
    """Play one round; returns how the run came out."""
    script = engine.script(Answer(content=WORDS, gated=True, match=f"round {number}."))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id, f"round {number}."))["run"]["id"]
    log = backend.running.parts.logs.get(run_id)
    assert log is not None
    script.step(len(WORDS) - 1)
    async with asyncio.timeout(30):
        while WORDS[-2] not in log.text(log.seq)[1]:
            await turns(1)
    seen = dice.choice([{}, {"seen_seq": log.seq}])

    distance = dice.randint(-TURNS, TURNS)
    if distance < 0:
        stopping = [asyncio.create_task(stop(backend, run_id, **seen)) for _ in range(dice.choice([1, 1, 2]))]
        await turns(-distance)
        script.open()
    else:
        script.open()
        await turns(distance)
        stopping = [asyncio.create_task(stop(backend, run_id, **seen)) for _ in range(dice.choice([1, 1, 2]))]
    outcomes = set(await asyncio.gather(*stopping))

    events = log.events_after(0)
    [end] = [event for event in events if isinstance(event, Ended)]
    stored = (await backend.messages(chat_id))[-1]
    assert events[-1] is end
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert outcomes == {end.outcome} == {stored["status"]}, "whoever stopped it is told how it ended"
    assert end.message == stored
    assert stored["content"] == log.text(end.text_seq)[1]
    if stored["status"] == "completed":
        assert stored["content"] == "".join(WORDS)
    return str(stored["status"])


async def test_f35_of_a_stop_and_an_end_that_race_one_wins(backend: Backend, engine: ScriptedVllm) -> None:
    dice = random.Random(SEED)  # noqa: S311
    outcomes = Counter[str]()
    for first in range(0, ROUNDS, AT_ONCE):
        outcomes.update(
            await asyncio.gather(*(race(backend, engine, dice, first + n) for n in range(AT_ONCE)))
        )
        engine.reset()

    assert outcomes.total() == ROUNDS
    assert outcomes.keys() == {"stopped", "completed"}
    assert min(outcomes.values()) > ROUNDS // 50, "a race that one side always wins is none"
