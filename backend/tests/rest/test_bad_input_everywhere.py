"""Bad input on the routes of runs, programs, presets, forks and files: named, refused, and nothing stored."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.rest.test_bad_input import MARK, nested, sent
from tests.rest.test_chats import make, say

Client = httpx2.AsyncClient
RUN, PRESET, CHANGE, FORK = "POST runs", "POST preset", "PUT preset", "POST fork"
COMPLETE, GENERATE, CLEAR, STOP = "POST completion", "POST generate", "POST clear", "POST stop"
VALID: dict[str, dict[str, Any]] = {
    RUN: {"message": {"content": "x"}},
    PRESET: {"name": "n"},
    CHANGE: {},
    FORK: {"message_id": str(uuid4())},
    COMPLETE: {"content": "x"},
    GENERATE: {"prompt": "x"},
    CLEAR: {},
    STOP: {},
}
# options are the same everywhere; here by the name of where they stand
OPTIONS: list[tuple[str, Any, str]] = [
    ("model", "", "too_short"),
    ("model", "m" * 513, "too_long"),
    ("thinking", "yes", "wrong_type"),
    ("thinking_budget", -1, "out_of_range"),
    ("thinking_budget", 1.5, "wrong_type"),
    ("thinking_budget", 10**30, "out_of_range"),
    ("temperature", "0.5", "wrong_type"),
    ("temperature", 2.01, "out_of_range"),
    ("temperature", float("nan"), "out_of_range"),
    ("top_p", 0, "out_of_range"),
    ("top_k", 0.5, "wrong_type"),
    ("min_p", 1.01, "out_of_range"),
    ("presence_penalty", -2.01, "out_of_range"),
    ("frequency_penalty", 2.01, "out_of_range"),
    ("repetition_penalty", 0, "out_of_range"),
    ("max_tokens", 0, "out_of_range"),
    ("seed", 2**63, "out_of_range"),
    ("stop", "x", "wrong_type"),
    ("stop", ["x"] * 5, "too_long"),
    ("stop.0", [""], "too_short"),
    ("stop.0", ["\x00"], "nul_in_text"),
    ("stop.0", ["\ud800"], "lone_surrogate"),
    ("response_format", [], "wrong_type"),
    ("response_format", {"type": "xml"}, "invalid_response_format"),
    ("context", "drop", "not_allowed"),
    ("logit_bias", {}, "unknown_field"),
    ("chat_template_kwargs", {}, "unknown_field"),
    ("priority", -5, "unknown_field"),
]
TABLE: list[tuple[str, str, Any, str]] = [
    *((RUN, f"options.{field}", value, code) for field, value, code in OPTIONS),
    *((PRESET, f"options.{field}", value, code) for field, value, code in OPTIONS),
    *((CHANGE, f"options.{field}", value, code) for field, value, code in OPTIONS),
    *((COMPLETE, field, value, code) for field, value, code in OPTIONS),
    *((GENERATE, field, value, code) for field, value, code in OPTIONS),
    (RUN, "options", [], "wrong_type"),
    (RUN, "run_id", "nowhere", "invalid_id"),
    (RUN, "parent_id", 7, "invalid_id"),
    (RUN, "message", "hi", "wrong_type"),
    (RUN, "message.id", "nowhere", "invalid_id"),
    (RUN, "message.content", "", "blank_text"),
    (RUN, "message.content", f"{MARK}\x00", "nul_in_text"),
    (RUN, "message.content", f"{MARK}\ud800", "lone_surrogate"),
    (RUN, "user_id", "root", "unknown_field"),
    (PRESET, "id", "nowhere", "invalid_id"),
    (PRESET, "name", "", "blank_text"),
    (PRESET, "name", "n" * 201, "too_long"),
    (PRESET, "name", f"{MARK}\x00", "nul_in_text"),
    (PRESET, "prompt", f"{MARK}\ud800", "lone_surrogate"),
    (PRESET, "prompt", "p" * 100_001, "too_long"),
    (PRESET, "user_id", "root", "unknown_field"),
    (CHANGE, "name", None, "null"),
    (CHANGE, "prompt", None, "null"),
    (CHANGE, "options", None, "null"),
    (CHANGE, "id", str(uuid4()), "unknown_field"),
    (FORK, "message_id", 7, "invalid_id"),
    (FORK, "message_id", None, "invalid_id"),
    (FORK, "title", "x", "unknown_field"),
    (COMPLETE, "chat_id", 7, "invalid_id"),
    (COMPLETE, "content", f"{MARK}\x00", "nul_in_text"),
    (COMPLETE, "messages.0.role", [{"role": "tool", "content": "x"}], "not_allowed"),
    (COMPLETE, "messages.0.content", [{"role": "user", "content": " "}], "blank_text"),
    (COMPLETE, "stream", "yes", "wrong_type"),
    (GENERATE, "prompt", " ", "blank_text"),
    (GENERATE, "stream", True, "unknown_field"),
    (CLEAR, "chat_id", 7, "invalid_id"),
    (STOP, "seen_seq", -1, "out_of_range"),
    (STOP, "seen_seq", "1", "wrong_type"),
    (STOP, "force", True, "unknown_field"),
]


@pytest.fixture
async def places(client: Client) -> dict[str, str]:
    """A chat with a message and a preset, and where to send what."""
    chat = await make(client)
    message = await say(client, chat["id"])
    VALID[FORK]["message_id"] = message["id"]
    VALID[CLEAR]["chat_id"] = chat["id"]
    preset = (await client.post("/api/presets", json={"name": "kept"})).json()
    return {
        RUN: f"/api/chats/{chat['id']}/runs",
        PRESET: "/api/presets",
        CHANGE: f"/api/presets/{preset['id']}",
        FORK: f"/api/chats/{chat['id']}/fork",
        COMPLETE: "/api/chat/completion",
        GENERATE: "/api/generate",
        CLEAR: "/api/chat/clear",
        STOP: f"/api/runs/{uuid4()}/stop",
        "chat": f"/api/chats/{chat['id']}",
    }


async def state(client: Client, places: dict[str, str]) -> list[Any]:
    paths = ("/api/chats/", "/api/presets", places["chat"])
    return [(await client.get(path)).json() for path in paths]


async def test_each_bad_field_is_named_and_nothing_is_stored(client: Client, places: dict[str, str]) -> None:
    before = await state(client, places)
    for where, field, value, code in TABLE:
        method = where.partition(" ")[0]
        body = {**VALID[where], **nested(field.partition(".0.")[0], value)}
        if field.startswith("messages"):
            del body["content"]
        if field.startswith("message."):
            body["message"] = {**VALID[RUN]["message"], **body["message"]}
        reply = await client.request(method, places[where], **sent(body))
        said = f"{where} {field} {str(value)[:40]}: {reply.text}"
        assert reply.status_code == 422, said
        assert reply.headers["content-type"] == "application/problem+json", said
        assert (field, code) in {(each["field"], each["code"]) for each in reply.json()["errors"]}, said
        assert len(reply.content) <= 4096, said
        assert MARK not in reply.text, said
    assert await state(client, places) == before


async def test_what_must_be_there_is_named(client: Client, places: dict[str, str]) -> None:
    for where, field in ((PRESET, "name"), (FORK, "message_id"), (GENERATE, "prompt"), (CLEAR, "chat_id")):
        reply = await client.post(places[where], json={})
        assert reply.status_code == 422, where
        assert (field, "missing") in {(each["field"], each["code"]) for each in reply.json()["errors"]}


async def test_ten_megabytes_are_refused_unread(client: Client, places: dict[str, str]) -> None:
    before = await state(client, places)
    for where in VALID:
        method = where.partition(" ")[0]
        content = b'{"x": "' + b"y" * 10_000_000 + b'"}'
        headers = {"Content-Type": "application/json"}
        reply = await client.request(method, places[where], content=content, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large"), where
        assert len(reply.content) <= 4096
    assert await state(client, places) == before


@pytest.mark.parametrize(
    "odd", ["nowhere", "9d0d3c5e-0000-4000-8000-000000000001", "%00", "..%2f", "x" * 5000, "%F0%9F%AB%A0"]
)
async def test_an_unknown_id_is_unknown_everywhere(client: Client, odd: str) -> None:
    for method, path, body in (
        ("POST", f"/api/chats/{odd}/runs", {"message": {"content": "x"}}),
        ("POST", f"/api/chats/{odd}/fork", {"message_id": str(uuid4())}),
        ("POST", f"/api/chats/{odd}/title", None),
        ("GET", f"/api/chats/{odd}/export", None),
        ("PUT", f"/api/presets/{odd}", {"name": "x"}),
        ("DELETE", f"/api/presets/{odd}", None),
        ("GET", f"/api/runs/{odd}", None),
        ("GET", f"/api/runs/{odd}/events", None),
        ("POST", f"/api/runs/{odd}/stop", {}),
    ):
        reply = await client.request(method, path, **({} if body is None else sent(body)))
        assert reply.status_code == 404, f"{method} {path}: {reply.text}"
        assert reply.headers["content-type"] == "application/problem+json"
        assert odd not in reply.text


@pytest.mark.parametrize(
    "odd", ["nowhere", "9d0d3c5e-0000-4000-8000-000000000001", "", "\x00", "\ud800", "x" * 5000]
)
async def test_an_unknown_id_in_a_body_is_unknown_everywhere(
    client: Client, places: dict[str, str], odd: str
) -> None:
    before = await state(client, places)
    for method, path, body in (
        ("PUT", places["chat"], {"active_leaf_id": odd}),
        ("POST", f"{places['chat']}/messages", {"role": "user", "content": "x", "parent_id": odd}),
        ("POST", places[RUN], {"parent_id": odd}),
        ("POST", places[RUN], {"message": {"content": "x"}, "parent_id": odd}),
        ("POST", places[FORK], {"message_id": odd}),
        ("POST", places[COMPLETE], {"chat_id": odd, "content": "x"}),
        ("POST", places[CLEAR], {"chat_id": odd}),
    ):
        reply = await client.request(method, path, **sent(body))
        assert reply.status_code == 404, f"{method} {path}: {reply.text}"
        assert reply.json()["code"] in {"chat_not_found", "message_not_found"}, reply.text
        assert len(reply.content) <= 4096
    assert await state(client, places) == before


async def test_a_page_that_ends_before_a_malformed_id_is_not_found(client: Client) -> None:
    chat = await make(client)
    reply = await client.get(f"/api/chats/{chat['id']}/messages?before=nowhere")
    assert (reply.status_code, reply.json()["code"]) == (404, "message_not_found")
