"""How soon a page shows the current text when its network is back, and whether a character is missing or there twice.

A real page in Chromium, the real page server and backend, and between them a proxy that is a bad network. An answer
streams; at random moments the network goes and comes back:

offline   the browser is told, as by a laptop that leaves its Wi-Fi: connections end, none are made
reset     every connection is reset, and new ones are taken at once
refused   every connection is reset and new ones refused for a while, of which the browser is told nothing
silent    connections stay, but nothing comes through for a while, as in a tunnel

Timed is from the moment the network is back until the page shows what the answer had been by then; after each cut the
text shown is compared with the stored one, character by character. Prints figures, goal and ratio; asserts nothing.
`python bench/resume.py [--cuts 100] [--seed 1] [--only KIND]` (about 4 seconds a cut).
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "backend"), str(REPOSITORY / "bench" / "relay")]

from measure import quantile  # noqa: E402 (its place has to be known before)
from playwright.sync_api import TimeoutError as TooLate  # noqa: E402

from e2e.browser import chromium, new_context  # noqa: E402
from e2e.chat_page import ChatPage  # noqa: E402
from e2e.rest import Rest  # noqa: E402
from e2e.scripted_engine import ScriptedEngine  # noqa: E402
from e2e.tiers import Tiers  # noqa: E402
from e2e.witness import Witness  # noqa: E402
from tests.faults.chaos_proxy import ChaosProxy  # noqa: E402

GOAL_S = 2.0
RATE, WORDS = 40.0, 3000  # an answer of more than a minute
BETWEEN_S = (0.2, 1.5)
GIVE_UP_MS = 30_000
# how long the network is away, in seconds
KINDS = {"offline": (0.2, 6.0), "reset": (0.0, 0.0), "refused": (0.1, 3.0), "silent": (0.1, 3.0)}
SHOWS = """(text) => {
  const shown = document.querySelectorAll('[data-testid="message"][data-role="assistant"] [data-testid="content"]');
  return (shown[shown.length - 1]?.textContent ?? '').includes(text);
}"""


class Network:
    """The proxy, in a thread of its own, and the browser's own opinion."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._proxy = ChaosProxy(port)
        self.do(self._proxy.accept())
        self.url = self._proxy.url

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the proxy's loop."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def go(self, kind: str, tab: ChatPage) -> None:
        """Be gone."""
        if kind == "offline":
            tab.page.context.set_offline(True)
        self.do(self._gone(kind))

    def come_back(self, kind: str, tab: ChatPage) -> None:
        """Be there again."""
        self.do(self._back())
        if kind == "offline":
            tab.page.context.set_offline(False)

    async def _gone(self, kind: str) -> None:
        if kind == "silent":
            self._proxy.hold()
            return
        if kind != "reset":
            await self._proxy.refuse()
        self._proxy.cut()

    async def _back(self) -> None:
        self._proxy.release()
        await self._proxy.accept()


@dataclass
class Found:
    """What came out."""

    took_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    characters: int = 0


class Cuts:
    """Cuts the network of one page, again and again."""

    def __init__(self, tab: ChatPage, rest: Rest, network: Network, dice: random.Random) -> None:
        self.tab, self._rest, self._network, self.dice = tab, rest, network, dice
        self.found = Found()

    def stored(self) -> tuple[str, bool]:
        """Return the text of the answer as the backend has it, and whether it still grows."""
        chat = self._rest.chat(self.tab.chat_id)
        run = chat["active_run"]
        if run is None:
            return chat["messages"][-1]["content"].strip(), False
        return self._rest.run(run["id"])["content"].strip(), True

    def cut(self, kind: str) -> None:
        """Take the network away, give it back, and note how long the page takes."""
        self._network.go(kind, self.tab)
        time.sleep(self.dice.uniform(*KINDS[kind]))
        text, _ = self.stored()
        begun = time.perf_counter()
        self._network.come_back(kind, self.tab)
        try:
            self.tab.page.wait_for_function(SHOWS, arg=text[-40:], timeout=GIVE_UP_MS)
        except TooLate:
            self.found.wrong.append(f"{kind}: not shown within {GIVE_UP_MS / 1000:g} s")
        self.found.took_s[kind].append(time.perf_counter() - begun)
        self.compare(kind)

    def compare(self, kind: str) -> None:
        """Compare what is shown with what is stored: as far as it is shown, it is the same."""
        shown = (self.tab.content.text_content() or "").strip()
        stored, _ = self.stored()
        self.found.characters += len(shown)
        if not stored.startswith(shown):
            pairs = zip(stored, shown, strict=False)
            at = next((place for place, (one, other) in enumerate(pairs) if one != other), len(stored))
            self.found.wrong.append(
                f"{kind}: {shown[at - 20 : at + 40]!r} is shown, {stored[at - 20 : at + 40]!r} stored"
            )


@contextmanager
def cut_pages(seed: int) -> Iterator[Cuts]:
    """Give a page whose network can be cut, with everything behind it."""
    answer = [f"word{number} " for number in range(WORDS)]
    with tempfile.TemporaryDirectory() as data, ScriptedEngine(Path(data)) as engine, chromium() as browser:
        engine.answer(content=answer, rate=RATE, times=None)
        tiers = Tiers(Path(data), engine.url, {"DEFAULT_MAX_TOKENS": str(2 * WORDS)})
        network = Network(tiers.page_port)
        tiers.settings["CORS_ORIGINS"] += f",{network.url}"
        try:
            tiers.start()
            rest = Rest(tiers.backend_url)
            context = new_context(browser)
            tab = ChatPage(context.new_page(), network.url, Witness(context, network.url))
            yield Cuts(tab, rest, network, random.Random(seed))
            context.close()
            rest.close()
        finally:
            tiers.end()


def play(cuts: Cuts, count: int, kinds: list[str]) -> None:
    """Cut so many times, in as many answers as that takes."""
    done, tab = 0, cuts.tab
    while done < count:
        tab.open()
        tab.send("Write many words")
        tab.page.wait_for_function(SHOWS, arg="word1 ", timeout=GIVE_UP_MS)
        while done < count and cuts.stored()[1]:
            time.sleep(cuts.dice.uniform(*BETWEEN_S))
            cuts.cut(kinds[done % len(kinds)])
            done += 1
            print(f"\r{done} of {count} ", end="", file=sys.stderr, flush=True)
        if done < count:
            tab.messages("assistant", "completed").last.wait_for(timeout=GIVE_UP_MS)
            cuts.compare("the end")


def line(name: str, took_s: list[float]) -> str:
    """Return the figures of some cuts."""
    p50, p95 = quantile(took_s, 0.5), quantile(took_s, 0.95)
    return (
        f"{name:<10} {len(took_s):4} cuts  p50 {p50:6.2f} s  p95 {p95:6.2f} s  goal {GOAL_S:g} s  "
        f"ratio {p95 / GOAL_S:5.2f}  worst {max(took_s, default=0):6.2f} s"
    )


def main() -> None:
    """Cut and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=KINDS, help="this kind alone")
    options = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    kinds = [options.only] if options.only else list(KINDS)
    # what is known until somebody ends it is worth printing
    with cut_pages(options.seed) as cuts, suppress(KeyboardInterrupt):
        play(cuts, options.cuts, kinds)
    print(file=sys.stderr)
    found = cuts.found
    for kind in kinds:
        print(line(kind, found.took_s[kind]))
    print(line("all", [each for some in found.took_s.values() for each in some]))
    print(
        f"characters compared {found.characters}, texts that differed or never came {len(found.wrong)}  goal 0"
    )
    for each in found.wrong:
        print(f"  {each}")


if __name__ == "__main__":
    main()
