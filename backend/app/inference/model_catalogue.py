"""Which models the engines serve, asked seldom and remembered shortly; implements `ports.ModelCatalogue`.

Nothing waits for an engine here but the first question after it has been out of reach.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

import aiohttp
import msgspec

from app.errors import EngineUnreachable
from app.inference.engine_errors import unreachable
from app.inference.engines import Engine, Engines
from app.ports import Clock, EngineState, ServedModel

FRESH_S = 5.0  # a restarted engine with another model is noticed within this time
ASK_TIMEOUT_S = 2.0
MAX_BODY_BYTES = 1024 * 1024


class _Card(msgspec.Struct):
    id: str
    max_model_len: int | None = None
    root: str | None = None


class _Cards(msgspec.Struct):
    data: list[_Card]


_decode = msgspec.json.Decoder(_Cards).decode


class ModelCatalogue:
    """Asks `/models` of every engine, at most one question at a time.

    Args:
        session: the session to the engines.
        engines: what has been learned is noted on them.
        default_model: DEFAULT_MODEL, or None for the engine's first.
        clock: for the age of an answer.
    """

    def __init__(
        self, session: aiohttp.ClientSession, engines: Engines, default_model: str | None, clock: Clock
    ) -> None:
        self._session = session
        self._engines = engines
        self._default_model = default_model
        self._clock = clock
        self._models: tuple[ServedModel, ...] = ()
        self._states: tuple[EngineState, ...] = ()
        self._asked_at: float | None = None
        self._question: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def served(self) -> Sequence[ServedModel]:
        """Return the models served now. See the port."""
        await self._look()
        if not self._models:
            raise _why(self._states)
        return self._models

    async def default(self) -> ServedModel:
        """Return the model used where none is named. See the port."""
        served = await self.served()
        return next((model for model in served if model.id == self._default_model), served[0])

    def known(self) -> Sequence[ServedModel]:
        """Return the models as last heard of, the default one first. See the port."""
        return sorted(self._models, key=lambda model: model.id != self._default_model)

    async def engines(self) -> Sequence[EngineState]:
        """Return how each engine is, asked now. Never raises."""
        await self._asked_once()
        return self._states

    def start(self) -> None:
        """Begin to ask by itself, so that what is known is never old; nothing waits for it."""
        self._asking = asyncio.create_task(self._keep_asking())

    async def close(self) -> None:
        """Ask no more, and end a question that is under way."""
        tasks = [task for task in (self._asking, self._question) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_asking(self) -> None:
        while True:
            await self._asked_once()
            await asyncio.sleep(FRESH_S)

    async def _asked_once(self) -> None:
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
        await asyncio.shield(self._question)

    async def _look(self) -> None:
        age = None if self._asked_at is None else self._clock.monotonic() - self._asked_at
        if age is not None and age < FRESH_S and self._models:
            return
        # A known answer serves while it is asked again: the first token does not wait for a list of models.
        if not self._models:
            await self._asked_once()
        elif self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        found = await asyncio.gather(*(self._ask_one(engine) for engine in self._engines.all))
        models: dict[str, ServedModel] = {}
        for _, served in found:
            for model in served:
                models.setdefault(model.id, model)
        self._models = tuple(models.values())
        self._states = tuple(state for state, _ in found)
        self._asked_at = self._clock.monotonic()

    async def _ask_one(self, engine: Engine) -> tuple[EngineState, tuple[ServedModel, ...]]:
        served: tuple[ServedModel, ...] = ()
        status, is_well = await asyncio.gather(self._status(engine), self._is_well(engine))
        if isinstance(status, bytes):
            try:
                served = tuple(
                    ServedModel(card.id, card.max_model_len, card.root) for card in _decode(status).data
                )
                word = "ready" if is_well else "failed"
            except (msgspec.DecodeError, UnicodeDecodeError):
                word = "failed"
        else:
            word = status
        engine.models = {model.id: model.root for model in served}
        return EngineState(engine.base, word, tuple(model.id for model in served)), served

    async def _is_well(self, engine: Engine) -> bool:
        """Return whether it does not say of itself that it is out of order: the list of models it gives even then."""
        timeout = aiohttp.ClientTimeout(total=ASK_TIMEOUT_S)
        try:
            async with self._session.get(
                f"{engine.root}/health", timeout=timeout, allow_redirects=False
            ) as reply:
                return reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return True  # no word against it; whether it answers at all the list of models tells

    async def _status(self, engine: Engine) -> bytes | str:
        """Return the body of `/models`, or the word for why there is none."""
        timeout = aiohttp.ClientTimeout(total=ASK_TIMEOUT_S)
        try:
            async with self._session.get(
                f"{engine.base}/models", timeout=timeout, allow_redirects=False
            ) as reply:
                if reply.status == HTTPStatus.OK:
                    return await reply.content.read(MAX_BODY_BYTES)
                return (
                    "unauthorized"
                    if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
                    else "failed"
                )
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError):
            return "unreachable"


def _why(states: Sequence[EngineState]) -> EngineUnreachable:
    if any(state.status == "unauthorized" for state in states):
        return EngineUnreachable(
            "engine_unavailable",
            "The engine refuses the key of this server: check VLLM_API_KEY.",
            retry_after_s=5,
        )
    return unreachable()
