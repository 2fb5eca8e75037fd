"""The body of a generation request, built field by field from an allow-list: pure.

Nothing a client sends reaches an engine but through here (the OpenAI gateway has a list of its own).
"""

from collections.abc import Callable
from typing import Any

from app.ports import AnswerSoFar, Generation

BUDGET = "thinking_token_budget"
PLAIN_SAMPLING = frozenset(
    {"temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "stop", "response_format"}
)
VLLM_SAMPLING = PLAIN_SAMPLING | {"top_k", "min_p", "repetition_penalty", BUDGET}


def chat_body(generation: Generation, *, plain: bool, inert: Callable[[str], str]) -> dict[str, Any]:
    """Return the body for /chat/completions.

    Args:
        generation: what is asked for.
        plain: leave out what only vLLM knows.
        inert: makes control tokens in people's text harmless.
    """
    body: dict[str, Any] = {
        "model": generation.model,
        "messages": [{"role": role, "content": inert(content)} for role, content in generation.turns],
        **_common(generation, plain=plain),
    }
    if generation.begun is not None:
        body["messages"].append(_begun(generation.begun, inert))
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    if not plain and generation.thinking is not None:
        body["chat_template_kwargs"] = {"enable_thinking": generation.thinking}
    return body


def _begun(begun: AnswerSoFar, inert: Callable[[str], str]) -> dict[str, str]:
    """Return the answer so far as a message. An open thought can only be told as the text a template would write."""
    reasoning, content = inert(begun.reasoning), inert(begun.content)
    if begun.content:
        # a template that knows of thoughts writes them itself
        return {"role": "assistant", "content": content} | ({"reasoning": reasoning} if reasoning else {})
    end = "\n</think>\n\n" if begun.closed else ""
    return {"role": "assistant", "content": f"<think>\n{reasoning}{end}"}


def completion_body(generation: Generation) -> dict[str, Any]:
    """Return the body for /completions, which goes on from exactly these tokens.

    Always carries `max_tokens`: the endpoint's own default is 16.
    """
    return {
        "model": generation.model,
        "prompt": list(generation.prompt_token_ids or ()),
        **_common(generation, plain=False),
    }


def _common(generation: Generation, *, plain: bool) -> dict[str, Any]:
    known = PLAIN_SAMPLING if plain else VLLM_SAMPLING
    body: dict[str, Any] = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": generation.max_tokens,
        **{name: value for name, value in generation.sampling.items() if name in known},
    }
    if not plain:
        body["return_token_ids"] = True
        if "stop" in generation.sampling:
            body["include_stop_str_in_output"] = True  # see `stop_strings`
    return body
