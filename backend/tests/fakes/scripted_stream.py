"""Writing one answer of the scripted engine, token by token, in vLLM's bytes.

Which answer it is has been decided before.
"""

import asyncio
import itertools
import socket
import struct
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from .received import Received, Script
from .vllm_bytes import DONE, ChunkShape, error_body, event
from .vocabulary import TURN_END, Planned

HANG_S = 3600.0


class Broken(Exception):
    """The script ends the stream here."""


def delta_of(channel: str, text: str, thinking_as: str, *, completion: bool, first: bool) -> dict[str, str]:
    """Return the delta of one token, in the way this engine writes thinking."""
    if completion:
        return {"text": text}
    if thinking_as in ("tags", "unopened"):
        opening = "<think>" if channel == "reasoning" and first and thinking_as == "tags" else ""
        return {"content": opening + text}
    if channel == "mark":
        return {}
    return {thinking_as: text} if channel == "reasoning" else {"content": text}


class StreamWriter:
    """Writes one streamed answer."""

    def __init__(
        self, response: web.StreamResponse, request: web.Request, received: Received, script: Script
    ) -> None:
        self._response = response
        self._request = request
        self._received = received
        self._script = script
        self._answer = script.answer

    async def write(self, data: bytes) -> None:
        """Write bytes, in slices where the script says so."""
        size = self._answer.slice_bytes
        if size is None:
            await self._response.write(data)
            return
        for start in range(0, len(data), size):
            await self._response.write(data[start : start + size])
            await asyncio.sleep(0)

    async def tokens(self, shape: ChunkShape, plan: Iterator[Planned], prompt: list[int], limit: int) -> str:
        """Write the tokens; returns the finish reason.

        Raises:
            Broken: the script ends it before.
        """
        if not shape.completion:
            await self.write(shape.role(prompt))
        if self._answer.first_token_s:
            await asyncio.sleep(self._answer.first_token_s)
        finish = self._answer.finish_reason
        stops, written = self._received.body.get("stop") or [], ""
        for number in itertools.count():
            token = next(plan, None)
            if token is None:
                break
            if number >= limit:
                finish = "length"
                break
            await self._pace(number)
            channel, text, token_id = token
            written += text
            ends = [written.find(one) + len(one) for one in stops if one in written]
            if ends:  # as with include_stop_str_in_output: the text ends after the stop string
                text = text[: len(text) - (len(written) - min(ends))]
            await self._token(shape, (channel, text, token_id), number, prompt)
            if ends:
                finish = "stop"
                break
        if self._answer.end not in ("done", "no_done"):
            await self._break()
        # As when the last token is the end of the turn: it has an id and no text.
        delta = {"text": ""} if shape.completion else {}
        ids = [TURN_END] if finish == "stop" else []
        await self.write(shape.delta(delta, ids, finish_reason=finish, prompt_ids=prompt))
        return finish

    async def _pace(self, number: int) -> None:
        answer = self._answer
        if answer.end != "done" and answer.end_after is not None and number >= answer.end_after:
            await self._break()
        if answer.gated:
            await self._script.passed(number)
        if answer.rate is not None:
            # All streams of one rate tick together, as the running sequences of one engine step do.
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(1 / answer.rate - now % (1 / answer.rate))

    async def _token(self, shape: ChunkShape, token: Planned, number: int, prompt: list[int]) -> None:
        channel, text, token_id = token
        delta = delta_of(
            channel, text, self._answer.thinking_as, completion=shape.completion, first=number == 0
        )
        await self.write(shape.delta(delta, [token_id], prompt_ids=prompt if number == 0 else None))
        self._received.sent_tokens += 1

    async def _break(self) -> None:
        end = self._answer.end
        if end == "hang":
            await self._hang()
        if end in ("error", "error_done"):
            await self.write(event(error_body(self._answer.error, "InternalServerError", None, 500)))
            if end == "error_done":
                await self.write(DONE)
        if end == "reset":
            _reset(self._request)
        raise Broken

    async def _hang(self) -> None:
        pause = self._answer.comments_every_s
        while True:
            await asyncio.sleep(pause or HANG_S)
            if pause:
                await self.write(b": keep-alive\n\n")


def _reset(request: web.Request) -> None:
    """Close the connection with a TCP RST instead of a FIN."""
    transport = request.transport
    if transport is None:
        return
    raw: Any = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
