"""Pictures of every screen in both themes, both languages and three widths: `python -m e2e.contact_sheet [SCREEN ...]`.

Not a test: the pictures are there to be looked at. What axe-core finds on the screens is told too. Pictures of the README are
made by `scripts/pictures.py`.
"""

import argparse
import itertools
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from playwright.sync_api import Browser, expect

from e2e import axe
from e2e.browser import chromium, new_context
from e2e.chat_page import ChatPage
from e2e.processes import REPOSITORY
from e2e.rest import Rest
from e2e.screens import dialogs, lists, reading, trouble
from e2e.screens.chats import MODEL, NOW
from e2e.screens.sheet import SCHEMES, SIZES, lay, picture_name, write_index
from e2e.screens.stage import SETTINGS, Screen, Shelf, Stage
from e2e.screens.words import LANGUAGES, Words
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers
from e2e.witness import Witness

SCREENS: dict[str, Screen] = {**reading.SCREENS, **lists.SCREENS, **dialogs.SCREENS, **trouble.SCREENS}
Look = tuple[Words, Sequence[int]]
WINDOWS: tuple[Sequence[int], ...] = ((360,), (1440, 768))
"""A telephone, and a window that is made narrower."""
FEW: list[Look] = list(zip(LANGUAGES, WINDOWS, strict=True))
SHOT_MS = 60_000
FOLDER = REPOSITORY / "docs" / "contact-sheet"


class Photographer:
    """Takes the pictures of screens, into `raw`; counts what went wrong."""

    def __init__(self, browser: Browser, tiers: Tiers, engine: ScriptedEngine, raw: Path) -> None:
        self._browser = browser
        self._tiers = tiers
        self._engine = engine
        self._raw = raw
        self._rest = Rest(tiers.url)
        self._shelf: Shelf | None = None
        self.problems: list[str] = []

    def take(self, name: str, screen: Screen, looks: Iterable[Look]) -> None:
        """Take the pictures of a screen in these languages and widths, light and dark."""
        for words, widths in looks:
            self._reach(name, screen, words, widths)

    def _reach(self, name: str, screen: Screen, words: Words, widths: Sequence[int]) -> None:
        is_phone = widths[0] == min(SIZES)
        sizes = [{"width": width, "height": screen.height or SIZES[width]} for width in widths]
        context = new_context(
            self._browser,
            color_scheme=SCHEMES[0],
            locale=words.locale,
            timezone_id="UTC",
            viewport=sizes[0],
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        tab = ChatPage(context.new_page(), self._tiers.url, Witness(context, self._tiers.url))
        tab.page.clock.set_fixed_time(NOW)
        stage = Stage(tab, self._engine, self._rest, self._tiers, words)
        found = []
        try:
            self._shelf = stage.reset(self._shelf)
            screen.reach(stage)
        except Exception as error:  # noqa: BLE001 a screen that cannot be reached is to be seen too
            found.append(str(error).splitlines()[0])
        for size in sizes:
            if size is not sizes[0]:
                tab.page.set_viewport_size(size)
            for scheme in SCHEMES:
                path = self._raw / picture_name(name, scheme, words.locale, size["width"])
                tab.page.emulate_media(color_scheme=scheme)
                tab.page.screenshot(path=path, animations="disabled", timeout=SHOT_MS)
                found += [f"{scheme}, {size['width']} px: {what}" for _, what in axe.findings(tab.page)]
            if (over := tab.overflow()) > 0:
                found.append(f"the page is {over} px wider than a window of {size['width']} px")
        found += tab.witness.problems()
        context.close()
        self.problems += [f"{name} {words.locale} {widths}: {problem}" for problem in found]
        for problem in found:
            print(f"  {words.locale} {widths}: {problem}", flush=True)


def take(names: list[str], raw: Path, folder: Path | None) -> list[str]:
    """Take the pictures of these screens and lay them on their sheets; returns what went wrong.

    Without a folder each width is looked at in one language only, and there are no sheets.
    """
    looks = list(itertools.product(LANGUAGES, WINDOWS)) if folder else FEW
    with (
        tempfile.TemporaryDirectory() as data,
        ScriptedEngine(Path(data), model=MODEL) as engine,
        chromium() as browser,
    ):
        settings = {**SETTINGS, "ENGINE_STATUS_FILE": str(Path(data) / "tiers" / "engine.json")}
        tiers = Tiers(Path(data) / "tiers", engine.url, settings)
        try:
            tiers.start()
            photographer = Photographer(browser, tiers, engine, raw)
            for number, name in enumerate(names, start=1):
                began = time.monotonic()
                # Forth and back, so that one language's library serves two screens.
                photographer.take(name, SCREENS[name], looks if number % 2 else looks[::-1])
                if folder:
                    lay(browser, raw, folder, name, SCREENS[name])
                print(f"{number}/{len(names)} {name} {time.monotonic() - began:.0f} s", flush=True)
            return photographer.problems
        finally:
            tiers.end()


def main() -> None:
    """Take the pictures of the screens named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--from", dest="first", choices=SCREENS, metavar="SCREEN", help="leave out those before it"
    )
    parser.add_argument("screens", nargs="*", help=f"of: {', '.join(SCREENS)}")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the sheets go")
    parser.add_argument("--raw", type=Path, help="keep the single pictures in full size here")
    parser.add_argument("--few", action="store_true", help="a quick look: half the pictures, and no sheets")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Ended before all pictures were taken."))
    if unknown := set(asked.screens) - SCREENS.keys():
        parser.error(f"no such screen: {', '.join(sorted(unknown))}")
    expect.set_options(timeout=10_000)
    folder = None if asked.few else asked.folder
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        raw = asked.raw or Path(scratch)
        raw.mkdir(parents=True, exist_ok=True)
        names = asked.screens or list(SCREENS)[list(SCREENS).index(asked.first) if asked.first else 0 :]
        problems = take(names, raw, folder)
    if folder:
        write_index(folder, SCREENS)
        total = sum(path.stat().st_size for path in folder.glob("*.webp"))
        print(f"{folder}: {total / 1024 / 1024:.1f} MB")
    sys.exit("\n".join(["What went wrong:", *problems]) if problems else 0)


if __name__ == "__main__":
    main()
