"""The HTTP server of the process: its port, its limits, its signals.

Knows no route and builds nothing.
"""

import math
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from app.config import Settings
from app.errors import StartError

WS_MAX_BYTES = 256 * 1024  # twice what a Socket.IO frame may be: larger ones are closed unread
WS_MAX_QUEUE = 16
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


async def serve(app: ASGIApp, settings: Settings, bound: socket.socket) -> None:
    """Serve until a signal says stop; a second signal ends the process at once."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # a search's URL holds the words that were searched
        lifespan="off",
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=WS_MAX_BYTES,
        ws_max_queue=WS_MAX_QUEUE,
        ws_per_message_deflate=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.drain_s),
    )
    await _Server(config).serve(sockets=[bound])


class _Server(uvicorn.Server):
    """Ends normally on a signal, so that what was opened around it is closed; uvicorn would raise it again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM while serving, and leave the next one to end the process."""
        for kind in (signal.SIGINT, signal.SIGTERM):
            signal.signal(kind, self.handle_exit)
        try:
            yield
        finally:
            for kind in (signal.SIGINT, signal.SIGTERM):
                signal.signal(kind, signal.SIG_DFL)
