"""The route that says how the system is."""

from fastapi import APIRouter, Request, Response

from app.api.deps import ServicesDep
from app.schemas.engine import Health

router = APIRouter(tags=["health"])


@router.get(
    "/api/chat/health", responses={503: {"model": Health, "description": "The database or vLLM is unusable"}}
)
async def health(request: Request, response: Response, services: ServicesDep) -> Health | dict[str, str]:
    """Say how each tier is, and what to do. With a bare `?live`: 200 as long as this process lives."""
    if "live" in request.query_params:
        return {"status": "ok"}
    found = await services.health.look()
    if found.status != "ok":
        response.status_code = 503
    return found
