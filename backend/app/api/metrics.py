"""The route that Prometheus reads."""

from fastapi import APIRouter
from starlette.responses import Response

from app.api.deps import ServicesDep
from app.utils.measures import CONTENT_TYPE

router = APIRouter(tags=["metrics"])


@router.get("/metrics", include_in_schema=False)  # its shape is Prometheus' business
async def metrics(services: ServicesDep) -> Response:
    """Give this process's measures to Prometheus."""
    return Response(services.measures.text(), media_type=CONTENT_TYPE)
