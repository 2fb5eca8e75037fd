"""The bench of the relay: engine → backend → Socket.IO clients, beside a bare SSE passthrough in the same run.

`python bench/relay/relay.py [--streams 1,50,200] [--rate 50] [--seconds 10]` prints CPU for 1000 deltas and the delay
from the engine's write to the client's read. With `--rate 0` the engine writes as fast as it is read. `--unkept` measures
the backend once more without its journal (in temporary chats, which no disk ever sees), and what the journal adds.
"""

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psutil
import uvloop
from measure import Measured, cpu_seconds
from raw_client import joined

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
MAX_S = 600.0  # of one load


def pinned(core: int) -> list[str]:
    """Return the prefix that keeps a process on one core, where the machine has two."""
    has_two = shutil.which("taskset") is not None and (os.cpu_count() or 1) > 1
    return ["taskset", "-c", str(core)] if has_two else []


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*command: str, core: int, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process for as long as the block lasts."""
    started = subprocess.Popen(
        [*pinned(core), sys.executable, *command],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | settings,
    )
    try:
        yield started
    finally:
        started.terminate()
        started.wait(timeout=30)


@contextmanager
def upstream(streams: int, rate: float, tokens: int) -> Iterator[str]:
    """Run the engine and give its OpenAI base."""
    with process(str(HERE / "upstream.py"), str(streams), str(rate), str(tokens), core=1) as engine:
        assert engine.stdout is not None  # noqa: S101
        yield f"http://127.0.0.1:{engine.stdout.readline().strip()}/v1"


async def until_serving(url: str) -> None:
    """Wait until something answers there."""
    async with aiohttp.ClientSession() as http:
        for _ in range(2400):  # a busy machine starts slowly
            try:
                async with http.get(url):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    raise TimeoutError(url)


async def measured(clients: Sequence[asyncio.Future[None]], relay: psutil.Process, figures: Measured) -> None:
    """Note what the relay uses from now, before the first token, until the clients have everything."""
    before, begun = cpu_seconds(relay), time.monotonic()
    await asyncio.wait(clients, timeout=MAX_S)
    figures.cpu_s = cpu_seconds(relay) - before
    figures.wall_s = time.monotonic() - begun
    figures.rss_mb = relay.memory_info().rss / 1e6


async def through_passthrough(engine: str, streams: int, tokens: int) -> Measured:
    """Measure the yardstick."""
    figures, port = Measured(), free_port()
    with process(str(HERE / "passthrough.py"), engine, str(port), core=0) as relay:
        url = f"http://127.0.0.1:{port}"
        await until_serving(f"{url}/openapi.json")
        timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=timeout, read_bufsize=2**20
        ) as http:
            ready = asyncio.Semaphore(0)

            async def follow() -> None:
                left = tokens
                async with http.get(f"{url}/stream") as reply:
                    ready.release()
                    async for data in reply.content.iter_any():
                        left -= figures.take(data)
                        if left <= 0:
                            return

            clients = [asyncio.create_task(follow()) for _ in range(streams)]
            for _ in clients:
                await ready.acquire()
            await measured(clients, psutil.Process(relay.pid), figures)
    return figures


async def through_backend(engine: str, streams: int, tokens: int, *, kept: bool = True) -> Measured:
    """Measure the product, with everything real: a database, runs, rooms."""
    figures, port = Measured(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "BACKEND_PORT": str(port),
            "DATABASE_URL": f"sqlite:///{folder}/data/chat.db",
            "VLLM_API_BASE_URL": engine,
            "DEFAULT_MODEL": "bench",
            "MAX_CONCURRENT_RUNS": "5000",
            "MAX_SOCKETS_PER_USER": "5000",
            "MAX_SOCKETS": "5000",
            "MAX_NEW_TOKENS": "1000000",
            "DRAIN_S": "0",
            "LOG_LEVEL": "WARNING",
        }
        with process("backend/main.py", core=0, **settings) as relay:
            url = f"http://127.0.0.1:{port}"
            await until_serving(f"{url}/api/chats/")
            async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=50)) as http:
                chats = [await _new_chat(http, temporary=not kept) for _ in range(streams)]
                clients = [await joined(url, chat_id, figures.take, tokens) for chat_id in chats]
                await asyncio.gather(*(_send(http, chat_id, tokens) for chat_id in chats))
                await measured([client.done for client in clients], psutil.Process(relay.pid), figures)
                for client in clients:
                    client.transport.close()
    return figures


async def _new_chat(http: aiohttp.ClientSession, *, temporary: bool) -> str:
    async with http.post("/api/chats/", json={"temporary": temporary}) as reply:
        return str((await reply.json())["id"])


async def _send(http: aiohttp.ClientSession, chat_id: str, tokens: int) -> None:
    body = {"message": {"content": "Hello"}, "options": {"max_tokens": tokens + 10}}
    async with http.post(f"/api/chats/{chat_id}/runs", json=body) as reply:
        assert reply.status == 202, await reply.text()  # noqa: S101


async def main(arguments: argparse.Namespace) -> None:
    """Run every load and print the table."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}\n")
    print(
        "| load | delivered | CPU ms per 1000 deltas | added delay p50 / p95 / p99 ms | deltas/s | RSS MB |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for streams in map(int, arguments.streams.split(",")):
        tokens = arguments.tokens or max(1, int(arguments.rate * arguments.seconds))
        offered = streams * tokens
        name = f"{streams} × {arguments.rate:g} tok/s"
        with upstream(streams, arguments.rate, tokens) as engine:
            yardstick = await through_passthrough(engine, streams, tokens)
        print(yardstick.row(f"{name}, SSE passthrough", offered), flush=True)
        with upstream(streams, arguments.rate, tokens) as engine:
            product = await through_backend(engine, streams, tokens)
        print(product.row(f"{name}, backend", offered), flush=True)
        ratio = product.cpu_per_1000_ms / max(yardstick.cpu_per_1000_ms, 1e-9)
        print(f"| {name}, backend / passthrough | | {ratio:.2f} × | | | |", flush=True)
        if not arguments.unkept:
            continue
        with upstream(streams, arguments.rate, tokens) as engine:
            unkept = await through_backend(engine, streams, tokens, kept=False)
        print(unkept.row(f"{name}, backend without a journal", offered), flush=True)
        more_cpu = product.cpu_per_1000_ms - unkept.cpu_per_1000_ms
        later = " / ".join(f"{product.at(share) - unkept.at(share):+.1f}" for share in (0.5, 0.95, 0.99))
        print(f"| {name}, the journal adds | | {more_cpu:+.1f} | {later} | | |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", default="1,50,200")
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--tokens", type=int, default=0, help="of each stream, instead of --seconds")
    parser.add_argument("--unkept", action="store_true", help="measure without the journal, too")
    if pinned(1):
        os.sched_setaffinity(0, {1})
    uvloop.run(main(parser.parse_args()))
