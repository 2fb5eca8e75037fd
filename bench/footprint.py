"""What the product costs before anybody asks anything: time to start, memory, disk, script in the browser.

Prints figure, goal and ratio; asserts nothing. `python bench/footprint.py` from the repository's root.
"""

import gzip
import importlib.metadata
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx2
import psutil

from e2e.browser import chromium, new_context
from e2e.processes import REPOSITORY, Process
from e2e.tiers import Tiers

if TYPE_CHECKING:
    from playwright.sync_api import Response

ROUNDS = 5
NO_ENGINE = "http://127.0.0.1:9/v1"
LIBRARIES = (
    "import aiohttp, alembic, fastapi, msgspec, pydantic_settings, socketio, sqlalchemy.ext.asyncio, uvicorn"
)
MIB = 2**20


def show(name: str, figure: float, goal: float, unit: str, baseline: str) -> None:
    """Print one line: what, how much, against which goal, beside which baseline."""
    print(f"{name:<44} {figure:8.2f} {unit:<4} goal {goal:6.1f}  ratio {figure / goal:5.2f}  {baseline}")


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def until_200(url: str) -> None:
    """Ask until the answer is 200, without a pause that would be measured."""
    deadline = time.monotonic() + 60
    with httpx2.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                if client.get(url).status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                time.sleep(0.005)
    raise TimeoutError(url)


def start_and_memory(folder: Path) -> None:
    """Start the backend several times on one database, the engine away; the last one's memory is looked at."""
    tiers = Tiers(folder, NO_ENGINE)
    imports = statistics.median(
        seconds(lambda: subprocess.run([sys.executable, "-c", LIBRARIES], check=True)) for _ in range(ROUNDS)
    )
    took = []
    for number in range(ROUNDS + 1):
        begun = time.perf_counter()
        process = Process(
            "backend",
            [sys.executable, "backend/main.py"],
            log=folder / f"backend{number}.log",
            env=tiers.settings,
        )
        until_200(f"{tiers.backend_url}/api/chat/health?live")
        took.append(time.perf_counter() - begun)
        for _ in range(20):
            httpx2.get(f"{tiers.backend_url}/api/chats/", trust_env=False)
        memory = psutil.Process(process.pid).memory_info().rss / MIB
        process.end()
    show(
        "backend start to first 200, new database",
        took[0],
        1.5,
        "s",
        f"importing its libraries {imports:.2f} s",
    )
    median = statistics.median(took[1:])
    show("backend start to first 200, median", median, 1.5, "s", f"{median / imports:.2f} x its imports")
    show("backend memory, idle (RSS)", memory, 120, "MB", "")


def installed() -> None:
    """Add up what the runtime lock installs; the engine and pip are not in it."""
    lock = (REPOSITORY / "backend/requirements.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)
    size = 0
    for name in names:
        files = importlib.metadata.distribution(name).files or []
        paths = [Path(str(file.locate())) for file in files]
        size += sum(path.stat().st_size for path in paths if path.is_file())
    production = (
        "node_modules/http-proxy-3",
        "node_modules/sirv",
        "node_modules/debug",
        "node_modules/follow-redirects",
    )
    node = sum(tree(REPOSITORY / "frontend" / name) for name in production)
    build = tree(REPOSITORY / "frontend/build")
    show("installed: backend libraries", size / MIB, 150, "MB", f"{len(names)} packages")
    show(
        "installed: with page and its server",
        (size + node + build) / MIB,
        150,
        "MB",
        f"page {build / MIB:.2f} MB",
    )


def tree(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def first_load(folder: Path) -> None:
    """Visit the page once in a real browser and add up the script that came over the wire."""
    tiers = Tiers(folder, NO_ENGINE)
    try:
        tiers.start()
        with chromium() as browser:
            page = new_context(browser).new_page()
            responses: list[Response] = []
            page.on("response", lambda response: responses.append(response))  # noqa: PLW0108 it wants a function
            page.goto(tiers.url, wait_until="networkidle")
            scripts = [response for response in responses if response.request.resource_type == "script"]
            wire = sum(response.request.sizes()["responseBodySize"] for response in scripts)
            plain = [response.body() for response in scripts]
            paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    finally:
        tiers.end()
    unpacked = sum(map(len, plain)) / 1000
    gzipped = sum(len(gzip.compress(body)) for body in plain) / 1000
    baseline = f"unpacked {unpacked:.0f} KB, by gzip {gzipped:.0f} KB"
    show("first load, script over the wire", wire / 1000, 150, "KB", baseline)
    show("first load, requests", len(responses), 15, "", f"{len(scripts)} of them scripts")
    show("first load, first paint", (paint or 0) / 1000, 0.3, "s", "on loopback")


def main() -> None:
    """Print all figures."""
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in (("start", start_and_memory), ("page", first_load)):
            (Path(folder) / name).mkdir()
            measure(Path(folder) / name)
    installed()


if __name__ == "__main__":
    main()
