"""The route that Prometheus reads."""

from fastapi import APIRouter
from starlette.responses import Response

from app.api.deps import ServicesDep
from app.utils.measures import CONTENT_TYPE

router = APIRouter(tags=["metrics"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Metrics"}},
)
async def metrics(services: ServicesDep) -> Response:
    """Give this process's measures to Prometheus."""
    return Response(services.measures.text(), media_type=CONTENT_TYPE)
