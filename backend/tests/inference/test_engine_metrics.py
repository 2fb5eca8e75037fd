"""Reading an engine's own count of its work."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.inference.engine_metrics import EngineMetrics, load_of
from app.inference.engines import Engines
from app.inference.vllm_client import engine_session
from app.ports import EngineLoad
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm

RECORDED = Path(__file__).parents[1] / "recorded" / "metrics.body"
LINES = b"""# HELP vllm:num_requests_running x
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 3.0
vllm:num_requests_running{engine="0",model_name="other"} 7.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 9.0
vllm:request_success_total{engine="0",finished_reason="abort",model_name="m"} 4.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 5.0
"""


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedVllm]:
    async with ScriptedVllm() as running:
        yield running


def test_the_counts_of_all_cores_of_one_model_are_added() -> None:
    assert load_of(LINES, "m") == EngineLoad(running=5, waiting=1, aborted=4)


def test_a_real_page_is_read() -> None:
    assert load_of(RECORDED.read_bytes(), "tinyq") == EngineLoad(running=0, waiting=0, aborted=0)


@pytest.mark.parametrize("page", [b"", b"\xff\x00", LINES, b"vllm:num_requests_running{} 1"])
def test_a_page_that_does_not_name_the_model_says_nothing(page: bytes) -> None:
    assert load_of(page, "tinyq") is None


async def test_an_abort_is_seen_where_it_happened(engine: ScriptedVllm) -> None:
    engine.script(Answer(content=["a"], gated=True))
    async with engine_session(None) as session:
        gauge = EngineMetrics(session, Engines([engine.url]))
        body = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        reply = await session.post(f"{engine.url}/chat/completions", json=body)
        during = await gauge.load("scripted")
        reply.close()
        await engine.received[0].ended.wait()
        after = await gauge.load("scripted")
        unknown = await gauge.load("another")

    assert during == EngineLoad(running=1, waiting=0, aborted=0)
    assert after == EngineLoad(running=0, waiting=0, aborted=1)
    assert unknown is None


async def test_an_engine_that_is_away_says_nothing() -> None:
    async with engine_session(None) as session:
        assert await EngineMetrics(session, Engines(["http://127.0.0.1:9/v1"])).load("m") is None
