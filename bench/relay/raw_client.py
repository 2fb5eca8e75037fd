"""A client that costs next to nothing: reads a Socket.IO connection's bytes as they come, without taking frames apart.

Good for frames that no client masks, that is for everything a server sends.
"""

import asyncio
import json
from collections.abc import Callable
from urllib.parse import urlsplit

PING_FRAME = b"\x81\x012"
WEBSOCKET_PING = (
    b"\x89\x04"  # uvicorn's has four bytes; who does not send them back is closed 20 seconds later
)
HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TAIL = 64  # longer than a stamp: one that is split between two reads is found in the second


def text_frame(text: str) -> bytes:
    """Return a short text frame, masked with zeros."""
    data = text.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


class RawClient(asyncio.Protocol):
    """Counts what `take` finds in the bytes, until there were as many or the run has ended; `heard` gets all of them."""

    def __init__(self, take: Callable[[bytes], int], expected: int, heard: bytearray | None = None) -> None:
        self._take = take
        self._left = expected
        self._heard = heard
        self._seen = b""
        self._waiting: tuple[bytes, asyncio.Future[None]] | None = None
        self.done = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")  # noqa: S101
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Find the tokens in what has come."""
        if self._heard is not None:
            self._heard += data
        if PING_FRAME in data:
            self.transport.write(text_frame("3"))
        if WEBSOCKET_PING in data:
            at = data.index(WEBSOCKET_PING) + len(WEBSOCKET_PING)
            self.transport.write(b"\x8a\x84\0\0\0\0" + data[at : at + 4])
        if self._waiting is not None:
            data = self._seen + data
            self._seen = data[-TAIL:]
            if self._waiting[0] in data:
                self._waiting[1].set_result(None)
                self._waiting, self._seen = None, b""
                if b'"run.ended"' in data and not self.done.done():
                    self.done.set_result(None)
            return
        data = self._seen + data
        end = data.find(b'"run.ended"')  # which has the whole text once more
        if not self.done.done():
            cut = max(data.rfind(b" ") if end < 0 else end, 0)
            self._left -= self._take(data[: cut + 1])
            self._seen = data[cut + 1 :][-TAIL:]
        if (self._left <= 0 or end >= 0) and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        """Nothing more will come."""
        if not self.done.done():
            self.done.set_result(None)

    async def until(self, bytes_seen: bytes) -> None:
        """Wait until these bytes have come."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting = (bytes_seen, waiting)
        await waiting


async def joined(
    url: str,
    chat_id: str | None,
    take: Callable[[bytes], int],
    expected: int,
    heard: bytearray | None = None,
    *,
    messages: int | None = None,
) -> RawClient:
    """Connect, join a chat, if any, of which its last messages are sent or all of them, and return the client."""
    place = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(
        lambda: RawClient(take, expected, heard), place.hostname or "", place.port or 80
    )
    client.transport.write(HANDSHAKE.format(host=place.netloc).encode())
    await client.until(b'"maxPayload"')
    client.transport.write(text_frame("40"))
    await client.until(b'40{"sid"')
    if chat_id is None:
        return client
    asked = {"chat_id": chat_id} | ({} if messages is None else {"messages": messages})
    client.transport.write(text_frame("421" + json.dumps(["chat.join", asked])))
    await client.until(b'"ok":true')
    return client
