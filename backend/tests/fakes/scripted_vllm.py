"""The one fake of the project: a model server that speaks vLLM 0.32's bytes and follows a script.

In a test: `async with ScriptedVllm() as engine: engine.script(Answer(content="Hi", gated=True))`.
As a process: `python backend/tests/fakes/scripted_vllm.py --port 8000`, scripted over `/scripted/…`.
Without a script it gives a pleasant Markdown answer, another one for every request.
"""

import argparse
import asyncio
import contextlib
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from aiohttp import web

if __package__ in (None, ""):  # run as a file: its folder stands for the package
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    __package__ = "tests.fakes"

from .answers import Answer, default_answer, tokens_of
from .received import Received, Script
from .scripted_control import control_routes
from .scripted_stream import Broken, StreamWriter
from .vllm_bytes import (
    DONE,
    ChunkShape,
    context_error,
    max_tokens_error,
    metrics_text,
    model_card,
    model_error,
    whole_chat,
    whole_completion,
)
from .vocabulary import CLOSE_THOUGHT, Planned, Plans, Vocabulary

DEFAULT_MODEL = "scripted"
DEFAULT_MAX_MODEL_LEN = 32_768
DEFAULT_RATE = 50.0  # tokens per second of an answer without a script
REASONS = ("stop", "length", "abort", "error", "repetition")
CREATED = 1_795_227_569


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
        self.metrics_frozen = False
        self.healthy = True
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
        return web.Response(status=200 if self.healthy else 503)

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
        gauges = {"num_requests_running": running, "num_requests_waiting": 0, "kv_cache_usage_perc": 0}
        finished = {reason: 0 if self.metrics_frozen else self.finished[reason] for reason in REASONS}
        return web.Response(text=metrics_text(self.models[0], gauges, finished))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        received = Received(
            next(self._numbers), request.path, body, dict(request.headers), asyncio.get_running_loop().time()
        )
        self.received.append(received)
        time = asyncio.get_running_loop().time
        try:
            response = await self._respond(request, received)
        except asyncio.CancelledError:
            self._end(received, "hung_up", "abort", time())
            raise
        except ConnectionError:
            self._end(received, "hung_up", "abort", time())
            raise
        self._end(received, "finished", "stop", time())
        return response

    def _end(self, received: Received, state: Any, reason: str, at: float) -> None:
        if received.state == "running":
            self.finished[reason] += 1
        received.end(state, at)

    async def _respond(self, request: web.Request, received: Received) -> web.StreamResponse:
        if (refusal := self._unauthorized(request)) is not None:
            return refusal
        body = received.body
        if (refusal := self._refusal(body)) is not None:
            return refusal
        script = received.script = self._script_for(body, received.number)
        answer = script.answer
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.status != 200:
            value = {
                "error": {
                    "message": "scripted",
                    "type": "InternalServerError",
                    "param": None,
                    "code": answer.status,
                }
            }
            return web.json_response(
                answer.body if answer.body is not None else value,
                status=answer.status,
                headers=answer.headers,
            )
        prompt, plan = self._plan(body, answer)
        completion = received.path.endswith("/v1/completions")
        options = body.get("stream_options") or {}
        shape = ChunkShape(
            request_id=f"{'cmpl' if completion else 'chatcmpl'}-{received.number:016x}",
            created=CREATED,
            model=body["model"],
            completion=completion,
            with_ids=bool(body.get("return_token_ids")),
            with_usage=bool(options.get("include_usage")),
        )
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or (16 if completion else 4096)
        if body.get("stream"):
            return await self._stream(request, received, script, shape, prompt, plan, limit)
        return await self._whole(received, script, shape, prompt, plan, limit)

    async def _stream(
        self,
        request: web.Request,
        received: Received,
        script: Script,
        shape: ChunkShape,
        prompt: list[int],
        plan: Iterator[Planned],
        limit: int,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        writer = StreamWriter(response, request, received, script)
        if script.answer.raw is not None:
            await writer.write(script.answer.raw)
            if script.answer.end == "hang":
                await asyncio.Event().wait()
            return response
        counted = _Counter(plan)
        try:
            await writer.tokens(shape, counted, prompt, limit)
        except Broken:
            self._end(received, "broken", "error", asyncio.get_running_loop().time())
            return response
        if shape.with_usage:
            await writer.write(shape.usage(*self._figures(prompt, counted)))
        if script.answer.end != "no_done":
            await writer.write(DONE)
        return response

    async def _whole(
        self,
        received: Received,
        script: Script,
        shape: ChunkShape,
        prompt: list[int],
        plan: Iterator[Planned],
        limit: int,
    ) -> web.Response:
        counted = _Counter(plan)
        tokens = list(itertools.islice(counted, limit))
        for number in range(len(tokens)):
            if script.answer.gated:
                await script.passed(number)
        received.sent_tokens = len(tokens)
        more = next(counted, None) is not None
        usage, metrics = self._figures(prompt, counted)
        shared = {
            "finish_reason": "length" if more else script.answer.finish_reason,
            "token_ids": [token for _, _, token in tokens] if shape.with_ids else None,
            "usage": usage,
            "metrics": metrics,
        }
        texts = {
            name: "".join(text for channel, text, _ in tokens if channel == name)
            for name in ("content", "reasoning")
        }
        if shape.completion:
            return web.json_response(whole_completion(shape, texts["reasoning"] + texts["content"], **shared))
        return web.json_response(
            whole_chat(shape, texts["content"] or None, texts["reasoning"] or None, **shared)
        )

    # --- what is answered ---

    def _script_for(self, body: dict[str, Any], number: int) -> Script:
        messages = body.get("messages") or [{"content": ""}]
        last = str(messages[-1].get("content", ""))
        for script in self.scripts:
            if script.left == 0 or (script.answer.match is not None and script.answer.match not in last):
                continue
            if script.left is not None:
                script.left -= 1
            return script
        return Script(id=0, answer=default_answer(number, self.rate), left=None)

    def _plan(self, body: dict[str, Any], answer: Answer) -> tuple[list[int], Iterator[Planned]]:
        prompt = body.get("prompt")
        if isinstance(prompt, list):
            rest = self.plans.rest(prompt)
            if rest is not None:
                return prompt, iter(rest)
        kwargs = body.get("chat_template_kwargs") or {}
        thinking = kwargs.get("enable_thinking") is not False
        if prompt is None:
            prompt = self.vocabulary.prompt(body["messages"], thinking=thinking)
        elif isinstance(prompt, str):
            prompt = self.vocabulary.ids(prompt)
        tokens = answer.plan(thinking=thinking)
        planned = (
            (channel, text, CLOSE_THOUGHT if channel == "mark" else self.vocabulary.id(text))
            for channel, text in tokens
        )
        if answer.endless:
            return prompt, planned
        whole = list(planned)
        self.plans.keep(prompt, whole)
        return prompt, iter(whole)

    def _refusal(self, body: dict[str, Any]) -> web.Response | None:
        if body.get("model") not in self.models:
            return web.json_response(model_error(str(body.get("model")), self.models), status=404)
        own = body.keys() & {
            "return_token_ids",
            "chat_template_kwargs",
            "top_k",
            "min_p",
            "repetition_penalty",
        }
        if self.is_plain and own:
            message = f"Unrecognized request argument supplied: {min(own)}"
            return web.json_response(
                {"error": {"message": message, "type": "invalid_request_error"}}, status=400
            )
        limit = body.get("max_tokens")
        if limit is not None and limit > self.max_model_len:
            return web.json_response(max_tokens_error(self.max_model_len, limit), status=400)
        words = " ".join(str(message.get("content", "")) for message in body.get("messages", []))
        count = len(tokens_of(words)) if len(words) > self.max_model_len else 0
        if count > self.max_model_len:
            return web.json_response(context_error(self.max_model_len, count), status=400)
        return None

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        if self.api_key is None or request.headers.get("Authorization") == f"Bearer {self.api_key}":
            return None
        return web.json_response({"error": "Unauthorized"}, status=401)

    def _figures(self, prompt: list[int], counted: "_Counter") -> tuple[dict[str, Any], dict[str, Any]]:
        usage = {
            "prompt_tokens": len(prompt),
            "total_tokens": len(prompt) + counted.all,
            "completion_tokens": counted.all,
            "prompt_tokens_details": {"cached_tokens": len(prompt) // 16 * 16},
            "completion_tokens_details": {"reasoning_tokens": counted.reasoning},
        }
        metrics = {
            "time_to_first_token_ms": 41.0,
            "generation_time_ms": counted.all * 1000 / DEFAULT_RATE,
            "queue_time_ms": 0.2,
            "mean_itl_ms": 1000 / DEFAULT_RATE,
            "tokens_per_second": DEFAULT_RATE,
        }
        return usage, metrics


class _Counter:
    """Counts the tokens that are taken from a plan."""

    def __init__(self, plan: Iterator[Planned]) -> None:
        self._plan = plan
        self.all = 0
        self.reasoning = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Planned:
        token = next(self._plan)
        self.all += 1
        self.reasoning += token[0] == "reasoning"
        return token


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
