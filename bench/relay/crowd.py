"""A hundred answers asked for at once: how many fail, what they cost, what of them goes over whose wire, what memory stays.

Prints figure, goal and ratio; asserts nothing. `python bench/relay/crowd.py` (20 seconds). Read along by a socket for each
chat; beside them one of the same user that has no chat open, and one that has another chat open.
"""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator

import aiohttp
import uvloop
from machine import OTHER, stay_on, upstream
from measure import Measured
from product import Backend, measured, new_chat, send, serving
from raw_client import joined

AT_ONCE, RATE, TOKENS = 100, 50.0, 200
SHORT = 126  # from here on a length stands for a longer one that follows, RFC 6455
DELTA, TOKEN_BYTES = "run.delta", 20


def events(heard: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Give the name of each event in what a socket was sent, what its frame had in bytes, and its JSON."""
    at = heard.index(b"\r\n\r\n") + 4
    while at + 2 <= len(heard):
        length, start = heard[at + 1], at + 2
        if length >= SHORT:
            size = 2 if length == SHORT else 8
            length = int.from_bytes(heard[start : start + size], "big")
            start += size
        text = heard[start : start + length]
        if text.startswith(b'42["'):
            yield text[4:].split(b'"', 1)[0].decode(), start + length - at, text[2:]
        at = start + length


def show(name: str, figure: float, goal: float, unit: str, baseline: str = "") -> None:
    """Print one line: what, how much, against which goal, beside which baseline."""
    ratio = f"{figure / goal:5.2f}" if goal else "    -"
    print(f"{name:<52} {figure:8.2f} {unit:<5} goal {goal:6.1f}  ratio {ratio}  {baseline}", flush=True)


async def ask_all(url: str, chats: list[str]) -> int:
    """Ask in every chat at once, each over a connection of its own; return how many were refused."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(url, connector=connector) as http:
        statuses = await asyncio.gather(*(send(http, chat_id, TOKENS) for chat_id in chats))
    return sum(status != 202 for status in statuses)


async def unfinished(backend: Backend, chats: list[str]) -> int:
    """Return how many of the chats have no answer that came to its end with all its text."""
    found = 0
    for chat_id in chats:
        async with backend.http.get(f"/api/chats/{chat_id}") as reply:
            answer = (await reply.json())["messages"][-1]
        found += answer["status"] != "completed" or len(answer["content"].split()) != TOKENS
    return found


async def main() -> None:
    """Ask, listen, count."""
    print(
        f"load of the machine before: {os.getloadavg()[0]:.1f}; {AT_ONCE} answers of {TOKENS} tokens at once"
    )
    figures = Measured()
    with upstream(AT_ONCE, RATE, TOKENS) as engine:
        async with serving(engine, MAX_CONCURRENT_RUNS=str(AT_ONCE)) as backend:
            idle_mb = backend.process.memory_info().rss / 2**20
            chats = [await new_chat(backend.http) for _ in range(AT_ONCE)]
            heard = [bytearray() for _ in chats]
            clients = [
                await joined(backend.url, chat_id, figures.take, TOKENS, bytes_)
                for chat_id, bytes_ in zip(chats, heard, strict=True)
            ]
            places = {"no chat": None, "another chat": await new_chat(backend.http)}
            beside = {name: bytearray() for name in places}
            standing_by = [
                await joined(backend.url, chat_id, figures.take, TOKENS, beside[name])
                for name, chat_id in places.items()
            ]
            refused = await ask_all(backend.url, chats)
            await measured([client.done for client in clients], backend.process, figures)
            await asyncio.sleep(2)  # until the ends are stored
            failed = refused + await unfinished(backend, chats)
            after_mb = backend.process.memory_info().rss / 2**20
            for client in (*clients, *standing_by):
                client.transport.close()
    around = [
        size - len(json.loads(event)[1]["text"])
        for each in heard
        for name, size, event in events(bytes(each))
        if name == DELTA
    ]
    show("answers that failed", failed, 0, "", f"of {AT_ONCE}, {refused} refused")
    show("CPU of 1000 deltas", figures.cpu_per_1000_ms, 60, "ms")
    size = (
        sum(around) / max(1, len(around)) + TOKEN_BYTES
    )  # two that came together are one, with the text of both
    show("bytes on the wire of a delta of 20 bytes", size, 150, "bytes", f"{len(around)} deltas")
    for place, each in beside.items():
        told = Counter(name for name, _, _ in events(bytes(each)))
        text = ", ".join(f"{count} {name}" for name, count in told.most_common())
        show(f"deltas to a socket with {place} open", told[DELTA], 0, "", f"it heard {text or 'nothing'}")
    show("memory after them (RSS)", after_mb, 200, "MB", f"idle {idle_mb:.0f} MB")


if __name__ == "__main__":
    stay_on(OTHER)
    uvloop.run(main())
