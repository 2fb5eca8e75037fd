"""The door: hosts, origins, bodies, headers, and what an unforeseen error looks like from outside."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from loguru import logger

from app.api.app import create_app
from app.api.limits import MAX_BODY_BYTES, SECURITY_HEADERS, guard
from app.config import Settings
from main import running

Client = httpx2.AsyncClient
PAGE = "http://localhost:3000"
EVIL = [
    "http://evil.example",
    "null",
    "http://localhost.evil.example:3000",
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000.evil.example",
    "",
]


@pytest.fixture
async def client(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Client]:
    """A program that talks to the whole application; the door is the same on both databases."""
    settings = Settings(_env_file=None, database_url=sqlite_url, models_dir=tmp_path)
    async with running(settings) as (app, *_):
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with Client(transport=transport, base_url="http://127.0.0.1:8080") as client:
            yield client


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("origin", EVIL)
async def test_pages_that_are_not_listed_are_refused(client: Client, origin: str, method: str) -> None:
    reply = await client.request(method, "/api/chats/", headers={"Origin": origin, "Cookie": "a=b"})

    assert (reply.status_code, reply.json()["code"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in reply.headers
    assert (await client.get("/api/chats/")).json()["items"] == []


@pytest.mark.parametrize("origin", [PAGE, "http://127.0.0.1:3000", "http://localhost:8080"])
async def test_listed_pages_are_let_in(client: Client, origin: str) -> None:
    preflight = await client.options("/api/chats/", headers={"Origin": origin})
    reply = await client.post("/api/chats/", json={}, headers={"Origin": origin})

    assert preflight.status_code == 204
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert reply.status_code == 201
    for each in (preflight, reply):
        assert each.headers["access-control-allow-origin"] == origin
        assert each.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in each.headers


async def test_a_program_without_an_origin_is_let_in(client: Client) -> None:
    reply = await client.post("/api/chats/", json={})

    assert reply.status_code == 201
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
async def test_our_own_names_are_answered(client: Client, host: str) -> None:
    assert (await client.get("/api/chats/", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "[::1", ""]
)
async def test_other_host_names_are_refused(client: Client, host: str) -> None:
    reply = await client.get("/api/chats/", headers={"Host": host, "X-Forwarded-Host": "localhost"})

    assert (reply.status_code, reply.json()["code"]) == (400, "host_not_allowed")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_only_plain_json_is_read(client: Client, headers: dict[str, str]) -> None:
    reply = await client.post("/api/chats/", content=b"{}", headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_has_a_limit(client: Client, over: int, *, is_chunked: bool) -> None:
    body = b"{}" + b" " * (MAX_BODY_BYTES - 2 + over)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    content: Any = chunks() if is_chunked else body
    reply = await client.post("/api/chats/", content=content, headers={"Content-Type": "application/json"})

    assert reply.status_code == (413 if over else 201)
    if over:
        assert reply.json()["code"] == "body_too_large"
        assert len(reply.content) <= 4096


async def test_a_start_has_the_limit_too_where_its_length_is_not_announced(client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    path = f"/api/chats/{uuid4()}/runs"
    reply = await client.post(path, content=chunks(), headers={"Content-Type": "application/json"})

    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


async def test_an_announced_body_that_is_too_large_is_never_read(sqlite_url: str) -> None:
    settings = Settings(_env_file=None, database_url=sqlite_url)
    door = guard(create_app(None), settings)
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [
        (b"host", b"localhost"),
        (b"content-length", b"10000000"),
        (b"content-type", b"application/json"),
    ]
    await door(
        {"type": "http", "method": "POST", "path": "/api/chats/", "headers": headers, "query_string": b""},
        receive,
        send,
    )

    assert sent[0]["status"] == 413


async def test_browsers_are_told_to_be_careful(client: Client) -> None:
    for path in ("/api/chats/", "/nowhere"):
        reply = await client.get(path)
        for name, value in SECURITY_HEADERS.items():
            assert reply.headers[name] == value
        assert len(reply.headers["x-request-id"]) == 32
    assert "server" not in (await client.get("/nowhere")).headers


async def test_an_unforeseen_error_tells_nothing_but_its_request_id(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("app.services.chat_service.ChatService.page", fail)
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}")
    reply = await client.get("/api/chats/")
    logger.remove(sink)

    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in reply.text
    assert "RuntimeError" not in reply.text
    assert any(reply.json()["request_id"] in line and "secret detail" in line for line in lines)
