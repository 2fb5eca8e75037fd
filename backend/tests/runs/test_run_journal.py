"""The journal: on the disk before it is seen, in one commit for everybody, and read again whatever happened to it."""

import asyncio
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Unavailable
from app.repositories.group_commit import MAX_WAITING_CHARS, GroupCommit
from app.repositories.journal_file import JournalFile, Record, journal_files, read
from app.repositories.journal_opening import journal_beside
from app.repositories.run_journal import RunJournal
from app.services.run_log import RunLog
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.runs.test_run_log import Sink
from tests.served.backend_server import Backend, told_text
from tests.served.chat_client import ChatClient

WORDS = [f"w{number} " for number in range(12)]


class Gate:
    """Stands before every commit: holds it, or makes it fail."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.waiting = threading.Event()
        self.failures = 0

    def pass_through(self) -> None:
        self.waiting.set()
        assert self.open.wait(20)
        self.waiting.clear()
        if self.failures:
            self.failures -= 1
            raise sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate, append = Gate(), JournalFile.append

    def held(self: JournalFile, records: Sequence[Record]) -> None:
        gate.pass_through()
        append(self, records)

    monkeypatch.setattr(JournalFile, "append", held)
    yield gate
    gate.open.set()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[RunJournal]:
    journal = RunJournal(tmp_path / "runs")
    yield journal
    await journal.close()


def log_of(journal: GroupCommit, sink: Sink | None = None, run_id: str | None = None) -> RunLog:
    return RunLog(
        user_id="u",
        chat_id=str(uuid4()),
        run_id=run_id or str(uuid4()),
        message_id=str(uuid4()),
        journal=journal,
        sink=sink or Sink(),
        monotonic=asyncio.get_running_loop().time,
    )


def begin(log: RunLog) -> None:
    log.started(model="m", parent_id=None, continued=0, continues=None)


async def until(is_so: Any) -> None:
    """Wait until something is so that threads bring about."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.to_thread(os.sched_yield)


async def test_while_the_commit_is_held_nobody_sees_anything(
    backend: Backend, engine: ScriptedVllm, gate: Gate
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client, ChatClient(backend.url) as late:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step()
        await client.until(lambda c: c.text["content"] == "w0 ")
        following = asyncio.create_task(backend.events(run_id, 2))
        gate.open.clear()
        gate.waiting.clear()
        script.step(3)
        await until(gate.waiting.is_set)
        log = backend.running.parts.logs.get(run_id)
        assert log is not None
        await until(lambda: len(log) > log.seq)

        joined = await late.join(chat_id)
        snapshot = (await backend.http.get(f"/api/runs/{run_id}")).json()
        messages = await backend.messages(chat_id)

        assert [event["seq"] for event in client.of_run(run_id)] == [1, 2]
        assert (joined["run"]["seq"], joined["run"]["content"]) == (2, "w0 ")
        assert (snapshot["seq"], snapshot["content"]) == (2, "w0 ")
        assert messages[-1]["content"] == joined["chat"]["messages"][-1]["content"] == "w0 "
        assert not following.done()
        gate.open.set()
        script.open()
        await client.until_ended()
        assert (await following)[0]["text"].startswith("w1 ")

    assert client.text["content"] == "".join(WORDS)


async def test_one_commit_serves_everything_that_came_while_the_disk_was_busy(
    journal: RunJournal, gate: Gate
) -> None:
    logs = [log_of(journal) for _ in range(20)]
    begin(logs[0])
    await logs[0].settled()
    gate.open.clear()
    logs[0].write("content", "first")
    await until(gate.waiting.is_set)
    for log in logs[1:]:
        begin(log)
        log.write("content", "more")
    gate.open.set()
    for log in logs:
        await log.settled()

    with sqlite3.connect(journal.file.path) as connection:
        assert connection.execute("SELECT count(*) FROM batches").fetchone() == (3,)
    known = read([journal.file.path])
    assert {run_id: len(run.events) for run_id, run in known.items()} == {log.run_id: 2 for log in logs}


async def test_a_disk_that_refuses_for_a_while_loses_nothing(journal: RunJournal, gate: Gate) -> None:
    sink = Sink()
    log = log_of(journal, sink)
    begin(log)
    gate.failures = 3
    log.write("content", "kept")

    async with asyncio.timeout(10):
        await log.settled()

    assert [event.seq for event in sink.sent] == [1, 2]
    assert gate.failures == 0
    assert len(read([journal.file.path])[log.run_id].events) == 2


async def test_more_text_than_can_wait_for_a_disk_that_refuses_is_given_up_before_its_time(
    journal: RunJournal, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.repositories.group_commit.GIVE_UP_S", 3600.0)
    log = log_of(journal)
    begin(log)
    await log.settled()
    gate.failures = 1_000_000
    log.write("content", "x" * (MAX_WAITING_CHARS // 2))
    log.snapshot()
    await until(lambda: journal.trouble is not None)
    assert log.failure is None, "half of that may wait"
    log.write("content", "y" * MAX_WAITING_CHARS)
    log.snapshot()

    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await log.settled()

    gate.failures = 0


async def test_a_full_disk_ends_runs_with_what_was_shown(
    backend: Backend, engine: ScriptedVllm, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.repositories.group_commit.GIVE_UP_S", 0.2)
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        await backend.send(chat_id)
        script.step(2)
        await client.until(lambda c: c.text["content"].startswith("w0 "))
        shown = client.text["content"]
        gate.failures = 1_000_000
        script.open()
        ended = await client.until_ended()
        told = told_text(client.of_run(ended["run_id"]))
        body = {"message": {"content": "Again"}}
        refused = await backend.http.post(f"/api/chats/{chat_id}/runs", json=body)
        not_continued = await backend.http.post(f"/api/runs/{ended['run_id']}/continue")
        gate.failures = 0
        stored = (await backend.messages(chat_id))[-1]
        engine.script(Answer(content="Later."))
        async with asyncio.timeout(10):
            while (
                reply := await backend.http.post(f"/api/chats/{chat_id}/runs", json=body)
            ).status_code == 503:
                pass
        later = await backend.events(reply.json()["run"]["id"])

    assert ended["outcome"] in {"failed", "interrupted"}
    assert stored["metadata"]["error"]["code"] == "storage_unavailable"
    assert stored["content"] == told["content"]
    assert stored["content"].startswith(shown)
    assert engine.received[0].state in {"hung_up", "finished"}
    assert [(r.status_code, r.json()["code"]) for r in (refused, not_continued)] == [
        (503, "storage_unavailable")
    ] * 2
    assert int(refused.headers["Retry-After"]) > 0
    assert later[-1]["outcome"] == "completed", (
        "the writer lives on, and sees by itself that the disk is back"
    )


async def test_a_really_full_database_file_is_told_as_full(journal: RunJournal) -> None:
    log = log_of(journal)
    begin(log)
    await log.settled()
    journal.file._connection.execute("PRAGMA max_page_count = 3")
    log.write("content", "x" * 100_000)
    journal._failing_since = asyncio.get_running_loop().time() - 60

    with pytest.raises(Unavailable) as refused:
        await log.settled()

    assert refused.value.code == "storage_full"


async def test_files_are_private(journal: RunJournal) -> None:
    assert stat.S_IMODE(journal.file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.file.path.parent.stat().st_mode) == 0o700
    assert journal.file._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal.file._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_rotation_keeps_what_lives_and_drops_what_has_ended(tmp_path: Path) -> None:
    journal = RunJournal(tmp_path / "runs", rotate_bytes=20_000)
    first = journal.file.path
    live, ended = log_of(journal), log_of(journal)
    journal.live_logs = lambda: [live]
    for log in (live, ended):
        log.prompt([1, 2, 3])
        begin(log)
    for number in range(600):
        for log in (live, ended):
            log.write("content", f"word {number} ", (number,))
            log.snapshot()
        if number == 300:
            await live.settled()
    ended.end(outcome="completed", text_seq=ended.seq, message={})

    await until(lambda: not first.exists())
    live.write("content", "after", (600,))
    await live.settled()
    before = read(journal_files(tmp_path / "runs"))[live.run_id]
    await journal.close()
    after = read(journal_files(tmp_path / "runs"))[live.run_id]

    assert before == after
    assert after.prompt_ids == (1, 2, 3)
    assert after.events == list(live.events_after(0))
    assert [ids for ids in after.token_ids if ids] == [(number,) for number in range(601)]


async def written(log: RunLog, tokens: int) -> None:
    for number in range(tokens):
        log.write("content", f"word {number} ", (number,))
        log.snapshot()
        if number % 50 == 0:
            await log.settled()
    await log.settled()


async def test_what_lives_is_not_written_again_and_again_because_it_is_much(tmp_path: Path) -> None:
    """More text is alive than makes a file large: each rotation would end with a file that is too large already."""
    journal = RunJournal(tmp_path / "runs", rotate_bytes=10_000)
    first, live = journal.file.path, log_of(journal)
    journal.live_logs = lambda: [live]
    begin(live)
    await written(live, 1000)  # about three times as much
    await until(lambda: not first.exists() and not journal._rotating)

    files = {journal.file.path}
    for _ in range(20):
        await written(live, 1)
        await until(lambda: not journal._rotating)
        files.add(journal.file.path)
    # It may have been about to be large enough once; not each time.
    assert len(files) <= 2
    before = journal.file.path
    await written(live, 1000)
    await until(lambda: not before.exists())  # when it has grown by so much, it is time again
    await until(lambda: not journal._rotating)
    await journal.close()


async def test_a_file_that_could_not_be_begun_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = RunJournal(tmp_path / "runs", rotate_bytes=10_000)
    first, live = journal.file.path, log_of(journal)
    journal.live_logs = lambda: [live]
    begin(live)
    refused: list[Path] = []

    def refuse(folder: Path) -> JournalFile:
        monkeypatch.undo()
        refused.append(folder)
        raise OSError("no space left on device")

    monkeypatch.setattr(JournalFile, "create", refuse)
    await written(live, 400)
    await until(lambda: refused)

    await written(live, 1000)

    await until(lambda: not first.exists())
    await journal.close()


async def test_opening_reads_what_an_earlier_process_has_left_and_begins_a_new_file(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    heard: list[dict[str, Any]] = []

    async def recover(known: Any, _only: Any) -> None:
        heard.append(dict(known))

    async with journal_beside(folder) as opened:
        await opened.recovered(recover)
        log = log_of(opened.journal)
        begin(log)
        log.write("reasoning", "hm", (7,))
        await log.settled()
    async with journal_beside(folder) as opened:
        assert [path.name for path in journal_files(folder)] == ["00000001.db", "00000002.db"]
        await opened.recovered(recover)
    first, second = heard

    assert first == {}
    assert list(second) == [log.run_id]
    assert second[log.run_id].events == list(log.events_after(0))
    assert [path.name for path in journal_files(folder)] == ["00000002.db"], "the old one goes last"


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1), batches=st.integers(1, 30))
def test_a_torn_end_leaves_the_events_before_it(
    tmp_path_factory: pytest.TempPathFactory, share: float, batches: int
) -> None:
    """The write-ahead log cut anywhere: what is read is a prefix of what was written, never anything else."""
    folder = tmp_path_factory.mktemp("torn")
    file = JournalFile.create(folder / "runs")
    run = uuid4()
    start = b'{"type":"run.started","chat_id":null,"run_id":"%s","message_id":null,"seq":1,"model":"m",' % (
        str(run).encode()
    )
    start += b'"parent_id":null,"continued":0,"continues":null}'
    file.append([(run.bytes, 1, 2, start, ())])
    for number in range(2, batches + 2):
        file.append([(run.bytes, number, 0, f"text {number}", (number,))])
    torn = folder / file.path.name
    shutil.copy(file.path, torn)
    log = file.path.with_name(file.path.name + "-wal").read_bytes()
    torn.with_name(torn.name + "-wal").write_bytes(log[: int(len(log) * share)])
    file.close()

    known = read([torn])

    events = known[str(run)].events if known else []
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len(events) <= batches + 1
    assert share < 1 or len(events) == batches + 1
