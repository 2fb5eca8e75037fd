"""One ASGI application on one port: Socket.IO, the plain WebSocket, and HTTP for the rest.

Decides by the path alone.
"""

import socketio

from app.realtime.frames import App, FrameFilter, Receive, Scope, Send
from app.realtime.gateway import Server

SOCKETIO_PATH = "/socket.io"
PLAIN_PATH = "/ws/chat"


class Mount:
    """Hands each connection to its application."""

    def __init__(self, http: App, server: Server, plain: App) -> None:
        self._http = http
        self._socketio = FrameFilter(socketio.ASGIApp(server, socketio_path=SOCKETIO_PATH))
        self._plain = plain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a connection."""
        path = scope.get("path", "").rstrip("/")
        if path == SOCKETIO_PATH and scope["type"] in {"http", "websocket"}:
            await self._socketio(scope, receive, send)
        elif scope["type"] == "websocket":
            if path == PLAIN_PATH:
                await self._plain(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)
