"""Chats over HTTP: made, listed, opened, changed, deleted, restored; on both databases."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

Client = httpx2.AsyncClient


async def make(client: Client, **fields: Any) -> dict[str, Any]:
    reply = await client.post("/api/chats/", json=fields)
    assert reply.status_code == 201, reply.text
    chat: dict[str, Any] = reply.json()
    return chat


async def say(client: Client, chat_id: str, content: str = "hello", **fields: Any) -> dict[str, Any]:
    body = {"role": "user", "content": content, **fields}
    reply = await client.post(f"/api/chats/{chat_id}/messages", json=body)
    assert reply.status_code == 201, reply.text
    message: dict[str, Any] = reply.json()
    return message


async def titles(client: Client, **query: Any) -> list[str]:
    reply = await client.get("/api/chats/", params=query)
    assert reply.status_code == 200, reply.text
    return [chat["title"] for chat in reply.json()["items"]]


async def test_a_new_chat_has_every_field_of_the_contract(client: Client) -> None:
    chat = await make(
        client, title="T", system_prompt="S", params={"top_p": 0.5}, temperature=0, max_tokens=7
    )

    assert set(chat) == {
        *(
            "id",
            "title",
            "user_id",
            "model",
            "system_prompt",
            "temperature",
            "max_tokens",
            "params",
            "pinned",
        ),
        *("archived", "temporary", "tags", "folder", "active_leaf_id", "created_at", "updated_at"),
        *("messages", "active_run"),
    }
    assert (chat["title"], chat["system_prompt"], chat["params"]) == ("T", "S", {"top_p": 0.5})
    assert (chat["user_id"], chat["temperature"], chat["max_tokens"]) == ("local", 0.0, 7)
    assert chat["created_at"] == chat["updated_at"]
    assert chat["created_at"].endswith("Z")
    assert (chat["messages"], chat["active_run"]) == ([], None)
    assert (await client.get(f"/api/chats/{chat['id']}")).json() == chat


async def test_the_same_request_again_is_the_same_chat(client: Client) -> None:
    chat_id = str(uuid4())
    first = await make(client, id=chat_id, title="first")
    await client.put(f"/api/chats/{chat_id}", json={"title": "renamed since"})

    again = await client.post("/api/chats/", json={"title": "first", "id": chat_id.upper()})
    other = await client.post("/api/chats/", json={"title": "other", "id": chat_id})

    assert (again.status_code, again.json()["title"], again.json()["id"]) == (
        200,
        "renamed since",
        first["id"],
    )
    assert (other.status_code, other.json()["code"]) == (409, "id_conflict")
    assert await titles(client) == ["renamed since"]


async def test_fifty_at_once_with_one_id_make_one_chat(client: Client) -> None:
    chat_id = str(uuid4())
    replies = await asyncio.gather(*(client.post("/api/chats/", json={"id": chat_id}) for _ in range(50)))

    assert sorted(reply.status_code for reply in replies) == [200] * 49 + [201]
    assert len(await titles(client)) == 1


async def test_the_list_has_pinned_first_then_the_newest_activity(client: Client) -> None:
    made = [await make(client, title=f"chat {number}") for number in range(4)]
    await client.put(f"/api/chats/{made[1]['id']}", json={"pinned": True})
    await say(client, made[0]["id"])

    assert await titles(client) == ["chat 1", "chat 0", "chat 3", "chat 2"]


async def test_pages_give_every_chat_once(client: Client) -> None:
    for number in range(7):
        chat = await make(client, title=f"chat {number}")
        if number % 3 == 0:
            await client.put(f"/api/chats/{chat['id']}", json={"pinned": True})
    whole = await titles(client)

    seen: list[str] = []
    cursor: dict[str, str] = {}
    for size in (3, 3, 1):
        page = (await client.get("/api/chats/", params={"limit": 3, **cursor})).json()
        assert len(page["items"]) == size
        seen += [chat["title"] for chat in page["items"]]
        cursor = {"cursor": page["next_cursor"]}

    assert cursor == {"cursor": None}
    assert seen == whole
    assert len(whole) == 7


async def test_a_page_that_is_exactly_full_is_the_last(client: Client) -> None:
    for _ in range(3):
        await make(client)

    assert (await client.get("/api/chats/", params={"limit": 3})).json()["next_cursor"] is None


async def test_the_list_filters_by_archived_tag_and_folder(client: Client) -> None:
    for title, change in {
        "archived": {"archived": True},
        "tagged": {"tags": ["work", "标签"]},
        "filed": {"folder": "F"},
        "plain": {},
    }.items():
        chat = await make(client, title=title)
        await client.put(f"/api/chats/{chat['id']}", json=change)

    assert await titles(client, archived="true") == ["archived"]
    assert await titles(client, tag="标签") == ["tagged"]
    assert await titles(client, tag="wor") == []
    assert await titles(client, folder="F") == ["filed"]
    assert await titles(client) == ["plain", "filed", "tagged"]


async def test_a_list_item_counts_messages_and_holds_none(client: Client) -> None:
    chat = await make(client, system_prompt="secret")
    await say(client, chat["id"])

    item = (await client.get("/api/chats")).json()["items"][0]

    assert item["message_count"] == 1
    assert item["active_run_id"] is None
    assert not {"messages", "system_prompt"} & set(item)


async def test_what_is_left_out_of_a_change_stays(client: Client) -> None:
    chat = await make(client, title="T", model="m", system_prompt="S", params={"top_k": 3})

    changed = (await client.put(f"/api/chats/{chat['id']}", json={"folder": "F", "model": None})).json()

    assert (changed["folder"], changed["model"]) == ("F", None)
    assert (changed["title"], changed["system_prompt"], changed["params"]) == ("T", "S", {"top_k": 3})
    assert changed["updated_at"] > chat["updated_at"]
    assert changed["created_at"] == chat["created_at"]


@pytest.mark.parametrize("name", ["title", "params", "pinned", "archived", "tags", "active_leaf_id"])
async def test_null_is_refused_where_it_means_nothing(client: Client, name: str) -> None:
    chat = await make(client)

    reply = await client.put(f"/api/chats/{chat['id']}", json={name: None})

    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, name)
    assert (await client.get(f"/api/chats/{chat['id']}")).json() == chat


@pytest.mark.parametrize("quoted", ["{}", '"{}"', 'W/"{}"'])
async def test_a_change_based_on_an_older_state_is_stale(client: Client, quoted: str) -> None:
    chat = await make(client)
    path = f"/api/chats/{chat['id']}"
    seen = {"If-Match": quoted.format(chat["updated_at"])}

    fits = await client.put(path, json={"title": "mine"}, headers=seen)
    stale = await client.put(path, json={"title": "late"}, headers=seen)
    nonsense = await client.put(path, json={"title": "late"}, headers={"If-Match": "yesterday"})

    assert fits.status_code == 200
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (nonsense.status_code, nonsense.json()["code"]) == (412, "stale")
    assert (await client.get(path)).json()["title"] == "mine"


async def test_a_deleted_chat_is_gone_and_can_be_restored(client: Client) -> None:
    chat = await make(client, title="T")
    await say(client, chat["id"])
    path = f"/api/chats/{chat['id']}"
    whole = (await client.get(path)).json()

    assert (await client.delete(path)).status_code == 204
    assert await titles(client) == []
    for reply in (
        await client.get(path),
        await client.put(path, json={"title": "x"}),
        await client.delete(path),
        await client.post(f"{path}/messages", json={"role": "user", "content": "x"}),
        await client.get(f"{path}/messages"),
    ):
        assert (reply.status_code, reply.json()["code"]) == (404, "chat_not_found")

    restored = await client.post(f"{path}/restore")
    assert restored.status_code == 200
    assert restored.json() == {**whole, "updated_at": restored.json()["updated_at"]}
    assert (await client.post(f"{path}/restore")).status_code == 200
    assert await titles(client) == ["T"]


async def test_a_chat_can_be_opened_with_the_end_of_its_active_path(client: Client) -> None:
    chat = await make(client)
    made = [await say(client, chat["id"], f"message {number}") for number in range(4)]
    beside = await say(client, chat["id"], "beside", parent_id=made[2]["id"])
    path = f"/api/chats/{chat['id']}"

    async def opened(**query: int) -> list[str]:
        return [message["id"] for message in (await client.get(path, params=query)).json()["messages"]]

    assert await opened() == [message["id"] for message in [*made, beside]]
    assert await opened(messages=2) == [made[2]["id"], beside["id"]]
    assert await opened(messages=50) == [*(message["id"] for message in made[:3]), beside["id"]]
    assert await opened(messages=0) == []


async def test_setting_the_active_leaf_descends_to_the_newest_one_below(client: Client) -> None:
    chat = await make(client)
    root = await say(client, chat["id"], "root")
    left = await say(client, chat["id"], "left", parent_id=root["id"])
    deep = await say(client, chat["id"], "deep", parent_id=left["id"])
    right = await say(client, chat["id"], "right", parent_id=root["id"])
    path = f"/api/chats/{chat['id']}"

    async def after_setting(message: dict[str, Any]) -> str:
        reply = await client.put(path, json={"active_leaf_id": message["id"]})
        leaf: str = reply.json()["active_leaf_id"]
        return leaf

    assert (await client.get(path)).json()["active_leaf_id"] == right["id"]
    assert await after_setting(left) == deep["id"]
    assert await after_setting(root) == right["id"]
    unknown = await client.put(path, json={"active_leaf_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "message_not_found")
    assert unknown.json()["errors"][0]["field"] == "active_leaf_id"


async def test_the_first_user_message_gives_an_untitled_chat_its_title(client: Client) -> None:
    untitled, titled = await make(client), await make(client, title="mine")
    await say(client, untitled["id"], "be brief", role="system")
    await say(client, untitled["id"], "\n  天气  怎么样？ \nand more")
    await say(client, untitled["id"], "second")
    await say(client, titled["id"], "first")
    long = await make(client)
    await say(client, long["id"], "word " * 40)

    assert await titles(client) == [("word " * 40)[:59].rstrip() + "…", "mine", "天气 怎么样？"]


async def test_a_restart_keeps_everything(settings: Any) -> None:
    from main import running  # noqa: PLC0415 (the one test that starts it twice)

    for round_number in range(2):
        async with running(settings) as (app, *_):
            transport = httpx2.ASGITransport(app=app)
            async with Client(transport=transport, base_url="http://127.0.0.1:8080") as client:
                if round_number == 0:
                    chat = await make(client, title="kept")
                    await say(client, chat["id"], "kept too")
                    before = (await client.get(f"/api/chats/{chat['id']}")).json()
                else:
                    assert (await client.get(f"/api/chats/{chat['id']}")).json() == before
