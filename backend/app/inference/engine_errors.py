"""What can go wrong between here and an engine, each mapped once to an error of ours.

An engine's own words are read, never passed on.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from app.errors import EngineBroken, EngineError, EngineUnreachable, FieldProblem

SHORTEN = "Shorten it, begin a new chat, or let the oldest turns be dropped (context: drop_oldest)."
_NUMBERS = re.compile(r"maximum context length is (\d+).*?(\d+) input tokens", re.DOTALL)
_ROOMS = (
    re.compile(r"max_model_len=(?P<limit>\d{1,9})\b"),
    re.compile(
        r"maximum context length is (?P<limit>\d{1,9}) tokens and your request has (?P<prompt>\d{1,9}) input tokens"
    ),
    re.compile(
        r"maximum context length is (?P<limit>\d{1,9}) tokens.{0,99}?\((?P<prompt>\d{1,9}) in the \w+, \d+ in the completion",
        re.DOTALL,
    ),
)
_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}")  # the name of a field, and no sentence
# How OpenAI-compatible servers say that they do not know a field.
_UNKNOWN_FIELD = re.compile(
    r"extra_forbidden|extra inputs|extra fields|unrecognized|unknown (?:field|param|argument|name)|unexpected"
    r"|not (?:permitted|supported|allowed)|return_token_ids|chat_template_kwargs",
    re.IGNORECASE,
)


def unreachable() -> EngineUnreachable:
    """Return the error for an engine that nobody answers for."""
    return EngineUnreachable("engine_unavailable", "The engine cannot be reached.", retry_after_s=5)


def first_token_timeout() -> EngineError:
    """Return the error for an engine that took the request and wrote nothing."""
    return EngineError("first_token_timeout", "The engine took the question and wrote nothing in time.")


def from_transport(error: BaseException, *, begun: bool) -> EngineError | None:
    """Return what a failure of the connection is called here, or None when it is not one.

    Args:
        error: what aiohttp or the event loop raised.
        begun: whether the engine had begun to answer (its status line was read).
    """
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return EngineError("engine_error", "VLLM_API_BASE_URL is not the address of an engine.")
    if isinstance(error, aiohttp.ClientError | OSError | asyncio.TimeoutError):
        if begun:
            return EngineBroken(
                "engine_lost", "The connection to the engine broke in the middle of the answer."
            )
        return unreachable()
    return None


def from_status(status: int, body: bytes) -> EngineError:
    """Return what an error reply of an engine is called here. `body` may be anything."""
    message, param = _reason(body)
    if status in (401, 403):
        return EngineError(
            "engine_unauthorized", "The engine refuses the key of this server: check VLLM_API_KEY."
        )
    if status == HTTPStatus.NOT_FOUND:
        return EngineError(
            "model_unavailable", "The engine does not serve this model now. Choose another one."
        )
    if status in (400, 413, 422) and _is_context(message, param):
        return _context_too_long(message)
    if status in (400, 422):
        return _refused_value(param)
    if status in (429, 503):
        return EngineError(
            "engine_error", "The engine is overloaded or not ready; try again in a moment.", retry_after_s=5
        )
    return EngineError("engine_error", f"The engine answered with an error (HTTP {status}).")


def refuses_a_field(status: int, body: bytes) -> bool:
    """Whether an engine refused because it does not know one of vLLM's own fields."""
    if status not in (400, 422):
        return False
    message, param = _reason(body)
    return not _is_context(message, param) and _UNKNOWN_FIELD.search(f"{param} {message}") is not None


def room_left(status: int, body: bytes) -> int | None:
    """Return how many new tokens fit after the prompt, when that was all an engine refused for, else None.

    vLLM 0.32 gives what fits by itself; older ones and other servers say these numbers.
    """
    if status not in (400, 422):
        return None
    message, _ = _reason(body)
    for pattern in _ROOMS:
        found = pattern.search(message)
        if found is not None:
            room = int(found["limit"]) - int(found.groupdict().get("prompt") or 0)
            return room if room > 0 else None
    return None


def _reason(body: bytes) -> tuple[str, str]:
    """Return (message, param) of an error body; both empty where there is none."""
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    error = value.get("error", value.get("detail", value)) if isinstance(value, dict) else value
    if isinstance(error, dict):
        return str(error.get("message", "")), str(error.get("param") or "")
    return str(error), ""


def _is_context(message: str, param: str) -> bool:
    return (
        param == "input_tokens" or "maximum context length" in message or "context_length_exceeded" in message
    )


def _refused_value(param: str) -> EngineError:
    if _NAME.fullmatch(param) is None:
        return EngineError("invalid_request", "The engine does not accept these options.")
    detail = f"The engine does not accept this value of {param}."
    return EngineError("invalid_request", detail, fields=(FieldProblem(param, "refused", detail),))


def _context_too_long(message: str) -> EngineError:
    numbers = _NUMBERS.search(message)
    if numbers is None:
        return EngineError(
            "context_too_long", f"The conversation is longer than the model's context. {SHORTEN}"
        )
    limit, prompt = int(numbers[1]), int(numbers[2])
    return EngineError(
        "context_too_long",
        f"The conversation has at least {prompt} tokens; the model's context holds {limit}. {SHORTEN}",
        limit=limit,
    )
