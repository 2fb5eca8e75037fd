"""HTTP connections that wait for their client, but not for ever: half a request takes nobody's place.

Knows no route. How much a body may hold is the door's business, how long an answer takes the services'.
"""

import asyncio
from typing import Literal

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_WITHIN_S = 30.0  # for the whole head of a request, and for each further piece of its body


class PatientHttp(HttpToolsProtocol):
    """Closes a connection whose request does not come on. One whose requests come whole costs it no timer each."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._coming: Literal["head", "body", "whole"] = "head"
        self._waiting: asyncio.TimerHandle | None = None
        self._wait()

    @property
    def waits(self) -> bool:
        """Whether it waits for more of a request."""
        return self._waiting is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait on as far as the request has not come: for its head no longer than before, for its body anew."""
        super().data_received(data)
        if self._coming != "head":
            self._wait_no_more()
        if self._coming != "whole" and self._waiting is None and not self.transport.is_closing():
            self._wait()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket."""
        self._coming = "whole"
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._coming = "head"
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that its head is there."""
        self._coming = "body"
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that it is there."""
        self._coming = "whole"
        super().on_message_complete()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(REQUEST_WITHIN_S, self._give_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self.flow.read_paused:  # it is we who do not read
            self._wait()
        elif not self.transport.is_closing():
            self.transport.close()
