"""Presets on the wire: a prompt to begin with, in which `{{name}}` stands for what is filled in, and options."""

from typing import Annotated

from pydantic import Field

from app.schemas.base import Id, NonBlankText, Text, Wire
from app.schemas.options import Params

MAX_PRESET_NAME_CHARS = 200
MAX_PRESET_PROMPT_CHARS = 100_000

PresetName = Annotated[NonBlankText, Field(max_length=MAX_PRESET_NAME_CHARS)]
PresetPrompt = Annotated[Text, Field(max_length=MAX_PRESET_PROMPT_CHARS)]


class Preset(Wire):
    """A stored preset."""

    id: Id
    name: str
    prompt: str
    options: Params


class CreatePreset(Wire):
    """A new preset; its `id` may be chosen by the client."""

    id: Id | None = None
    name: PresetName
    prompt: PresetPrompt = ""
    options: Params = Field(default_factory=Params)


class UpdatePreset(Wire):
    """Changes to a preset; a field that is left out stays."""

    name: PresetName | None = None
    prompt: PresetPrompt | None = None
    options: Params | None = None


class Presets(Wire):
    """What `GET /api/presets` answers, by name."""

    items: list[Preset]
