"""The engine is asked while the start of a run is being committed: nobody sees anything of it before, or ever if it fails."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import event

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend
from tests.served.chat_client import ChatClient

WITHIN_S = 10.0


class Commit:
    """A commit that waits to be let go, and fails then if it is told to."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.armed = False
        self.fails = False

    def __call__(self, _connection: object) -> None:
        """Wait, in the database's thread."""
        if not self.armed:
            return
        self.armed = False
        self.go.wait(WITHIN_S)
        if self.fails:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error


@pytest.fixture
async def commit(backend: Backend) -> AsyncIterator[Commit]:
    held = Commit()
    transactions = backend.running.parts.storage._transactions
    assert transactions is not None
    event.listen(transactions._writer, "commit", held)
    yield held
    held.go.set()


async def until(backend: Backend, true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():
            await backend.http.get("/api/chats/?limit=1")


async def test_nothing_is_seen_before_the_start_is_stored(
    backend: Backend, engine: ScriptedVllm, commit: Commit
) -> None:
    engine.script(Answer(content=["one", " two"]))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        commit.armed = True
        start = asyncio.create_task(backend.send(chat_id))
        await until(backend, lambda: bool(engine.received) and engine.received[0].ended.is_set())
        assert (
            await client.call("chat.leave", {"chat_id": "nonsense"})
        ) is not None  # whatever was sent is here

        assert [each for each in client.heard if "run_id" in each or each["type"] == "message.changed"] == []
        assert not start.done()

        commit.go.set()
        run_id = (await start)["run"]["id"]
        await client.until_ended()

    told = [each["type"] for each in client.heard if each.get("run_id") == run_id]
    assert told[0] == "run.started"
    assert told[-1] == "run.ended"
    assert [message["content"] for message in await backend.messages(chat_id)] == ["Hello", "one two"]


async def test_a_start_that_cannot_be_stored_leaves_nothing(
    backend: Backend, engine: ScriptedVllm, commit: Commit
) -> None:
    engine.script(Answer(content=["one"], delay_s=30))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        commit.armed = commit.fails = True
        body = {"message": {"content": "Hello"}}
        start = asyncio.create_task(backend.http.post(f"/api/chats/{chat_id}/runs", json=body))
        await until(backend, lambda: bool(engine.received))
        commit.go.set()

        assert (await start).status_code == 503
        async with asyncio.timeout(WITHIN_S):
            await engine.received[0].ended.wait()  # the request was closed
        assert await backend.messages(chat_id) == []
        assert [each for each in client.heard if "run_id" in each or each["type"] == "message.changed"] == []

        await backend.send(chat_id)  # the place is free
        await client.until_ended()
