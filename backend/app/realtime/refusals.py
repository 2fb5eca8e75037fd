"""Refusals on sockets: the same problems as over HTTP, as plain JSON. No input is echoed."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from app.errors import AppError, FieldProblem
from app.schemas.problem import FieldError, Problem

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_FIELDS = 20
MAX_FIELD_CHARS = 100
MAX_DETAIL_CHARS = 300
CLOSE_TRY_LATER = 1013
HTTP_REPLIES = "websocket.http.response"  # ASGI's name for a server that can refuse a WebSocket in words
CODES = {"missing": "missing", "extra_forbidden": "unknown_field"}


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    fields: tuple[FieldProblem, ...] = (),
    limit: int | None = None,
) -> dict[str, Any]:
    """Return a problem as JSON."""
    found = Problem.model_validate(
        {
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "request_id": uuid4().hex,
            "errors": [FieldError(field=f.field, code=f.code, detail=f.detail) for f in fields] or None,
            "limit": limit,
        }
    )
    return found.model_dump(mode="json", exclude_none=True)


async def refuse_connection(scope: Scope, send: Send, detail: str, *, retry_after_s: int) -> None:
    """Refuse a WebSocket for which there is no place, before it is accepted: 429 where the server can say so."""
    if HTTP_REPLIES not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": CLOSE_TRY_LATER})
        return
    body = json.dumps(problem(429, "too_many_sockets", detail)).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"%d" % retry_after_s),
    ]
    await send({"type": f"{HTTP_REPLIES}.start", "status": 429, "headers": headers})
    await send({"type": f"{HTTP_REPLIES}.body", "body": body})


def app_error(error: AppError) -> dict[str, Any]:
    """Return one of the application's own errors."""
    return problem(error.status, error.code, error.detail, fields=error.fields, limit=error.limit)


def invalid(error: ValidationError, *, below: int = 0) -> dict[str, Any]:
    """Return what is wrong with a payload; `below` places of a name say its kind and are no field."""
    fields = tuple(
        FieldProblem(
            (".".join(str(place) for place in each["loc"][below:]) or "body")
            .encode(errors="replace")
            .decode()[:MAX_FIELD_CHARS],
            CODES.get(each["type"], "wrong_type" if each["type"].endswith("_type") else each["type"]),
            each["msg"][:MAX_DETAIL_CHARS],
        )
        for each in error.errors(include_input=False, include_url=False, include_context=False)[:MAX_FIELDS]
    )
    first = f"{fields[0].field}: {fields[0].detail}" if fields else "The payload is not valid."
    return problem(422, "invalid_request", first, fields=fields)


def unforeseen() -> dict[str, Any]:
    """Return the problem of an error nobody foresaw."""
    return problem(500, "internal_error", "Something went wrong here; the log has the details.")
