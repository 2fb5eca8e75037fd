"""Sockets come in a few at a time; who is in holds nobody up."""

import asyncio
from typing import Any

import pytest

from app.realtime.socket_turns import SocketTurns


class Doors:
    """An application that lets sockets in when it is told to, and counts those that are on their way."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.coming = self.most = self.inside = 0

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.coming += 1
        self.most = max(self.most, self.coming)
        await self.opened.wait()
        if scope.get("breaks"):
            self.coming -= 1
            raise ConnectionError("the client has gone")
        await send({"type": "websocket.accept"})
        self.coming -= 1
        self.inside += 1
        await asyncio.Event().wait()


async def nothing(_message: Any = None) -> Any:
    """Neither say nor hear anything."""


async def until_still() -> None:
    """Let everything come as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_many_that_come_at_once_come_in_a_few_at_a_time() -> None:
    doors = Doors()
    turns = SocketTurns(doors, at_once=3)
    sockets = [asyncio.create_task(turns({"type": "websocket"}, nothing, nothing)) for _ in range(10)]
    await until_still()
    assert (3, 0) == (doors.coming, doors.inside)

    doors.opened.set()
    await until_still()

    assert (3, 10) == (doors.most, doors.inside)
    for socket in sockets:
        socket.cancel()


async def test_handshakes_that_wait_for_nothing_are_not_made_in_one_turn_of_the_loop() -> None:
    doors = Doors()
    doors.opened.set()
    turns = SocketTurns(doors, at_once=3)
    sockets = [asyncio.create_task(turns({"type": "websocket"}, nothing, nothing)) for _ in range(10)]

    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert doors.inside <= 3
    for socket in sockets:
        socket.cancel()


async def test_one_that_breaks_or_goes_gives_its_turn_back() -> None:
    doors = Doors()
    turns = SocketTurns(doors, at_once=1)
    broken = asyncio.create_task(turns({"type": "websocket", "breaks": True}, nothing, nothing))
    gone = asyncio.create_task(turns({"type": "websocket"}, nothing, nothing))
    whole = asyncio.create_task(turns({"type": "websocket"}, nothing, nothing))
    await until_still()
    gone.cancel()

    doors.opened.set()
    await until_still()

    with pytest.raises(ConnectionError):
        await broken
    assert 1 == doors.inside
    whole.cancel()


async def test_whatever_is_no_socket_has_no_turn() -> None:
    doors = Doors()
    turns = SocketTurns(doors, at_once=1)
    requests = [asyncio.create_task(turns({"type": "http"}, nothing, nothing)) for _ in range(3)]
    await until_still()

    assert 3 == doors.coming
    for request in requests:
        request.cancel()
