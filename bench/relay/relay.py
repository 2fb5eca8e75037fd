"""The bench of the relay: engine → backend → Socket.IO clients, beside a bare SSE passthrough in the same run.

`python bench/relay/relay.py [--streams 1,50,200] [--rate 50] [--seconds 10]` prints CPU for 1000 deltas and the delay
from the engine's write to the client's read. With `--rate 0` the engine writes as fast as it is read. `--unkept` measures
the backend once more without its journal (in temporary chats, which no disk ever sees), and what the journal adds.
"""

import argparse
import asyncio
import os

import psutil
import uvloop
from machine import HERE, MEASURED, OTHER, free_port, process, stay_on, until_serving, upstream
from measure import QUANTILES, Measured, quantile
from product import measured, through_backend
from stream_client import follow, streams_session

STEP_STREAMS = 200  # as many have to keep to the delays
UNPACED_TOKENS = 20_000  # of each stream, where nothing else says when it ends


async def through_passthrough(engine: str, streams: int, tokens: int) -> Measured:
    """Measure the yardstick."""
    figures, port = Measured(), free_port()
    with process(str(HERE / "passthrough.py"), engine, str(port), core=MEASURED) as relay:
        url = f"http://127.0.0.1:{port}"
        await until_serving(f"{url}/openapi.json")
        async with streams_session() as http:
            ready = asyncio.Semaphore(0)
            clients = [
                asyncio.create_task(follow(http, f"{url}/stream", tokens, figures.take, ready.release))
                for _ in range(streams)
            ]
            for _ in clients:
                await ready.acquire()
            await measured(clients, psutil.Process(relay.pid), figures)
    return figures


def goals(name: str, streams: int, rate: float) -> str:
    """Return the goals of a load as a line of the table; the delays of more than 200 streams are those of one core."""
    if not rate:
        return f"| {name}, goals | 100 % | | | ≥ 100,000 | |"
    if streams > STEP_STREAMS:
        return f"| {name}, goals | ≥ 98 % | | p99 ≤ 500, not growing | | ≤ 250 |"
    return f"| {name}, goals | 100 % | ≤ 60, ≤ 2.00 × | ≤ 5 / 10 / 15 | | |"


def growth(figures: Measured) -> str:
    """Say whether tokens come later and later: the p99 of the first half and of the second."""
    middle = (min(figures.stamps, default=0) + max(figures.stamps, default=0)) // 2
    first, second = figures.within([(0, middle)])
    return f"p99 {quantile(first, 0.99):.1f} then {quantile(second, 0.99):.1f}"


async def main(arguments: argparse.Namespace) -> None:
    """Run every load and print the table."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}\n")
    print(
        "| load | delivered | CPU ms per 1000 deltas | added delay p50 / p95 / p99 ms | deltas/s | RSS MB |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for streams in map(int, arguments.streams.split(",")):
        paced = max(1, int(arguments.rate * arguments.seconds))
        tokens = arguments.tokens or (paced if arguments.rate else UNPACED_TOKENS)
        offered = streams * tokens
        name = f"{streams} × {arguments.rate:g} tok/s"
        with upstream(streams, arguments.rate, tokens) as engine:
            yardstick = await through_passthrough(engine, streams, tokens)
        print(yardstick.row(f"{name}, SSE passthrough", offered), flush=True)
        with upstream(streams, arguments.rate, tokens) as engine:
            product = await through_backend(engine, streams, tokens)
        print(product.row(f"{name}, backend", offered), flush=True)
        ratio = product.cpu_per_1000_ms / max(yardstick.cpu_per_1000_ms, 1e-9)
        print(f"| {name}, backend / passthrough | | {ratio:.2f} × | {growth(product)} | | |", flush=True)
        print(goals(name, streams, arguments.rate), flush=True)
        if not arguments.unkept:
            continue
        with upstream(streams, arguments.rate, tokens) as engine:
            unkept = await through_backend(engine, streams, tokens, kept=False)
        print(unkept.row(f"{name}, backend without a journal", offered), flush=True)
        more_cpu = product.cpu_per_1000_ms - unkept.cpu_per_1000_ms
        later = " / ".join(f"{product.at(share) - unkept.at(share):+.1f}" for share in QUANTILES)
        print(f"| {name}, the journal adds | | {more_cpu:+.1f} | {later} | | |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", default="1,50,200")
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--tokens", type=int, default=0, help="of each stream, instead of --seconds")
    parser.add_argument("--unkept", action="store_true", help="measure without the journal, too")
    stay_on(OTHER)
    uvloop.run(main(parser.parse_args()))
