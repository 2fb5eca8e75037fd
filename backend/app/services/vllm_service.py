"""The engines as people see them: which models there are, and how the engine gets on, in words with a next step.

Asks no engine itself and starts none.
"""

import asyncio
import re

from app.errors import Conflict, EngineUnreachable, NotFound
from app.ports import EngineHost, EngineProgress, ModelCatalogue, ModelFolder
from app.schemas.engine import (
    Model,
    Models,
    ModelState,
    ModelStatus,
    ModelType,
    ServedModelItem,
    ServedModels,
    Tier,
)

_COMING = frozenset({"preparing", "loading", "restarting"})
_ARRIVED = re.compile(r"(\d+) of (\d+) MB$")


class VllmService:
    """Models and the state of the engine."""

    def __init__(self, catalogue: ModelCatalogue, host: EngineHost) -> None:
        self._catalogue = catalogue
        self._host = host

    async def served(self) -> ServedModels:
        """Return the models that can be chosen now; while the engine loads, the one that is coming."""
        progress = self._host.progress()
        try:
            served = await self._catalogue.served()
            default = (await self._catalogue.default()).id
        except EngineUnreachable:
            return _coming(progress)
        folders = {folder.name: folder for folder in await asyncio.to_thread(self._host.folders)}
        items = [
            ServedModelItem(
                id=model.id,
                status="ready",
                type=_known_type(folders.get(model.id)),
                max_model_len=model.max_model_len,
                note=progress.note if progress is not None and progress.model == model.id else None,
            )
            for model in served
        ]
        return ServedModels(items=items, default=default)

    async def all(self) -> Models:
        """Return the models on the disk and those the engines serve."""
        served = {item.id: item for item in (await self.served()).items}
        items = []
        for folder in await asyncio.to_thread(self._host.folders):
            status: ModelStatus = served[folder.name].status if folder.name in served else "unloaded"
            items.append(
                Model(
                    name=folder.name,
                    type=_known_type(folder),
                    size_bytes=folder.size_bytes,
                    modified_at=folder.modified_at,
                    max_model_len=folder.max_model_len,
                    status=status,
                )
            )
        on_disk = {item.name for item in items}
        items += [
            Model(
                name=item.id,
                type=item.type,
                size_bytes=None,
                modified_at=None,
                max_model_len=item.max_model_len,
                status=item.status,
            )
            for item in served.values()
            if item.id not in on_disk
        ]
        return Models(items=items)

    async def state(self, name: str) -> ModelState:
        """Return how far a model is.

        Raises:
            NotFound: `model_not_found`.
        """
        model = next((item for item in (await self.all()).items if item.name == name), None)
        if model is None:
            raise NotFound("model_not_found", "There is no model of this name.")
        progress = self._host.progress()
        detail = progress.detail if model.status == "loading" and progress is not None else ""
        progress_now = 1.0 if model.status == "ready" else _share(detail)
        return ModelState(status=model.status, progress=progress_now, detail=detail)

    async def load(self, name: str) -> ModelState:
        """Have a model served. One that is served already is that.

        Raises:
            NotFound: `model_not_found`.
            Conflict: `model_unavailable`: the engine serves the one model it was started with.
        """
        state = await self.state(name)
        if state.status in ("ready", "loading"):
            return state
        detail = "The engine serves the model it was started with. Start it with this one: ./scripts/start_all.sh NAME"
        raise Conflict("model_unavailable", detail)

    async def unload(self, name: str) -> ModelState:
        """Take a model out of the engine. One that is not served is that already.

        Raises:
            NotFound: `model_not_found`.
            Conflict: `model_unavailable`: the engine would be left without a model.
        """
        state = await self.state(name)
        if state.status == "unloaded":
            return state
        raise Conflict("model_unavailable", "The engine serves this one model; ending the engine unloads it.")

    async def tier(self) -> Tier:
        """Return how the engine is, in words, with what to do."""
        states = await self._catalogue.engines()
        words = {state.status for state in states}
        ready = [model for state in states if state.status == "ready" for model in state.models]
        progress = self._host.progress()
        if ready:
            note = progress.note if progress is not None and progress.model in ready else None
            return Tier(status="ready", detail=", ".join(ready), note=note)
        if "unauthorized" in words:
            return Tier(
                status="unauthorized",
                detail="The engine refuses the key of this server.",
                fix="Set VLLM_API_KEY to the --api-key the engine was started with.",
            )
        if progress is not None and progress.state in _COMING:
            return Tier(
                status="loading",
                detail=_loading(progress),
                fix="Wait: it comes by itself.",
                note=progress.note,
            )
        if "failed" in words:
            return Tier(
                status="failed",
                detail="The engine answers with errors.",
                fix="Look at data/logs/vllm.log and start the engine again.",
            )
        return Tier(
            status="unreachable",
            detail="No engine answers at VLLM_API_BASE_URL.",
            fix="Start it with ./scripts/start_vllm.sh, or set VLLM_API_BASE_URL to where it is.",
        )


def _coming(progress: EngineProgress | None) -> ServedModels:
    if progress is None or progress.model is None or progress.state not in _COMING:
        return ServedModels(items=[], default=None)
    item = ServedModelItem(
        id=progress.model, status="loading", type=None, max_model_len=None, note=progress.note
    )
    return ServedModels(items=[item], default=None)


def _loading(progress: EngineProgress) -> str:
    return ": ".join(part for part in (progress.model, progress.detail or progress.state) if part)


def _share(detail: str) -> float | None:
    """What a download says of itself, as a share; None where nobody tells."""
    told = _ARRIVED.search(detail)
    return min(int(told[1]) / int(told[2]), 1.0) if told and int(told[2]) else None


def _known_type(folder: ModelFolder | None) -> ModelType | None:
    return None if folder is None else folder.type
