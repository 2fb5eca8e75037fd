"""Use cases on presets: list, make, change, delete. Filling in the variables of a prompt is the client's."""

from uuid import uuid4

from app.errors import Conflict, NotFound
from app.models import PresetRow
from app.ports import Clock
from app.repositories.storage import Storage
from app.schemas.preset import CreatePreset, Preset, Presets, UpdatePreset
from app.services.conversation import invalid
from app.services.option_checks import check_options

MAX_PRESETS_PER_USER = 1_000


class PresetService:
    """Presets of a user."""

    def __init__(self, storage: Storage, clock: Clock, *, max_new_tokens: int) -> None:
        self._storage = storage
        self._clock = clock
        self._max_new_tokens = max_new_tokens

    async def all(self, user_id: str) -> Presets:
        """Return the user's presets by name."""
        async with self._storage.read() as unit:
            return Presets(items=[preset_on_wire(row) for row in await unit.presets.all(user_id)])

    async def create(self, user_id: str, request: CreatePreset) -> tuple[Preset, bool]:
        """Make a preset. Returns it, and False when the same request had made it before.

        Raises:
            Conflict: `id_conflict`, `too_many_presets`.
            Invalid: `max_tokens_too_large`.
        """
        check_options(request.options, limit=self._max_new_tokens, field="options")
        now = self._clock.now()
        row = PresetRow(
            id=request.id or str(uuid4()),
            user_id=user_id,
            name=request.name,
            prompt=request.prompt,
            options=request.options.model_dump(mode="json", exclude_none=True),
            created_at=now,
            updated_at=now,
        )
        async with self._storage.write() as unit:
            known = await unit.presets.with_id(row.id) if request.id is not None else None
            if known is not None:
                if known.user_id != user_id or preset_on_wire(known) != preset_on_wire(row):
                    raise Conflict("id_conflict", "Another preset has this id.")
                return preset_on_wire(known), False
            if await unit.presets.count(user_id) >= MAX_PRESETS_PER_USER:
                detail = f"There is room for {MAX_PRESETS_PER_USER} presets. Delete some first."
                raise Conflict("too_many_presets", detail, limit=MAX_PRESETS_PER_USER)
            await unit.presets.insert(row)
        return preset_on_wire(row), True

    async def update(self, user_id: str, preset_id: str, request: UpdatePreset) -> Preset:
        """Change a preset; what is left out stays.

        Raises:
            NotFound: `preset_not_found`.
            Invalid: a field is null, or `max_tokens_too_large`.
        """
        for name in request.model_fields_set:
            if getattr(request, name) is None:
                raise invalid(name, "null", "must not be null; leave it out to keep it")
        if request.options is not None:
            check_options(request.options, limit=self._max_new_tokens, field="options")
        async with self._storage.write() as unit:
            row = await unit.presets.get_for_change(user_id, preset_id)
            if row is None:
                raise preset_not_found()
            row.name = request.name if request.name is not None else row.name
            row.prompt = request.prompt if request.prompt is not None else row.prompt
            if request.options is not None:
                row.options = request.options.model_dump(mode="json", exclude_none=True)
            row.updated_at = self._clock.now()
            await unit.presets.save()
            return preset_on_wire(row)

    async def delete(self, user_id: str, preset_id: str) -> None:
        """Delete a preset.

        Raises:
            NotFound: `preset_not_found`.
        """
        async with self._storage.write() as unit:
            if not await unit.presets.delete(user_id, preset_id):
                raise preset_not_found()


def preset_not_found() -> NotFound:
    """Return the one answer for an unknown or foreign preset."""
    return NotFound("preset_not_found", "There is no such preset.")


def preset_on_wire(row: PresetRow) -> Preset:
    """Return a preset as clients see it."""
    return Preset.model_validate(
        {"id": row.id, "name": row.name, "prompt": row.prompt, "options": row.options}
    )
