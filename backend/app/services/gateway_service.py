"""The OpenAI-compatible gateway: what of a request goes on to the engine, within the limits of everybody else.

Does not read what the engine answers.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec

from app.errors import FieldProblem, Invalid
from app.ports import EnginePassage, ModelCatalogue, PassedReply, ServedModel
from app.schemas.openai import (
    LEFT_OUT_FIELDS,
    MAX_BIASES,
    MAX_FIELD_CHARS,
    MAX_VALUES,
    PASSED_FIELDS,
    ROLES,
    TEMPLATE_SWITCHES,
)
from app.services.admission import Admission

MAX_TOKENS_FIELDS = ("max_tokens", "max_completion_tokens")

_encode = msgspec.json.Encoder().encode


class GatewayService:
    """Takes requests for `/v1`."""

    def __init__(
        self, passage: EnginePassage, catalogue: ModelCatalogue, admission: Admission, *, max_new_tokens: int
    ) -> None:
        self._passage = passage
        self._catalogue = catalogue
        self._admission = admission
        self._max_new_tokens = max_new_tokens

    async def models(self) -> list[ServedModel]:
        """Return the models served now.

        Raises:
            EngineUnreachable: no engine answers.
        """
        return list(await self._catalogue.served())

    @asynccontextmanager
    async def ask(self, user_id: str, path: str, body: dict[str, Any]) -> AsyncIterator[PassedReply]:
        """Pass a request on once there is a place for it; leaving the context ends it at the engine.

        Raises:
            Invalid: a field is not known here, or over its limit.
            Overloaded: `too_many_runs`.
            EngineError: the engine cannot be asked.
        """
        request = self._request(body)
        ticket = self._admission.admit(str(uuid4()), user_id, None)
        try:
            await ticket.granted.wait()
            await self._complete(path, request)
            streamed = request.get("stream") is True
            async with self._passage.post(path, request["model"], _json(request), streamed=streamed) as reply:
                yield reply
        finally:
            self._admission.release(ticket)

    def _request(self, body: dict[str, Any]) -> dict[str, Any]:
        for name in body:
            if name not in PASSED_FIELDS | LEFT_OUT_FIELDS:
                shown = name.encode(errors="replace").decode()[:MAX_FIELD_CHARS]
                raise _refused(shown, "unknown_field", f"{shown} is not taken here.")
        if not isinstance(body.get("model"), str | None):
            raise _refused("model", "wrong_type", "model must be a text.")
        self._check_sizes(body)
        for number, message in enumerate(_messages(body)):
            role = message.get("role") if isinstance(message, dict) else None
            if not isinstance(role, str) or role not in ROLES:
                field = f"messages.{number}.role"
                raise _refused(field, "not_allowed", f"{field} must be one of {', '.join(sorted(ROLES))}.")
        switches = body.get("chat_template_kwargs")
        if switches is not None and not (isinstance(switches, dict) and switches.keys() <= TEMPLATE_SWITCHES):
            raise _refused(
                "chat_template_kwargs", "unknown_field", "chat_template_kwargs may hold enable_thinking only."
            )
        # null is no number: the engine would give all the room it has
        left_open = {name for name in MAX_TOKENS_FIELDS if body.get(name) is None}
        return {name: value for name, value in body.items() if name in PASSED_FIELDS - left_open}

    def _check_sizes(self, body: dict[str, Any]) -> None:
        for name in MAX_TOKENS_FIELDS:
            limit = self._max_new_tokens
            if _whole(body, name) > limit:
                raise _refused(name, "max_tokens_too_large", f"{name} must be at most {limit}.", limit=limit)
        for name, limit in MAX_VALUES.items():
            if _whole(body, name) > limit:
                raise _refused(name, "too_large", f"{name} must be at most {limit}.", limit=limit)
        if isinstance(body.get("logit_bias"), dict) and len(body["logit_bias"]) > MAX_BIASES:
            detail = f"logit_bias must have at most {MAX_BIASES} entries."
            raise _refused("logit_bias", "too_long", detail, limit=MAX_BIASES)

    async def _complete(self, path: str, request: dict[str, Any]) -> None:
        """Fill in what the client left to the server: the model, and an end for a chat."""
        served = {model.id: model for model in await self._catalogue.served()}
        if not request.get("model"):
            request["model"] = (await self._catalogue.default()).id
        if path == "chat/completions" and request.keys().isdisjoint(MAX_TOKENS_FIELDS):
            model = served.get(str(request["model"]))
            room = model.max_model_len if model is not None else None
            # Without a number the engine gives what room is left, which is then within the limit.
            if room is None or room > self._max_new_tokens:
                request["max_tokens"] = self._max_new_tokens


def _whole(body: dict[str, Any], name: str) -> int:
    """Return a number that has a limit; 0 where there is none. Engines take "5" and 5.0 for 5, beside our limits."""
    value = body.get(name)
    if value is None or (name == "logprobs" and isinstance(value, bool)):
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refused(name, "wrong_type", f"{name} must be a whole number.")
    return value


def _messages(body: dict[str, Any]) -> list[Any]:
    messages = body.get("messages", [])
    if not isinstance(messages, list):
        raise _refused("messages", "wrong_type", "messages must be a list.")
    return messages


def _json(request: dict[str, Any]) -> bytes:
    try:
        return _encode(request)
    except (ValueError, OverflowError, RecursionError, TypeError):
        raise _refused(
            "body", "not_json", "The body holds a number, text or depth that is not allowed."
        ) from None


def _refused(field: str, code: str, detail: str, *, limit: int | None = None) -> Invalid:
    known = "max_tokens_too_large" if code == "max_tokens_too_large" else "invalid_request"
    return Invalid(known, detail, fields=(FieldProblem(field, code, detail),), limit=limit)
