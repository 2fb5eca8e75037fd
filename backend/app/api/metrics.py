"""The route that Prometheus reads."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from app.api.deps import ServicesDep
from app.utils.measures import CONTENT_TYPE

router = APIRouter(tags=["metrics"])


PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {}}, "description": "As Prometheus reads it"}
}


@router.get("/metrics", response_class=Response, responses=PAGE)
async def metrics(services: ServicesDep) -> Response:
    """Give this process's measures to Prometheus."""
    return Response(services.measures.text(), media_type=CONTENT_TYPE)
