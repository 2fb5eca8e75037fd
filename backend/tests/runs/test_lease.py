"""On PostgreSQL: the journal, and that two backends never go on with one run."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.database import Database
from app.errors import Unavailable
from app.repositories import run_lease
from app.repositories.opening import opened
from app.repositories.postgresql_journal import PostgresqlJournal
from app.repositories.run_lease import RunLease
from tests.conftest import _numbers
from tests.fakes.answers import Answer
from tests.fakes.postgresql import Cluster
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.runs.test_going_on import POINTS, THOUGHT, WORDS, check_seams, check_whole, cut_at, settings_of
from tests.runs.test_run_journal import begin, log_of
from tests.runs.test_run_log import Sink
from tests.served.backend_process import backend_process
from tests.served.backend_server import serving, told_text
from tests.served.chat_client import ChatClient

pytestmark = pytest.mark.postgresql


@pytest.fixture
async def url(postgresql: Cluster) -> AsyncIterator[str]:
    name = f"lease_{next(_numbers)}"
    yield await asyncio.to_thread(postgresql.create, name, template="migrated")
    await asyncio.to_thread(postgresql.drop, name)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with opened(url) as database:
        yield database


@pytest.fixture
async def lease(database: Database) -> AsyncIterator[RunLease]:
    lease = RunLease(database)
    await lease.take_over()
    yield lease
    await lease.close()


async def die(lease: RunLease, database: Database) -> None:
    """Cut the connection of a lease, as the death of its process does."""
    async with database.writer.connect() as other:
        found = (
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ($1::bigint & 4294967295)::oid"
        )
        ((pid,),) = await other.exec_driver_sql(found, (lease.owner,))
        await other.exec_driver_sql("SELECT pg_terminate_backend($1)", (pid,))


async def until_free(lease: RunLease) -> None:
    async with asyncio.timeout(10):
        while not await lease.newly_gone():
            pass


async def test_what_is_committed_is_read_again_and_nothing_is_seen_before(
    database: Database, lease: RunLease
) -> None:
    sink = Sink()
    journal = PostgresqlJournal(lease)
    log = log_of(journal, sink)
    log.prompt([1, 2, 3])
    begin(log)
    log.write("reasoning", "hm", (7,))
    assert sink.sent == [], "nothing is seen before it is committed"
    await log.settled()
    assert [event.seq for event in sink.sent] == [1, 2]
    await journal.close()
    ((mode,),) = await lease.execute("SHOW synchronous_commit")
    await lease.close()

    other = RunLease(database)
    other.owner = 42
    taken = await other.take_over()
    await other.close()

    assert mode == "on"
    assert taken.known[log.run_id].events == list(log.events_after(0))
    assert taken.known[log.run_id].prompt_ids == (1, 2, 3)
    assert [ids for ids in taken.known[log.run_id].token_ids if ids] == [(7,)]


async def test_a_commit_of_many_runs_is_one_row(lease: RunLease) -> None:
    journal = PostgresqlJournal(lease)
    logs = [log_of(journal) for _ in range(20)]
    for log in logs:
        begin(log)
    await asyncio.gather(*(log.settled() for log in logs))
    ((rows,),) = await lease.execute("SELECT count(*) FROM journal_batches")
    await journal.close()

    assert rows == 1


async def test_rotation_keeps_what_lives(database: Database, lease: RunLease) -> None:
    journal = PostgresqlJournal(lease, rotate_bytes=3000)
    live, ended = log_of(journal), log_of(journal)
    journal.live_logs = lambda: [live]
    for log in (live, ended):
        begin(log)
    for number in range(200):
        for log in (live, ended):
            log.write("content", f"word {number} ", (number,))
            log.snapshot()
        await live.settled()
    async with asyncio.timeout(10):
        while (await lease.execute("SELECT min(file) FROM journal_batches"))[0][0] == 1:
            pass
    await journal.close()
    await lease.close()

    other = RunLease(database)
    other.owner = 42
    taken = await other.take_over()
    await other.close()

    assert taken.known[live.run_id].events == list(live.events_after(0))


async def test_only_the_runs_of_a_backend_that_is_gone_are_taken(database: Database, lease: RunLease) -> None:
    journal = PostgresqlJournal(lease)
    log = log_of(journal)
    begin(log)
    await log.settled()
    other = RunLease(database)
    other.owner = 42

    assert (await other.take_over()).known == {}
    await die(lease, database)
    await until_free(other)
    assert list((await other.take_over()).known) == [log.run_id]

    await journal.close()
    await other.close()


async def test_a_lost_connection_is_made_again_and_what_was_taken_meanwhile_is_let_go(
    database: Database, lease: RunLease
) -> None:
    sink, lost = Sink(), []
    journal = PostgresqlJournal(lease)
    log = log_of(journal, sink)
    begin(log)
    await log.settled()
    lease.live_here, lease.on_lost = (lambda: [log.run_id]), lost.append
    await die(lease, database)

    log.write("content", "nobody is to see this")
    async with asyncio.timeout(10):
        while not lost:
            await asyncio.wait({asyncio.ensure_future(log._change())}, timeout=0.02)
    await journal.close()

    assert lost == [log.run_id]
    assert [event.seq for event in sink.sent] == [1]


async def test_a_database_that_is_away_is_told_and_nothing_is_shown(
    lease: RunLease, monkeypatch: Any
) -> None:
    sink = Sink()
    journal = PostgresqlJournal(lease)
    log = log_of(journal, sink)
    begin(log)
    await log.settled()
    execute = lease.execute

    async def refused(*_: Any, **__: Any) -> Any:
        raise Unavailable("storage_unavailable", "away")

    monkeypatch.setattr(lease, "execute", refused)
    log.write("content", "kept")
    async with asyncio.timeout(5):
        while journal.trouble is None:
            await asyncio.wait({asyncio.ensure_future(log._change())}, timeout=0.01)
    assert [event.seq for event in sink.sent] == [1]
    monkeypatch.setattr(lease, "execute", execute)
    await log.settled()
    assert journal.trouble is None
    assert [event.seq for event in sink.sent] == [1, 2]
    await journal.close()


async def test_a_second_backend_leaves_live_runs_alone_and_takes_them_when_the_first_dies(
    engine: ScriptedVllm, url: str, tmp_path: Path, live_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_lease, "LOOK_EVERY_S", 0.2)
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    settings = settings_of(engine, tmp_path) | {"database_url": url}
    async with backend_process(tmp_path / "log", **settings) as (process, first):
        chat_id = await first.new_chat()
        async with ChatClient(first.url) as client:
            await client.join(chat_id)
            run_id = (await first.send(chat_id))["run"]["id"]
            await cut_at(client, script, POINTS["in the answer"])
            here = live_settings.model_copy(update={"database_url": url, "engine_wait_s": 20.0})
            async with serving(here) as second:
                for _ in range(3):
                    assert second.running.parts.active.get(run_id) is None
                    await asyncio.sleep(0.25)
                assert len(engine.received) == 1, "the run of a living backend is left alone"
                await process.kill()
                shown, seq = dict(client.text), client.seq
                async with asyncio.timeout(15):
                    while second.running.parts.active.get(run_id) is None and len(engine.received) == 1:
                        await second.messages(chat_id)
                events = await second.events(run_id)
                stored = (await second.messages(chat_id))[-1]

    check_whole(events, stored, continued=1)
    assert told_text(events, seq) == shown
    check_seams(engine.received)
    assert len(engine.received) == 2


async def test_a_run_of_another_backend_cannot_be_ended(
    engine: ScriptedVllm, url: str, live_settings: Settings
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    async with serving(live_settings.model_copy(update={"database_url": url})) as backend:
        run_id = (await backend.send(await backend.new_chat()))["run"]["id"]
        storage = backend.running.parts.storage
        async with storage.write() as unit:
            by_another = await unit.runs.move(run_id, to="stopped", by=42)
        script.open()
        ended = (await backend.events(run_id))[-1]

    assert not by_another
    assert ended["outcome"] == "completed"
