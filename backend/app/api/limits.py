"""The door of the backend, before any route: who may knock, from which page, with how much.

Pure ASGI: nothing here holds a body or a stream back. Wraps HTTP and WebSocket alike.
"""

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import problem_response
from app.config import LOOPBACK_HOSTS, Settings

MAX_BODY_BYTES = 1024 * 1024
MAX_IMPORT_BYTES = 64 * 1024 * 1024
LARGE_PATHS = {"/api/import": MAX_IMPORT_BYTES}
WS_POLICY_VIOLATION = 1008
REPLIES_TO_SOCKETS = "websocket.http.response"  # what the server that can refuse a socket in words calls it
PREFLIGHT_SECONDS = 600
BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, Last-Event-ID",
    "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
}
EXPOSED_HEADERS = "Content-Disposition, Retry-After, X-Request-ID"


def guard(app: ASGIApp, settings: Settings, *, max_body_bytes: int = MAX_BODY_BYTES) -> ASGIApp:
    """Return the application behind the door: named requests, headers, hosts, origins, bodies."""
    app = BodyLimit(app, max_body_bytes)
    app = OriginCheck(app, frozenset(settings.origins))
    app = HostCheck(app, allowed_hosts(settings))
    return RequestNames(app)


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Return the host names this backend answers to: its own, loopback, and those of the listed pages.

    A page whose DNS name was pointed here (DNS rebinding) has another name.
    """
    pages = {urlsplit(origin).hostname or "" for origin in settings.origins}
    return frozenset(LOOPBACK_HOSTS | pages | {settings.backend_host.lower()})


class RequestNames:
    """Gives each request an id, and each reply the headers that keep browsers careful with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its name."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, named)


class HostCheck:
    """Refuses requests for a host name that is not ours."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests for our hosts only."""
        if scope["type"] == "lifespan" or self._is_ours(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send)
            return
        detail = "This host name is not served here. CORS_ORIGINS lists the pages that may be."
        await _refuse(scope, receive, send, lambda: problem_response(scope, 400, "host_not_allowed", detail))

    def _is_ours(self, named: list[str]) -> bool:
        try:
            return len(named) == 1 and (urlsplit(f"//{named[0]}").hostname or "") in self._hosts
        except ValueError:
            return False


class OriginCheck:
    """Refuses every page that is not listed; a request without `Origin` is a program's and passes."""

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on programs and listed pages, and answer the latter's preflights."""
        named = Headers(scope=scope).getlist("origin") if scope["type"] != "lifespan" else []
        if not named:
            await self._app(scope, receive, send)
            return
        if len(named) > 1 or named[0] not in self._origins:
            detail = "This page may not talk to the backend. CORS_ORIGINS lists those that may."
            await _refuse(
                scope, receive, send, lambda: problem_response(scope, 403, "origin_not_allowed", detail)
            )
            return

        async def shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = named[0]
                headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
                headers.add_vary_header("Origin")
            await send(message)

        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=CORS_HEADERS)(scope, receive, shared)
            return
        await self._app(scope, receive, shared)


class BodyLimit:
    """Refuses bodies that are too large, before they are read where they say so, or that are not JSON."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests whose bodies can be taken."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "0")
        length = int(announced) if announced.isdecimal() else 0
        limit = LARGE_PATHS.get(scope["path"].rstrip("/"), self._max_bytes)
        if length > limit:
            await self._too_large(scope, receive, send, limit)
            return
        has_body = length > 0 or "transfer-encoding" in headers
        if has_body and scope["method"] in BODY_METHODS and not _is_plain_json(headers):
            detail = (
                "The body must be JSON, with Content-Type: application/json and without Content-Encoding."
            )
            reply = problem_response(scope, 415, "unsupported_media_type", detail)
            await reply(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        detail = f"The body must be at most {limit} bytes."
        reply = problem_response(scope, 413, "body_too_large", detail, limit=limit)
        # the connection stays: what is still coming is thrown away, and a client that sends first and reads later
        # finds the answer instead of a broken pipe
        await reply(scope, receive, send)


def _is_plain_json(headers: Headers) -> bool:
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    return (kind == "application/json" or kind.endswith("+json")) and "content-encoding" not in headers


async def _refuse(scope: Scope, receive: Receive, send: Send, reply: Callable[[], Response]) -> None:
    if scope["type"] == "websocket":
        await receive()
        if REPLIES_TO_SOCKETS not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": WS_POLICY_VIOLATION})
            return
    await reply()(scope, receive, send)
