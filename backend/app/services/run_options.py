"""What a run asks of the engine: its own options over the chat's over the server's defaults. Pure."""

from typing import Any

from app.models import ChatRow
from app.schemas.options import Options, Params

SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "seed",
    "stop",
    "response_format",
)


def run_options(asked: Params, chat: ChatRow | None, *, default_max_tokens: int) -> Params:
    """Return the options of a run, whole: what it asks for, else what its chat says, else the default."""
    merged: dict[str, Any] = {"max_tokens": default_max_tokens}
    if chat is not None:
        columns = {"model": chat.model, "temperature": chat.temperature, "max_tokens": chat.max_tokens}
        merged |= chat.params
        merged |= {name: value for name, value in columns.items() if value is not None}
    merged |= asked.model_dump(exclude_none=True, include=set(Params.model_fields))
    return Options.model_validate(merged)


def sampling(options: Params) -> dict[str, Any]:
    """Return the sampling options that are set, under the engine's names."""
    has_budget = options.thinking_budget is not None and options.thinking is not False
    budget = {"thinking_token_budget": options.thinking_budget} if has_budget else {}
    return budget | {name: value for name in SAMPLING if (value := getattr(options, name)) is not None}
