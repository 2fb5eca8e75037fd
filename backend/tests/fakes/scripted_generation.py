"""One request to the scripted engine, from its body to its answer: which script, which tokens, refused, streamed or whole.

Keeps nothing: what was asked and planned is the engine's.
"""

import asyncio
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from .answers import Answer, tokens_of
from .received import Received, Script
from .scripted_stream import Broken, StreamWriter
from .vllm_bytes import (
    DONE,
    ChunkShape,
    context_error,
    max_tokens_error,
    model_error,
    whole_chat,
    whole_completion,
)
from .vocabulary import CLOSE_THOUGHT, Planned

if TYPE_CHECKING:
    from .scripted_vllm import ScriptedVllm

CREATED = 1_795_227_569
SHOWN_RATE = 50.0  # tokens per second in the figures


class Generation:
    """Answers one request."""

    def __init__(self, engine: "ScriptedVllm", received: Received) -> None:
        self._engine = engine
        self._received = received

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer it as its script says."""
        received = self._received
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
            with_ids=self._engine.gives_ids and bool(body.get("return_token_ids")),
            with_usage=bool(options.get("include_usage")),
        )
        limit = body.get("max_tokens") or body.get("max_completion_tokens") or (16 if completion else 4096)
        if body.get("stream"):
            return await self._stream(request, script, shape, prompt, plan, limit)
        return await self._whole(script, shape, prompt, plan, limit)

    async def _stream(
        self,
        request: web.Request,
        script: Script,
        shape: ChunkShape,
        prompt: list[int],
        plan: Iterator[Planned],
        limit: int,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        writer = StreamWriter(response, request, self._received, script)
        if script.answer.raw is not None:
            await writer.write(script.answer.raw)
            if script.answer.end == "hang":
                await asyncio.Event().wait()
            return response
        counted = _Counter(plan)
        try:
            await writer.tokens(shape, counted, prompt, limit)
        except Broken:
            self._engine.end(self._received, "broken", "error")
            return response
        if shape.with_usage:
            await writer.write(shape.usage(*self._figures(prompt, counted)))
        if script.answer.end != "no_done":
            await writer.write(DONE)
        return response

    async def _whole(
        self,
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
        self._received.sent_tokens = len(tokens)
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
        for script in self._engine.scripts:
            if script.left == 0 or (script.answer.match is not None and script.answer.match not in last):
                continue
            if script.left is not None:
                script.left -= 1
            return script
        return Script(id=0, answer=self._engine.fresh(number), left=None)

    def _plan(self, body: dict[str, Any], answer: Answer) -> tuple[list[int], Iterator[Planned]]:
        prompt = body.get("prompt")
        if isinstance(prompt, list):
            rest = self._engine.plans.rest(prompt)
            if rest is not None:
                self._received.prompt_ids, self._received.planned = prompt, rest
                return prompt, iter(rest)
        kwargs = body.get("chat_template_kwargs") or {}
        thinking = kwargs.get("enable_thinking") is not False
        if prompt is None:
            prompt = self._engine.vocabulary.prompt(body["messages"], thinking=thinking)
        elif isinstance(prompt, str):
            prompt = self._engine.vocabulary.ids(prompt)
        tokens = answer.plan(thinking=thinking)
        planned = (
            (channel, text, CLOSE_THOUGHT if channel == "mark" else self._engine.vocabulary.id(text))
            for channel, text in tokens
        )
        if answer.endless:
            return prompt, planned
        whole = list(planned)
        self._engine.plans.keep(prompt, whole)
        self._received.prompt_ids, self._received.planned = prompt, whole
        return prompt, iter(whole)

    def _refusal(self, body: dict[str, Any]) -> web.Response | None:
        if body.get("model") not in self._engine.models:
            return web.json_response(model_error(str(body.get("model")), self._engine.models), status=404)
        own = body.keys() & {
            "return_token_ids",
            "chat_template_kwargs",
            "top_k",
            "min_p",
            "repetition_penalty",
        }
        if self._engine.is_plain and own:
            message = f"Unrecognized request argument supplied: {min(own)}"
            return web.json_response(
                {"error": {"message": message, "type": "invalid_request_error"}}, status=400
            )
        limit = body.get("max_tokens")
        if limit is not None and limit > self._engine.max_model_len:
            return web.json_response(max_tokens_error(self._engine.max_model_len, limit), status=400)
        words = " ".join(str(message.get("content", "")) for message in body.get("messages", []))
        count = len(tokens_of(words)) if len(words) > self._engine.max_model_len else 0
        if count > self._engine.max_model_len:
            return web.json_response(context_error(self._engine.max_model_len, count), status=400)
        return None

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
            "generation_time_ms": counted.all * 1000 / SHOWN_RATE,
            "queue_time_ms": 0.2,
            "mean_itl_ms": 1000 / SHOWN_RATE,
            "tokens_per_second": SHOWN_RATE,
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
