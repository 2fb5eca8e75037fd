"""The HTTP application: routes, errors, the contract.

Builds no service: `main` hands them over.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api import (
    chat_completion,
    chats,
    errors,
    health,
    labels,
    messages,
    metrics,
    models,
    openai_gateway,
    presets,
    runs,
    search,
    transfer,
)
from app.api.contract import document
from app.api.deps import Services
from app.api.gateway_door import GatewayDoor
from app.api.slashes import Slashes
from app.api.start_door import StartDoor
from app.api.start_turns import StartTurns

VERSION = "0.1.0"
ROUTERS = (
    search.router,
    chats.router,
    labels.router,
    messages.router,
    runs.router,
    transfer.router,
    presets.router,
    chat_completion.router,
    models.router,
    health.router,
    openai_gateway.router,
    metrics.router,
)


class Application(FastAPI):
    """Describes itself when it is asked to: that takes longer than all the rest of a start."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            self.openapi_schema = document(self)
        return self.openapi_schema


def create_app(services: Services | None) -> FastAPI:
    """Return the application; without services it can only describe itself."""
    app = Application(
        title="VLLM Chat",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    declared = [route.path for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    app.add_middleware(StartDoor)
    app.add_middleware(GatewayDoor)
    app.add_middleware(StartTurns)
    app.add_middleware(Slashes, declared=declared)
    return app
