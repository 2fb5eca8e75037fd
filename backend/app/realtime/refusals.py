"""Refusals on sockets: the same problems as over HTTP, as plain JSON. No input is echoed."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from app.errors import AppError, FieldProblem
from app.schemas.problem import FieldError, Problem

MAX_FIELDS = 20
MAX_FIELD_CHARS = 100
MAX_DETAIL_CHARS = 300
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
