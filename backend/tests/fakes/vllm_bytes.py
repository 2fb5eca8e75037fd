"""The bytes of vLLM 0.32: chunks of both endpoints, errors, models and metrics, in its order of fields.

Knows nothing of scripts or sockets.
"""

import json
from dataclasses import dataclass
from typing import Any

FINGERPRINT = "vllm-0.32.0-scripted"
DONE = b"data: [DONE]\n\n"


def dump(value: Any) -> str:
    """Return JSON as pydantic writes it: no spaces, text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def event(value: Any) -> bytes:
    """Return one server-sent event."""
    return b"data: " + dump(value).encode() + b"\n\n"


def error_body(message: str, type_: str, param: str | None, code: int) -> dict[str, Any]:
    """Return an error as vLLM shapes it."""
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def context_error(limit: int, prompt_tokens: int) -> dict[str, Any]:
    """Return the refusal of a prompt that does not fit."""
    return error_body(
        f"This model's maximum context length is {limit} tokens. However, your prompt contains at least "
        f"{prompt_tokens} input tokens, which exceeds this limit even without any output tokens. Please reduce "
        f"the length of the input prompt. (parameter=input_tokens, value={prompt_tokens})",
        "BadRequestError",
        "input_tokens",
        400,
    )


def max_tokens_error(limit: int, max_tokens: int) -> dict[str, Any]:
    """Return the refusal of a max_tokens above the model's length."""
    return error_body(
        f"max_tokens={max_tokens} cannot be greater than max_model_len={limit}. Please request fewer output "
        f"tokens. (parameter=max_tokens, value={max_tokens})",
        "BadRequestError",
        "max_tokens",
        400,
    )


def model_error(name: str, served: list[str]) -> dict[str, Any]:
    """Return the refusal of an unknown model."""
    message = f"The model `{name}` does not exist. Valid aliases: {', '.join(served)}."
    return error_body(message, "NotFoundError", "model", 404)


def model_card(name: str, max_model_len: int, created: int) -> dict[str, Any]:
    """Return one entry of /v1/models."""
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "vllm",
        "root": name,
        "parent": None,
        "max_model_len": max_model_len,
        "permission": [],
    }


@dataclass(frozen=True)
class ChunkShape:
    """The chunks of one streamed answer, of either endpoint."""

    request_id: str
    created: int
    model: str
    completion: bool
    with_ids: bool
    with_usage: bool

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        kind = "text_completion" if self.completion else "chat.completion.chunk"
        head = {"id": self.request_id, "object": kind, "created": self.created, "model": self.model}
        return event({**head, "choices": choices, **more})

    def role(self, prompt_ids: list[int]) -> bytes:
        """Return the first chunk of a chat answer."""
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": ""},
            "logprobs": None,
            "finish_reason": None,
        }
        return self._chunk([choice], prompt_token_ids=prompt_ids if self.with_ids else None, prompt_text=None)

    def delta(
        self,
        delta: dict[str, str],
        token_ids: list[int],
        *,
        finish_reason: str | None = None,
        stop_reason: str | None = None,
        prompt_ids: list[int] | None = None,
    ) -> bytes:
        """Return one step; with `finish_reason` the last. A completion's text is in `delta["text"]`."""
        ids = token_ids if self.with_ids else None
        choice: dict[str, Any] = {"index": 0}
        choice |= {"text": delta.get("text", "")} if self.completion else {"delta": delta}
        choice |= {"logprobs": None, "finish_reason": finish_reason}
        if self.completion:
            shown = prompt_ids if self.with_ids else None
            choice |= {"stop_reason": stop_reason, "prompt_token_ids": shown, "token_ids": ids}
        else:
            choice |= {"stop_reason": stop_reason} if finish_reason else {}
            choice["token_ids"] = ids
        last = finish_reason is not None and not self.with_usage
        return self._chunk([choice], **({"system_fingerprint": FINGERPRINT} if last else {}))

    def usage(self, usage: dict[str, Any], metrics: dict[str, Any]) -> bytes:
        """Return the chunk without choices that closes an answer asked for with include_usage."""
        return self._chunk([], usage=usage, system_fingerprint=FINGERPRINT, metrics=metrics)


def whole_chat(shape: ChunkShape, content: str | None, reasoning: str | None, **more: Any) -> dict[str, Any]:
    """Return a chat answer that is not streamed; `more` holds finish_reason, usage, metrics and ids."""
    message = {"role": "assistant", "content": content, "refusal": None, "reasoning": reasoning}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": more["finish_reason"],
        "stop_reason": None,
        "token_ids": more["token_ids"],
    }
    return _whole(shape, "chat.completion", choice, more)


def whole_completion(shape: ChunkShape, text: str, **more: Any) -> dict[str, Any]:
    """Return a text completion that is not streamed."""
    choice = {
        "index": 0,
        "text": text,
        "logprobs": None,
        "finish_reason": more["finish_reason"],
        "stop_reason": None,
        "token_ids": more["token_ids"],
    }
    return _whole(shape, "text_completion", choice, more)


def _whole(shape: ChunkShape, kind: str, choice: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": shape.request_id,
        "object": kind,
        "created": shape.created,
        "model": shape.model,
        "choices": [choice],
        "usage": more["usage"],
        "system_fingerprint": FINGERPRINT,
        "metrics": more["metrics"],
    }


def metrics_text(model: str, gauges: dict[str, float], finished: dict[str, int]) -> str:
    """Return the part of vLLM's Prometheus page that matters here."""
    labels = f'engine="0",model_name="{model}"'
    lines = [f"vllm:{name}{{{labels}}} {float(value)}" for name, value in gauges.items()]
    lines += [
        f'vllm:request_success_total{{engine="0",finished_reason="{reason}",model_name="{model}"}} {float(count)}'
        for reason, count in finished.items()
    ]
    return "\n".join(lines) + "\n"
