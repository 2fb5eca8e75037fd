"""The one fake of the project: a model server that speaks vLLM 0.32's bytes and follows a script.

In a test: `async with ScriptedVllm() as engine: engine.script(Answer(content="Hi", gated=True))`.
As a process: `python backend/tests/fakes/scripted_vllm.py --port 8000`, scripted over `/scripted/…`.
Without a script it gives a pleasant Markdown answer, another one for every request.
"""

import argparse
import asyncio
import bisect
import contextlib
import itertools
import sys
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

if __package__ in (None, ""):  # run as a file: its folder stands for the package
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    __package__ = "tests.fakes"

from .answers import Answer, default_answer
from .received import Received, Script, State
from .scripted_control import control_routes
from .scripted_generation import CREATED, SHOWN_RATE, Generation
from .vllm_bytes import metrics_text, model_card
from .vocabulary import Plans, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_MODEL = "scripted"
DEFAULT_MAX_MODEL_LEN = 32_768
DEFAULT_RATE = SHOWN_RATE  # tokens per second of an answer without a script
REASONS = ("stop", "length", "abort", "error", "repetition")


class ScriptedVllm:
    """A scripted engine on a loopback port. Use as an async context manager, or `start` and `stop`."""

    def __init__(
        self,
        *,
        model: str = DEFAULT_MODEL,
        max_model_len: int = DEFAULT_MAX_MODEL_LEN,
        api_key: str | None = None,
        port: int = 0,
    ) -> None:
        self.models = [model]
        self.max_model_len = max_model_len
        self.api_key = api_key
        self.port = port
        self.rate: float | None = DEFAULT_RATE
        self.is_plain = False  # an OpenAI-compatible server that knows none of vLLM's own fields
        self.gives_ids = True  # older vLLMs know no return_token_ids, and do not mind being asked
        self.metrics_frozen = False
        self.frozen_running: int | None = None  # what the metrics then say for ever
        self.healthy = True
        self.ill_after_refusal = 0  # how often it then says of itself that it is not well, whoever asks
        self._ill = 0
        self.health_asked = 0
        self.fresh: Callable[[int], Answer] = lambda number: default_answer(
            number, self.rate
        )  # without a script
        self.reset()
        self._runner: web.AppRunner | None = None

    # --- for tests ---

    @property
    def url(self) -> str:
        """The OpenAI base."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, answer: Answer) -> Script:
        """Put an answer in line for the next request that it matches."""
        script = Script(id=next(self._script_ids), answer=answer, left=answer.times)
        self.scripts.append(script)
        return script

    def reset(self) -> None:
        """Forget scripts and requests; streams that run go on."""
        self.scripts: list[Script] = []
        self.received: list[Received] = []
        self.finished: Counter[str] = Counter()
        self.vocabulary = Vocabulary()
        self.plans = Plans()
        self._script_ids = itertools.count(1)
        self._numbers = itertools.count(1)

    @property
    def running(self) -> list[Received]:
        """The requests that are being answered."""
        return [received for received in self.received if received.state == "running"]

    async def start(self) -> None:
        """Listen; on the same port as before when it was started once."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/version", self._version),
                web.get("/metrics", self._metrics),
                web.get("/v1/models", self._models),
                web.post("/tokenize", self._tokenize),
                web.post("/v1/chat/completions", self._answer),
                web.post("/v1/completions", self._answer),
                *control_routes(self),
            ]
        )
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and every connection, as when the process ends."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- the endpoints ---

    async def _health(self, _: web.Request) -> web.Response:
        self.health_asked += 1
        is_well, self._ill = self.healthy and not self._ill, max(0, self._ill - 1)
        return web.Response(status=200 if is_well else 503)

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "0.32.0"})

    async def _models(self, request: web.Request) -> web.Response:
        if (refusal := self._unauthorized(request)) is not None:
            return refusal
        cards = [model_card(name, self.max_model_len, CREATED) for name in self.models]
        return web.json_response({"object": "list", "data": cards})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        text = body.get("prompt")
        if text is None:
            ids = self.vocabulary.prompt(body["messages"], thinking=True)
        else:
            ids = self.vocabulary.ids(text)
        return web.json_response(
            {"count": len(ids), "max_model_len": self.max_model_len, "tokens": ids, "token_strs": None}
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        running = 0 if self.metrics_frozen else len(self.running)
        running = running if self.frozen_running is None else self.frozen_running
        gauges = {"num_requests_running": running, "num_requests_waiting": 0, "kv_cache_usage_perc": 0}
        finished = {reason: 0 if self.metrics_frozen else self.finished[reason] for reason in REASONS}
        return web.Response(text=metrics_text(self.models[0], gauges, finished))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        # in the order they were made: a body that a cut connection held back may come after that of the next request
        number = next(self._numbers)
        body = await request.json()
        received = Received(
            number, request.path, body, dict(request.headers), asyncio.get_running_loop().time()
        )
        bisect.insort(self.received, received, key=lambda one: one.number)
        try:
            if (refusal := self._unauthorized(request)) is not None:
                return refusal
            response = await Generation(self, received).respond(request)
            if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._ill = self.ill_after_refusal
        except (asyncio.CancelledError, ConnectionError):
            self.end(received, "hung_up", "abort")
            raise
        finally:
            self.end(received, "finished", "stop")
        return response

    def end(self, received: Received, state: State, reason: str) -> None:
        """Note how a request ended and count it; the first word counts."""
        if received.state == "running":
            self.finished[reason] += 1
        received.end(state, asyncio.get_running_loop().time())

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        if self.api_key is None or request.headers.get("Authorization") == f"Bearer {self.api_key}":
            return None
        return web.json_response({"error": "Unauthorized"}, status=401)


async def _serve(arguments: argparse.Namespace) -> None:
    engine = ScriptedVllm(
        model=arguments.model,
        max_model_len=arguments.max_model_len,
        api_key=arguments.api_key,
        port=arguments.port,
    )
    engine.rate = arguments.rate
    async with engine:
        print(f"scripted engine: {engine.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until the process is ended; the first line printed names the address."""
    parser = argparse.ArgumentParser(description="A model server that follows a script, in vLLM's bytes.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--max-model-len", type=int, default=DEFAULT_MAX_MODEL_LEN)
    parser.add_argument("--api-key")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="tokens per second without a script")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
