"""Requests of OpenAI's clients come in past the framework, whose routing and dependencies were a third of what one costs.

They are answered by the same function as the routes in `openai_gateway`, which the contract is made from.
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.deps import LOCAL_USER
from app.api.errors import http_error_response
from app.api.openai_gateway import pass_on

ENGINE_PATHS = {
    "/v1/chat/completions": "chat/completions",
    "/api/chat/completions": "chat/completions",
    "/v1/completions": "completions",
}


class GatewayDoor:
    """Answers what goes on to an engine, and hands on whatever else it is given."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to an engine."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        path = ENGINE_PATHS.get(scope["path"]) if is_post else None
        if path is None:
            await self._app(scope, receive, send)
            return
        response: Response
        try:
            response = await pass_on(Request(scope, receive), scope["app"].state.services, LOCAL_USER, path)
        except HTTPException as error:  # too long; nobody further out makes a reply of it
            response = http_error_response(scope, error)
        await response(scope, receive, send)
