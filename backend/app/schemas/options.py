"""Sampling and engine options of a run, with their ranges.

The upper limit of `max_tokens` is a setting and is checked by the service, not here.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from app.schemas.base import StorableObject, Text, Wire

MAX_STOP_STRINGS = 4
MAX_STOP_CHARS = 64
MAX_MODEL_NAME_CHARS = 512

ModelName = Annotated[Text, Field(min_length=1, max_length=MAX_MODEL_NAME_CHARS)]
Temperature = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
MaxTokens = Annotated[int, Field(ge=1, strict=True)]
StopString = Annotated[Text, Field(min_length=1, max_length=MAX_STOP_CHARS)]


class Params(Wire):
    """Options kept with a chat. What is absent comes from the server's defaults."""

    model: ModelName | None = None
    thinking: bool | None = None
    thinking_budget: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] | None = None
    temperature: Temperature | None = None
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=1_000_000, strict=True)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    max_tokens: MaxTokens | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1, strict=True)] | None = None
    stop: Annotated[list[StopString], Field(max_length=MAX_STOP_STRINGS)] | None = None
    response_format: StorableObject | None = None
    context: Literal["refuse", "drop_oldest"] | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value is not None}


class Options(Params):
    """Options of one run. What is absent comes from the chat, then from the server's defaults."""
