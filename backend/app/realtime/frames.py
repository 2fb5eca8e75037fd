"""What may come up a Socket.IO connection: small text frames of the four kinds a client has to send, not too many.

Stands before engine.io, which answers nonsense with tracebacks. Knows no event.
"""

import json
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.realtime.event_rate import EventRate
from app.realtime.refusals import problem

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# close; pong; message: connect, disconnect, event, ack. Binary packets (5 and 6) announce attachments without limit.
ALLOWED = re.compile(r"1|3|4[0-3]")
EVENT_WITH_ACK = re.compile(r"42(\d{1,10})\[")
MAX_FRAME_CHARS = 131_072
MAX_STRIKES = 5  # events over the rate that are answered with a refusal, before the connection is closed
RATE_PER_S, BURST = 20, 40


class FrameFilter:
    """Ends a connection that sends what no client sends, and slows one that sends too much."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a connection through the filter."""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        rate = EventRate(RATE_PER_S, BURST, time.monotonic)
        strikes = 0

        async def filtered() -> Message:
            nonlocal strikes
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                text = message.get("text")
                if text is None or len(text) > MAX_FRAME_CHARS or not ALLOWED.match(text):
                    return {"type": "websocket.disconnect", "code": 1008}
                if rate.take():
                    return message
                strikes += 1
                if strikes > MAX_STRIKES:
                    return {"type": "websocket.disconnect", "code": 1008}
                await _refuse(text, send)

        await self._app(scope, filtered, send)


async def _refuse(text: str, send: Send) -> None:
    asked = EVENT_WITH_ACK.match(text)
    if asked is None:
        return
    error = problem(429, "too_many_requests", "Too many events on this connection. Slow down.")
    reply = json.dumps([{"ok": False, "error": error}], separators=(",", ":"))
    await send({"type": "websocket.send", "bytes": None, "text": f"43{asked.group(1)}{reply}"})
