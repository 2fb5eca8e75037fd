"""The other streams of a bench that watches one of them in a browser: read by cheap clients, in a thread of their own.

Measures only what it reads itself.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import aiohttp
import uvloop
from machine import OTHER, stay_on
from measure import Measured
from product import new_chat, send
from raw_client import joined
from stream_client import follow, streams_session

WITHIN_S = 120.0
Follow = Callable[[int, int, Measured, Callable[[], None]], Awaitable[None]]


class Others(threading.Thread):
    """So many streams, asked for when the thread is started; `asked` says that all of them have been."""

    def __init__(self, follow_all: Follow, streams: int, tokens: int) -> None:
        super().__init__(daemon=True)
        self.figures = Measured()
        self._asked = threading.Event()
        self._follow_all = follow_all
        self._streams, self._tokens = streams, tokens

    def run(self) -> None:
        """Read all of them to their ends."""
        stay_on(OTHER)  # this thread: the browser may be where it likes
        uvloop.run(self._follow_all(self._streams, self._tokens, self.figures, self._asked.set))  # type: ignore[arg-type]

    def until_asked(self) -> None:
        """Wait until all have been asked for."""
        if not self._asked.wait(WITHIN_S):
            raise TimeoutError("the other streams have not been asked for")


def through_backend(url: str) -> Follow:
    """Return how streams are read over Socket.IO."""

    async def follow_all(streams: int, tokens: int, figures: Measured, asked: Callable[[], None]) -> None:
        async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=50)) as http:
            chats = [await new_chat(http) for _ in range(streams)]
            clients = [await joined(url, chat_id, figures.take, tokens) for chat_id in chats]
            statuses = await asyncio.gather(*(send(http, chat_id, tokens) for chat_id in chats))
            assert set(statuses) <= {202}, statuses  # noqa: S101
            asked()
            await asyncio.gather(*(client.done for client in clients))
            for client in clients:
                client.transport.close()

    return follow_all


def through_passthrough(url: str) -> Follow:
    """Return how streams are read as server-sent events."""

    async def follow_all(streams: int, tokens: int, figures: Measured, asked: Callable[[], None]) -> None:
        ready = asyncio.Semaphore(0)
        async with streams_session() as http:
            clients = [
                asyncio.create_task(follow(http, url, tokens, figures.take, ready.release))
                for _ in range(streams)
            ]
            for _ in clients:
                await ready.acquire()
            asked()
            await asyncio.gather(*clients)

    return follow_all
