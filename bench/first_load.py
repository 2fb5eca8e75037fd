"""How the page loads: the built page by its own server in a real Chromium, cold and warm, quick and slow.

Prints the median of some visits and the goals; asserts nothing. `python bench/first_load.py [VISITS]`. Writes nothing.
"""

import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.browser import chromium, new_context
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

VISITS = 5
QUIET_MS = 700  # so long after the page is there something may still move or block
SCRIPT_KB, REQUESTS, PAINT_MS = 150, 15, 300

# As the browser's own tools name them: bytes a second, and the round trip that they add.
FAST_4G = {"downloadThroughput": 9e6 / 8 * 0.9, "uploadThroughput": 1.5e6 / 8 * 0.9, "latency": 165}
FAST_3G = {"downloadThroughput": 1.6e6 / 8 * 0.9, "uploadThroughput": 0.75e6 / 8 * 0.9, "latency": 562}
NETWORKS = {"none": None, "4G": FAST_4G, "3G": FAST_3G}

WATCH = """
window.__load = {composer: null, long: [], shift: 0, largest: null};
const watch = (type, take) =>
  new PerformanceObserver((found) => found.getEntries().forEach(take)).observe({type, buffered: true});
watch('longtask', ({startTime, duration}) => __load.long.push([startTime, duration]));
watch('layout-shift', ({value}) => (__load.shift += value));
watch('largest-contentful-paint', ({startTime}) => (__load.largest = startTime));
const look = new MutationObserver(() => {
  if (!document.getElementById('composer')) return;
  look.disconnect();
  // Typed into in the next task at the earliest.
  setTimeout(() => (__load.composer = performance.now()));
});
look.observe(document, {childList: true, subtree: true});
"""
FIGURES = """() => {
  const paint = (name) => performance.getEntriesByName(name)[0]?.startTime ?? null;
  return {...__load, first: paint('first-paint'), contentful: paint('first-contentful-paint')};
}"""


@dataclass
class Visit:
    """One load. Times in milliseconds from the navigation, sizes in bytes over the wire."""

    times: dict[str, float]
    shift: float
    sizes: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)


class Wire:
    """Counts what comes over the network; what a cache gives counts as a request without bytes."""

    def __init__(self, page: Page, slow: int, network: dict[str, float] | None) -> None:
        self.sizes: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._kinds: dict[str, str] = {}
        cdp = page.context.new_cdp_session(page)
        cdp.on("Network.responseReceived", self._response)
        cdp.on("Network.loadingFinished", self._finished)
        cdp.send("Network.enable")
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": slow})
        if network:
            cdp.send("Network.emulateNetworkConditions", {"offline": False, **network})

    def _response(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        self._kinds[event["requestId"]] = "API" if kind in ("Fetch", "XHR") else kind
        self.requests[self._kinds[event["requestId"]]] += 1

    def _finished(self, event: dict[str, Any]) -> None:
        self.sizes[self._kinds.get(event["requestId"], "other")] += int(event["encodedDataLength"])


def visit(context: BrowserContext, url: str, slow: int, network: dict[str, float] | None) -> Visit:
    """Open the page in a new tab and wait until it is ready and quiet."""
    page = context.new_page()
    page.add_init_script(WATCH)
    wire = Wire(page, slow, network)
    page.goto(url, timeout=60_000)
    page.wait_for_selector("#composer", timeout=60_000)
    while page.evaluate("__load.composer === null"):
        page.wait_for_timeout(10)
    page.wait_for_selector('[data-testid="connection"][data-state="online"]', timeout=60_000)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_timeout(QUIET_MS)
    seen = page.evaluate(FIGURES)
    page.close()
    blocked = sum(
        max(0.0, took - 50) for start, took in seen["long"] if start + took > (seen["contentful"] or 0)
    )
    times = {
        "first paint": seen["first"],
        "first contentful": seen["contentful"],
        "largest contentful": seen["largest"],
        "composer ready": seen["composer"],
        "blocked": blocked,
    }
    return Visit(times, seen["shift"], wire.sizes, wire.requests)


@contextmanager
def fresh_context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a profile that has never seen the page."""
    context = new_context(browser)
    try:
        yield context
    finally:
        context.close()


def measure(browser: Browser, url: str, slow: int, network: str, visits: int) -> dict[str, list[Visit]]:
    """Visit the page cold and, with what the first visits left behind, warm."""
    found: dict[str, list[Visit]] = {"cold": [], "warm": []}
    for _ in range(visits):
        with fresh_context(browser) as context:
            found["cold"].append(visit(context, url, slow, NETWORKS[network]))
            visit(context, url, slow, None)  # the service worker sees its first load
            found["warm"].append(visit(context, url, slow, NETWORKS[network]))
    return found


def show(name: str, visits: list[Visit]) -> None:
    """Print the medians of some visits."""
    times = {key: statistics.median([one.times[key] or 0 for one in visits]) for key in visits[0].times}
    shift = max(one.shift for one in visits)
    print(f"{name:<24}" + "".join(f"{ms:>10.0f}" for ms in times.values()) + f"{shift:>10.3f}")


def goal(name: str, value: float, limit: float, unit: str) -> None:
    """Print a figure against its goal."""
    verdict = "met" if value <= limit else "MISSED"
    print(f"  {name:<40} {value:>8.1f} {unit:<3} goal {limit:g}  {verdict}")


def sizes(title: str, one: Visit) -> None:
    """Print bytes and requests by type."""
    kinds = sorted(one.requests, key=lambda kind: -one.sizes[kind])
    parts = ", ".join(f"{kind} {one.sizes[kind] / 1000:.1f} KB in {one.requests[kind]}" for kind in kinds)
    print(
        f"{title}: {sum(one.sizes.values()) / 1000:.1f} KB, {sum(one.requests.values())} requests ({parts})"
    )


def main() -> None:
    """Print all figures."""
    visits = int(sys.argv[1]) if len(sys.argv) > 1 else VISITS
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {visits} visits each, milliseconds")
    head = ("first", "contentful", "largest", "composer", "blocked", "shift")
    with (
        tempfile.TemporaryDirectory() as data,
        ScriptedEngine(Path(data)) as engine,
        chromium() as browser,
    ):
        tiers = Tiers(Path(data), engine.url)
        try:
            tiers.start()
            with fresh_context(browser) as context:
                visit(context, tiers.url, 1, None)  # the browser's own first start is not the page's
            print(f"{'':<24}" + "".join(f"{name:>10}" for name in head))
            plain: dict[str, list[Visit]] = {}
            for slow, network in ((1, "none"), (4, "none"), (1, "4G"), (4, "4G"), (4, "3G")):
                found = measure(browser, tiers.url, slow, network, visits)
                plain = plain or found
                for kind, those in found.items():
                    show(f"{kind}, CPU 1/{slow}, network {network}", those)
        finally:
            tiers.end()
    cold = plain["cold"][0]
    sizes("cold", cold)
    sizes("warm", plain["warm"][0])
    goal("script over the wire", cold.sizes["Script"] / 1000, SCRIPT_KB, "KB")
    goal("requests", sum(cold.requests.values()), REQUESTS, "")
    goal("first paint", statistics.median(one.times["first paint"] for one in plain["cold"]), PAINT_MS, "ms")
    goal("layout shift", max(one.shift for those in plain.values() for one in those), 0, "")
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
