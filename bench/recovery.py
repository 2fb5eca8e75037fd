"""How long open runs hold up a start: from the process's begin to its listening, with and without them, and to their going on.

A backend is killed with RUNS answers open, each some hundred tokens long, and started again on what it left. Prints
seconds and the difference; asserts nothing. `python bench/recovery.py [RUNS] [TOKENS]`.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable

import aiohttp
import uvloop

from first_token import address, process

RUNS, TOKENS = 200, 100
RATE = 20.0
WORD = " word"
GOAL_S = 1.0
WITHIN_S = 300.0


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Look until something is so."""
    async with asyncio.timeout(WITHIN_S):
        while not await true():  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.1)


class Load:
    """Answers that are open, on one engine."""

    def __init__(self, http: aiohttp.ClientSession, engine: str) -> None:
        self._http = http
        self._control = f"{engine.removesuffix('/v1')}/scripted"
        self.run_ids: list[str] = []

    async def script(self) -> None:
        """Let every answer go on until its limit, which it will not get to."""
        answer = {"content": [WORD], "endless": True, "times": None, "rate": RATE}
        async with self._http.post(f"{self._control}/answers", json=answer) as reply:
            reply.raise_for_status()

    async def begin(self, backend: str) -> None:
        """Begin one answer in a new chat."""
        async with self._http.post(f"{backend}/api/chats/", json={}) as reply:
            chat_id = (await reply.json())["id"]
        body = {"message": {"content": "Hello"}, "options": {"max_tokens": 8000}}
        async with self._http.post(f"{backend}/api/chats/{chat_id}/runs", json=body) as reply:
            reply.raise_for_status()
            self.run_ids.append((await reply.json())["run"]["id"])

    async def tokens(self, backend: str, run_id: str) -> int:
        """Return how far an answer is."""
        async with self._http.get(f"{backend}/api/runs/{run_id}") as reply:
            return len((await reply.json())["content"]) // len(WORD)

    async def are_beyond(self, backend: str, before: list[int]) -> bool:
        """Return whether every answer is farther than it was."""
        now = await asyncio.gather(*(self.tokens(backend, run_id) for run_id in self.run_ids))
        return all(new > old for new, old in zip(now, before, strict=True))


async def main() -> None:
    """Measure a start with nothing open, and one with everything open."""
    runs, tokens = (int(each) for each in (*sys.argv[1:], *(str(RUNS), str(TOKENS))[len(sys.argv) - 1 :]))
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "ENV_FILE": os.devnull,
            "DATABASE_URL": f"sqlite:///{folder}/data/chat.db",
            "BACKEND_PORT": "0",
            "MAX_CONCURRENT_RUNS": str(runs),
        }
        async with (
            process("backend/tests/fakes/scripted_vllm.py", "--port", "0") as engine_process,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=20)) as http,
        ):
            settings["VLLM_API_BASE_URL"] = engine = await address(engine_process.stdout)
            load = Load(http, engine)
            await load.script()
            async with process("backend/main.py", **settings) as backend_process:
                await address(backend_process.stderr)  # the schema is made
            begun = time.perf_counter()
            async with process("backend/main.py", **settings) as backend_process:
                backend = await address(backend_process.stderr)
                empty_s = time.perf_counter() - begun
                await asyncio.gather(*(load.begin(backend) for _ in range(runs)))
                await until(lambda: load.are_beyond(backend, [tokens] * runs))
                backend_process.kill()
                await backend_process.wait()
            begun = time.perf_counter()
            async with process("backend/main.py", **settings) as backend_process:
                backend = await address(backend_process.stderr)
                full_s = time.perf_counter() - begun
                before = await asyncio.gather(*(load.tokens(backend, run_id) for run_id in load.run_ids))
                await until(lambda: load.are_beyond(backend, before))
                on_s = time.perf_counter() - begun
    print(f"start to listening, nothing open         {empty_s:6.2f} s")
    print(f"start to listening, {runs} open runs        {full_s:6.2f} s  ratio {full_s / empty_s:.2f}")
    print(f"recovery of {runs} open runs                {full_s - empty_s:+6.2f} s  goal {GOAL_S:g} s")
    print(f"until every one of them has gone on       {on_s:6.2f} s")


if __name__ == "__main__":
    uvloop.run(main())
