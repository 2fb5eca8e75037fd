"""How much later the first token comes through the backend than from the engine itself, in the same run.

Three ways, in turn: the scripted engine asked directly, the OpenAI gateway, and a run whose delta comes over Socket.IO with
everything stored. Many are asked at once twice: for answers that end with their third token, so that their ends are
stored while others wait for their beginning, and for answers that go on for a second, as those of a model do. And each
way in a chat of 2,000 messages beside an empty one: the engine itself reads the longer prompt too, which is taken off.
Prints medians, the difference and the ratio; asserts nothing. `python bench/first_token.py [ROUNDS]`.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial

import aiohttp
import uvloop

from first_token_ways import ANSWER, LONG_ANSWER, LONG_CHAT, Ways, address, process

ROUNDS, WARM_UP, AT_ONCE = 100, 10, 100
GOAL_ONE_MS, GOAL_MANY_MS, GOAL_LONG_MS = 5.0, 50.0, 10.0
BUSY = {"MAX_CONCURRENT_RUNS": "200", "MAX_QUEUED_RUNS": "200", "MAX_SOCKETS_PER_USER": "200"}
Way = Callable[[asyncio.Barrier], Awaitable[float]]


async def measure(ways: Ways, rounds: int) -> None:
    """Print one stream at a time, then many at once."""
    kinds: dict[str, Way] = {
        "engine": ways.direct,
        "gateway": ways.gateway,
        "run over Socket.IO": ways.run,
    }
    one = await in_turn(kinds, rounds)
    table("one at a time", one, "engine", GOAL_ONE_MS)
    await measure_long(ways, rounds)
    for title, answer in (("answers of 3 tokens", ANSWER), ("answers of a second", LONG_ANSWER)):
        await ways.script(answer)
        table(f"{AT_ONCE} at once, {title}", await at_once(ways, kinds), "engine", GOAL_MANY_MS)


async def measure_long(ways: Ways, rounds: int) -> None:
    """Print each way in a long chat beside one in an empty chat, and what the backend adds to what the engine does."""
    long_chat = await ways.long_chat()
    body = await ways.asked(long_chat)
    empty: dict[str, Way] = {"engine": ways.direct, "gateway": ways.gateway, "run": ways.run}
    long: dict[str, Way] = {
        "engine": partial(ways.direct, body=body),
        "gateway": partial(ways.gateway, body=body),
        "run": partial(ways.run, chat_id=long_chat),
    }
    both = {f"{name}, empty": way for name, way in empty.items()}
    both |= {f"{name}, long": way for name, way in long.items()}
    await ways.script(ANSWER)
    took = await in_turn(both, rounds)
    print(f"\nfirst token in a chat of {LONG_CHAT} messages beside an empty one, p50")
    more = {}
    for name in empty:
        short, much = (statistics.median(took[f"{name}, {kind}"]) * 1000 for kind in ("empty", "long"))
        more[name] = much - short
        print(f"{name:<20} empty {short:7.2f} ms  long {much:7.2f} ms  {more[name]:+7.2f} ms")
    over = more["run"] - more["engine"]
    print(f"the run's more over the engine's own: {over:+.2f} ms (goal: at most {GOAL_LONG_MS:g} ms)")


async def in_turn(kinds: dict[str, Way], rounds: int) -> dict[str, list[float]]:
    """Go every way one after the other, over and over."""
    took: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(WARM_UP + rounds):
        for name, way in kinds.items():
            seconds = await way(asyncio.Barrier(1))
            if number >= WARM_UP:
                took[name].append(seconds)
    return took


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
