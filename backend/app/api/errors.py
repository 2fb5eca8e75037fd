"""Every error as `application/problem+json`: the application's own, the framework's, and the unforeseen.

No input is echoed but the names of fields, and no stack trace leaves.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from loguru import logger
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from app.api.openai_errors import is_openai_path, openai_problem
from app.errors import AppError, FieldProblem
from app.schemas.problem import FieldError, Problem

PROBLEM_JSON = "application/problem+json"
MAX_FIELDS = 20  # of one reply: it stays small whatever was sent
MAX_FIELD_CHARS = 100
MAX_DETAIL_CHARS = 300

HTTP_CODES = {
    400: "malformed_json",  # FastAPI's word for a body it cannot parse
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
HTTP_DETAILS = {
    400: "The body is not valid JSON.",
    404: "There is nothing at this path.",
    405: "This path does not take this method.",
    413: "The body is too large.",
    415: "The body must be JSON, with Content-Type: application/json.",
}
MALFORMED = (FieldProblem("body", "malformed_json", HTTP_DETAILS[400]),)
FIELD_CODES = {
    "missing": ("missing", "is required"),
    "extra_forbidden": ("unknown_field", "is not a field of this request"),
    "string_too_long": ("too_long", None),
    "string_too_short": ("too_short", None),
    "too_long": ("too_long", None),
    "too_short": ("too_short", None),
    "literal_error": ("not_allowed", None),
    "string_unicode": ("lone_surrogate", "must not contain a lone surrogate"),
    "finite_number": ("out_of_range", "must be a finite number"),
    "greater_than": ("out_of_range", None),
    "greater_than_equal": ("out_of_range", None),
    "less_than": ("out_of_range", None),
    "less_than_equal": ("out_of_range", None),
    "model_attributes_type": ("wrong_type", "must be a JSON object"),
}


def problem_response(
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    *,
    fields: Sequence[FieldProblem] = (),
    limit: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem as a reply to the request of this scope; for OpenAI's clients it is an error of theirs."""
    if is_openai_path(scope["path"]):
        field = fields[0].field if fields else None
        return openai_problem(status, code, detail, param=field, headers=headers)
    problem = Problem.model_validate(
        {
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "request_id": scope.get("state", {}).get("request_id", ""),
            "errors": [FieldError(field=f.field, code=f.code, detail=f.detail) for f in fields] or None,
            "limit": limit,
        }
    )
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        status,
        dict(headers or {}),
        media_type=PROBLEM_JSON,
    )


def app_error_response(scope: Scope, error: AppError) -> JSONResponse:
    """Return one of the application's own errors as a reply."""
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s is not None else {}
    return problem_response(
        scope,
        error.status,
        error.code,
        error.detail,
        fields=error.fields,
        limit=error.limit,
        headers=headers,
    )


def http_error_response(scope: Scope, error: HTTPException) -> JSONResponse:
    """Return one of the framework's errors as a reply."""
    status = error.status_code
    code = HTTP_CODES.get(status, "invalid_request" if status < 500 else "internal_error")  # noqa: PLR2004
    detail = HTTP_DETAILS.get(status, HTTPStatus(status).phrase)
    shown = 422 if status == HTTPStatus.BAD_REQUEST else status
    fields = MALFORMED if code == "malformed_json" else ()
    return problem_response(scope, shown, code, detail, fields=fields, headers=error.headers)


def install(app: FastAPI) -> None:
    """Make every error of this application a problem."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _app_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AppError)  # noqa: S101 (registered for it)
    return app_error_response(request.scope, error)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for it)
    return http_error_response(request.scope, error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for it)
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return problem_response(request.scope, 422, "malformed_json", HTTP_DETAILS[400], fields=MALFORMED)
    fields = list(field_problems(found))
    first = f"{fields[0].field}: {fields[0].detail}" if fields else "The request is not valid."
    return problem_response(request.scope, 422, "invalid_request", first, fields=fields)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    logger.opt(exception=error).error(
        "unforeseen error in {} {}, request {}",
        request.method,
        request.scope["path"],
        request.scope.get("state", {}).get("request_id"),
    )
    return problem_response(
        request.scope, 500, "internal_error", "Something went wrong here; the log has the details."
    )


def field_problems(found: Iterable[Mapping[str, Any]]) -> Iterable[FieldProblem]:
    """Give pydantic's errors as field problems, a bounded number of them, without the input."""
    for number, each in enumerate(found):
        if number == MAX_FIELDS:
            return
        kind = str(each["type"])
        code, detail = FIELD_CODES.get(kind, (_code(kind), None))
        yield FieldProblem(
            _field(each["loc"]), code, (detail or _sentence(str(each["msg"])))[:MAX_DETAIL_CHARS]
        )


def _code(kind: str) -> str:
    return "wrong_type" if kind.endswith(("_type", "_parsing", "_from_float")) else kind


def _field(location: Sequence[str | int]) -> str:
    places = location[1:] if location[0] in ("body", "query", "path", "header") else location
    name = ".".join(str(place) for place in places) or "body"
    # the name of an unknown field is the client's own text: what cannot be encoded would break the reply
    return name.encode(errors="replace").decode()[:MAX_FIELD_CHARS]


def _sentence(message: str) -> str:
    return (
        message.replace("Input should", "must")
        .replace("String should", "must")
        .replace("List should", "must")
    )
