"""Joining a chat: snapshot and what follows are everything, from every number, for every client."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, told_text
from tests.served.chat_client import ChatClient

WORDS = ["Hello ", "世界", ", ", "how ", "are ", "you", "? ", "🫠 ", "Fine", "."]
pytestmark = pytest.mark.socketio


async def test_both_messages_come_before_the_first_event_of_their_run(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content=WORDS))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        started = await backend.send(chat_id)
        await client.until_ended()

    types = [event["type"] for event in client.heard]
    first = types.index("run.started")
    before = [event["message"]["id"] for event in client.heard[:first] if event["type"] == "message.changed"]
    assert before == [started["user_message"]["id"], started["assistant_message"]["id"]]
    assert client.heard[first]["seq"] == 1
    assert client.heard[first]["parent_id"] == started["user_message"]["id"]


async def test_a_client_that_comes_in_the_middle_sees_the_same_as_one_that_was_there(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning="Think.", gated=True))
    chat_id = await backend.new_chat()
    late: list[ChatClient] = []
    async with ChatClient(backend.url) as first:
        await first.join(chat_id)
        await backend.send(chat_id)
        for _ in range(len(WORDS)):
            script.step()
            client = await ChatClient(backend.url).__aenter__()
            late.append(client)
            answer = await client.join(chat_id)
            assert answer["chat"]["active_run"]["id"] == answer["run"]["run_id"]
            shown = answer["chat"]["messages"][-1]
            assert answer["run"]["content"].startswith(shown["content"])
        script.open()
        ended = await first.until_ended()
        for client in late:
            assert await client.until_ended() == ended
            assert client.text == first.text
            assert client.gaps == 0
            await client.__aexit__()

    assert first.text["content"] == "".join(WORDS)


async def test_coming_back_with_any_number_brings_exactly_the_missed_events(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as watching:
        await watching.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(6)
        await watching.until(lambda c: c.text["content"] == "".join(WORDS[:6]))
        live = watching.of_run(run_id)
        for after in range(len(live) + 1):
            answer = await watching.call(
                "chat.join", {"chat_id": chat_id, "run_id": run_id, "after_seq": after}
            )
            assert answer == {"ok": True, "events": live[after:]}
        script.open()
        await watching.until_ended()
        whole = watching.of_run(run_id)
        for after in range(len(whole) + 1):
            answer = await watching.call(
                "chat.join", {"chat_id": chat_id, "run_id": run_id, "after_seq": after}
            )
            assert answer == {"ok": True, "events": whole[after:]}


async def test_dropping_the_connection_at_every_event_loses_and_doubles_nothing(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    kept = ChatClient(backend.url)
    for number in range(len(WORDS)):
        again = ChatClient(backend.url)
        again.run_id, again.seq, again.text = kept.run_id, kept.seq, dict(kept.text)
        async with again:
            more = {"run_id": run_id, "after_seq": again.seq} if again.run_id is not None else {}
            await again.join(chat_id, **more)
            script.step()
            await again.until(lambda c, n=number: c.text["content"] == "".join(WORDS[: n + 1]))
        assert again.gaps == 0
        kept = again
    script.open()

    events = await backend.events(run_id)

    assert events[-1]["outcome"] == "completed", "leaving must never stop a run"
    assert kept.text["content"] == told_text(events)["content"] == "".join(WORDS)


async def test_an_older_run_or_forgotten_events_bring_the_snapshot(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat()
    old = (await backend.send(chat_id))["run"]["id"]
    await backend.events(old)
    new = (await backend.send(chat_id))["run"]["id"]
    await backend.events(new)
    async with ChatClient(backend.url) as client:
        answers = [
            await client.call("chat.join", {"chat_id": chat_id, "run_id": old, "after_seq": 1}),
            await client.call("chat.join", {"chat_id": chat_id, "run_id": new, "after_seq": 10_000}),
            await client.call("chat.join", {"chat_id": chat_id, "run_id": str(uuid4()), "after_seq": 0}),
            await client.call("chat.join", {"chat_id": chat_id, "run_id": "nonsense", "after_seq": 0}),
            await client.call("chat.join", {"chat_id": chat_id, "run_id": new}),
        ]
        backend.running.parts.logs.drop(new)
        answers.append(await client.call("chat.join", {"chat_id": chat_id, "run_id": new, "after_seq": 1}))

    for answer in answers:
        assert answer["ok"] is True
        assert (answer["run"], len(answer["chat"]["messages"])) == (None, 4)
        assert answer["chat"]["active_run"] is None


async def test_messages_n_brings_the_last_of_the_path(backend: Backend) -> None:
    chat_id = await backend.new_chat()
    for _ in range(2):
        await backend.events((await backend.send(chat_id))["run"]["id"])
    whole = await backend.messages(chat_id)
    async with ChatClient(backend.url) as client:
        for count in (0, 1, 3, 10):
            answer = await client.join(chat_id, messages=count)
            assert answer["chat"]["messages"] == (whole[-count:] if count else [])


async def test_events_come_only_to_those_who_have_the_chat_open(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content=WORDS))
    engine.script(Answer(content=WORDS))
    chat_id, other = await backend.new_chat(), await backend.new_chat()
    async with ChatClient(backend.url) as inside, ChatClient(backend.url) as outside:
        await inside.join(chat_id)
        await outside.join(chat_id)
        assert await outside.call("chat.leave", {"chat_id": chat_id}) == {"ok": True}
        await outside.join(other)
        await backend.send(chat_id)
        await inside.until_ended()
        await inside.until(lambda c: c.heard[-1]["type"] == "chat.changed")
        run_id = (await backend.send(other))["run"]["id"]
        await outside.until_ended()
        # of the chat that is not open a little later, and all together
        await outside.until(lambda c: sum(event["type"] == "message.changed" for event in c.heard) == 4)

    assert {event["run_id"] for event in outside.heard if "run_id" in event} == {run_id}
    assert [event for event in inside.heard if event.get("run_id") == run_id] == []


async def test_a_run_that_begins_while_the_chat_is_read_is_in_the_answer(
    backend: Backend, engine: ScriptedVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read of the chat is held until a run has begun: the stale chat must not be answered."""
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    read, begun = asyncio.Event(), asyncio.Event()
    get = backend.running.services.chats.get

    async def held(*args: Any, **more: Any) -> Any:
        chat = await get(*args, **more)
        if not read.is_set():
            read.set()
            await begun.wait()
        return chat

    monkeypatch.setattr(backend.running.services.chats, "get", held)
    async with ChatClient(backend.url) as client:
        joining = asyncio.create_task(client.join(chat_id))
        await read.wait()
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(2)
        begun.set()
        answer = await joining
        script.open()
        await client.until_ended()

    assert answer["run"]["run_id"] == run_id
    assert [message["role"] for message in answer["chat"]["messages"]] == ["user", "assistant"]
    assert client.text["content"] == "".join(WORDS)
    assert client.gaps == 0


@pytest.mark.parametrize("chat_id", ["nonsense", "", "00000000-0000-4000-8000-000000000000"])
async def test_unknown_and_malformed_chats_are_refused_alike(backend: Backend, chat_id: str) -> None:
    async with ChatClient(backend.url) as client:
        answers = [
            await client.call("chat.join", {"chat_id": chat_id}),
            await client.call("chat.join", {"chat_id": chat_id, "run_id": str(uuid4()), "after_seq": 0}),
        ]

    for answer in answers:
        assert answer["ok"] is False
        assert (answer["error"]["status"], answer["error"]["code"]) == (404, "chat_not_found")


@pytest.mark.parametrize(
    "payload",
    [
        None,
        5,
        "text",
        [],
        {},
        {"chat_id": None},
        {"chat_id": 5},
        {"chat_id": "x" * 5000},
        {"chat_id": "00000000-0000-4000-8000-000000000000", "after_seq": -1},
        {"chat_id": "00000000-0000-4000-8000-000000000000", "after_seq": 1.5},
        {"chat_id": "00000000-0000-4000-8000-000000000000", "messages": True},
        {"chat_id": "00000000-0000-4000-8000-000000000000", "messages": 10**30},
        {"chat_id": "00000000-0000-4000-8000-000000000000", "\ud800": 1},
        {"chat_id": "\ud800"},
        {"chat_id": ["a"]},
    ],
)
async def test_malformed_payloads_are_refused_and_the_socket_lives(backend: Backend, payload: Any) -> None:
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        for event in ("chat.join", "chat.leave", "no.such"):
            answer = await client.call(event, payload)
            assert answer["ok"] is False
            assert answer["error"]["code"] in {"invalid_request", "chat_not_found", "not_found"}
            assert len(str(answer)) < 4096
        assert (await client.join(chat_id))["ok"]


async def test_a_socket_can_be_in_so_many_chats_only(backend: Backend) -> None:
    chats = [await backend.new_chat() for _ in range(3)]
    async with ChatClient(backend.url) as client:
        await client.join(chats[0])
        [member] = backend.running.rooms._members.values()
        member.chats.update(f"full {number}" for number in range(63))

        refused = await client.call("chat.join", {"chat_id": chats[1]})
        same = await client.call("chat.join", {"chat_id": chats[0]})

    assert (refused["ok"], refused["error"]["status"]) == (False, 429)
    assert same["ok"] is True
