"""The route that says how the system is."""

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.deps import ServicesDep
from app.schemas.engine import Health
from app.services.health_service import alive

router = APIRouter(tags=["health"])

LOOK_AGAIN_S = 5
# Looked for by hand: it has no value, which is no value of any type.
LIVE: dict[str, Any] = {
    "parameters": [
        {
            "name": "live",
            "in": "query",
            "allowEmptyValue": True,
            "description": "Bare: 200 as long as this process lives, and nothing is looked at",
            "schema": {"type": "string"},
        }
    ]
}


@router.get(
    "/api/chat/health",
    responses={503: {"model": Health, "description": "The database or vLLM is unusable"}},
    openapi_extra=LIVE,
)
async def health(request: Request, response: Response, services: ServicesDep) -> Health:
    """Say how each tier is, and what to do. With a bare `?live`: 200 as long as this process lives."""
    if "live" in request.query_params:
        return alive()
    found = await services.health.look()
    if found.status != "ok":
        response.status_code = 503
        response.headers["Retry-After"] = str(LOOK_AGAIN_S)
    return found
