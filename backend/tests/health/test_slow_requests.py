"""Half a request takes nobody's place: its connection is closed, and every other is served meanwhile."""

import asyncio
from unittest.mock import Mock

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from app.api.slow_requests import PatientHttp
from tests.served.backend_server import Backend

WITHIN_S = 10.0
HEAD = b"POST /api/chats/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"


async def opened(backend: Backend, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = backend.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    return reader, writer


@pytest.mark.parametrize("data", [b"", b"GET /api/chats/ HT", HEAD[:-2], HEAD, HEAD + b'{"title":'])
async def test_a_request_that_does_not_come_on_is_let_go(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr("app.api.slow_requests.REQUEST_WITHIN_S", 0.2)
    half = [await opened(backend, data) for _ in range(50)]

    assert (await backend.http.get("/api/chats/")).status_code == 200
    async with asyncio.timeout(WITHIN_S):
        for reader, writer in half:
            assert await reader.read() == b""
            writer.close()
    assert (await backend.http.get("/api/chats/")).json()["items"] == []


def test_a_head_is_waited_for_once_and_a_body_anew_with_each_piece() -> None:
    loop, transport = Mock(), Mock(spec=asyncio.Transport)
    loop.call_later.side_effect = lambda *_: Mock(spec=asyncio.TimerHandle)
    loop.create_task.side_effect = lambda answering, **_: Mock(spec=asyncio.Task, closed=answering.close())
    transport.is_closing.return_value = False
    protocol = PatientHttp(Config(Mock(), log_config=None), ServerState(), {}, _loop=loop)
    waits = []

    protocol.connection_made(transport)
    for piece in (HEAD[:1], HEAD[1:9], HEAD[9:], b'{"title":', b' "x"', b"}", HEAD[:1], HEAD[1:9]):
        protocol.data_received(piece)
        waits.append((loop.call_later.call_count, protocol.waits))

    head, body, whole = waits[:2], waits[2:5], waits[5]
    assert head == [(1, True)] * 2
    assert body == [(2, True), (3, True), (4, True)]
    assert whole == (4, False)
    assert waits[6:] == [(5, True)] * 2, "the next request on the same connection"


def test_a_body_that_is_not_read_for_now_is_not_given_up() -> None:
    loop, transport = Mock(), Mock(spec=asyncio.Transport)
    transport.is_closing.return_value = False
    protocol = PatientHttp(Config(Mock(), log_config=None), ServerState(), {}, _loop=loop)
    protocol.connection_made(transport)
    give_up = loop.call_later.call_args.args[1]

    protocol.flow.pause_reading()
    give_up()
    assert not transport.close.called
    protocol.flow.resume_reading()
    give_up()
    assert transport.close.called
