"""An engine that writes one token for every stream at every tick, each token being the time it was written.

All streams tick together, as one engine step emits one token for every running sequence; or each at its own time.
Does not answer anything else. A process of its own: `python bench/relay/upstream.py STREAMS RATE TOKENS` prints its port.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Sequence

ID = "chatcmpl-0123456789abcdef0123456789abcdef"
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)
MODELS = b'{"object":"list","data":[{"id":"bench","object":"model","max_model_len":100000}]}'
BEFORE_S, AFTER_HEADS_S = 1.5, 8.0


def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
    """Return one event as vLLM shapes it, as one HTTP chunk."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish, "token_ids": [9707]}
    body = {"id": ID, "object": "chat.completion.chunk", "created": 1795227569, "model": "bench"}
    data = f"data: {json.dumps(body | {'choices': [choice]}, separators=(',', ':'))}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


FIRST = HEAD + chunk({"role": "assistant", "content": ""})
UNSTAMPED = chunk({"content": " words without stamp"})
DONE = b"data: [DONE]\n\n"
LAST = chunk({}, "stop") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(DONE), DONE)


class Stamped:
    """A token of twenty bytes that says when it was written, in nanoseconds of the machine's monotonic clock."""

    def __init__(self, before: str = "") -> None:
        whole = chunk({"content": before + "0" * 20})
        at = whole.index(b"0" * 20)
        self._head, self._tail = whole[:at], whole[at + 20 :]

    def at(self, now: int) -> bytes:
        """Return it as written now."""
        return b"%s%-19d %s" % (self._head, now, self._tail)  # blanks before it would be code to Markdown


TOKEN, PARAGRAPH = Stamped(), Stamped("\n\n")


class Upstream:
    """The engine: begins to tick when all streams have asked; with rate 0 writes as fast as it is read."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._streams, self._rate, self._tokens = options.streams, options.rate, options.tokens
        self._is_random, self._paragraph = options.random, options.paragraph
        self._ends, self._head = options.ends, options.head
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
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(MODELS), MODELS))
                    continue
                writer.write(FIRST)
                self._writers.append(writer)
                if len(self._writers) == self._streams:
                    self._full.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _paced(self, writers: list[asyncio.StreamWriter]) -> None:
        last = self._last_ticks(len(writers))
        for writer in writers[: self._ends]:
            writer.write(UNSTAMPED * self._head)
            await writer.drain()
        begin = time.monotonic() + (AFTER_HEADS_S if self._head else BEFORE_S)
        phases = sorted(random.random() / self._rate for _ in writers) if self._is_random else ()
        for number in range(self._tokens):
            await asyncio.sleep(max(0, begin + number / self._rate - time.monotonic()))
            token = PARAGRAPH if self._paragraph and not (number + 1) % self._paragraph else TOKEN
            for index, writer in enumerate(writers):
                if phases:
                    _sleep_until(begin + number / self._rate + phases[index])
                if number < last[index]:
                    writer.write(token.at(time.monotonic_ns()))
                elif number == last[index]:
                    writer.write(LAST)
        for index, writer in enumerate(writers):
            if last[index] >= self._tokens:
                writer.write(LAST)

    def _last_ticks(self, streams: int) -> Sequence[int]:
        """Return how many tokens each stream has: all of them, but for those that end one after the other."""
        apart = self._tokens // (self._ends + 1)
        return [apart * (index + 1) if index < self._ends else self._tokens for index in range(streams)]

    async def _unpaced(self, writers: list[asyncio.StreamWriter]) -> None:
        for _ in range(self._tokens):
            piece = TOKEN.at(time.monotonic_ns())
            for writer in writers:
                writer.write(piece)
            await asyncio.gather(*(writer.drain() for writer in writers))
        for writer in writers:
            writer.write(LAST)


def _sleep_until(due: float) -> None:
    """Sleep in the way of everything else: the loop's timers are too coarse, and within a tick it has nothing to do."""
    left = due - time.monotonic()
    if left > 0:
        time.sleep(left)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("streams", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("tokens", type=int)
    parser.add_argument("--random", action="store_true", help="each stream ticks at its own time")
    parser.add_argument("--paragraph", type=int, default=0, help="every so many tokens begin a paragraph")
    parser.add_argument(
        "--ends", type=int, default=0, help="so many streams end before the others, one by one"
    )
    parser.add_argument("--head", type=int, default=0, help="tokens that those have beforehand, at once")
    asyncio.run(Upstream(parser.parse_args()).serve())
