"""Four pictures of an answer whose backend is killed, as one strip: `python -m e2e.film_strip docs/pictures/going-on.png`.

Real but for the model, which is scripted. Not a test; `test_backend_trouble.py` holds the promise.
"""

import sys
import tempfile
from base64 import b64encode
from pathlib import Path

from playwright.sync_api import Browser, expect

from e2e.browser import chromium, new_context
from e2e.chat_page import ChatPage
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers
from e2e.witness import Witness

FRAME = {"width": 660, "height": 440}
QUESTION = "Why is the second turn faster?"
ANSWER = (
    "The engine **keeps the keys and values** of every prompt it has read, block by block. "
    "The second turn begins with the same text as the first, so these blocks are found again "
    "and only the new part has to be computed.\n\n"
    "- The system prompt is reused.\n- So is every earlier turn.\n- What was thought is not: it is never sent back.\n\n"
    "That is why the first word of the second turn comes *so much sooner*."
).replace(" ", " \0")
TOKENS = [token for token in ANSWER.split("\0") if token]
CAPTIONS = (
    "1. The answer streams",
    "2. kill -9 on the backend",
    "3. The backend is back: it goes on",
    "4. From the very token where it was",
)


def frames(browser: Browser, folder: Path) -> list[bytes]:
    """Return the four pictures."""
    with ScriptedEngine(folder) as engine:
        tiers = Tiers(folder / "tiers", engine.url)
        context = new_context(browser, viewport=FRAME, color_scheme="light")
        try:
            tiers.start()
            tab = ChatPage(context.new_page(), tiers.url, Witness(context, tiers.url)).open()
            answer = engine.answer(content=TOKENS, gated=True)
            tab.send(QUESTION)
            answer.step(18)
            expect(tab.content).to_contain_text("block by")
            shots = [tab.page.screenshot()]

            tiers.kill_backend()
            expect(tab.hook("connection")).to_have_attribute("data-state", "reconnecting")
            shots.append(tab.page.screenshot())

            engine.set(rate=10)
            answer.open()
            tiers.start_backend()
            expect(tab.hook("connection")).to_have_attribute("data-state", "online", timeout=30_000)
            expect(tab.content).to_contain_text("found again", timeout=30_000)
            shots.append(tab.page.screenshot())

            expect(tab.answer).to_have_attribute("data-status", "completed", timeout=30_000)
            tab.page.mouse.move(0, 0)
            shots.append(tab.page.screenshot())
        finally:
            context.close()
            tiers.end()
    return shots


def strip(browser: Browser, shots: list[bytes], path: Path) -> None:
    """Lay the pictures side by side, two in a row, each with its caption."""
    figures = "".join(
        f"<figure><figcaption>{caption}</figcaption>"
        f"<img src='data:image/png;base64,{b64encode(shot).decode()}'></figure>"
        for caption, shot in zip(CAPTIONS, shots, strict=True)
    )
    style = (
        "body{margin:0;padding:16px;display:grid;grid-template-columns:auto auto;gap:16px;background:#fff;width:max-content}"
        "figure{margin:0}figcaption{font:600 16px system-ui,sans-serif;margin-bottom:8px;color:#1b1d21}"
        "img{display:block;border:1px solid #dedfe3;border-radius:10px}"
    )
    page = browser.new_page()
    page.set_content(f"<style>{style}</style>{figures}")
    page.locator("body").screenshot(path=path)
    page.close()


def main() -> None:
    """Make the strip."""
    path = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        strip(browser, frames(browser, Path(folder)), path)
    print(f"{path} {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
