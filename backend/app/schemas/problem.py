"""Errors on the wire: RFC 9457 problem details with a closed set of codes."""

from typing import Literal

from app.schemas.base import Wire

ErrorCode = Literal[
    # the request
    "invalid_request",
    "malformed_json",
    "not_found",
    "chat_not_found",
    "message_not_found",
    "run_not_found",
    "preset_not_found",
    "model_not_found",
    "method_not_allowed",
    "id_conflict",
    "stale",
    "body_too_large",
    "message_too_large",
    "max_tokens_too_large",
    "unsupported_media_type",
    "import_not_recognised",
    "host_not_allowed",
    "origin_not_allowed",
    # the state of a chat or run
    "run_active",
    "run_log_gone",
    "nothing_to_continue",
    "has_children",
    "not_thinking",
    "not_a_user_message",
    # limits
    "too_many_runs",
    "too_many_sockets",
    "too_many_requests",
    "chat_full",
    "too_many_chats",
    "too_many_presets",
    # people
    "unauthorized",
    "forbidden",
    # the engine
    "engine_unavailable",
    "engine_error",
    "engine_lost",
    "engine_idle",
    "engine_malformed",
    "first_token_timeout",
    "run_timeout",
    "context_too_long",
    "model_unavailable",
    "engine_unauthorized",
    # the server
    "storage_busy",
    "storage_full",
    "storage_unavailable",
    "shutting_down",
    # the page server, when it cannot reach the backend
    "backend_unavailable",
    "internal_error",
]


class FieldError(Wire):
    """One invalid field; `field` is its path with dots, `code` a short machine word."""

    field: str
    code: str
    detail: str


class Problem(Wire):
    """An error reply, `application/problem+json`."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: ErrorCode
    request_id: str
    errors: list[FieldError] | None = None
    limit: int | None = None


class RunError(Wire):
    """Why a run failed or was interrupted."""

    code: ErrorCode
    detail: str
