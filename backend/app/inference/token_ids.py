"""Tokens of the marks around a thought, asked of the engine's own tokeniser.

Asks for no answer.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from app.inference.engines import Engines
from app.inference.openai_chunks import QWEN_CLOSE_THOUGHT_ID

TIMEOUT_S = 2.0
MAX_REPLY_BYTES = 64 * 1024
MARK, END_OF_THOUGHT = "</think>", "</think>\n\n"  # as the templates of thinking models write it
QWEN_TURN_ID, QWEN_GAP_ID = 151644, 271  # `<|im_start|>` and two line breaks


class _Tokens(msgspec.Struct):
    tokens: list[int]


class EngineTokenizer:
    """Asks the engines that serve a model; implements `ports.Tokenizer`."""

    def __init__(self, session: aiohttp.ClientSession, engines: Engines) -> None:
        self._session = session
        self._engines = engines
        self._known: dict[str, tuple[int, ...]] = {}

    async def closed_thought(self, model: str, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the tokens that end a thought. See the port."""
        if model not in self._known:
            mark = await self._tokens(model, MARK)
            if len(mark) != 1:
                # no such door, or letters that would end no thought; every Qwen3 has the same tokens
                return (QWEN_CLOSE_THOUGHT_ID, QWEN_GAP_ID) if QWEN_TURN_ID in prompt_ids else ()
            self._known[model] = await self._tokens(model, END_OF_THOUGHT) or mark
        return self._known[model]

    async def _tokens(self, model: str, text: str) -> tuple[int, ...]:
        body: dict[str, Any] = {"model": model, "prompt": text, "add_special_tokens": False}
        for engine in self._engines.serving(model):
            try:
                async with self._session.post(
                    f"{engine.root}/tokenize",
                    json=body,
                    timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                    allow_redirects=False,
                ) as reply:
                    if reply.status == HTTPStatus.OK:
                        found = msgspec.json.decode(await reply.content.read(MAX_REPLY_BYTES), type=_Tokens)
                        return tuple(found.tokens)
            except (TimeoutError, aiohttp.ClientError, OSError, msgspec.DecodeError):
                continue
        return ()
