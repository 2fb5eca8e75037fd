"""Pictures of one screen laid side by side as one compact WebP, and the page that shows all of them.

Takes no pictures of the product.
"""

import base64
import itertools
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser

from e2e.screens.stage import Screen

SIZES = {360: 740, 768: 1024, 1440: 900}
"""Widths and heights of the window."""
SCHEMES = ("light", "dark")
LOCALES = ("en-US", "zh-CN")
ROW_PX = 430
TALL_ROW_PX = 900
QUALITY = 52
INTRODUCTION = """# Every screen

Each picture holds one screen twelve times: above light, below dark; English at 360, 768 and 1440 pixels, then Chinese.
They are made anew with `python -m e2e.contact_sheet`, on the real backend and page with a scripted model, and are there
to be looked at after a change of the look.
"""


def picture_name(screen: str, scheme: str, locale: str, width: int) -> str:
    """Return the name of the file of one picture."""
    return f"{screen}-{scheme}-{locale[:2]}-{width}.png"


def lay(browser: Browser, raw: Path, folder: Path, name: str, screen: Screen) -> Path:
    """Lay the pictures of one screen side by side and return the file."""
    row = TALL_ROW_PX if screen.height else ROW_PX
    rows = []
    for scheme in SCHEMES:
        images = "".join(
            f"<img src='{picture_name(name, scheme, locale, width)}' style='height:{row}px'>"
            for locale, width in itertools.product(LOCALES, SIZES)
        )
        rows.append(f"<div>{images}</div>")
    style = "body{margin:0;padding:6px;background:#8b8f98;width:max-content}div{display:flex}img{margin:6px;display:block}"
    html = raw / f"{name}.html"
    html.write_text(f"<!doctype html><style>{style}</style>{''.join(rows)}", encoding="utf-8")
    page = browser.new_page()
    page.goto(html.as_uri())
    box = page.locator("body").bounding_box()
    assert box is not None
    clip = {"x": 0, "y": 0, "width": box["width"], "height": box["height"], "scale": 1}
    told = page.context.new_cdp_session(page).send(
        "Page.captureScreenshot",
        {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True},
    )
    page.close()
    path = folder / f"{name}.webp"
    path.write_bytes(base64.b64decode(told["data"]))
    return path


def write_index(folder: Path, screens: Mapping[str, Screen]) -> None:
    """Write the page that shows the sheets there are, in the order of the screens."""
    shown = [(name, screen) for name, screen in screens.items() if (folder / f"{name}.webp").exists()]
    parts = [f"## {screen.title}\n\n![{screen.title}]({name}.webp)\n" for name, screen in shown]
    (folder / "README.md").write_text("\n".join([INTRODUCTION, *parts]), encoding="utf-8")
