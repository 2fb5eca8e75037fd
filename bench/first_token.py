"""How much later the first token comes through the backend than from the engine itself, in the same run.

Three ways, in turn: the scripted engine asked directly, the OpenAI gateway, and a run whose delta comes over Socket.IO with
everything stored. Many are asked at once twice: for answers that end with their third token, so that their ends are
stored while others wait for their beginning, and for answers that go on for a second, as those of a model do. And a run
in a chat of 2,000 messages beside one in an empty chat. Prints medians, the difference and the ratio; asserts nothing.
`python bench/first_token.py [ROUNDS]`.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import uvloop

from relay.raw_client import joined

REPOSITORY = Path(__file__).resolve().parents[1]
ROUNDS, WARM_UP, AT_ONCE = 100, 10, 100
GOAL_ONE_MS, GOAL_MANY_MS, GOAL_LONG_MS = 5.0, 50.0, 10.0
LONG_CHAT = 2000  # messages
MODEL = "scripted"
QUESTION = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
    "max_tokens": 8,
}
ANSWER: dict[str, object] = {"content": ["Hello", " there", "."], "times": None}
LONG_ANSWER: dict[str, object] = {"content": [" word"] * 20, "times": None, "rate": 20}
BUSY = {"MAX_CONCURRENT_RUNS": "200", "MAX_QUEUED_RUNS": "200", "MAX_SOCKETS_PER_USER": "200"}
Way = Callable[[asyncio.Barrier], Awaitable[float]]


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

    async def direct(self, begin: asyncio.Barrier) -> float:
        """Ask the engine."""
        return await self._stream(f"{self._engine}/chat/completions", begin)

    async def gateway(self, begin: asyncio.Barrier) -> float:
        """Ask the gateway."""
        return await self._stream(f"{self._backend}/v1/chat/completions", begin)

    async def run(self, begin: asyncio.Barrier, chat_id: str | None = None) -> float:
        """Send a message in a chat, where none is named a new one, that is open over Socket.IO."""
        if chat_id is None:
            async with self._http.post(f"{self._backend}/api/chats/", json={}) as reply:
                chat_id = (await reply.json())["id"]
        # the client reads bytes: one that takes frames apart would measure itself
        client = await joined(self._backend, chat_id, lambda _data: 0, 1)
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

    async def _stream(self, url: str, begin: asyncio.Barrier) -> float:
        await begin.wait()
        begun = time.perf_counter()
        async with self._http.post(url, json=QUESTION) as reply:
            reply.raise_for_status()
            async for line in reply.content:
                if line.startswith(b"data: {"):
                    delta = json.loads(line[6:])["choices"][0]["delta"]
                    if delta.get("content"):
                        took = time.perf_counter() - begun
                        break
            await reply.read()
        return took


async def measure(ways: Ways, rounds: int) -> None:
    """Print one stream at a time, then many at once."""
    kinds: dict[str, Way] = {
        "engine": ways.direct,
        "gateway": ways.gateway,
        "run over Socket.IO": ways.run,
    }
    one: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(WARM_UP + rounds):
        for name, way in kinds.items():
            took = await way(asyncio.Barrier(1))
            if number >= WARM_UP:
                one[name].append(took)
    table("one at a time", one, "engine", GOAL_ONE_MS)
    await measure_long(ways, rounds)
    for title, answer in (("answers of 3 tokens", ANSWER), ("answers of a second", LONG_ANSWER)):
        await ways.script(answer)
        table(f"{AT_ONCE} at once, {title}", await at_once(ways, kinds), "engine", GOAL_MANY_MS)


async def measure_long(ways: Ways, rounds: int) -> None:
    """Print a run in a long chat beside one in an empty chat."""
    long_chat = await ways.long_chat()
    took: dict[str, list[float]] = {"empty chat": [], f"{LONG_CHAT} messages": []}
    for number in range(WARM_UP + rounds):
        for name, chat_id in zip(took, (None, long_chat), strict=True):
            seconds = await ways.run(asyncio.Barrier(1), chat_id)
            if number >= WARM_UP:
                took[name].append(seconds)
    table("in a long chat", took, "empty chat", GOAL_LONG_MS)


async def at_once(ways: Ways, kinds: dict[str, Way]) -> dict[str, list[float]]:
    """Go every way many times at once, and print what each cost the backend."""
    many: dict[str, list[float]] = {}
    print()
    for name, way in kinds.items():
        begin = asyncio.Barrier(AT_ONCE)
        before = ways.cpu_ms()
        many[name] = list(await asyncio.gather(*(way(begin) for _ in range(AT_ONCE))))
        print(f"{name}: the backend used {(ways.cpu_ms() - before) / AT_ONCE:.1f} ms of CPU for each")
    return many


def table(title: str, took: dict[str, list[float]], base_name: str, goal_ms: float) -> None:
    """Print the figures of every way beside those of the one that is the base."""
    base = statistics.median(took[base_name]) * 1000
    print(f"\nfirst token, {title} (goal: at most {goal_ms:g} ms over the {base_name}, p50)")
    for name, seconds in took.items():
        ordered = sorted(each * 1000 for each in seconds)
        p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
        over = f"over {p50 - base:+7.2f} ms  ratio {p50 / base:5.2f}"
        print(f"{name:<20} p50 {p50:7.2f} ms  p95 {p95:7.2f} ms  {over}")


async def main() -> None:
    """Start both sides, measure, end them."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        async with process("backend/tests/fakes/scripted_vllm.py", "--port", "0") as engine_process:
            engine = await address(engine_process.stdout)
            settings = {
                "ENV_FILE": os.devnull,
                "VLLM_API_BASE_URL": engine,
                "DATABASE_URL": f"sqlite:///{folder}/data/chat.db",
                "BACKEND_PORT": "0",
            }
            async with process("backend/main.py", **settings, **BUSY) as backend_process:
                backend = await address(backend_process.stderr)
                connector = aiohttp.TCPConnector(limit=0)
                async with aiohttp.ClientSession(connector=connector) as http:
                    ways = Ways(http, engine, backend, backend_process.pid)
                    await ways.script(ANSWER)
                    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
                    await measure(ways, rounds)


if __name__ == "__main__":
    uvloop.run(main())
