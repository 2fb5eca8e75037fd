"""Export: a round trip gives the same chats but for ids; HTML is inert; thinking is in it only on request."""

import json
from typing import Any

import httpx2
import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.rest.test_chats import make, say
from tests.served.backend_server import Backend
from tests.transfer.test_import import bring

Client = httpx2.AsyncClient
HOSTILE = '</div><script>alert(1)</script><img src=x onerror="alert(2)">'


async def rich_chat(backend: Backend, engine: ScriptedVllm) -> str:
    """Make a chat with branches, thinking, a failed answer, settings and a title."""
    engine.script(Answer(content="One 天 🫠.", reasoning="hm", times=1))
    engine.script(Answer(content="Two.", times=1))
    engine.script(Answer(status=400, body={"error": {"message": "no"}}, times=1))
    chat_id = await backend.new_chat(
        title="Trip 旅", system_prompt="Be brief.", temperature=0.5, params={"thinking": True, "stop": ["x"]}
    )
    await backend.events((await backend.send(chat_id, "Why?"))["run"]["id"])
    for _ in range(2):
        again = await backend.http.post(f"/api/chats/{chat_id}/runs", json={})
        await backend.events(again.json()["run"]["id"])
    await backend.http.put(f"/api/chats/{chat_id}", json={"pinned": True, "tags": ["a"], "folder": "F"})
    return chat_id


def without_ids(chat: dict[str, Any]) -> dict[str, Any]:
    """Return an exported chat with places instead of ids."""
    place = {message["id"]: number for number, message in enumerate(chat["messages"])}
    messages = [
        {
            **{name: value for name, value in each.items() if name not in {"id", "chat_id"}},
            "parent_id": place.get(each["parent_id"]),
            "sibling_ids": [place[sibling] for sibling in each["sibling_ids"]],
            "metadata": {name: value for name, value in each["metadata"].items() if name != "run_id"},
        }
        for each in chat["messages"]
    ]
    return {**chat, "id": None, "active_leaf_id": place[chat["active_leaf_id"]], "messages": messages}


async def test_a_round_trip_is_equal_but_for_ids(backend: Backend, engine: ScriptedVllm) -> None:
    chat_id = await rich_chat(backend, engine)
    exported = (await backend.http.get(f"/api/chats/{chat_id}/export?format=json&reasoning=true")).json()
    reply = await bring(backend.http, exported)
    listed = (await backend.http.get("/api/chats/")).json()["items"]
    [copy] = [chat["id"] for chat in listed if chat["id"] != chat_id]
    again = (await backend.http.get(f"/api/chats/{copy}/export?format=json&reasoning=true")).json()

    assert reply.json() == {"chats": 1, "messages": 4, "skipped": []}
    assert [message["status"] for message in exported["chats"][0]["messages"]].count("failed") == 1
    assert without_ids(again["chats"][0]) == without_ids(exported["chats"][0])
    assert (await bring(backend.http, exported)).json()["skipped"][0]["reason"] == "it is here already"


async def test_all_chats_come_as_one_file(client: Client) -> None:
    made = [await make(client, title=f"T{number}") for number in range(3)]
    for chat in made:
        await say(client, chat["id"])
    await client.put(f"/api/chats/{made[1]['id']}", json={"archived": True})
    await client.delete(f"/api/chats/{made[2]['id']}")
    hidden = await make(client, temporary=True)
    reply = await client.get("/api/export")
    file = reply.json()

    assert reply.headers["content-disposition"].startswith("attachment; ")
    assert (file["format"], file["version"]) == ("vllm-chat", 1)
    assert {chat["id"] for chat in file["chats"]} == {made[0]["id"], made[1]["id"]}
    assert hidden["id"] not in reply.text
    assert (await bring(client, reply.content)).json()["chats"] == 2


PRESETS = [
    {"name": "Tidy 整理", "prompt": "Tidy {{text}}.", "options": {"temperature": 0.2, "stop": ["x"]}},
    {"name": "Plain", "prompt": "", "options": {}},
]


async def presets(client: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/api/presets")).json()["items"]
    return [{name: value for name, value in each.items() if name != "id"} for each in items]


async def test_presets_go_out_with_everything_and_come_back_once(client: Client) -> None:
    await make(client, title="T")
    for preset in PRESETS:
        await client.post("/api/presets", json=preset)
    before = await presets(client)
    file = (await client.get("/api/export")).json()
    chat = (await client.get(f"/api/chats/{file['chats'][0]['id']}/export")).json()
    for each in (await client.get("/api/presets")).json()["items"]:
        await client.delete(f"/api/presets/{each['id']}")
    assert await presets(client) == []

    first = (await bring(client, file)).json()
    again = (await bring(client, file)).json()

    assert await presets(client) == before
    assert len(before) == 2
    assert first == {"chats": 1, "messages": 0, "skipped": []}
    assert again["skipped"] == [{"index": 0, "reason": "it is here already"}]
    assert "presets" not in chat


async def test_a_file_may_hold_presets_alone_and_what_is_none_is_told_of(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.import_presets.MAX_PRESETS_PER_USER", 2)
    wrong = [7, {"name": " "}, {"name": "n", "prompt": "p", "options": {"temperature": 9}}]
    more = {"name": "One too many", "prompt": "", "options": {}}

    reply = (await bring(client, {"chats": [], "presets": [*wrong, *PRESETS, PRESETS[0], more]})).json()

    assert reply["skipped"] == [
        *({"index": number, "reason": "it is no preset"} for number in range(3)),
        {"index": 6, "reason": "there is no room for more presets"},
    ]
    assert await presets(client) == sorted(PRESETS, key=lambda each: str(each["name"]))


async def test_more_chats_than_one_batch_are_all_there(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.export_service.BATCH", 2)
    made = {(await make(client))["id"] for _ in range(5)}

    assert {chat["id"] for chat in (await client.get("/api/export")).json()["chats"]} == made


@pytest.mark.parametrize("kind", ["json", "markdown", "html"])
async def test_thinking_is_in_the_file_only_on_request(
    backend: Backend, engine: ScriptedVllm, kind: str
) -> None:
    engine.script(Answer(content="Said.", reasoning="xyzzythought", times=1))
    chat_id = await backend.new_chat(title="T")
    await backend.events((await backend.send(chat_id, "Why?"))["run"]["id"])
    path = f"/api/chats/{chat_id}/export?format={kind}"

    for query, is_there in (("", False), ("&reasoning=false", False), ("&reasoning=true", True)):
        text = (await backend.http.get(path + query)).text
        assert "Said." in text
        assert ("xyzzythought" in text) is is_there


async def test_markdown_is_the_active_path(client: Client) -> None:
    chat = await make(client, title="A\nB", system_prompt="Be brief.")
    first = await say(client, chat["id"], content="first")
    await say(client, chat["id"], content="hidden", parent_id=None)
    await client.put(f"/api/chats/{chat['id']}", json={"active_leaf_id": first["id"]})
    reply = await client.get(f"/api/chats/{chat['id']}/export?format=markdown")

    assert reply.headers["content-type"].startswith("text/markdown")
    assert reply.text == "# A B\n\n## System\n\nBe brief.\n\n## User\n\nfirst\n"


async def test_html_is_inert(client: Client) -> None:
    chat = await make(client, title=HOSTILE, system_prompt=HOSTILE)
    await say(client, chat["id"], content=HOSTILE)
    reply = await client.get(f"/api/chats/{chat['id']}/export?format=html")

    assert reply.headers["content-type"].startswith("text/html")
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in reply.text
    assert "<img" not in reply.text
    assert reply.text.count("&lt;script&gt;") == 4  # title twice, system prompt, message


async def test_html_is_inert_also_where_it_is_a_thought(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content="Said.", reasoning=HOSTILE, times=1))
    chat_id = await backend.new_chat(title="T")
    await backend.events((await backend.send(chat_id, "Why?"))["run"]["id"])
    text = (await backend.http.get(f"/api/chats/{chat_id}/export?format=html&reasoning=true")).text

    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;") == 1


@pytest.mark.parametrize(
    ("title", "plain"),
    [("", "chat.json"), ('a/b\\c:"d"', "a b c d.json"), ("..", "chat.json"), ("旅", "_.json")],
)
async def test_the_file_has_a_name_that_every_system_takes(client: Client, title: str, plain: str) -> None:
    chat = await make(client, title=title)
    reply = await client.get(f"/api/chats/{chat['id']}/export")

    assert f'filename="{plain}"' in reply.headers["content-disposition"]
    json.loads(reply.text)


async def test_a_wrong_format_is_named(client: Client) -> None:
    chat = await make(client)
    for query, field in (("format=pdf", "format"), ("reasoning=maybe", "reasoning")):
        reply = await client.get(f"/api/chats/{chat['id']}/export?{query}")
        assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, field)
