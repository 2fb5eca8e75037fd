"""How long chats open: the built page, its server and the real backend, in a real Chromium.

Prints figure, goal and ratio; asserts nothing. `python bench/long_chats.py [VISITS]` from the repository's root. On a busy
machine only what is told as CPU means something.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from e2e.browser import chromium, new_context
from e2e.rest import Json, Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

VISITS = 7
SHORT = 2  # the baseline: what opening any chat costs
SIZES = (500, 2000, 5000)
PAINT_MS, OPEN_MS, TASK_MS = 100, 60, 50
OPEN_SIZE = 2000  # the size of chat whose opening has a goal from the click on
QUIET_MS = 1500  # so long nothing is drawn any more
SCROLL_S, SCROLL_PX = 5, 300  # a fast flick, each frame
TRACED = ["toplevel", "blink.user_timing"]

ANSWER = """Yes, **number {n}** works: the engine keeps the keys and values of the prompt.

- first point with `code`, and [a link](https://example.org/{n})
- second point, *important*

```python
def handle_{n}(request, limit={n}):
    for item in request.items[:limit]:
        yield item["name"], len(item)
```

| name | value |
| --- | --: |
| tokens | {n} |

引擎保留提示词的键和值，所以第二轮只需要新的词元。
"""

WATCH = """
window.__open = null;
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...how) {
    super(...how);
    // Before the page's own listener: what the page makes of it is measured.
    this.addEventListener('message', ({data}) => {
      if (!__open || __open.data || !String(data).includes('"messages":[')) return;
      __open.data = performance.now();
      __open.kilobytes = data.length / 1000;
      __open.turns = data.split('"sibling_ids"').length - 1;
    });
  }
};
new PerformanceObserver((found) => found.getEntries().forEach(({startTime, duration}) => {
  if (__open && startTime + duration > __open.asked) __open.long.push(duration);
})).observe({type: 'longtask'});
window.__watch = (last) => {
  window.__open = {asked: 0, data: 0, painted: 0, long: [], kilobytes: 0, turns: 0};
  addEventListener('click', () => {
    __open.asked = performance.now();
    performance.mark('asked');
  }, {capture: true, once: true});
  const look = new MutationObserver(() => {
    const turn = document.querySelector(`[data-message-id="${last}"] [data-testid=content]`);
    if (!turn?.textContent.trim()) return;
    look.disconnect();
    requestAnimationFrame(() => {
      const {port1, port2} = new MessageChannel();
      port1.onmessage = () => (__open.painted = performance.now());
      port2.postMessage(null);
    });
  });
  look.observe(document.body, {childList: true, subtree: true, characterData: true});
};
window.__scroll = async (seconds, px) => {
  const box = document.querySelector('[data-testid=messages]');
  let frames = 0, late = 0;
  const start = performance.now();
  for (let last = start; last - start < seconds * 1000;) {
    const now = await new Promise(requestAnimationFrame);
    const missed = Math.max(0, Math.round((now - last) / (1000 / 60)) - 1);
    frames += 1 + missed;
    late += missed;
    last = now;
    box.scrollTop -= px;
  }
  return {frames, late, drawn: document.querySelectorAll('[data-message-id]').length};
};
"""


@dataclass
class Opening:
    """One opening of a chat, in milliseconds; `cpu` is the main thread's until nothing more is drawn."""

    asked_to_painted: float
    data_to_painted: float
    long_tasks: int
    cpu_tasks: list[float]
    cpu: float
    kilobytes: float
    turns: int


def conversation(size: int) -> Json:
    """Make a chat as our export has it."""
    messages: list[Json] = []
    for number in range(size):
        is_question = number % 2 == 0
        messages.append(
            {
                "id": f"m{number}",
                "parent_id": f"m{number - 1}" if number else None,
                "role": "user" if is_question else "assistant",
                "status": "completed",
                "content": f"Does number {number} work?" if is_question else ANSWER.format(n=number),
                "metadata": {}
                if is_question
                else {"usage": {"prompt_tokens": 900, "completion_tokens": 150}},
                "created_at": f"2026-01-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
            }
        )
    return {"title": f"{size} messages", "messages": messages, "active_leaf_id": f"m{size - 1}"}


@contextmanager
def tab(browser: Browser, url: str) -> Iterator[Page]:
    """Give a page that is open and connected, with its parts loaded."""
    context = new_context(browser)
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(url)
        page.wait_for_selector('[data-testid="connection"][data-state="online"]', timeout=60_000)
        yield page
    finally:
        context.close()


def busy(cdp: CDPSession) -> float:
    """Return how long the main thread has worked by now, in milliseconds of CPU."""
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration") * 1000)


def settle(page: Page) -> None:
    """Wait until nothing is drawn any more."""
    drawn, since = -1, time.monotonic()
    while (time.monotonic() - since) * 1000 < QUIET_MS:
        # cheap: what looks for turns in each node would be a fifth of what is measured
        now = page.evaluate("document.getElementsByTagName('article').length")
        if now != drawn:
            drawn, since = now, time.monotonic()
        page.wait_for_timeout(100)


def opening(browser: Browser, page: Page, cdp: CDPSession, chat: Json) -> Opening:
    """Open a chat from the sidebar and wait until all is drawn that is drawn without being asked for."""
    page.evaluate("(last) => __watch(last)", chat["active_leaf_id"])
    browser.start_tracing(page=page, categories=TRACED)
    before = busy(cdp)
    page.click(f'[data-testid="chat-item"][data-chat-id="{chat["id"]}"] a')
    while not page.evaluate("__open.painted"):  # the page's policy forbids what would wait in it
        page.wait_for_timeout(50)
    settle(page)
    used = busy(cdp) - before
    tasks = cpu_tasks(json.loads(browser.stop_tracing()))
    seen: dict[str, Any] = page.evaluate("__open")
    return Opening(
        seen["painted"] - seen["asked"],
        seen["painted"] - seen["data"],
        len(seen["long"]),
        tasks,
        used,
        seen["kilobytes"],
        seen["turns"],
    )


def cpu_tasks(trace: dict[str, Any]) -> list[float]:
    """Return the tasks of the page's main thread since the click, in milliseconds of CPU."""
    events = trace["traceEvents"]
    asked = next(event for event in events if event["name"] == "asked")
    thread = (asked["pid"], asked["tid"])
    return [
        event.get("tdur", 0) / 1000
        for event in events
        if event["name"] in ("ThreadControllerImpl::RunTask", "RunTask")
        and (event["pid"], event["tid"]) == thread
        and event["ts"] + event.get("dur", 0) > asked["ts"]
    ]


def goal(name: str, value: float, limit: float, unit: str = "ms") -> None:
    """Print a figure against its goal."""
    print(f"  {name:<52} {value:>8.1f} {unit:<3} goal {limit:<5g} ratio {value / limit:5.2f}")


def show(size: int, found: list[Opening], baseline: list[Opening]) -> None:
    """Print what was measured of one size."""

    def median(name: str, of: list[Opening]) -> float:
        return statistics.median(getattr(one, name) for one in of)

    one = found[-1]
    print(f"{size} messages: {one.turns} of them and {one.kilobytes:.0f} KB with the first answer")
    goal("data to painted tail, median", median("data_to_painted", found), PAINT_MS)
    goal("data to painted tail, longest", max(each.data_to_painted for each in found), PAINT_MS)
    if size == OPEN_SIZE:
        goal("click to painted tail, median", median("asked_to_painted", found), OPEN_MS)
    else:
        print(f"  {'click to painted tail, median':<52} {median('asked_to_painted', found):>8.1f} ms")
    goal("longest task, by CPU", max(max(each.cpu_tasks) for each in found), TASK_MS)
    goal("tasks > 50 ms by the clock, a visit", statistics.fmean(each.long_tasks for each in found), 1, "")
    cpu, short = median("cpu", found), median("cpu", baseline)
    print(
        f"  {'CPU until nothing more is drawn, median':<52} {cpu:>8.1f} ms  {cpu / short:.1f} x a short chat"
    )


def main() -> None:
    """Print all figures."""
    visits = int(sys.argv[1]) if len(sys.argv) > 1 else VISITS
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {visits} visits each")
    with (
        tempfile.TemporaryDirectory() as data,
        ScriptedEngine(Path(data)) as engine,
        chromium() as browser,
    ):
        tiers = Tiers(Path(data), engine.url)
        try:
            tiers.start()
            rest = Rest(tiers.url)
            for size in (SHORT, *SIZES):
                rest.call("POST", "/api/import", conversation(size))
            chats = {int(chat["title"].split()[0]): chat for chat in rest.chats()}
            rest.close()
            with tab(browser, tiers.url) as page:
                cdp = page.context.new_cdp_session(page)
                cdp.send("Performance.enable", {"timeDomain": "threadTicks"})
                found: dict[int, list[Opening]] = {size: [] for size in chats}
                for _ in range(visits + 1):
                    for size in sorted(chats):
                        found[size].append(opening(browser, page, cdp, chats[size]))
                for size in SIZES:
                    # the first visit warms up
                    show(size, found[size][1:], found[SHORT][1:])
                    if size == SIZES[-1]:
                        seen = page.evaluate(f"__scroll({SCROLL_S}, {SCROLL_PX})")
                        on_time = 100 * (1 - seen["late"] / seen["frames"])
                        print(
                            f"  scrolled up for {SCROLL_S} s: {on_time:.1f} % of frames on time, {seen['drawn']} drawn"
                        )
        finally:
            tiers.end()
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
