"""The queue of packets on their way to one socket, counted, so that a slow reader stays small.

Stands where engine.io has an unbounded queue of its own; decides nothing about who is slow.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from engineio.packet import Packet

if TYPE_CHECKING:
    from collections.abc import Callable


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
        """Queue a packet; None ends the writer."""
        self._packets.append(packet)
        if packet is not None and isinstance(packet.data, str):
            self._queued += len(packet.data)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

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
