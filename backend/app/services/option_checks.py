"""Checks of options that their shapes alone cannot make: against the model, and of what is handed on as it is. Pure."""

from collections.abc import Sequence
from typing import Any

from jsonschema_rs import Draft7Validator, validator_for

from app.ports import ServedModel
from app.schemas.options import Params
from app.services.conversation import check_max_tokens, invalid

# Of the schema as a value: what it names under `$schema` or `$ref` is not fetched.
NEWEST = validator_for({"$ref": "https://json-schema.org/draft/2020-12/schema"})
OLDER = Draft7Validator({"$ref": "http://json-schema.org/draft-07/schema"})
SHOWN_PATH_CHARS = 200
OF_A_SCHEMA = frozenset({"name", "description", "schema", "strict"})


def check_options(options: Params, *, limit: int, field: str) -> None:
    """Refuse options, named `field` in the request, that ask for more tokens than the server gives or for no format.

    Raises:
        Invalid: `max_tokens_too_large` or `invalid_request`, which name the field.
    """
    check_max_tokens(options.max_tokens, limit=limit, field=f"{field}.max_tokens")
    check_response_format(options, field=f"{field}.response_format")


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
    if (path := _wrong_at(schema["schema"])) is not None:
        detail = (
            f"must be a JSON Schema, of 2020-12 or, where $schema says so, of draft-07; it is wrong at {path}"
        )
        raise invalid(f"{field}.json_schema.schema", "invalid_response_format", detail)


def _wrong_at(schema: dict[str, Any]) -> str | None:
    """Return the JSON pointer of the first part that is no JSON Schema, or None."""
    draft = OLDER if "/draft-0" in str(schema.get("$schema")) else NEWEST
    error = next(iter(draft.iter_errors(schema)), None)
    if error is None:
        return None
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in error.instance_path)
    return ("/" + "/".join(parts))[:SHOWN_PATH_CHARS]


def check_room(
    max_tokens: int | None, model: str | None, served: Sequence[ServedModel], *, field: str = "max_tokens"
) -> None:
    """Refuse to ask a model for more tokens than it can hold, as far as that is known.

    Raises:
        Invalid: `max_tokens_too_large`, with the model's limit.
    """
    room = room_of(model, served)
    if room is not None:
        check_max_tokens(max_tokens, limit=room, field=field)


def room_of(model: str | None, served: Sequence[ServedModel]) -> int | None:
    """Return how many tokens a model holds (None: the one used where none is named), or None when nobody knows."""
    if model is None:
        return served[0].max_model_len if served else None
    return next((each.max_model_len for each in served if each.id == model), None)
