"""One lane of fault rounds: an engine, a backend that can be killed, and a bad network on both sides of it.

Knows no fault by name; `faults.py` does.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp

from tests.fakes.answers import Answer
from tests.fakes.received import Received
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.faults.chaos_proxy import ChaosProxy
from tests.faults.follower import Follower
from tests.faults.forked_backend import ForkedBackend, ForkServer

Json = dict[str, Any]
RETRY_S = 0.02
WITHIN_S = 30.0
SETTINGS = {
    "max_concurrent_runs": 3,
    "engine_wait_s": 20,
    "first_token_timeout_s": 30,  # no fault here is about it; a loaded machine needs more than seconds
    "idle_timeout_s": 1,
    "log_level": "WARNING",
}
# An empty token stands for the first part of a character of several tokens: an id without a text.
PARTS = (
    ["river "], ["snow "], ["天气"], ["很好，"], ["", "🫠"], ["", "", "👩‍👩‍👧"], ["é"], ["\n\n"], ["data: [DONE]\n"],
    ['42["run.ended",{}]'], ["\u2028"], ["`x` "], ["<|im_end|>"], [" "], ["𝕏"], ["\\u0000"],
)  # fmt: skip


def text(dice: random.Random, first: str, parts: int) -> list[str]:
    """Return the tokens of a text that begins as no other does."""
    return [first, *(token for _ in range(parts) for token in dice.choice(PARTS))]


@dataclass
class Lane:
    """The parts, running."""

    dice: random.Random
    engine: ScriptedVllm
    server: ForkServer
    backend: ForkedBackend
    to_engine: ChaosProxy
    to_backend: ChaosProxy
    session: aiohttp.ClientSession
    readers: list[Follower] = field(default_factory=list)

    def id(self) -> str:
        """Return an id that the seed gives."""
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    def answers(self, *, rate: float, parts: int) -> None:
        """Let the engine give another answer to every fresh request, so long and so fast."""
        texts = random.Random(self.dice.random())  # noqa: S311

        def fresh(number: int) -> Answer:
            return Answer(
                reasoning=text(texts, f"thought {number}: ", texts.randint(1, parts)),
                content=text(texts, f"answer {number}: ", texts.randint(1, parts)),
                rate=rate,
            )

        self.engine.fresh = fresh

    async def say(self, method: str, path: str, body: Json | None = None, *, direct: bool = False) -> Json:
        """Ask the backend, again and again until it gives an answer that is no passing trouble."""
        origin = self.backend.url if direct else self.to_backend.url
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    async with self.session.request(method, origin + path, json=body) as reply:
                        if reply.status not in {429, 503}:
                            answer = await reply.json() if reply.status != 204 else {}
                            assert reply.status < 300, (method, path, reply.status, answer)
                            return dict(answer)
                except (aiohttp.ClientError, OSError):
                    pass
                await asyncio.sleep(RETRY_S)

    async def events(self, run_id: str) -> list[Json]:
        """Return every event of an ended run; none when its process was killed after its end."""
        found = []
        async with self.session.get(f"{self.backend.url}/api/runs/{run_id}/events") as reply:
            if reply.status == 200:
                async for raw in reply.content:
                    line = raw.decode().rstrip("\n")
                    found += [json.loads(line[6:])] if line.startswith("data: ") else []
        return found

    def requests_of(self, question: str) -> list[Received]:
        """Return what the engine was asked for one question, in its order."""
        fresh = [
            one
            for one in self.engine.received
            if one.body.get("messages", [{}])[-1].get("content") == question
        ]
        prompts = [one.prompt_ids for one in fresh if one.prompt_ids]
        return [one for one in self.engine.received if one in fresh or _goes_on(one, prompts)]


def _goes_on(received: Received, prompts: list[list[int]]) -> bool:
    prompt = received.body.get("prompt")
    return isinstance(prompt, list) and any(prompt[: len(known)] == known for known in prompts)


@asynccontextmanager
async def lane(
    folder: Path, seed: int, server: ForkServer | None = None, **settings: Any
) -> AsyncIterator[Lane]:
    """Give a lane whose backend has been started, by a fork server that runs already where there is one."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(ScriptedVllm())
        server = server or await stack.enter_async_context(ForkServer())
        to_engine = await stack.enter_async_context(ChaosProxy(engine.port, seed=seed))
        url = f"http://127.0.0.1:{to_engine.port}/v1"
        backend = server.backend(folder, **{**SETTINGS, "vllm_api_base_url": url, **settings})
        to_backend = await stack.enter_async_context(ChaosProxy(backend.port, seed=seed + 1))
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        made = Lane(random.Random(seed), engine, server, backend, to_engine, to_backend, session)  # noqa: S311
        stack.push_async_callback(backend.kill)
        await backend.start()
        try:
            yield made
        finally:
            for reader in made.readers:
                await reader.stop()
