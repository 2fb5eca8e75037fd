"""One answer of an engine, from its socket to pieces of text: one batch per socket read.

Asks for nothing and closes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import aiohttp

from app.errors import EngineBroken, EngineError
from app.inference.deadline import Deadline
from app.inference.engine_errors import first_token_timeout
from app.inference.openai_chunks import ChunkDecoder
from app.inference.sse import LineTooLongError, SseParser
from app.ports import EngineItem, Finished, Piece

_SOMETHING = (Piece, Finished)


class AnswerStream:
    """One answer coming in; implements `ports.EngineStream`.

    Silence is counted from the last text: comments that keep the connection alive, and the chunk that only names
    the role, do not count.
    """

    def __init__(
        self, response: aiohttp.ClientResponse, decoder: ChunkDecoder, deadline: float, idle_s: float
    ) -> None:
        self._content = response.content
        self._decoder = decoder
        self._parser = SseParser()
        self._deadline = Deadline(deadline, self._fall_silent)
        self._idle_s = idle_s
        self.first_at: float | None = None  # when the first text came, on the loop's clock
        self._loop = asyncio.get_running_loop()
        self._is_reading = False

    @property
    def closed_unopened(self) -> bool:
        """Whether a thought was closed that was never seen to open."""
        return self._decoder.closed_unopened

    @property
    def ended_inside(self) -> bool:
        """Whether the model came to its own end in a thought that nothing has closed."""
        return self._decoder.ended_inside

    async def __aiter__(self) -> AsyncIterator[Sequence[EngineItem]]:
        try:
            while True:
                items = await self._next_items()
                if items:
                    self._note(items)
                    yield items
                if self._decoder.failure is not None:
                    raise self._decoder.failure
                if self._decoder.is_done:
                    return
        finally:
            self._deadline.disarm()

    async def _next_items(self) -> list[EngineItem]:
        self._is_reading = True
        self._deadline.arm()
        try:
            chunk = await self._content.readany()
        except _SilentError:
            raise self._silence() from None
        except (aiohttp.ClientError, OSError):
            return self._decoder.cut()
        finally:
            self._is_reading = False
        if not chunk:
            return self._decoder.cut()
        try:
            return self._decoder.feed(self._parser.feed(chunk))
        except LineTooLongError:
            raise EngineBroken("engine_malformed", "The engine sent a line without an end.") from None

    def _note(self, items: list[EngineItem]) -> None:
        for item in items:
            if isinstance(item, _SOMETHING):
                now = self._loop.time()
                if self.first_at is None:
                    self.first_at = now
                    self._deadline.disarm()  # what is borne from now on may end before what was borne until now
                self._deadline.at = now + self._idle_s

    def _fall_silent(self) -> None:
        if self._is_reading:
            self._content.set_exception(_SilentError())

    def _silence(self) -> EngineError:
        if self.first_at is not None:
            return EngineBroken("engine_idle", f"The engine has been silent for {self._idle_s:g} seconds.")
        return first_token_timeout()


class _SilentError(Exception):
    """The deadline has passed."""
