"""A client that reads a stream of server-sent events as bytes, without taking them apart."""

from collections.abc import Callable

import aiohttp


def streams_session() -> aiohttp.ClientSession:
    """Return a session for any number of streams."""
    timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=2**20)


async def follow(
    http: aiohttp.ClientSession,
    url: str,
    tokens: int,
    take: Callable[[bytes], int],
    ready: Callable[[], None],
) -> None:
    """Read a stream until `take` has found so many tokens; `ready` is called when it has begun."""
    left = tokens
    async with http.get(url) as reply:
        ready()
        async for data in reply.content.iter_any():
            left -= take(data)
            if left <= 0:
                return
