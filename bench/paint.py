"""From the engine's writing of a chunk to its being painted: a watched stream in a real Chromium, among others in step.

The real page from its own server, the real backend, a scripted engine that stamps every token with the machine's monotonic
clock, and other streams read by cheap clients. Beside it the floor of the same run: the same stamps among as many others,
passed on as server-sent events into a bare page that appends text. Painted is what stands in the document in the task
after a frame. Prints figure, goal and ratio; asserts nothing. `python bench/paint.py [--others 199] [--seconds 20]`
(80 seconds).
"""

import argparse
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, Page

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "relay")]

from machine import MEASURED, free_port, keep_on, process, upstream  # noqa: E402 (its place has to be known before)
from measure import quantile, three  # noqa: E402
from others import Others, through_backend, through_passthrough  # noqa: E402
from product import SETTINGS  # noqa: E402

from e2e.browser import chromium, new_context  # noqa: E402
from e2e.chat_page import ChatPage  # noqa: E402
from e2e.deadline import eventually  # noqa: E402
from e2e.processes import members  # noqa: E402
from e2e.tiers import Tiers  # noqa: E402
from e2e.witness import Witness  # noqa: E402

RATE = 50.0
PARAGRAPH = 40  # tokens, as people are answered
P50_MS, P95_MS = 16.0, 33.0
CLOCK_ROUNDS = 50
PAINTED = """(selector) => {
  const painted = (window.__painted = []);
  const {port1, port2} = new MessageChannel();
  let last = 0;
  port1.onmessage = () => {
    const now = performance.now();
    const shown = document.querySelector(selector);
    if (!shown) return;
    const blocks = [...shown.querySelectorAll('p')].slice(-2);
    const text = blocks.length ? blocks.map((block) => block.textContent).join(' ') : shown.textContent;
    for (const [stamp] of text.slice(-2000).matchAll(/\\d{10,}/g)) {
      if (Number(stamp) <= last) continue;
      last = Number(stamp);
      painted.push([last, now]);
    }
  };
  const frame = () => (port2.postMessage(0), requestAnimationFrame(frame));
  requestAnimationFrame(frame);
}"""
ANSWER = '[data-testid="message"][data-role="assistant"] [data-testid="content"]'
BARE = """<!doctype html><meta charset="utf-8"><div id="text" style="white-space: pre-wrap"></div><script>
window.begin = () => {
  const source = new EventSource('/stream');
  source.onmessage = ({data}) => {
    if (data !== '[DONE]') return text.append(JSON.parse(data).choices[0].delta.content ?? '');
    source.close();
    window.ended = true;
  };
};
</script>"""


def show(name: str, figure: float, goal: float, unit: str, baseline: str = "") -> None:
    """Print one line: what, how much, against which goal, beside which baseline."""
    ratio = f"{figure / goal:5.2f}" if goal else "    -"
    print(f"{name:<44} {figure:8.2f} {unit:<3} goal {goal:6.1f}  ratio {ratio}  {baseline}", flush=True)


def time_origin_ms(page: Page) -> float:
    """Return when the page's clock was zero, by the machine's monotonic clock."""
    low, high = float("-inf"), float("inf")
    for _ in range(CLOCK_ROUNDS):
        before = time.monotonic_ns() / 1e6
        now = page.evaluate("performance.now()")
        after = time.monotonic_ns() / 1e6
        low, high = max(low, before - now), min(high, after - now)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    told = metrics["NavigationStart"] * 1000
    session.detach()
    told_right = low - 0.2 <= told <= high + 0.2
    print(f"  the browser's clock is known to {0.1 if told_right else (high - low) / 2:.1f} ms", flush=True)
    return told if told_right else (low + high) / 2


class Watched:
    """What was painted of one stream: delays in milliseconds, and the times between paints that brought something."""

    def __init__(self, page: Page) -> None:
        origin = time_origin_ms(page)
        painted = page.evaluate("__painted")
        self.delays_ms = [origin + now - stamp / 1e6 for stamp, now in painted]
        paints = sorted({now for _, now in painted})
        self.apart_ms = [later - earlier for earlier, later in pairwise(paints)]

    def line(self, name: str, others: Others) -> str:
        """Return what is known of it."""
        return (
            f"  {name}: {len(self.delays_ms)} tokens, painted after {three(self.delays_ms)} ms, worst "
            f"{max(self.delays_ms, default=0):.1f}; between paints {three(self.apart_ms)}, longest "
            f"{max(self.apart_ms, default=0):.1f} ms; the others read after {three(others.figures.delays_ms)} ms"
        )


def in_the_product(browser: Browser, tiers: Tiers, others: Others) -> Watched:
    """Watch one stream in the page."""
    context = new_context(browser)
    tab = ChatPage(context.new_page(), tiers.url, Witness(context, tiers.url)).open()
    others.start()
    others.until_asked()
    tab.send("Hello")
    tab.page.evaluate(PAINTED, ANSWER)
    others.join()
    tab.messages("assistant", "completed").wait_for(timeout=60_000)
    watched = Watched(tab.page)
    for problem in tab.witness.problems():
        print(f"  {problem}")
    context.close()
    return watched


def in_a_bare_page(browser: Browser, engine: str, others: int, tokens: int) -> tuple[Watched, Others]:
    """Watch the same without the product."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with process(str(HERE / "relay/passthrough.py"), engine, str(port), core=MEASURED):
        context = new_context(browser)
        page = context.new_page()
        page.route("**/bare", lambda route: route.fulfill(body=BARE, content_type="text/html"))
        eventually(lambda: _answers(page, f"{url}/openapi.json"), 60, "the passthrough to answer")
        page.goto(f"{url}/bare")
        crowd = Others(through_passthrough(f"{url}/stream"), others, tokens)
        crowd.start()
        crowd.until_asked()
        page.evaluate("begin()")
        page.evaluate(PAINTED, "#text")
        crowd.join()
        page.wait_for_function("window.ended", timeout=60_000)
        watched = Watched(page)
        context.close()
        return watched, crowd


def _answers(page: Page, url: str) -> bool:
    try:
        return page.request.get(url).ok
    except Exception:  # noqa: BLE001 (whatever it is, it is asked again)
        return False


def main() -> None:
    """Watch both, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--others", type=int, default=199, help="streams beside the one that is watched")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    tokens = int(options.seconds * RATE)
    print(
        f"load of the machine before: {os.getloadavg()[0]:.1f}; {options.others} others, {tokens} tokens each"
    )
    with (
        tempfile.TemporaryDirectory() as data,
        upstream(options.others + 1, RATE, tokens, "--paragraph", str(PARAGRAPH)) as engine,
        chromium() as browser,
    ):
        tiers = Tiers(Path(data), engine, SETTINGS)
        try:
            tiers.start()
            assert tiers.backend is not None  # noqa: S101 (it was started)
            keep_on(MEASURED, [member.pid for member in members(tiers.backend.pid)])
            others = Others(through_backend(tiers.backend_url), options.others, tokens)
            ours = in_the_product(browser, tiers, others)
            print(ours.line("the page", others), flush=True)
        finally:
            tiers.end()
        floor, crowd = in_a_bare_page(browser, engine, options.others, tokens)
        print(floor.line("the bare page", crowd), flush=True)
    for share, goal in ((0.5, P50_MS), (0.95, P95_MS)):
        figure, base = quantile(ours.delays_ms, share), quantile(floor.delays_ms, share)
        baseline = f"floor {base:.2f} ms, {figure / base:.2f} × it"
        show(f"from the engine's write to the paint, p{share * 100:.0f}", figure, goal, "ms", baseline)
    show("tokens that were not seen", tokens - len(ours.delays_ms), 0, "", f"of {tokens}")


if __name__ == "__main__":
    main()
