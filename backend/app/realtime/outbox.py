"""Packets on their way to one socket: written at once where it reads as fast as we write, else queued and counted.

Stands where engine.io has an unbounded queue of its own; decides nothing about who is slow.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from engineio.packet import MESSAGE, Packet

from app.utils.text_frames import text_frame, utf8_frame

if TYPE_CHECKING:
    from collections.abc import Callable


class SharedPacket(Packet):  # type: ignore[misc]
    """A text packet that many sockets get: its frame is made once."""

    packet_type = MESSAGE
    binary = False

    def __init__(self, data: bytes) -> None:  # the library's would look at what is known here
        self._data = data
        self.frame = utf8_frame(b"4" + data)

    @property
    def data(self) -> str:
        """The text, which only those ask for who cannot take the frame."""
        return self._data.decode()

    def encode(self, b64: bool = False) -> str:  # noqa: ARG002 (the library's)
        """Return the text as it goes on the wire."""
        return f"{MESSAGE}{self.data}"


class Outbox:
    """A queue with one reader, the socket's writer. Has the methods of `asyncio.Queue` that engine.io calls.

    `backlog` counts the characters that are queued, and those of the batch that is being written.
    """

    def __init__(self) -> None:
        self._packets: deque[Packet | None] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._queued = 0
        self._writing = 0
        self.on_drained: Callable[[], None] | None = None
        self.write_frame: Callable[[bytes], bool] | None = None

    @property
    def backlog(self) -> int:
        """Characters that have not been handed to the network yet."""
        return self._queued + self._writing

    def qsize(self) -> int:
        """Return how many packets are queued."""
        return len(self._packets)

    def empty(self) -> bool:
        """Return whether nothing is queued."""
        return not self._packets

    def put_nowait(self, packet: Packet | None) -> None:
        """Send a packet, at once when none is before it and the network takes it; None ends the writer."""
        if packet is not None and self._is_free() and self.write(_frame(packet)):
            return
        self._packets.append(packet)
        if packet is not None and isinstance(packet.data, str):
            self._queued += len(packet.data)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def write(self, frames: bytes) -> bool:
        """Write frames now; False when some packets are before them, or the network takes no more."""
        return self._is_free() and self.write_frame is not None and self.write_frame(frames)

    def _is_free(self) -> bool:
        return self.write_frame is not None and self._reader is not None and not self._packets

    async def put(self, packet: Packet | None) -> None:
        """Queue a packet, as `put_nowait`."""
        self.put_nowait(packet)

    async def take(self) -> list[Packet]:
        """Wait for packets and return all there are; an empty list is the end. What was taken before counts as sent."""
        self._writing = 0
        if not self._packets and self.on_drained is not None:
            self.on_drained()
        while not self._packets:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        taken: list[Packet] = []
        while self._packets:
            packet = self._packets.popleft()
            if packet is None:
                if taken:
                    self._packets.appendleft(None)
                break
            taken.append(packet)
        self._writing, self._queued = self._queued, 0
        return taken

    def task_done(self) -> None:
        """Nothing: nobody counts tasks here."""

    async def join(self) -> None:
        """Return at once: closing does not wait for a reader that may never read."""


def _frame(packet: Packet) -> bytes:
    return packet.frame if isinstance(packet, SharedPacket) else text_frame(packet.encode())
