"""A temporary chat is as any other, and nowhere but in memory: no list, no search, no byte of it on a disk."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_process import backend_process
from tests.served.backend_server import Backend, told_text
from tests.served.chat_client import ChatClient

SECRET = "xyzzysecretword"
ANSWER = "plughanswerword"


def on_disk(folder: Path) -> bytes:
    """Return every byte of every file below a folder: database, WAL, journal, logs."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


async def test_it_is_a_chat_as_any_other(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=f"Hello {ANSWER}", reasoning="hm", times=None))
    chat_id = await backend.new_chat(temporary=True, system_prompt="Be brief.")
    started = await backend.send(chat_id, SECRET)
    events = await backend.events(started["run"]["id"])
    again = await backend.http.post(f"/api/chats/{chat_id}/runs", json={})
    await backend.events(again.json()["run"]["id"])
    chat = (await backend.http.get(f"/api/chats/{chat_id}")).json()

    assert chat["temporary"] is True
    assert [message["role"] for message in chat["messages"]] == ["user", "assistant", "assistant"]
    assert told_text(events)["content"] == f"Hello {ANSWER}"
    assert events[-1]["message"]["content"] == f"Hello {ANSWER}"
    assert [turn["role"] for turn in engine.received[0].body["messages"]] == ["system", "user"]
    renamed = await backend.http.put(f"/api/chats/{chat_id}", json={"title": "T", "tags": ["x"]})
    assert (renamed.json()["title"], renamed.json()["tags"]) == ("T", ["x"])
    said = {"role": "user", "content": "by hand"}
    added = (await backend.http.post(f"/api/chats/{chat_id}/messages", json=said)).json()
    assert (await backend.http.delete(f"/api/chats/{chat_id}/messages/{added['id']}")).status_code == 204
    cleared = await backend.http.post("/api/chat/clear", json={"chat_id": chat_id})
    assert cleared.json()["messages"] == []


async def test_it_is_in_no_list_and_no_search(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=ANSWER, times=None))
    shown = await backend.new_chat(title="Shown")
    chat_id = await backend.new_chat(temporary=True, title=f"Title {SECRET}")
    await backend.events((await backend.send(chat_id, SECRET))["run"]["id"])

    for archived in ("false", "true"):
        listed = (await backend.http.get(f"/api/chats/?archived={archived}")).json()["items"]
        assert [chat["id"] for chat in listed] == ([shown] if archived == "false" else [])
    for word in (SECRET, ANSWER):
        assert (await backend.http.get(f"/api/chats/search?q={word}")).json()["items"] == []


async def test_two_tabs_join_it_and_one_stops_it(backend: Backend, engine: ScriptedVllm) -> None:
    script = engine.script(Answer(content=["a ", "b ", "c "], gated=True, endless=True))
    chat_id = await backend.new_chat(temporary=True)
    async with ChatClient(backend.url) as first, ChatClient(backend.url) as second:
        await first.join(chat_id)
        started = await backend.send(chat_id)
        script.step(2)
        await first.until(lambda client: client.text["content"] == "a b ")
        joined = await second.join(chat_id)
        assert joined["run"]["content"] == "a b "
        script.step(1)
        await second.until(lambda client: client.text["content"] == "a b c ")
        stopped = await backend.stop(started["run"]["id"])
        ends = [await client.until_ended() for client in (first, second)]
        missed = await second.call(
            "chat.join", {"chat_id": chat_id, "run_id": started["run"]["id"], "after_seq": 1}
        )

    assert stopped["run"]["status"] == "stopped"
    assert [end["message"]["content"] for end in ends] == ["a b c "] * 2
    assert [event["seq"] for event in missed["events"]] == list(range(2, ends[0]["seq"] + 1))
    snapshot = (await backend.http.get(f"/api/runs/{started['run']['id']}")).json()
    assert (snapshot["content"], snapshot["run"]["status"]) == ("a b c ", "stopped")


async def test_the_same_request_again_is_the_same_and_other_ids_conflict(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="yes", times=None))
    chat_id, kept, run_id = str(uuid4()), await backend.new_chat(), str(uuid4())
    request = {"id": chat_id, "temporary": True}
    for status in (201, 200):
        assert (await backend.http.post("/api/chats/", json=request)).status_code == status
    for taken in ({"id": chat_id}, {"id": kept, "temporary": True}):
        reply = await backend.http.post("/api/chats/", json=taken)
        assert (reply.status_code, reply.json()["code"]) == (409, "id_conflict")

    await backend.events((await backend.send(kept, run_id=run_id))["run"]["id"])
    started = {"run_id": run_id, "message": {"content": "x"}}
    in_memory = await backend.http.post(f"/api/chats/{chat_id}/runs", json=started)
    assert (in_memory.status_code, in_memory.json()["code"]) == (409, "id_conflict")
    other = str(uuid4())
    await backend.events((await backend.send(chat_id, run_id=other))["run"]["id"])
    kept_reply = await backend.http.post(f"/api/chats/{kept}/runs", json={**started, "run_id": other})
    assert (kept_reply.status_code, kept_reply.json()["code"]) == (409, "id_conflict")


async def test_an_id_of_a_message_is_taken_wherever_its_chat_is_kept(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="yes", times=None))
    kept, temporary = await backend.new_chat(), await backend.new_chat(temporary=True)
    for first, second in ((kept, temporary), (temporary, kept)):
        said, asked = str(uuid4()), str(uuid4())
        message = {"id": said, "role": "user", "content": "x"}
        assert (await backend.http.post(f"/api/chats/{first}/messages", json=message)).status_code == 201
        started = await backend.http.post(
            f"/api/chats/{first}/runs", json={"message": {"id": asked, "content": "x"}}
        )
        await backend.events(started.json()["run"]["id"])

        for taken in (said, asked):
            by_hand = await backend.http.post(f"/api/chats/{second}/messages", json={**message, "id": taken})
            run = await backend.http.post(
                f"/api/chats/{second}/runs", json={"message": {"id": taken, "content": "x"}}
            )
            assert [(reply.status_code, reply.json()["code"]) for reply in (by_hand, run)] == [
                (409, "id_conflict")
            ] * 2
        assert (await backend.http.post(f"/api/chats/{first}/messages", json=message)).status_code == 200


async def test_an_id_of_a_run_in_the_other_kind_of_chat_does_not_go_on_with_an_answer(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content="yes and more", finish_reason="length", times=None))
    kept, temporary = await backend.new_chat(), await backend.new_chat(temporary=True)
    runs = [(await backend.send(chat_id))["run"]["id"] for chat_id in (kept, temporary)]
    for run_id in runs:
        await backend.events(run_id)

    for run_id, taken in (runs, reversed(runs)):
        reply = await backend.http.post(f"/api/runs/{run_id}/continue", json={"run_id": taken})
        assert (reply.status_code, reply.json()["code"]) == (409, "id_conflict")


async def test_deleting_it_leaves_nothing_to_be_restored(backend: Backend, engine: ScriptedVllm) -> None:
    chat_id = await backend.new_chat(temporary=True)
    engine.script(Answer(content="a", gated=True, endless=True))
    await backend.send(chat_id, SECRET)

    assert (await backend.http.delete(f"/api/chats/{chat_id}")).status_code == 204
    for method, path in (("GET", ""), ("POST", "/restore")):
        reply = await backend.http.request(method, f"/api/chats/{chat_id}{path}")
        assert (reply.status_code, reply.json()["code"]) == (404, "chat_not_found")


async def test_nothing_of_it_is_ever_on_a_disk_and_the_process_takes_it_along(
    tmp_path: Path, engine: ScriptedVllm
) -> None:
    settings: dict[str, Any] = {
        "database_url": f"sqlite:///{tmp_path / 'data' / 'chat.db'}",
        "vllm_api_base_url": engine.url,
        "default_model": "scripted",
        "log_level": "TRACE",
        "drain_s": 0,
    }
    hidden = [engine.script(Answer(content=[f"{ANSWER} ", "more "], gated=True, endless=True)) for _ in "ab"]
    async with backend_process(tmp_path / "backend.log", **settings) as (process, backend):
        # what is meant to be kept is found by the same look at the disk
        engine.script(Answer(content=f"Kept{ANSWER}", times=1))
        kept, chat_id, second = (
            await backend.new_chat(),
            *[
                await backend.new_chat(
                    temporary=True, title=f"Title{SECRET}", system_prompt=f"System{SECRET}"
                )
                for _ in "ab"
            ],
        )
        for chat, script in zip((chat_id, second), hidden, strict=True):
            started = await backend.send(chat, SECRET)
            async with ChatClient(backend.url) as client:
                await client.join(chat)
                script.step(1)
                await client.until(lambda client: client.text["content"] == f"{ANSWER} ")
            if chat == chat_id:
                await backend.stop(started["run"]["id"])
        await backend.events((await backend.send(kept, f"Kept{SECRET}"))["run"]["id"])
        while_running = on_disk(tmp_path)
        await process.kill()
        killed = on_disk(tmp_path)
        await process.start()
        for gone in (chat_id, second):
            assert (await backend.http.get(f"/api/chats/{gone}")).status_code == 404
        assert (await backend.http.get(f"/api/runs/{started['run']['id']}")).status_code == 404
        assert (await backend.http.get(f"/api/chats/{kept}")).status_code == 200

    for found in (while_running, killed):
        for word in (SECRET, ANSWER):
            assert found.count(word.encode()) == found.count(f"Kept{word}".encode()) > 0, word


async def test_a_shutdown_ends_its_run_as_interrupted(
    tmp_path: Path, live_settings: Any, engine: ScriptedVllm
) -> None:
    from tests.served.backend_server import serving  # noqa: PLC0415

    script = engine.script(Answer(content=["a ", "b "], gated=True, endless=True))
    async with serving(live_settings) as backend:
        chat_id = await backend.new_chat(temporary=True)
        async with ChatClient(backend.url) as client:
            await client.join(chat_id)
            await backend.send(chat_id)
            script.step(1)
            await client.until(lambda client: client.text["content"] == "a ")
            await backend.running.drain(_hurried())
            end = await client.until_ended()

    assert (end["outcome"], end["message"]["content"]) == ("interrupted", "a ")


def _hurried() -> Any:
    import asyncio  # noqa: PLC0415

    event = asyncio.Event()
    event.set()
    return event


async def test_it_works_beside_either_database(client: httpx2.AsyncClient) -> None:
    chat = (await client.post("/api/chats/", json={"temporary": True})).json()
    said = {"role": "user", "content": SECRET}
    await client.post(f"/api/chats/{chat['id']}/messages", json=said)

    whole = (await client.get(f"/api/chats/{chat['id']}")).json()
    assert [message["content"] for message in whole["messages"]] == [SECRET]
    assert (await client.get("/api/chats/")).json()["items"] == []


@pytest.mark.parametrize("value", ["yes", 1, None])
async def test_only_true_and_false_are_taken(client: httpx2.AsyncClient, value: Any) -> None:
    reply = await client.post("/api/chats/", json={"temporary": value})

    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "temporary")
