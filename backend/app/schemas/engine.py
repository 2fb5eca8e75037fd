"""Engines, models and health on the wire."""

from typing import Literal

from app.schemas.base import JsonObject, UtcTime, Wire

ModelStatus = Literal["unloaded", "loading", "ready", "sleeping", "failed"]
ModelType = Literal["base", "chat", "quantized", "adapter"]


class ServedModelItem(Wire):
    """A model that can be chosen for a chat. `note` is what people ought to know about it."""

    id: str
    status: ModelStatus
    type: ModelType | None
    max_model_len: int | None
    note: str | None


class ServedModels(Wire):
    """What `GET /api/chat/models` answers; `default` is used where a chat names none."""

    items: list[ServedModelItem]
    default: str | None


class Model(Wire):
    """A model in the models folder or at an engine; what only the disk knows is null for an engine's."""

    name: str
    type: ModelType | None
    size_bytes: int | None
    modified_at: UtcTime | None
    max_model_len: int | None
    status: ModelStatus


class Models(Wire):
    """What `GET /api/models` answers."""

    items: list[Model]


class ModelState(Wire):
    """How far a model is. `progress` is 0 to 1, or null where nobody tells."""

    status: ModelStatus
    progress: float | None
    detail: str


class Tier(Wire):
    """One tier. `fix` says what to do when it is not usable, `note` what people ought to know of it when it is."""

    status: str
    detail: str
    fix: str | None = None
    note: str | None = None


class Health(Wire):
    """How the system is. `status` is `ok` or `degraded`."""

    status: Literal["ok", "degraded"]
    tiers: dict[str, Tier]
    memory: JsonObject
