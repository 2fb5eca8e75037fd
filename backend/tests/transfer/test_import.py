"""Import: five formats, detected; dates, branches and titles kept; nothing twice; all or nothing; hostile files harmless."""

import json
from typing import Any

import httpx2
import pytest

from tests.transfer import exports

Client = httpx2.AsyncClient


async def bring(client: Client, file: Any) -> httpx2.Response:
    content = file if isinstance(file, bytes) else json.dumps(file).encode()
    return await client.post("/api/import", content=content, headers={"Content-Type": "application/json"})


async def only_chat(client: Client) -> dict[str, Any]:
    found = [
        chat
        for archived in ("false", "true")
        for chat in (await client.get(f"/api/chats/?archived={archived}")).json()["items"]
    ]
    assert len(found) == 1
    chat: dict[str, Any] = (await client.get(f"/api/chats/{found[0]['id']}")).json()
    return chat


def shape(chat: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return of each message: the place of the one above it, role, content, reasoning."""
    place = {message["id"]: number for number, message in enumerate(chat["messages"])}
    return [
        (place.get(each["parent_id"]), each["role"], each["content"], each["reasoning"])
        for each in chat["messages"]
    ]


async def test_chatgpt(client: Client) -> None:
    reply = await bring(client, [exports.chatgpt()])
    chat = await only_chat(client)

    assert reply.json() == {"chats": 1, "messages": 4, "skipped": []}
    assert (chat["title"], chat["archived"]) == ("Sky", True)
    assert chat["created_at"] == "2023-11-14T22:13:20.000000Z"
    assert chat["updated_at"] == "2023-11-14T22:14:20.000000Z"
    assert shape(chat) == [
        (None, "user", "Why is 天 blue?", ""),
        (0, "assistant", "", "let me think"),
        (1, "assistant", "Scattering.", ""),
        (0, "assistant", "Rayleigh.", ""),
    ]
    assert chat["active_leaf_id"] == chat["messages"][2]["id"]
    assert chat["messages"][2]["model"] == "gpt-x"
    assert chat["messages"][0]["timestamp"] == exports.AT + 1


async def test_claude(client: Client) -> None:
    await bring(client, [exports.claude()])
    chat = await only_chat(client)

    assert (chat["title"], chat["created_at"]) == ("Sky", "2023-11-14T22:13:20.000000Z")
    assert shape(chat) == [
        (None, "user", "Why?\n\na.txt:\n\nattached", ""),
        (0, "assistant", "Because.", "hm"),
    ]


async def test_open_webui(client: Client) -> None:
    await bring(client, [exports.open_webui()])
    chat = await only_chat(client)

    assert (chat["title"], chat["pinned"], chat["tags"], chat["model"]) == ("Sky", True, ["physics"], "qwen")
    assert chat["system_prompt"] == "Be brief."
    assert shape(chat) == [
        (None, "user", "Why?", ""),
        (0, "assistant", "Because.", "a < b\nc"),
        (0, "assistant", "So.", ""),
    ]
    assert chat["active_leaf_id"] == chat["messages"][1]["id"]


@pytest.mark.parametrize("recursive", [False, True])
async def test_librechat(client: Client, recursive: bool) -> None:
    await bring(client, exports.librechat(recursive=recursive))
    chat = await only_chat(client)

    assert (chat["title"], chat["model"], chat["system_prompt"]) == ("Sky", "qwen", "Be brief.")
    assert shape(chat) == [
        (None, "user", "Why?", ""),
        (0, "assistant", "Because.", "hm"),
        (0, "assistant", "So.", ""),
    ]


ALL = [exports.chatgpt(), exports.claude(), exports.open_webui(), exports.librechat()]


async def test_a_second_time_brings_nothing_and_says_so(client: Client) -> None:
    first = (await bring(client, ALL)).json()
    listed = (await client.get("/api/chats/")).json()
    second = (await bring(client, ALL)).json()

    assert (first["chats"], first["skipped"]) == (4, [])
    assert (second["chats"], second["messages"]) == (0, 0)
    assert second["skipped"] == [{"index": number, "reason": "it is here already"} for number in range(4)]
    assert (await client.get("/api/chats/")).json() == listed


async def test_a_chat_that_was_deleted_can_be_imported_again(client: Client) -> None:
    await bring(client, [exports.claude()])
    await client.delete(f"/api/chats/{(await only_chat(client))['id']}")

    assert (await bring(client, [exports.claude()])).json()["chats"] == 1
    assert (await only_chat(client))["title"] == "Sky"


async def test_what_cannot_be_read_is_named_and_the_rest_comes(client: Client) -> None:
    circle = exports.chatgpt()
    circle["mapping"]["u1"]["parent"] = "a2"
    own = exports.claude() | {
        "chat_messages": [{"uuid": "x", "sender": "human", "text": "y", "parent_message_uuid": "x"}]
    }
    twice = exports.claude() | {"chat_messages": [{"uuid": "x", "sender": "human", "text": "y"}] * 2}
    empty = exports.claude() | {"name": "", "chat_messages": []}
    long = exports.claude() | {"chat_messages": [{"sender": "human", "text": "y"}] * 5001}
    file = [circle, own, 7, None, {"a": 1}, twice, exports.open_webui(), empty, long]
    reply = (await bring(client, file)).json()

    assert reply["chats"] == 1
    assert [each["index"] for each in reply["skipped"]] == [0, 1, 2, 3, 4, 5, 7, 8]
    assert reply["skipped"][0]["reason"] == "its messages go round in a circle"
    assert "5000" in reply["skipped"][-1]["reason"]


async def test_imported_texts_are_found_and_can_be_gone_on_with(client: Client) -> None:
    await bring(client, [exports.chatgpt()])
    chat = await only_chat(client)
    hits = (await client.get("/api/chats/search?q=Scattering")).json()["items"]
    added = await client.post(f"/api/chats/{chat['id']}/messages", json={"role": "user", "content": "And?"})

    assert [hit["message_id"] for hit in hits] == [chat["messages"][2]["id"]]
    assert added.json()["parent_id"] == chat["active_leaf_id"]


NOT_AN_EXPORT = {
    "nothing": b"",
    "text": b"hello",
    "null": b"null",
    "a number": b"7",
    "an object": b"{}",
    "a list of numbers": b"[1, 2]",
    "half": b'[{"mapping": {}',
    "bad UTF-8": b'[{"title": "\xff", "mapping": {}}]',
    "a zip": b"PK\x03\x04" + b"\x00" * 100,
    "a gzip": b"\x1f\x8b\x08" + b"\x00" * 100,
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"chats": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "a deep conversation": b'[{"mapping": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}]",
}


@pytest.mark.parametrize("name", NOT_AN_EXPORT)
async def test_what_is_no_export_is_refused(client: Client, name: str) -> None:
    reply = await bring(client, NOT_AN_EXPORT[name])

    assert (reply.status_code, reply.json()["code"]) == (422, "import_not_recognised"), reply.text
    assert len(reply.content) <= 4096
    assert (await client.get("/api/chats/")).json()["items"] == []


async def test_a_compressed_body_is_not_unpacked(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = await client.post("/api/import", content=b"\x1f\x8b", headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_media_type")


async def test_a_file_may_be_large_but_not_without_end(client: Client) -> None:
    padded = [exports.claude(), {"padding": "x" * 2_000_000}]
    assert (await bring(client, padded)).json()["chats"] == 1
    announced = {"Content-Type": "application/json", "Content-Length": str(65 * 1024 * 1024)}
    reply = await client.post("/api/import", content=b"[", headers=announced)
    assert (reply.status_code, reply.json()["limit"]) == (413, 64 * 1024 * 1024)


WRONG = [
    None,
    7,
    -1.5,
    1e300,
    True,
    "",
    "x",
    "\x00",
    [],
    [None],
    {},
    {"a": {}},
    "9" * 5000,
    {"__proto__": {"x": 1}},
]


def spoiled(value: Any) -> list[Any]:
    """Return copies of a conversation in each of which one value, at any depth, is another."""
    found: list[Any] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += [{**value, key: wrong} for wrong in WRONG]
            found += [{**value, key: copy} for copy in spoiled(inner)]
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += [[*value[:number], copy, *value[number + 1 :]] for copy in spoiled(inner)]
    return found


@pytest.mark.parametrize("number", range(4))
async def test_no_wrong_value_anywhere_breaks_it(client: Client, number: int) -> None:
    """Each conversation is read or skipped with a reason; what is read can be listed and opened."""
    for start in range(0, len(cases := spoiled(ALL[number])), 400):
        batch = [ALL[number], *cases[start : start + 400]]
        reply = await bring(client, batch)
        assert reply.status_code == 200, reply.text
        done = reply.json()
        assert done["chats"] + len(done["skipped"]) == len(batch)
        assert all(each["reason"] for each in done["skipped"])
    listed = (await client.get("/api/chats/?limit=200")).json()["items"]
    for chat in listed[:20]:
        assert (await client.get(f"/api/chats/{chat['id']}")).status_code == 200


async def test_it_is_all_or_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.repositories.transfers import TransferRepository  # noqa: PLC0415

    insert = TransferRepository.insert
    calls = []

    async def breaks(self: Any, chat: Any, messages: Any) -> None:
        calls.append(chat)
        if len(calls) == 3:
            raise RuntimeError("the disk, say")
        await insert(self, chat, messages)

    monkeypatch.setattr(TransferRepository, "insert", breaks)
    assert (await bring(client, ALL)).status_code == 500
    assert len(calls) == 3
    assert (await client.get("/api/chats/")).json()["items"] == []


async def test_names_that_scripts_trip_over_do_not_come_along(client: Client) -> None:
    bad = {"a": 1, "__proto__": {"x": 1}, "b": {"constructor": {"prototype": 1}, "c": [{"__proto__": 1}]}}
    message = {"id": "m", "parent_id": None, "role": "user", "content": "x", "metadata": bad}
    own = {"title": "T", "active_leaf_id": None, "messages": [message]}
    await bring(client, {"format": "vllm-chat", "version": 1, "chats": [own]})

    assert (await only_chat(client))["messages"][0]["metadata"] == {"a": 1, "b": {"c": [{}]}}


async def test_a_run_of_another_server_is_not_one_of_this(client: Client) -> None:
    message = {"id": "m", "parent_id": None, "role": "assistant", "content": "x", "status": "stopped"}
    own = {"active_leaf_id": None, "messages": [{**message, "metadata": {"run_id": "r", "continued": 1}}]}
    await bring(client, {"format": "vllm-chat", "version": 1, "chats": [own]})

    assert (await only_chat(client))["messages"][0]["metadata"] == {"continued": 1}
