"""Bad input gets a 4xx problem that names the field and the limit; nothing is stored, nothing is echoed."""

import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.rest.test_chats import make, say

Client = httpx2.AsyncClient
MARK = "XYZZYMARK"  # must not come back

CREATE, CHAT, SAY, MESSAGE = ("POST chats", "PUT chat", "POST messages", "PUT message")
VALID: dict[str, dict[str, Any]] = {
    CREATE: {},
    CHAT: {},
    SAY: {"role": "user", "content": "hello"},
    MESSAGE: {},
}
# where, field, value, what is said of it
TABLE: list[tuple[str, str, Any, str]] = [
    (CREATE, "id", "not-a-uuid", "invalid_id"),
    (CREATE, "id", 7, "invalid_id"),
    (CREATE, "title", 7, "wrong_type"),
    (CREATE, "title", "x" * 501, "too_long"),
    (CREATE, "title", f"{MARK}\x00", "nul_in_text"),
    (CREATE, "title", f"{MARK}\ud800", "lone_surrogate"),
    (CREATE, "model", "", "too_short"),
    (CREATE, "model", "m" * 513, "too_long"),
    (CREATE, "system_prompt", "s" * 100_001, "too_long"),
    (CREATE, "temperature", "0.5", "wrong_type"),
    (CREATE, "temperature", 2.01, "out_of_range"),
    (CREATE, "temperature", float("nan"), "out_of_range"),
    (CREATE, "temperature", float("inf"), "out_of_range"),
    (CREATE, "max_tokens", 0, "out_of_range"),
    (CREATE, "max_tokens", 1.5, "wrong_type"),
    (CREATE, "max_tokens", True, "wrong_type"),
    (CREATE, "max_tokens", 8193, "too_large"),
    (CREATE, "max_tokens", 10**300, "too_large"),
    (CREATE, "params", [], "wrong_type"),
    (CREATE, "params.max_tokens", 8193, "too_large"),
    (CREATE, "params.stop", ["x"] * 5, "too_long"),
    (CREATE, "params.top_k", 10**30, "out_of_range"),
    (CREATE, "params.response_format", {"x": "y" * 70_000}, "too_long"),
    (CREATE, "params.response_format", {"x": float("nan")}, "not_finite"),
    (CREATE, "params.logit_bias", {}, "unknown_field"),
    (CREATE, "temporary", "yes", "wrong_type"),
    (CREATE, "user_id", "root", "unknown_field"),
    (CHAT, "title", "x" * 501, "too_long"),
    (CHAT, "pinned", 1, "wrong_type"),
    (CHAT, "tags", "work", "wrong_type"),
    (CHAT, "tags", ["t"] * 51, "too_long"),
    (CHAT, "tags.0", ["t" * 101], "too_long"),
    (CHAT, "tags.0", [""], "too_short"),
    (CHAT, "folder", "f" * 101, "too_long"),
    (CHAT, "active_leaf_id", 7, "invalid_id"),
    (CHAT, "max_tokens", 8193, "too_large"),
    (CHAT, "id", str(uuid4()), "unknown_field"),
    (CHAT, "user_id", "root", "unknown_field"),
    (SAY, "role", None, "not_allowed"),
    (SAY, "role", "root", "not_allowed"),
    (SAY, "role", "tool", "not_allowed"),
    (SAY, "content", None, "wrong_type"),
    (SAY, "content", "", "blank_text"),
    (SAY, "content", " \n\t\u3000", "blank_text"),
    (SAY, "content", f"{MARK}\x00", "nul_in_text"),
    (SAY, "content", f"{MARK}\udfff", "lone_surrogate"),
    (SAY, "parent_id", 7, "invalid_id"),
    (SAY, "metadata", [], "wrong_type"),
    (SAY, "metadata", {"a": f"{MARK}\x00"}, "nul_in_text"),
    (SAY, "metadata", {"a": [{"b": f"{MARK}\ud83d"}]}, "lone_surrogate"),
    (SAY, "metadata", {"\x00": 1}, "nul_in_text"),
    (SAY, "metadata", {"a": float("inf")}, "not_finite"),
    (SAY, "metadata", {"a": "x" * 70_000}, "too_long"),
    (SAY, "status", "streaming", "unknown_field"),
    (SAY, "reasoning", "hm", "unknown_field"),
    (MESSAGE, "content", None, "null"),
    (MESSAGE, "content", " ", "blank_text"),
    (MESSAGE, "metadata", None, "null"),
    (MESSAGE, "role", "user", "unknown_field"),
]


def nested(field: str, value: Any) -> dict[str, Any]:
    first, _, rest = field.partition(".")
    return {first: value if not rest or rest.isdecimal() else nested(rest, value)}


@pytest.fixture
async def places(client: Client) -> dict[str, tuple[str, str]]:
    """A chat with one message, and where to send what."""
    chat = await make(client)
    message = await say(client, chat["id"])
    path = f"/api/chats/{chat['id']}"
    return {
        CREATE: ("POST", "/api/chats/"),
        CHAT: ("PUT", path),
        SAY: ("POST", f"{path}/messages"),
        MESSAGE: ("PUT", f"{path}/messages/{message['id']}"),
    }


async def state(client: Client, places: dict[str, tuple[str, str]]) -> list[Any]:
    return [(await client.get("/api/chats/")).json(), (await client.get(places[CHAT][1])).json()]


def sent(body: object) -> dict[str, Any]:
    return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}


async def test_each_bad_field_is_named_and_nothing_is_stored(
    client: Client, places: dict[str, tuple[str, str]]
) -> None:
    before = await state(client, places)

    for where, field, value, code in TABLE:
        method, path = places[where]
        reply = await client.request(method, path, **sent({**VALID[where], **nested(field, value)}))
        said = f"{where} {field} {str(value)[:40]}: {reply.text}"

        assert reply.status_code == 422, said
        assert reply.headers["content-type"] == "application/problem+json", said
        assert (field, code) in {(each["field"], each["code"]) for each in reply.json()["errors"]}, said
        assert len(reply.content) <= 4096, said
        assert MARK not in reply.text, said

    assert await state(client, places) == before


async def test_limits_stand_in_the_sentence(client: Client, places: dict[str, tuple[str, str]]) -> None:
    limits = [("title", "x" * 501, "500"), ("max_tokens", 8193, "8192"), ("temperature", 3, "2")]
    for field, value, limit in limits:
        reply = await client.post("/api/chats/", json={field: value})
        assert limit in reply.json()["errors"][0]["detail"]
        assert reply.json()["detail"].startswith(f"{field}: ")


async def test_many_bad_fields_make_a_small_reply(client: Client) -> None:
    reply = await client.post("/api/chats/", json={f"{MARK}{n}" * 50: "x" * 500 for n in range(500)})

    assert reply.status_code == 422
    assert len(reply.content) <= 8192
    assert len(reply.json()["errors"]) == 20


@pytest.mark.parametrize(
    "odd",
    ["nowhere", "9d0d3c5e-0000-4000-8000-000000000001", "%00", "..%2f", "'", "x" * 5000, "%F0%9F%AB%A0"],
)
async def test_a_malformed_id_is_an_unknown_one(client: Client, odd: str) -> None:
    chat = await make(client)
    for method, path, body in (
        ("GET", f"/api/chats/{odd}", None),
        ("PUT", f"/api/chats/{odd}", {}),
        ("DELETE", f"/api/chats/{odd}", None),
        ("POST", f"/api/chats/{odd}/restore", None),
        ("GET", f"/api/chats/{odd}/messages", None),
        ("POST", f"/api/chats/{odd}/messages", {"role": "user", "content": "x"}),
        ("PUT", f"/api/chats/{chat['id']}/messages/{odd}", {"content": "x"}),
        ("DELETE", f"/api/chats/{chat['id']}/messages/{odd}", None),
    ):
        reply = await client.request(method, path, **({} if body is None else sent(body)))
        assert reply.status_code == 404, f"{method} {path}: {reply.text}"
        assert reply.headers["content-type"] == "application/problem+json"
        assert odd not in reply.text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("archived=maybe", "archived"),
        ("cursor=x", "cursor"),
        ("cursor=WzEsMiwzXQ", "cursor"),
        (
            "cursor=W3RydWUsMTAwMDAwMDAwMDAwMDAwMDAwMDAwMCwiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwIl0",
            "cursor",
        ),
        ("cursor=%00", "cursor"),
        ("cursor=" + "W" * 1001, "cursor"),
        ("tag=%00", "tag"),
        ("folder=" + "f" * 101, "folder"),
    ],
)
async def test_bad_queries_are_named(client: Client, query: str, field: str) -> None:
    reply = await client.get(f"/api/chats/?{query}")

    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, field), reply.text


async def test_unknown_query_parameters_are_nobodys_business(client: Client) -> None:
    assert (await client.get("/api/chats/?utm_source=x&%00=1")).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_request"),
        (b"null", "invalid_request"),
        (b"[]", "invalid_request"),
        (b'"text"', "invalid_request"),
        (b"{", "malformed_json"),
        (b'{"title": "\xff"}', "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"max_tokens": ' + b"1" * 5000 + b"}", "malformed_json"),
        (b'{"params": {"response_format": ' + b'{"a":' * 100 + b"1" + b"}" * 102, "invalid_request"),
    ],
)
async def test_nasty_json_is_refused(client: Client, body: bytes, code: str) -> None:
    reply = await client.post("/api/chats/", content=body, headers={"Content-Type": "application/json"})

    assert (reply.status_code, reply.json()["code"]) == (422, code)
    assert {error["field"].split(".")[0] for error in reply.json()["errors"]} <= {"body", "params"}
    assert reply.json()["errors"]
    assert len(reply.content) <= 4096


async def test_a_body_on_a_delete_is_not_looked_at(client: Client) -> None:
    chat = await make(client)
    reply = await client.request(
        "DELETE", f"/api/chats/{chat['id']}", content=b"\xff{", headers={"Content-Type": "x"}
    )

    assert reply.status_code == 204


async def test_unknown_paths_and_methods_are_problems(client: Client) -> None:
    for method, path, status, code in (
        ("GET", "/", 404, "not_found"),
        ("GET", "/api", 404, "not_found"),
        ("GET", "/api/chats/../../etc/passwd", 404, "not_found"),
        ("PATCH", "/api/chats/", 405, "method_not_allowed"),
        ("DELETE", "/api/chats/", 405, "method_not_allowed"),
    ):
        reply = await client.request(method, path)
        assert (reply.status_code, reply.json()["code"]) == (status, code), path
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json()["request_id"] == reply.headers["x-request-id"]


async def test_every_path_works_with_and_without_a_trailing_slash(client: Client) -> None:
    chat = await make(client)
    message = await say(client, chat["id"])
    for path in (
        "/api/chats",
        "/api/chats/search?q=x",
        f"/api/chats/{chat['id']}",
        f"/api/chats/{chat['id']}/messages",
    ):
        bare, _, query = path.partition("?")
        for form in (bare, f"{bare}/"):
            assert (await client.get(f"{form}?{query}")).status_code == 200, form
    reply = await client.put(f"/api/chats/{chat['id']}/messages/{message['id']}/", json={"content": "x"})
    assert reply.status_code == 200
