"""Routes of presets."""

from fastapi import APIRouter, Response

from app.api.contract import problems, same_again
from app.api.deps import PresetId, ServicesDep, UserId
from app.schemas.preset import CreatePreset, Preset, Presets, UpdatePreset

router = APIRouter(prefix="/api/presets", tags=["presets"])


@router.get("")
async def list_presets(services: ServicesDep, user_id: UserId) -> Presets:
    """List presets by name."""
    return await services.presets.all(user_id)


@router.post("", status_code=201, responses=same_again(Preset) | problems(409))
async def create_preset(
    request: CreatePreset, response: Response, services: ServicesDep, user_id: UserId
) -> Preset:
    """Make a preset. The same request with the same `id` again answers 200."""
    preset, created = await services.presets.create(user_id, request)
    response.status_code = 201 if created else 200
    return preset


@router.put("/{preset_id}", responses=problems(404))
async def update_preset(
    preset_id: PresetId, request: UpdatePreset, services: ServicesDep, user_id: UserId
) -> Preset:
    """Change a preset; what is left out stays."""
    return await services.presets.update(user_id, preset_id, request)


@router.delete("/{preset_id}", status_code=204, responses=problems(404))
async def delete_preset(preset_id: PresetId, services: ServicesDep, user_id: UserId) -> None:
    """Delete a preset."""
    await services.presets.delete(user_id, preset_id)
