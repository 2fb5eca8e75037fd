"""The presets in a file of ours: read as strictly as a request, and stored where there is none like them.

Chats are import_service's.
"""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec
from pydantic import ValidationError

from app.models import PresetRow
from app.repositories.storage import Unit
from app.schemas.preset import CreatePreset
from app.services.preset_service import MAX_PRESETS_PER_USER
from app.utils.digest import digest

NO_PRESET = "it is no preset"
NO_ROOM = "there is no room for more presets"


class _File(msgspec.Struct):
    presets: list[Any] = []


def presets_in(body: bytes) -> list[CreatePreset | None]:
    """Return the presets of a file, None for what is none; a file of another kind has none. Never raises."""
    try:
        found = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=_File).presets
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    return [_preset(each) for each in found]


async def store_presets(
    unit: Unit, user_id: str, presets: list[CreatePreset | None], now: datetime
) -> list[tuple[int, str]]:
    """Store the presets that are not here yet. Returns the places of those that were left out, and why."""
    left_out: list[tuple[int, str]] = []
    here = {_content(row.name, row.prompt, row.options) for row in await unit.presets.all(user_id)}
    room = MAX_PRESETS_PER_USER - len(here)
    for place, preset in enumerate(presets):
        if preset is None:
            left_out.append((place, NO_PRESET))
            continue
        options = preset.options.model_dump(mode="json", exclude_none=True)
        content = _content(preset.name, preset.prompt, options)
        row_id = str(uuid5(NAMESPACE_OID, f"{user_id}:{content}"))
        if content in here or await unit.presets.with_id(row_id) is not None:
            continue
        if room <= 0:
            left_out.append((place, NO_ROOM))
            continue
        row = PresetRow(
            id=row_id,
            user_id=user_id,
            name=preset.name,
            prompt=preset.prompt,
            options=options,
            created_at=now,
            updated_at=now,
        )
        await unit.presets.insert(row)
        here.add(content)
        room -= 1
    return left_out


def _preset(value: Any) -> CreatePreset | None:
    fields = (
        {name: value.get(name) for name in ("name", "prompt", "options")} if isinstance(value, dict) else {}
    )
    try:
        return CreatePreset.model_validate(fields)
    except ValidationError:
        return None


def _content(name: str, prompt: str, options: dict[str, Any]) -> str:
    return digest([name, prompt, options])
