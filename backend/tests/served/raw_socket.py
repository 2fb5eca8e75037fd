"""A raw WebSocket that speaks Socket.IO by hand: for frames that no client would send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response

PATH = "/socket.io/?EIO=4&transport=websocket"
WITHIN_S = 10.0


class Raw:
    """One connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def receive(self) -> str:
        """Return the next frame that is no ping; pings are answered."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                frame = await self.socket.recv()
                assert isinstance(frame, str)
                if frame != "2":
                    return frame
                await self.socket.send("3")

    async def call(self, event: str, payload: Any, number: int = 7) -> Any:
        """Send an event and return its acknowledgement."""
        await self.socket.send(f"42{number}{json.dumps([event, payload])}")
        while True:
            frame = await self.receive()
            if frame.startswith(f"43{number}["):
                return json.loads(frame[len(f"43{number}") :])[0]

    async def closed(self) -> int | None:
        """Wait until the server has closed it and return the code."""
        async with asyncio.timeout(WITHIN_S):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed:
                return self.socket.close_code


@asynccontextmanager
async def raw_socket(
    url: str, path: str = PATH, *, connected: bool = True, origin: str | None = None, **headers: str
) -> AsyncIterator[Raw]:
    """Open a connection, by default one that is connected to the namespace."""
    if origin is not None:
        headers["Origin"] = origin
    async with connect(
        url.replace("http", "ws") + path, additional_headers=headers, ping_interval=None
    ) as socket:
        raw = Raw(socket)
        if path == PATH:
            assert (await raw.receive()).startswith("0{")
            if connected:
                await socket.send("40")
                assert (await raw.receive()).startswith("40{")
        yield raw


async def is_refused(url: str, path: str, origin: str | None, **headers: str) -> bool:
    """Return whether the handshake is refused."""
    return await refusal(url, path, origin, **headers) is not None


async def refusal(url: str, path: str, origin: str | None = None, **headers: str) -> Response | None:
    """Return what a handshake is refused with, or None when it is not."""
    try:
        async with raw_socket(url, path, connected=False, origin=origin, **headers):
            return None
    except InvalidStatus as error:
        return error.response
