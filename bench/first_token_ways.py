"""The ways to a first token: the engine itself, the OpenAI gateway, and a run whose delta comes over Socket.IO.

Starts the processes and times one token at a time; compares nothing.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil

from relay.raw_client import TAIL, joined

REPOSITORY = Path(__file__).resolve().parents[1]
FIRST_TURNS = 50  # of a chat the page asks for so many messages when it joins it
LONG_CHAT = 2000  # messages
MODEL = "scripted"
HELLO: dict[str, Any] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "max_tokens": 8,
}
ANSWER: dict[str, object] = {"content": ["Hello", " there", "."], "times": None}
LONG_ANSWER: dict[str, object] = {"content": [" word"] * 20, "times": None, "rate": 20}
# of each stream the engine's first token, whichever of the answers it is; the chunk before it has an empty text
FIRST_TOKENS = (b'"content":"Hello', b'"content":" word')


@asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Give a Python process of the repository, and end it."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.terminate()
        await started.communicate()


async def address(stream: asyncio.StreamReader | None) -> str:
    """Return the address that a process names when it serves."""
    assert stream is not None  # noqa: S101 (it is piped)
    async for line in stream:
        _, found, rest = line.decode().partition("http://")
        if found:
            return f"http://{rest.split()[0]}"
    raise RuntimeError("the process ended before it served")


class Ways:
    """The ways to a first token; each method returns the seconds that one took."""

    def __init__(self, http: aiohttp.ClientSession, engine: str, backend: str, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._http = http
        self._engine = engine
        self._backend = backend

    async def script(self, answer: dict[str, object]) -> None:
        """Let the engine give this answer from now on."""
        control = f"{self._engine.removesuffix('/v1')}/scripted"
        for path, body in (("reset", None), ("answers", answer)):
            async with self._http.post(f"{control}/{path}", json=body) as reply:
                reply.raise_for_status()

    def cpu_ms(self) -> float:
        """Return the CPU time that the backend has used."""
        times = self._process.cpu_times()
        return (times.user + times.system) * 1000

    async def asked(self, chat_id: str) -> dict[str, Any]:
        """Return what the engine is asked for a run in a chat."""
        await self.script(ANSWER)
        await self.run(asyncio.Barrier(1), chat_id)
        async with self._http.get(f"{self._engine.removesuffix('/v1')}/scripted/requests") as reply:
            body: dict[str, Any] = (await reply.json())[-1]["body"]
        return body

    async def direct(self, begin: asyncio.Barrier, body: dict[str, Any] = HELLO) -> float:
        """Ask the engine."""
        return await self._stream(f"{self._engine}/chat/completions", begin, body)

    async def gateway(self, begin: asyncio.Barrier, body: dict[str, Any] = HELLO) -> float:
        """Ask the gateway."""
        return await self._stream(f"{self._backend}/v1/chat/completions", begin, body)

    async def run(self, begin: asyncio.Barrier, chat_id: str | None = None) -> float:
        """Send a message in a chat, where none is named a new one, that is open over Socket.IO."""
        if chat_id is None:
            async with self._http.post(f"{self._backend}/api/chats/", json={}) as reply:
                chat_id = (await reply.json())["id"]
        # the client reads bytes: one that takes frames apart would measure itself
        client = await joined(self._backend, chat_id, lambda _data: 0, 1, messages=FIRST_TURNS)
        await begin.wait()
        begun = time.perf_counter()
        asked = asyncio.create_task(self._start(chat_id))
        await client.until(b'42["run.delta"')
        took = time.perf_counter() - begun
        await asked
        await client.done
        client.transport.close()
        return took

    async def long_chat(self) -> str:
        """Have a chat of many messages, one below the other, and return its id."""
        messages = [
            {
                "id": str(number),
                "parent_id": str(number - 1) if number else None,
                "role": "assistant" if number % 2 else "user",
                "content": f"Message {number} of a talk that went on and on.",
            }
            for number in range(LONG_CHAT)
        ]
        file = {"title": "long", "active_leaf_id": str(LONG_CHAT - 1), "messages": messages}
        async with self._http.post(f"{self._backend}/api/import", json=file) as reply:
            reply.raise_for_status()
        async with self._http.get(f"{self._backend}/api/chats/?limit=100") as reply:
            chats = (await reply.json())["items"]
        found: str = next(chat["id"] for chat in chats if chat["message_count"] == LONG_CHAT)
        return found

    async def _start(self, chat_id: str) -> None:
        body = {"message": {"content": "Hello"}, "options": {"max_tokens": 8}}
        async with self._http.post(f"{self._backend}/api/chats/{chat_id}/runs", json=body) as reply:
            reply.raise_for_status()

    async def _stream(self, url: str, begin: asyncio.Barrier, body: dict[str, Any]) -> float:
        # made and read as cheaply as the raw client does it
        data, headers = msgspec.json.encode(body), {"Content-Type": "application/json"}
        await begin.wait()
        begun = time.perf_counter()
        async with self._http.post(url, data=data, headers=headers) as reply:
            reply.raise_for_status()
            seen = b""
            async for chunk in reply.content.iter_any():
                seen = seen[-TAIL:] + chunk
                if any(token in seen for token in FIRST_TOKENS):
                    took = time.perf_counter() - begun
                    break
            await reply.read()
        return took
