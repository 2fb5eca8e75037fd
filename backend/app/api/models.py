"""Routes of models: which there are, and how far each is."""

from fastapi import APIRouter

from app.api.contract import problems
from app.api.deps import ServicesDep
from app.schemas.engine import Models, ModelState, ServedModels

router = APIRouter(tags=["models"])


@router.get("/api/chat/models")
async def list_served_models(services: ServicesDep) -> ServedModels:
    """List the models that can be chosen for a chat."""
    return await services.vllm.served()


@router.get("/api/models")
async def list_models(services: ServicesDep) -> Models:
    """List the models in the models folder and at the engines."""
    return await services.vllm.all()


@router.get("/api/models/{name:path}/status", responses=problems(404))
async def model_status(name: str, services: ServicesDep) -> ModelState:
    """Say how far a model is."""
    return await services.vllm.state(name)


@router.post("/api/models/{name:path}/load", status_code=202, responses=problems(404, 409))
async def load_model(name: str, services: ServicesDep) -> ModelState:
    """Have a model served."""
    return await services.vllm.load(name)


@router.post("/api/models/{name:path}/unload", responses=problems(404, 409))
async def unload_model(name: str, services: ServicesDep) -> ModelState:
    """Take a model out of the engine."""
    return await services.vllm.unload(name)
