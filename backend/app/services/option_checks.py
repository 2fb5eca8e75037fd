"""Checks of options that their shapes alone cannot make: against the model, and of what is handed on as it is. Pure."""

from collections.abc import Sequence
from typing import Any

from app.ports import ServedModel
from app.schemas.options import Params
from app.services.conversation import check_max_tokens, invalid

OF_A_SCHEMA = frozenset({"name", "description", "schema", "strict"})


def check_response_format(params: Params, *, field: str = "response_format") -> None:
    """Refuse a response format that no engine could follow.

    Raises:
        Invalid: `invalid_request`, which names the field.
    """
    value = params.response_format
    if value is None or (value.get("type") in ("text", "json_object") and value.keys() == {"type"}):
        return
    schema: Any = value.get("json_schema")
    if (
        value.get("type") != "json_schema"
        or value.keys() != {"type", "json_schema"}
        or not isinstance(schema, dict)
    ):
        detail = 'must be of type "text", "json_object", or "json_schema" with a json_schema beside it'
        raise invalid(field, "invalid_response_format", detail)
    known = schema.keys() <= OF_A_SCHEMA and isinstance(schema.get("name", ""), str)
    if not known or not isinstance(schema.get("schema"), dict):
        detail = "must have as json_schema a name and, as schema, a JSON Schema"
        raise invalid(field, "invalid_response_format", detail)


def check_room(max_tokens: int | None, model: str | None, served: Sequence[ServedModel]) -> None:
    """Refuse to ask a model for more tokens than it can hold, as far as that is known.

    Raises:
        Invalid: `max_tokens_too_large`, with the model's limit.
    """
    room = room_of(model, served)
    if room is not None:
        check_max_tokens(max_tokens, limit=room)


def room_of(model: str | None, served: Sequence[ServedModel]) -> int | None:
    """Return how many tokens a model holds (None: the one used where none is named), or None when nobody knows."""
    if model is None:
        return served[0].max_model_len if served else None
    return next((each.max_model_len for each in served if each.id == model), None)
