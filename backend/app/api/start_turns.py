"""Starts of runs come in a few at a time, in the order they came in: the first of many does not wait for all of them.

Refuses nobody and knows no run. Without turns a hundred questions sent at once share the processor evenly, and so all
get their first token when the work of all hundred is done.
"""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import http_error_response

AT_ONCE = 16  # some of them are being stored while others are being read and asked of the engine


class StartTurns:
    """Lets `POST /api/chats/{chat_id}/runs` in by turns, and everything else as it comes."""

    def __init__(self, app: ASGIApp, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its turn has come."""
        if scope["type"] != "http" or scope["method"] != "POST" or not _starts_a_run(scope["path"]):
            await self._app(scope, receive, send)
            return
        # who sends slowly has no turn yet
        try:
            body = [await receive()]
            while body[-1].get("more_body"):
                body.append(await receive())
        except HTTPException as error:  # too long; nobody further out makes a reply of it
            await http_error_response(scope, error)(scope, receive, send)
            return
        body.reverse()

        async def received() -> Message:
            return body.pop() if body else await receive()

        async with self._turns:
            await self._app(scope, received, send)


def _starts_a_run(path: str) -> bool:
    return path.startswith("/api/chats/") and path.rstrip("/").endswith("/runs")
