"""Starts of runs come in past the framework, for all of it lies between a question and its first token.

A start that is as it should be is read, done and answered here. Every other one goes on to its route in `runs`, which
says what is wrong with it and is what the contract is made from; the two call the same service.
"""

import json
import re

from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.deps import LOCAL_USER, Services
from app.api.errors import app_error_response
from app.errors import AppError
from app.schemas.run import StartRun

# with an id in its canonical form: what other forms mean, the route knows
START = re.compile(r"/api/chats/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/runs").fullmatch


class StartDoor:
    """Answers `POST /api/chats/{chat_id}/runs`, and hands on whatever else it is given."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start the run that a request asks for."""
        named = START(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if named is None:
            await self._app(scope, receive, send)
            return
        read = [await receive()]
        while read[-1].get("more_body"):
            read.append(await receive())
        request = _request(read)
        if request is None:
            read.reverse()

            async def again() -> Message:
                return read.pop() if read else await receive()

            await self._app(scope, again, send)
            return
        services: Services = scope["app"].state.services
        response: Response
        try:
            started, is_new = await services.runs.start(LOCAL_USER, named[1], request)
        except AppError as error:
            response = app_error_response(scope, error)
        else:
            response = Response(
                started.model_dump_json(), 202 if is_new else 200, media_type="application/json"
            )
        await response(scope, receive, send)


def _request(read: list[Message]) -> StartRun | None:
    """Return what these parts of a body ask for, or None when it cannot be understood."""
    try:
        return StartRun.model_validate(json.loads(b"".join(part["body"] for part in read)))
    except (ValidationError, ValueError, KeyError, RecursionError):
        return None
