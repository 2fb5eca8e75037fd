"""The HTTP server of the process: its port, its limits, its signals.

Knows no route and builds nothing.
"""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import FrameType

import uvicorn
from loguru import logger
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.http11 import Request

from app.api.slow_requests import PatientHttp
from app.config import Settings
from app.errors import StartError
from app.utils.text_frames import FRAMES

WS_MAX_BYTES = 256 * 1024  # twice what a Socket.IO frame may be: larger ones are closed unread
WS_MAX_QUEUE = 16
CLOSE_WITHIN_S = 2  # for replies that are being sent when everything else has ended
KEEP_ALIVE_S = (
    75  # longer than the proxy in front keeps a connection idle, so that it never meets a closing one
)


def bind(settings: Settings) -> socket.socket:
    """Take the port, not yet listening, so that a taken one is known before anything else is done.

    Raises:
        StartError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.backend_host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((settings.backend_host, settings.backend_port))
    except OSError as error:
        bound.close()
        where = f"{settings.backend_host}:{settings.backend_port}"
        raise StartError(
            f"{where} cannot be listened on ({error.strerror}). Stop what uses it, or set BACKEND_PORT."
        ) from error
    return bound


Drain = Callable[[asyncio.Event], Awaitable[None]]
"""Bring the work to its end before connections are closed, faster once the event is set."""


async def serve(app: ASGIApp, bound: socket.socket, drain: Drain) -> None:
    """Serve until a signal says stop, then drain while still serving; a second signal makes it hurry."""
    await _Server(config(app), drain).serve(sockets=[bound])


def config(app: ASGIApp) -> uvicorn.Config:
    """Return how this application is served."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # a search's URL holds the words that were searched
        lifespan="off",
        loop="uvloop",
        http=PatientHttp,
        ws=_WebSocket,
        ws_max_size=WS_MAX_BYTES,
        ws_max_queue=WS_MAX_QUEUE,
        ws_per_message_deflate=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=CLOSE_WITHIN_S,
    )


class _WebSocket(WebSocketsSansIOProtocol):
    """Takes frames that are made already, and can be shut down at any moment.

    uvicorn's makes each frame anew for each socket, and raises when a connection that is closing is shut down.
    """

    def handle_connect(self, event: Request) -> None:
        """Let the application know that it may write frames."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            # the application starts with the next turn of the loop
            self.scope["extensions"][FRAMES] = self.write_frame  # type: ignore[assignment]

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame, or return False: not open, or the network takes no more for now."""
        if (
            not self.writable.is_set()
            or not self.handshake_complete
            or self.close_sent
            or self.disconnected
            or self.transport.is_closing()
        ):
            return False
        self.transport.write(frame)
        return True

    def shutdown(self) -> None:
        """Say that the server goes away, or just close."""
        try:
            super().shutdown()
        except InvalidState:
            self.transport.close()


class _Server(uvicorn.Server):
    """Ends normally on a signal, so that what was opened around it is closed; uvicorn would raise it again.

    Connections stay open while it drains: uvicorn alone would close every WebSocket first.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain
        self._hurry = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and only then say so: scripts wait for that line."""
        await super().startup(sockets)
        for each in sockets or []:
            host, port = each.getsockname()[:2]
            logger.info("listening on http://{}:{}", f"[{host}]" if ":" in host else host, port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; the second time, hurry."""
        if self.should_exit:
            self._hurry.set()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then close every connection."""
        if not self.force_exit:
            await self._drain(self._hurry)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM while serving, and leave the next one to end the process."""
        loop = asyncio.get_running_loop()
        for kind in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(kind, self.handle_exit, kind, None)
        try:
            yield
        finally:
            for kind in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(kind)
                signal.signal(kind, signal.SIG_DFL)
