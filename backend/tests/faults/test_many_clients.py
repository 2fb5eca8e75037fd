"""F37, F38: many clients who change one chat at once, and what is deleted while it is written."""

import asyncio
import random
import sqlite3
from typing import Any

from tests.fakes.answers import Answer
from tests.faults.answers import question
from tests.faults.conftest import SEED, NewLane
from tests.faults.lane import Lane

CLIENTS, OPERATIONS = 8, 125


async def test_f37_f38_eight_clients_at_one_chat_leave_a_whole_tree(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either)
    lane.engine.fresh = lambda number: Answer(content=f"answer {number}", rate=200)
    chat_id = lane.id()
    await lane.say("POST", "/api/chats/", {"id": chat_id})
    statuses = await asyncio.gather(*(client(lane, chat_id, number) for number in range(CLIENTS)))

    async def ended() -> bool:
        return (await lane.say("GET", f"/api/chats/{chat_id}"))["active_run"] is None

    async with asyncio.timeout(20):
        while not await ended():  # noqa: ASYNC110 (the chat tells nobody here)
            await asyncio.sleep(0.02)
    messages = (await lane.say("GET", f"/api/chats/{chat_id}"))["messages"]
    found = {status for each in statuses for status in each}
    assert found <= {200, 201, 202, 204, 404, 409, 412, 422}
    assert {202, 204, 409, 412} <= found, "they are to meet"
    check_tree(messages)
    await check_rows(lane)


async def client(lane: Lane, chat_id: str, number: int) -> set[int]:
    """Do what people do to a chat, blindly; returns every status."""
    dice = random.Random(SEED + number)  # noqa: S311
    known: list[str] = []
    statuses = set()
    seen = ""  # when this client last saw the chat change
    for turn in range(OPERATIONS):
        target = dice.choice(known) if known else lane.id()
        base = f"/api/chats/{chat_id}"
        method, path, body = dice.choice(
            [
                ("POST", f"{base}/messages", {"role": "user", "content": f"{number}.{turn}"}),
                ("POST", f"{base}/runs", {"message": {"content": f"{number}.{turn}?"}}),
                ("POST", f"{base}/runs", {"parent_id": target}),
                ("PUT", f"{base}/messages/{target}", {"content": f"edited {number}.{turn}"}),
                ("PUT", base, {"title": f"title {number}.{turn}"}),
                ("PUT", base, {"pinned": turn % 2 == 0}),
                ("PUT", base, {"active_leaf_id": target}),
                ("DELETE", f"{base}/messages/{target}", None),
            ]
        )
        careful = {"If-Match": seen} if seen and path == base and dice.random() < 0.5 else {}
        async with lane.session.request(method, lane.backend.url + path, json=body, headers=careful) as reply:
            statuses.add(reply.status)
            answer: dict[str, Any] = await reply.json() if reply.status != 204 else {}
        seen = answer["updated_at"] if path == base and reply.status == 200 else seen
        known += [answer["id"]] if reply.status == 201 else []
        known += [answer["assistant_message"]["id"]] if reply.status == 202 else []
    return statuses


def check_tree(messages: list[dict[str, Any]]) -> None:
    """Every message has its parent and its siblings, answers have ended, and a question has no two live ones."""
    by_id = {message["id"]: message for message in messages}
    assert len(by_id) == len(messages)
    for message in messages:
        assert message["parent_id"] is None or message["parent_id"] in by_id
        siblings = {m["id"] for m in messages if m["parent_id"] == message["parent_id"]}
        assert set(message["sibling_ids"]) == siblings
        assert message["status"] in {"completed", "stopped"}


async def check_rows(lane: Lane) -> None:
    """Look for rows without the rows they belong to. PostgreSQL lets nobody store such."""
    if "database_url" in lane.backend.settings and "postgresql" in lane.backend.settings["database_url"]:
        return
    await lane.backend.kill()
    with sqlite3.connect(lane.backend.folder / "chat.db") as raw:
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    raw.close()


async def test_f37_what_is_deleted_while_it_streams_stays_deleted(
    new_lane: NewLane, either: dict[str, str]
) -> None:
    lane = await new_lane(**either, max_concurrent_runs=8)
    lane.engine.fresh = lambda _: Answer(content=[f"w{n} " for n in range(40)], rate=200)

    async def deleted(number: int, kind: str) -> None:
        asked = await question(lane, f"question {number}")
        sent = await asked.send()
        await asked.reader.until_seq(lane.dice.randint(1, 20))
        await asked.reader.stop()
        base = f"/api/chats/{asked.chat_id}"
        path = base if kind == "chat" else f"{base}/messages/{sent['user_message']['id']}"
        await lane.say("DELETE", path)
        async with lane.session.get(f"{lane.backend.url}{base}") as reply:
            if kind == "chat":
                assert reply.status == 404
            else:
                chat = await reply.json()
                assert (chat["messages"], chat["active_run"], chat["active_leaf_id"]) == ([], None, None)
        async with lane.session.get(f"{lane.backend.url}/api/runs/{asked.run_id}") as reply:
            assert kind == "chat" or reply.status == 404
        for received in lane.requests_of(asked.content):
            async with asyncio.timeout(5):
                await received.ended.wait()

    await asyncio.gather(*(deleted(number, ("chat", "message")[number % 2]) for number in range(16)))

    listed = await lane.say("GET", "/api/chats/?limit=100")
    assert len(listed["items"]) == 8, "of the others only a message was deleted"
    assert all(chat["active_run_id"] is None and chat["message_count"] == 0 for chat in listed["items"])
    await check_rows(lane)
