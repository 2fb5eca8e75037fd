"""Noticing that the client of a request has left. Ends nothing itself."""

from fastapi import Request


async def until_gone(request: Request) -> None:
    """Return when the client has closed its connection. The body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
