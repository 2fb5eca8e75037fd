"""Messages over HTTP: a tree with an active path; on both databases."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.rest.test_chats import make, say

Client = httpx2.AsyncClient


async def test_a_new_message_has_every_field_and_becomes_the_active_leaf(client: Client) -> None:
    chat = await make(client)
    first = await say(client, chat["id"], " as sent \r\n\u200d🫠 ")
    second = await say(client, chat["id"], "answer", role="assistant", metadata={"finish_reason": "stop"})

    assert set(first) == {
        *("id", "chat_id", "parent_id", "sibling_ids", "role", "content", "reasoning", "model", "status"),
        *("metadata", "timestamp", "created_at", "updated_at"),
    }
    assert first["content"] == " as sent \r\n\u200d🫠 "
    assert (first["parent_id"], second["parent_id"]) == (None, first["id"])
    assert (first["status"], second["status"]) == ("completed", "completed")
    assert second["metadata"] == {"finish_reason": "stop"}
    assert isinstance(first["timestamp"], int)
    assert (await client.get(f"/api/chats/{chat['id']}")).json()["active_leaf_id"] == second["id"]


async def test_siblings_know_each_other(client: Client) -> None:
    chat = await make(client)
    root = await say(client, chat["id"])
    children = [await say(client, chat["id"], f"{n}", parent_id=root["id"]) for n in range(3)]
    other_root = await say(client, chat["id"], parent_id=None)

    tree = {m["id"]: m for m in (await client.get(f"/api/chats/{chat['id']}")).json()["messages"]}

    for child in children:
        assert tree[child["id"]]["sibling_ids"] == [each["id"] for each in children]
    assert tree[root["id"]]["sibling_ids"] == [root["id"], other_root["id"]]


async def test_the_same_request_again_is_the_same_message(client: Client) -> None:
    chat, elsewhere = await make(client), await make(client)
    body: dict[str, Any] = {"id": str(uuid4()), "role": "user", "content": "once"}
    path = f"/api/chats/{chat['id']}/messages"

    first = await client.post(path, json=body)
    await say(client, chat["id"], "in between")
    await client.put(f"{path}/{body['id']}", json={"content": "edited since"})
    again = await client.post(path, json=body)
    other = await client.post(path, json={**body, "content": "twice"})
    there = await client.post(f"/api/chats/{elsewhere['id']}/messages", json=body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["content"] == "edited since"
    assert (other.status_code, other.json()["code"]) == (409, "id_conflict")
    assert (there.status_code, there.json()["code"]) == (409, "id_conflict")
    assert len((await client.get(f"/api/chats/{chat['id']}")).json()["messages"]) == 2


async def test_fifty_at_once_with_one_id_make_one_message(client: Client) -> None:
    chat = await make(client)
    body = {"id": str(uuid4()), "role": "user", "content": "once"}
    path = f"/api/chats/{chat['id']}/messages"

    replies = await asyncio.gather(*(client.post(path, json=body) for _ in range(50)))

    assert sorted(reply.status_code for reply in replies) == [200] * 49 + [201]
    assert len({reply.json()["id"] for reply in replies}) == 1


async def test_the_active_path_comes_in_pages_the_newest_first(client: Client) -> None:
    chat = await make(client)
    made = [(await say(client, chat["id"], f"{number}"))["id"] for number in range(5)]
    path = f"/api/chats/{chat['id']}/messages"

    newest = (await client.get(path, params={"limit": 2})).json()
    middle = (await client.get(path, params={"limit": 2, "before": newest["next_cursor"]})).json()
    oldest = (await client.get(path, params={"limit": 2, "before": middle["next_cursor"]})).json()

    assert [[m["id"] for m in page["items"]] for page in (newest, middle, oldest)] == [
        made[3:],
        made[1:3],
        made[:1],
    ]
    assert oldest["next_cursor"] is None
    assert (await client.get(path, params={"before": made[0]})).json() == {"items": [], "next_cursor": None}
    unknown = await client.get(path, params={"before": str(uuid4())})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "message_not_found")


async def test_a_message_is_changed_in_place(client: Client) -> None:
    chat = await make(client)
    message = await say(client, chat["id"], "before", metadata={"a": 1})
    path = f"/api/chats/{chat['id']}/messages/{message['id']}"

    changed = (await client.put(path, json={"content": "after"})).json()

    assert (changed["content"], changed["metadata"]) == ("after", {"a": 1})
    assert changed["updated_at"] > message["updated_at"]
    stale = await client.put(path, json={"content": "late"}, headers={"If-Match": message["updated_at"]})
    assert stale.status_code == 412
    replaced = (await client.put(path, json={"metadata": {"b": 2}})).json()
    assert (replaced["content"], replaced["metadata"]) == ("after", {"b": 2})


async def test_a_deleted_message_takes_everything_below_it_along(client: Client) -> None:
    chat = await make(client)
    root = await say(client, chat["id"], "root")
    left = await say(client, chat["id"], "left", parent_id=root["id"])
    right = await say(client, chat["id"], "right", parent_id=root["id"])
    below = await say(client, chat["id"], "below", parent_id=right["id"])
    path = f"/api/chats/{chat['id']}"

    assert (await client.delete(f"{path}/messages/{right['id']}")).status_code == 204

    after = (await client.get(path)).json()
    assert [message["id"] for message in after["messages"]] == [root["id"], left["id"]]
    assert after["active_leaf_id"] == left["id"]
    for gone in (right, below):
        reply = await client.put(f"{path}/messages/{gone['id']}", json={"content": "x"})
        assert (reply.status_code, reply.json()["code"]) == (404, "message_not_found")
    await client.delete(f"{path}/messages/{root['id']}")
    assert (await client.get(path)).json()["active_leaf_id"] is None
    assert (await client.get(path)).json()["messages"] == []


async def test_deleting_beside_the_active_branch_leaves_it_active(client: Client) -> None:
    chat = await make(client)
    root = await say(client, chat["id"], "root")
    left = await say(client, chat["id"], "left", parent_id=root["id"])
    right = await say(client, chat["id"], "right", parent_id=root["id"])

    await client.delete(f"/api/chats/{chat['id']}/messages/{left['id']}")

    assert (await client.get(f"/api/chats/{chat['id']}")).json()["active_leaf_id"] == right["id"]


async def test_a_message_of_another_chat_is_an_unknown_one(client: Client) -> None:
    chat, other = await make(client), await make(client)
    message = await say(client, other["id"])
    path = f"/api/chats/{chat['id']}/messages"

    for reply in (
        await client.put(f"{path}/{message['id']}", json={"content": "x"}),
        await client.delete(f"{path}/{message['id']}"),
        await client.post(path, json={"role": "user", "content": "x", "parent_id": message["id"]}),
        await client.get(path, params={"before": message["id"]}),
    ):
        assert (reply.status_code, reply.json()["code"]) == (404, "message_not_found")
    assert (await client.get(path)).json()["items"] == []


@pytest.mark.parametrize("over", [0, 1])
async def test_the_length_of_a_message_has_a_limit(client: Client, over: int) -> None:
    chat = await make(client)
    path = f"/api/chats/{chat['id']}/messages"

    reply = await client.post(path, json={"role": "user", "content": "字" * (100_000 + over)})

    if over:
        assert (reply.status_code, reply.json()["code"], reply.json()["limit"]) == (
            413,
            "message_too_large",
            100_000,
        )
        assert reply.json()["errors"][0]["field"] == "content"
        assert (await client.get(path)).json()["items"] == []
    else:
        assert reply.status_code == 201
