"""Errors as OpenAI's clients know them. Problems of our own routes are elsewhere."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from app.errors import AppError

BAD_REQUEST, NOT_FOUND, TOO_MANY, SERVERS_OWN = 400, 404, 429, 500
# Where OpenAI's status for a thing is not ours.
STATUSES = {
    "invalid_request": BAD_REQUEST,
    "malformed_json": BAD_REQUEST,
    "max_tokens_too_large": BAD_REQUEST,
    "context_too_long": BAD_REQUEST,
    "model_unavailable": NOT_FOUND,
    "first_token_timeout": 504,
}
OPENAI_CODES = {"context_too_long": "context_length_exceeded", "model_unavailable": "model_not_found"}
KINDS = {
    BAD_REQUEST: "invalid_request_error",
    NOT_FOUND: "invalid_request_error",
    TOO_MANY: "rate_limit_error",
}


def is_openai_path(path: str) -> bool:
    """Return whether OpenAI's clients talk to this path."""
    return f"{path}/".startswith(("/v1/", "/api/chat/completions/"))


def openai_error(error: AppError) -> JSONResponse:
    """Return one of the application's errors as OpenAI shapes it."""
    status = STATUSES.get(error.code, error.status)
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else {}
    return JSONResponse(error_body(error, status), status, headers)


def openai_problem(
    status: int,
    code: str,
    detail: str,
    *,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return what went wrong before or around a route as OpenAI shapes it."""
    return JSONResponse(_body(detail, code, param, status), status, dict(headers or {}))


def error_body(error: AppError, status: int = 500) -> dict[str, Any]:
    """Return the object that describes an error, in a reply or within a stream."""
    return _body(error.detail, error.code, error.fields[0].field if error.fields else None, status)


def _body(detail: str, code: str, param: str | None, status: int) -> dict[str, Any]:
    kind = KINDS.get(status, "invalid_request_error" if status < SERVERS_OWN else "api_error")
    return {"error": {"message": detail, "type": kind, "param": param, "code": OPENAI_CODES.get(code, code)}}
