"""The base of everything on the wire: strictness, times, ids and text.

Holds no request or reply of its own.
"""

import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

MAX_OBJECT_CHARS = 65_536
MAX_OBJECT_DEPTH = 32


class Wire(BaseModel):
    """A request, reply or event. Unknown fields are refused, and nothing is coerced: "5" is not 5."""

    model_config = ConfigDict(extra="forbid", strict=True, from_attributes=True, ser_json_inf_nan="null")


NO_ID = "none"  # no row has it

_CANONICAL = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
).fullmatch  # most ids are, and this is quick


def canonical_id(value: object) -> str:
    """Return a UUID in its canonical lower-case form.

    Raises:
        PydanticCustomError: `value` is not the text of a UUID.
    """
    if isinstance(value, str):
        if _CANONICAL(value):
            return value
        try:
            return str(UUID(value))
        except ValueError:
            pass
    raise PydanticCustomError("invalid_id", "must be a UUID")


def named_id(value: object) -> str:
    """Return the id of something that must be there already; a malformed one is that of nothing.

    Raises:
        PydanticCustomError: `value` is no text.
    """
    try:
        return canonical_id(value)
    except PydanticCustomError:
        if isinstance(value, str):
            return NO_ID
        raise


def _storable(value: str) -> str:
    # PostgreSQL cannot hold NUL, and a lone surrogate has no UTF-8: both are refused once, here.
    if "\x00" in value:
        raise PydanticCustomError("nul_in_text", "must not contain the NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("lone_surrogate", "must not contain a lone surrogate") from None
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank_text", "must not be blank")
    return value


def _storable_object(value: dict[str, Any]) -> dict[str, Any]:
    _check_storable(value, depth=1)
    if len(json.dumps(value, ensure_ascii=False)) > MAX_OBJECT_CHARS:
        raise PydanticCustomError(
            "too_long", "must be at most {limit} characters as JSON", {"limit": MAX_OBJECT_CHARS}
        )
    return value


def _check_storable(value: object, *, depth: int) -> None:
    if depth > MAX_OBJECT_DEPTH:
        raise PydanticCustomError(
            "too_deep", "must be nested at most {limit} levels deep", {"limit": MAX_OBJECT_DEPTH}
        )
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("not_finite", "must hold finite numbers only")
    elif isinstance(value, dict):
        for name, each in value.items():
            _storable(name)
            _check_storable(each, depth=depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check_storable(each, depth=depth + 1)


def utc_text(value: datetime) -> str:
    """Return a time as ISO 8601 in UTC with microseconds and `Z`; a naive time is taken as UTC."""
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


Id = Annotated[str, BeforeValidator(canonical_id), Field(json_schema_extra={"format": "uuid"})]
NamedId = Annotated[str, BeforeValidator(named_id), Field(json_schema_extra={"format": "uuid"})]
"""Of something that must be there already: what is no UUID names nothing, and is answered as any unknown id."""
Text = Annotated[str, AfterValidator(_storable)]
"""Stored as sent: no trimming, no normalising."""
NonBlankText = Annotated[str, AfterValidator(_storable), AfterValidator(_not_blank)]
UtcTime = Annotated[datetime, PlainSerializer(utc_text, return_type=str, when_used="json")]
JsonObject = dict[str, Any]
StorableObject = Annotated[dict[str, Any], AfterValidator(_storable_object)]
"""A JSON object from outside that both databases can keep and every reader can read."""
