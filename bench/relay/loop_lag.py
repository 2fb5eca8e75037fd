"""How long the backend's event loop lets others wait, seen from outside: WebSocket pings, which it answers by itself.

A process of its own: `loop_lag.py URL` pings at random moments until its input ends, then prints milliseconds as JSON.
"""

import json
import random
import select
import socket
import sys
import time
from urllib.parse import urlsplit

from raw_client import HANDSHAKE, PING_FRAME, text_frame

EVERY_S = 0.008  # on average: no period that a load could share
PING, PONG = b"\x89\x80\0\0\0\0", b"\x8a\0"
WITHIN_S = 30.0


class Line:
    """A Socket.IO connection that opens no chat."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._socket = socket.create_connection((place.hostname or "", place.port or 80), WITHIN_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.said(HANDSHAKE.format(host=place.netloc).encode(), b'"maxPayload"')
        self.said(text_frame("40"), b'40{"sid"')

    def said(self, what: bytes, awaited: bytes) -> None:
        """Send something and wait until its answer is there."""
        self._socket.sendall(what)
        seen = b""
        while awaited not in seen:
            got = self._socket.recv(65536)
            if not got:
                raise ConnectionError("the backend has closed the connection")
            if PING_FRAME in got:
                self._socket.sendall(text_frame("3"))
            seen = seen[-64:] + got


def main(url: str) -> None:
    """Ping until nobody wants to know any more."""
    line = Line(url)
    waits: list[float] = []
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], random.expovariate(1 / EVERY_S))[0]:
        begun = time.perf_counter()
        line.said(PING, PONG)
        waits.append((time.perf_counter() - begun) * 1000)
    print(json.dumps(waits))


if __name__ == "__main__":
    main(sys.argv[1])
