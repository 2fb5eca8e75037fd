"""The door of the sockets: which pages, how many, what frames, how fast."""

import asyncio
import contextlib
import json
from importlib.metadata import version
from typing import Any

import psutil
import pytest
import socketio
import uvicorn
from websockets.exceptions import ConnectionClosed

from app.api.server import bind, config
from app.config import Settings
from app.realtime.gateway import Gateway
from app.realtime.rooms import Rooms
from app.realtime.socket_places import SocketPlaces
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving
from tests.served.chat_client import ChatClient
from tests.served.raw_socket import PATH, is_refused, raw_socket, refusal

pytestmark = pytest.mark.socketio
BACKEND_PORT, PAGE_PORT = 8080, 3000


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"cors_origins": [f"http://localhost:{PAGE_PORT}"]}


@pytest.mark.parametrize("path", [PATH, "/ws/chat"])
@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        (None, False),
        (f"http://localhost:{PAGE_PORT}", False),
        ("http://evil.example", True),
        ("null", True),
        (f"https://localhost:{PAGE_PORT}", True),
        ("http://localhost:3001", True),
        (f"http://localhost.evil.example:{PAGE_PORT}", True),
    ],
)
async def test_only_programs_and_listed_pages_may_connect(
    backend: Backend, path: str, origin: str | None, *, refused: bool
) -> None:
    assert await is_refused(backend.url, path, origin) is refused


@pytest.mark.parametrize("path", [PATH, "/ws/chat"])
async def test_a_socket_is_told_in_words_why_it_is_refused(backend: Backend, path: str) -> None:
    page = await refusal(backend.url, path, "http://evil.example")
    host = await refusal(backend.url, path, Host="evil.example")

    for reply, status, code in ((page, 403, "origin_not_allowed"), (host, 400, "host_not_allowed")):
        assert reply is not None
        assert (reply.status_code, reply.headers["Content-Type"]) == (status, "application/problem+json")
        assert json.loads(reply.body or b"")["code"] == code


async def test_a_forwarded_host_makes_no_page_our_own(backend: Backend) -> None:
    spoofed = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}

    assert await is_refused(backend.url, PATH, "http://evil.example", **spoofed)


async def test_polling_is_refused_at_once(backend: Backend) -> None:
    async with asyncio.timeout(2):
        replies = [
            await backend.http.get("/socket.io/", params={"EIO": "4", "transport": "polling"}),
            await backend.http.post(
                "/socket.io/",
                params={"EIO": "4", "transport": "polling"},
                content=b'"' + b"x" * 200_000 + b'"',
                headers={"Content-Type": "application/json"},
            ),
        ]

    assert [reply.status_code for reply in replies] == [400, 400]


NONSENSE = [
    "",
    "9",
    "5",
    "6",
    "x",
    "2probe",
    "b4AAAA",
    "42",
    "42{",
    "42[",
    "42[]",
    "42{}",
    "42[1]",
    '42[["a"]]',
    '42["connect",{}]',
    '42["disconnect"]',
    "44{}",
    '45100000-["chat.join",{"_placeholder":true,"num":0}]',
    '461-["x"]',
    "40",
    "4" + "[" * 60_000,
    '42["chat.join",' + "[" * 60_000,
    '42["chat.join",' + "9" * 100_000 + "]",
    b"\x04binary",
]


@pytest.mark.parametrize("frame", NONSENSE, ids=[repr(frame)[:24] for frame in NONSENSE])
async def test_nonsense_ends_its_own_connection_and_nothing_else(
    backend: Backend, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as bystander, raw_socket(backend.url) as raw:
        await bystander.join(chat_id)
        await raw.socket.send(frame)
        if isinstance(frame, str) and frame.startswith('42["chat.join",9'):
            await raw.socket.send("41")
        await raw.closed()
        assert (await bystander.join(chat_id))["ok"]
        async with asyncio.timeout(5):
            while len(backend.running.rooms) > 1:
                await backend.http.get("/api/chats/?limit=1")

    assert [record for record in caplog.records if record.exc_info] == []


async def test_announced_attachments_are_not_kept(backend: Backend) -> None:
    """Announcing attachments ends the connection by itself: whoever waited for them would keep what comes."""
    async with raw_socket(backend.url) as raw:
        await raw.socket.send('45100000-["chat.join",{"_placeholder":true,"num":0}]')
        await raw.closed()


async def test_attachments_that_nobody_has_announced_are_not_kept(backend: Backend) -> None:
    process = psutil.Process()
    async with raw_socket(backend.url) as raw:
        before = process.memory_info().rss
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                await raw.socket.send(b"x" * 99_000)
        await raw.closed()
        after = process.memory_info().rss

    assert after - before < 8 * 1024 * 1024


@pytest.mark.parametrize("path", [PATH, "/ws/chat"])
async def test_a_frame_of_15_mb_closes_its_connection(backend: Backend, path: str) -> None:
    async with raw_socket(backend.url, path) as raw:
        with contextlib.suppress(ConnectionClosed):
            await raw.socket.send("4" + "2" * 15_000_000)
        assert await raw.closed() in {1009, 1006}
    assert (await backend.http.get("/api/chats/")).status_code == 200


async def test_events_over_the_rate_are_refused_and_then_the_connection_is_closed(backend: Backend) -> None:
    chat_id = await backend.new_chat()
    async with raw_socket(backend.url) as raw:
        for number in range(60):
            await raw.socket.send(f"42{number}" + json.dumps(["chat.leave", {"chat_id": chat_id}]))
        answers = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                answers.append(json.loads((await raw.receive())[2:].lstrip("0123456789"))[0])
        assert raw.socket.close_code is not None

    refused = [answer for answer in answers if not answer["ok"]]
    assert 38 <= len(answers) - len(refused) <= 45
    assert {answer["error"]["code"] for answer in refused} <= {"too_many_requests"}
    assert 1 <= len(refused) <= 5


async def test_sockets_over_the_limit_are_refused_with_a_problem(
    live_settings: Settings, engine: ScriptedVllm
) -> None:
    async with serving(live_settings.model_copy(update={"max_sockets_per_user": 2})) as backend:
        async with ChatClient(backend.url), ChatClient(backend.url):
            third = socketio.AsyncClient(reconnection=False)
            refusals: list[Any] = []
            third.on("connect_error", refusals.append)
            with pytest.raises(socketio.exceptions.ConnectionError):
                await third.connect(backend.url, transports=["websocket"])
            assert refusals[0]["data"]["code"] == "too_many_sockets"
            assert refusals[0]["data"]["status"] == 429
            plain = await refusal(backend.url, "/ws/chat")
            assert plain is not None, "sockets of both kinds are counted together"
            assert (plain.status_code, plain.headers["Retry-After"]) == (429, "5")
            assert json.loads(plain.body or b"")["code"] == "too_many_sockets"
        async with asyncio.timeout(5):
            while len(backend.running.rooms):
                await backend.http.get("/api/chats/?limit=1")
        async with ChatClient(backend.url) as again, ChatClient(backend.url):
            assert not (await again.call("chat.join", {"chat_id": "x"}))["ok"]


def test_what_is_overridden_of_the_library_is_of_the_version_it_was_written_for() -> None:
    """`gateway.Server` and `Outbox` replace parts of these: look at both when the pin moves."""
    assert (version("python-engineio"), version("python-socketio")) == ("4.15.1", "5.18.1")


async def test_other_websocket_paths_are_refused(backend: Backend) -> None:
    for path in ("/", "/ws", "/ws/other", "/api/chats/"):
        assert await is_refused(backend.url, path, None)


async def test_a_connection_that_never_connects_to_the_namespace_is_closed(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.realtime.gateway.CONNECT_WITHIN_S", 0.05)
    async with raw_socket(backend.url, connected=False) as raw:
        await raw.closed()
    assert len(backend.running.rooms) == 0


@pytest.mark.parametrize(
    ("origin", "refused"),
    [(None, False), (f"http://localhost:{PAGE_PORT}", False), ("http://evil.example", True), ("null", True)],
)
async def test_the_socketio_server_checks_the_page_itself_too(
    live_settings: Settings, origin: str | None, *, refused: bool
) -> None:
    """Without the door in front of it: an empty list of origins would switch its check off."""
    gateway = Gateway(live_settings, Rooms(), None, lambda _auth: "local", SocketPlaces(1, 1))  # type: ignore[arg-type]
    bound = bind(live_settings)
    served = uvicorn.Server(config(socketio.ASGIApp(gateway.server)))
    serving_it = asyncio.create_task(served.serve(sockets=[bound]))
    while not served.started:
        await asyncio.wait({serving_it}, timeout=0.005)

    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    assert await is_refused(url, PATH, origin) is refused

    served.should_exit = True
    await serving_it
    await gateway.server.shutdown()
