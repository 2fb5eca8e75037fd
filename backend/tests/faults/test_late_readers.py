"""F01, law 2: readers who come back after a restart find the events of an answer that had ended before it."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.config import Settings
from app.repositories.journal_file import journal_files
from app.repositories.journal_past import PastFiles
from app.repositories.run_journal import RunJournal
from app.services.run_recall import KEPT_S
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.faults.answers import question
from tests.faults.conftest import NewLane
from tests.faults.failpoints import Failpoint
from tests.runs.test_run_journal import begin, log_of
from tests.served.backend_server import serving
from tests.served.chat_client import ChatClient

pytestmark = pytest.mark.socketio
WORDS = [f"w{number} " for number in range(20)]


async def test_the_events_of_an_answer_outlive_any_number_of_restarts(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either)
    lane.engine.fresh = lambda number: Answer(content=[f"a{number} ", *WORDS], reasoning=WORDS[:5])
    asked = await question(lane)
    await asked.send()
    stored = await asked.checked()
    told = await lane.events(asked.run_id)

    for end in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
        lane.backend.send(end)
        await lane.backend.ended()
        await lane.backend.start()

        assert await lane.events(asked.run_id) == told
    assert told[-1]["message"] == stored
    async with ChatClient(lane.backend.url) as client:
        joined = await client.join(asked.chat_id, run_id=asked.run_id, after_seq=2)
    assert joined["events"] == told[2:]


async def test_a_reader_cut_off_before_the_end_is_told_it_by_the_next_backend(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either)
    lane.engine.fresh = lambda number: Answer(content=[f"a{number} ", *WORDS], rate=300)
    await lane.backend.kill()
    await lane.backend.start(Failpoint(point="before the end is shown", hit=1, sleep_s=0))
    asked = await question(lane, door="sse")
    await asked.send()

    assert await lane.backend.ended() == -signal.SIGKILL
    await lane.backend.start()

    stored = await asked.checked()
    last = asked.reader.sent[max(asked.reader.sent)]
    assert (last["type"], last["message"]) == ("run.ended", stored), "told, and not looked up"


async def test_what_is_not_whole_any_more_is_gone(
    live_settings: Settings, engine: ScriptedVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.fresh = lambda _: Answer(content=WORDS)
    runs = []
    async with serving(live_settings) as backend:
        for _ in range(3):
            chat_id = await backend.new_chat()
            runs.append((await backend.send(chat_id, options={"max_tokens": 9}))["run"]["id"])
            await backend.events(runs[-1])
        goes_on = await backend.http.post(f"/api/runs/{runs[0]}/continue")
        await backend.events(goes_on.json()["run"]["id"])

    async with serving(live_settings) as backend:

        async def status(run_id: str) -> int:
            return (await backend.http.get(f"/api/runs/{run_id}/events")).status_code

        assert await status(runs[0]) == 410, "how it ended has been written over by the next run"
        assert await status(goes_on.json()["run"]["id"]) == 200
        assert await status(runs[1]) == 200
        later = datetime.now(UTC) + timedelta(seconds=KEPT_S)
        monkeypatch.setattr(backend.running.parts.clock, "now", lambda: later)
        assert await status(runs[2]) == 410, "ten minutes are over"


async def test_what_was_put_aside_is_read_by_no_start_and_forgotten_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = RunJournal(tmp_path)
    logs = [log_of(journal), log_of(journal)]
    for log in logs:
        begin(log)
        log.write("content", "text")
        await log.settled()
    await journal.close()
    past = PastFiles(tmp_path, journal_files(tmp_path))
    before = await past.find(logs[0].run_id)

    await past.put()

    assert journal_files(tmp_path) == []
    assert await past.find(logs[0].run_id) == before
    assert before.events == list(logs[0].events_after(0))
    monkeypatch.setattr("app.repositories.journal_past.KEPT_S", -60)
    await asyncio.gather(past.forget(), past.find(logs[1].run_id))
    assert (await past.find(logs[0].run_id)).events == []
    assert await asyncio.to_thread(os.listdir, tmp_path) == []
