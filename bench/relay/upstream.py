"""An engine that writes one token for every stream at every tick, in step, each token being the time it was written.

Does not answer anything else. A process of its own: `python bench/relay/upstream.py STREAMS RATE TOKENS` prints its port.
"""

import asyncio
import json
import sys
import time

ID = "chatcmpl-0123456789abcdef0123456789abcdef"
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
    """Return one event as vLLM shapes it, as one HTTP chunk."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish, "token_ids": [9707]}
    body = {"id": ID, "object": "chat.completion.chunk", "created": 1795227569, "model": "bench"}
    data = f"data: {json.dumps(body | {'choices': [choice]}, separators=(',', ':'))}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


FIRST = HEAD + chunk({"role": "assistant", "content": ""})
TOKEN = chunk({"content": "0" * 20})
STAMP_AT = TOKEN.index(b"0" * 20)
DONE = b"data: [DONE]\n\n"
LAST = chunk({}, "stop") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(DONE), DONE)


def token(now: int) -> bytes:
    """Return a token that says when it was written, in nanoseconds of the machine's monotonic clock."""
    return b"%s%19d %s" % (TOKEN[:STAMP_AT], now, TOKEN[STAMP_AT + 20 :])


class Upstream:
    """The engine: begins to tick when all streams have asked; with rate 0 writes as fast as it is read."""

    def __init__(self, streams: int, rate: float, tokens: int) -> None:
        self._streams, self._rate, self._tokens = streams, rate, tokens
        self._writers: list[asyncio.StreamWriter] = []
        self._full = asyncio.Event()

    async def serve(self) -> None:
        """Serve until the process is ended."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=4096)
        print(server.sockets[0].getsockname()[1], flush=True)
        while True:
            await self._full.wait()
            self._full.clear()
            writers, self._writers = self._writers, []
            await (self._unpaced(writers) if not self._rate else self._paced(writers))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split()[0]) if "content-length:" in head else 0
                await reader.readexactly(length)
                if head.startswith("get "):
                    body = (
                        b'{"object":"list","data":[{"id":"bench","object":"model","max_model_len":100000}]}'
                    )
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                    continue
                writer.write(FIRST)
                self._writers.append(writer)
                if len(self._writers) == self._streams:
                    self._full.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _paced(self, writers: list[asyncio.StreamWriter]) -> None:
        begin = time.monotonic() + 1.0
        for number in range(self._tokens):
            await asyncio.sleep(max(0, begin + number / self._rate - time.monotonic()))
            for writer in writers:
                writer.write(token(time.monotonic_ns()))
        for writer in writers:
            writer.write(LAST)

    async def _unpaced(self, writers: list[asyncio.StreamWriter]) -> None:
        for _ in range(self._tokens):
            piece = token(time.monotonic_ns())
            for writer in writers:
                writer.write(piece)
            await asyncio.gather(*(writer.drain() for writer in writers))
        for writer in writers:
            writer.write(LAST)


if __name__ == "__main__":
    asyncio.run(Upstream(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])).serve())
