"""Labels: the folders and tags of a user's own chats, however many there are; on both databases."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2

from app.models import ChatRow
from app.repositories.storage import Storage
from app.schemas.label import Labels
from app.services.label_service import LabelService

Client = httpx2.AsyncClient
NOW = datetime(2026, 11, 29, tzinfo=UTC)


async def filed(client: Client, *, made: Mapping[str, Any] | None = None, **change: Any) -> str:
    """Make a chat, file it, and return its id."""
    reply = await client.post("/api/chats/", json=made or {})
    chat_id: str = reply.json()["id"]
    changed = await client.put(f"/api/chats/{chat_id}", json=change)
    assert changed.status_code == 200, changed.text
    return chat_id


async def labels(client: Client) -> dict[str, dict[str, int]]:
    """Return what the backend says, as numbers of chats by name."""
    reply = await client.get("/api/labels")
    assert reply.status_code == 200, reply.text
    return {kind: {each["name"]: each["chats"] for each in found} for kind, found in reply.json().items()}


async def test_there_are_none_where_nothing_is_filed(client: Client) -> None:
    await filed(client, title="plain")

    assert await labels(client) == {"folders": {}, "tags": {}}


async def test_folders_and_tags_come_with_their_number_of_chats(client: Client) -> None:
    await filed(client, folder="Work", tags=["red", "标签"])
    await filed(client, folder="Work", tags=["red", "red", "12", 'it\'s "q"'])
    await filed(client, folder="家", tags=["RED"])

    assert await labels(client) == {
        "folders": {"Work": 2, "家": 1},
        "tags": {"red": 2, "标签": 1, "12": 1, 'it\'s "q"': 1, "RED": 1},
    }


async def test_they_are_sorted_by_name_whatever_the_case(client: Client) -> None:
    names = ["b", "Z", "a", "é", "B", "_", "工作", "Äpfel", "10"]
    for name in names:
        await filed(client, folder=name, tags=names)

    reply = (await client.get("/api/labels")).json()
    expected = ["10", "_", "a", "B", "b", "Z", "Äpfel", "é", "工作"]
    assert [each["name"] for each in reply["folders"]] == expected
    assert [each["name"] for each in reply["tags"]] == expected


async def test_archived_chats_count_and_deleted_and_temporary_ones_do_not(client: Client) -> None:
    await filed(client, folder="archived", tags=["a"], archived=True)
    deleted = await filed(client, folder="deleted", tags=["a", "d"])
    await filed(client, made={"temporary": True}, folder="temporary", tags=["a", "t"])
    await client.delete(f"/api/chats/{deleted}")

    assert await labels(client) == {"folders": {"archived": 1}, "tags": {"a": 1}}
    await client.post(f"/api/chats/{deleted}/restore")
    assert await labels(client) == {"folders": {"archived": 1, "deleted": 1}, "tags": {"a": 2, "d": 1}}


async def test_how_many_of_the_chats_are_archived_is_told(client: Client) -> None:
    await filed(client, folder="both", tags=["t", "t"], archived=True)
    await filed(client, folder="both", tags=["t"])
    await filed(client, folder="none")

    reply = (await client.get("/api/labels")).json()
    both = {"name": "both", "chats": 2, "archived": 1}
    assert reply["folders"] == [both, {"name": "none", "chats": 1, "archived": 0}]
    assert reply["tags"] == [{"name": "t", "chats": 2, "archived": 1}]


async def test_one_that_holds_nothing_any_more_is_gone(client: Client) -> None:
    chat_id = await filed(client, folder="old", tags=["old"])
    await client.put(f"/api/chats/{chat_id}", json={"folder": None, "tags": ["new"]})
    await filed(client, folder="")

    assert await labels(client) == {"folders": {}, "tags": {"new": 1}}


async def test_another_users_are_not_shown(storage: Storage) -> None:
    for user, folder in (("local", "mine"), ("other", "theirs")):
        chat = ChatRow(
            id=str(uuid4()),
            user_id=user,
            folder=folder,
            tags=[folder],
            activity=1,
            created_at=NOW,
            updated_at=NOW,
        )
        async with storage.write() as unit:
            await unit.chats.insert(chat)

    found = await LabelService(storage).all("local")

    mine = [{"name": "mine", "chats": 1, "archived": 0}]
    assert found == Labels.model_validate({"folders": mine, "tags": mine})
    assert await LabelService(storage).all("nobody") == Labels(folders=[], tags=[])
