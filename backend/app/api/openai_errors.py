"""Errors as OpenAI's clients know them. Problems of our own routes are elsewhere."""

from typing import Any

from starlette.responses import JSONResponse

from app.errors import AppError

BAD_REQUEST, NOT_FOUND, TOO_MANY = 400, 404, 429
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


def openai_error(error: AppError) -> JSONResponse:
    """Return one of the application's errors as OpenAI shapes it."""
    status = STATUSES.get(error.code, error.status)
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else {}
    return JSONResponse(error_body(error, status), status, headers)


def error_body(error: AppError, status: int = 500) -> dict[str, Any]:
    """Return the object that describes an error, in a reply or within a stream."""
    return {
        "error": {
            "message": error.detail,
            "type": KINDS.get(status, "api_error"),
            "param": error.fields[0].field if error.fields else None,
            "code": OPENAI_CODES.get(error.code, error.code),
        }
    }
