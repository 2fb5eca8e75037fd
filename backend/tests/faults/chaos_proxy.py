"""A TCP proxy that is a bad network: cuts, refuses, holds, delays, slows and slices what goes through it.

Knows nothing of what is said.
"""

import asyncio
import contextlib
import random
import socket
import struct
from typing import Self

CHUNK = 65536


class ChaosProxy:
    """In front of a loopback port, on a port of its own, from entering to leaving.

    `delay_s` before each piece, `bytes_per_s` at most (None: as fast as it goes), `slices`: pieces of 1 to so many bytes.
    """

    def __init__(self, target: int, *, seed: int = 0) -> None:
        self.target = target
        self.port = 0
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.slices: int | None = None
        self.accepted = 0
        self._dice = random.Random(seed)  # noqa: S311
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Its HTTP origin."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self.cut()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def accept(self) -> None:
        """Listen, on the same port as before."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuse new connections; those that are open stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
            await asyncio.sleep(0)

    def cut(self, *, reset: bool = True) -> None:
        """End every connection: with a reset, or as if both sides had closed it in good order."""
        for writer in tuple(self._open):
            if reset:
                raw = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()

    def hold(self) -> None:
        """Let nothing through, in either direction, with every connection open: what a lost mobile network does."""
        self._flowing.clear()

    def release(self) -> None:
        """Let everything through again, first of all what was held."""
        self._flowing.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._open.add(writer)
        upward: asyncio.StreamWriter | None = None
        try:
            answers, upward = await asyncio.open_connection("127.0.0.1", self.target)
            self._open.add(upward)
            await asyncio.gather(self._pump(reader, upward), self._pump(answers, writer))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, upward):
                if each is not None:
                    self._open.discard(each)
                    each.transport.abort() if each.is_closing() else each.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                for piece in self._pieces(data):
                    writer.write(piece)
                    await writer.drain()
                    if self.bytes_per_s:
                        await asyncio.sleep(len(piece) / self.bytes_per_s)
                    elif self.slices:
                        await asyncio.sleep(0)
        finally:
            writer.close()  # one side's end is the other's

    def _pieces(self, data: bytes) -> list[bytes]:
        size = self.slices or (int(self.bytes_per_s / 20) + 1 if self.bytes_per_s else None)
        if size is None:
            return [data]
        pieces, start = [], 0
        while start < len(data):
            step = self._dice.randint(1, size) if self.slices else size
            pieces.append(data[start : start + step])
            start += step
        return pieces
