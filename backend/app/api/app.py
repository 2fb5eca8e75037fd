"""The HTTP application: routes, errors, the contract.

Builds no service: `main` hands them over.
"""

from fastapi import FastAPI

from app.api import (
    chat_completion,
    chats,
    errors,
    health,
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
from app.api.slashes import Slashes

VERSION = "0.1.0"
ROUTERS = (
    search.router,
    chats.router,
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


def create_app(services: Services | None) -> FastAPI:
    """Return the application; without services it can only describe itself."""
    app = FastAPI(
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
    app.openapi_schema = document(app)
    app.add_middleware(Slashes, declared=list(app.openapi_schema["paths"]))
    return app
