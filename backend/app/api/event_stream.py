"""Events of a run as Server-Sent Events: one block an event, comments while it is quiet.

Which events there are is the services' business.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from fastapi.responses import StreamingResponse

from app.schemas.numbered import Numbered, to_json

KEEP_ALIVE_S = 15.0  # shorter than any proxy's idle limit
COMMENT = b": keep-alive\n\n"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def block(event: Numbered) -> bytes:
    """Return one event as it goes on the wire."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), to_json(event))


async def blocks(
    events: AsyncGenerator[Sequence[Numbered], None],
    *,
    keep_alive_s: float = KEEP_ALIVE_S,
    on_leave: Callable[[], None] | None = None,
) -> AsyncIterator[bytes]:
    """Give the bytes of the events, and a comment whenever nothing came for a while.

    `on_leave` is called when the reader goes, be it before the end or after.
    """
    try:
        async with aclosing(events):
            coming = asyncio.ensure_future(anext(events, None))
            try:
                while True:
                    await asyncio.wait({coming}, timeout=keep_alive_s)
                    if not coming.done():
                        yield COMMENT
                        continue
                    batch = coming.result()
                    if batch is None:
                        return
                    yield b"".join(map(block, batch))
                    coming = asyncio.ensure_future(anext(events, None))
            finally:
                coming.cancel()
                await asyncio.wait({coming})
    finally:
        if on_leave is not None:
            on_leave()


def event_stream(stream: AsyncIterator[bytes]) -> StreamingResponse:
    """Return the reply that streams these bytes."""
    return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)
