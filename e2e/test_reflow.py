"""Promises to people who enlarge the text, choose their own colours, or write on a small screen."""

import pytest
from playwright.sync_api import Page, expect

from e2e.browser import PHONE
from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.deadline import eventually
from e2e.scripted_engine import ScriptedEngine
from e2e.test_streaming import MARKDOWN
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

SMALL = {"width": 320, "height": 640}
# 1280 x 1024 px enlarged to 400 %, as WCAG counts it.
ENLARGED = {"width": 320, "height": 256}
WITH_KEYBOARD = {"width": 320, "height": 300}
TOUCH = {"has_touch": True, "is_mobile": True}


def talk(tab: ChatPage, engine: ScriptedEngine) -> ChatPage:
    """Have a conversation with code, a table and thinking."""
    engine.answer(reasoning="Let me see.", content=MARKDOWN)
    tab.send("How do I sort? " * 8)
    expect(tab.answer).to_have_attribute("data-status", "completed")
    return tab


def sideways(page: Page) -> list[str]:
    """Return the boxes that scroll both ways, or stand out of the window; code and tables may scroll by themselves."""
    return page.evaluate(
        """() => [...document.querySelectorAll('body, body *')]
          .filter((node) => !node.closest('pre, .table, .katex, .sr-only, [data-shell]'))
          .filter((node) => {
            const style = getComputedStyle(node);
            const scrolls = ['auto', 'scroll'].includes(style.overflowX) && node.scrollWidth > node.clientWidth + 1;
            const box = node.getBoundingClientRect();
            const isShown = box.width > 0 && box.height > 0 && style.visibility !== 'hidden';
            return scrolls || (isShown && box.left >= 0 && box.left < innerWidth && box.right > innerWidth + 1);
          })
          .map((node) => node.outerHTML.slice(0, 120))"""
    )


def test_at_400_percent_nothing_scrolls_both_ways(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tab = talk(new_tab(tiers, viewport=ENLARGED).open(), engine)

    assert sideways(tab.page) == []
    assert tab.overflow() == 0
    expect(tab.composer).to_be_in_viewport(ratio=1)
    tab.hook("messages").hover()
    tab.hook("settings").click()
    expect(tab.hook("settings-dialog")).to_be_visible()
    for part in tab.hook("settings-dialog").locator("summary").all():
        part.click()
    assert sideways(tab.page) == []


def test_the_first_visit_is_read_from_its_top(tiers: Tiers, new_tab: NewTab) -> None:
    tab = new_tab(tiers, viewport={"width": 320, "height": 568}, **TOUCH).open()
    expect(tab.hook("starter").last).to_be_attached()

    assert tab.hook("messages").evaluate("area => area.scrollHeight > area.clientHeight")
    assert tab.hook("messages").evaluate("area => area.scrollTop") == 0
    expect(tab.hook("jump-to-latest")).to_have_count(0)


def test_the_page_itself_cannot_be_scrolled_away(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tab = talk(new_tab(tiers, viewport=ENLARGED).open(), engine)

    # What a screen reader is told stands in the conversation, and scrolls with it.
    rest = "document.scrollingElement.scrollHeight - document.scrollingElement.clientHeight"
    assert tab.page.evaluate(rest) == 0


def test_text_twice_as_large_loses_nothing(tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine) -> None:
    tab = new_tab(tiers).open()
    # What "text only" zoom and the browser's own text size do.
    cdp = tab.page.context.new_cdp_session(tab.page)
    cdp.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    tab.page.reload()
    expect(tab.composer).to_be_visible()
    size = tab.page.evaluate("parseFloat(getComputedStyle(document.querySelector('#composer')).fontSize)")
    assert size == 32
    talk(tab, engine)

    assert sideways(tab.page) == []
    for name in ("composer", "thinking-toggle", "model-picker", "settings"):
        expect(tab.hook(name)).to_be_in_viewport(ratio=1)
    # No label is cut off inside of its button.
    cut = tab.page.evaluate(
        """() => [...document.querySelectorAll('button, a[href]')]
          .filter((node) => node.offsetParent && !node.querySelector('.truncate, .line-clamp-2')
            && !node.matches('.truncate') && node.scrollHeight > node.clientHeight + 2)
          .map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert cut == []


def test_the_composer_stays_above_a_keyboard(tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine) -> None:
    tab = talk(new_tab(tiers, viewport=SMALL, **TOUCH).open(), engine)

    # Where the window becomes smaller.
    tab.page.set_viewport_size(WITH_KEYBOARD)
    tab.composer.fill("A first line\nand a second\nand a third\nand a fourth\nand a fifth")

    for name in ("composer", "send"):
        expect(tab.hook(name)).to_be_in_viewport(ratio=1)
    assert tab.hook("messages").bounding_box()["height"] >= 32  # type: ignore[index]


def test_the_composer_stays_above_a_keyboard_that_lies_over_the_page(tiers: Tiers, new_tab: NewTab) -> None:
    tab = new_tab(tiers, viewport=SMALL, **TOUCH).open()
    # As on iOS: what is seen becomes smaller, the window does not.
    covered = 280
    tab.page.evaluate(
        """(covered) => {
          Object.defineProperty(visualViewport, 'height', {get: () => innerHeight - covered, configurable: true});
          visualViewport.dispatchEvent(new Event('resize'));
        }""",
        covered,
    )

    def bottom() -> float:
        box = tab.hook("send").bounding_box()
        assert box
        return box["y"] + box["height"]

    eventually(lambda: bottom() <= SMALL["height"] - covered, 10, "the composer to stand above the keyboard")
    assert tab.overflow() == 0


def test_no_box_is_zoomed_into_on_a_telephone(tiers: Tiers, new_tab: NewTab) -> None:
    tab = new_tab(tiers, viewport=SMALL, **TOUCH).open()
    tab.hook("settings").click()
    expect(tab.hook("settings-dialog")).to_be_visible()
    for part in tab.hook("settings-dialog").locator("summary").all():
        part.click()

    small = tab.page.evaluate(
        """() => [...document.querySelectorAll('input:not([type=radio], [type=checkbox], [type=file]), textarea, select')]
          .filter((box) => parseFloat(getComputedStyle(box).fontSize) < 16)
          .map((box) => box.outerHTML.slice(0, 100))"""
    )

    assert small == []


@pytest.mark.parametrize(
    ("options", "smallest"), [({**TOUCH, "viewport": PHONE}, 44), ({}, 24)], ids=["finger", "mouse"]
)
def test_every_target_is_large_enough(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, options: dict[str, object], smallest: int
) -> None:
    tab = talk(new_tab(tiers, **options).open(), engine)
    small = """(smallest) => [...document.querySelectorAll('button, a[href], select, input, summary, [role=menuitem]')]
      .filter((node) => node.checkVisibility() && !node.closest('.sr-only, p, li > .markdown') && !node.matches('.sr-only'))
      .map((node) => [node.closest('label') ?? node, node])
      .map(([box, node]) => [box.getBoundingClientRect(), node])
      .filter(([box]) => box.bottom > 0 && Math.min(box.width, box.height) < smallest - 0.5)
      .map(([box, node]) => `${box.width}x${box.height} ${node.outerHTML.slice(0, 140)}`)"""

    assert tab.page.evaluate(small, smallest) == []
    tab.hook("settings").click()
    expect(tab.hook("settings-dialog")).to_be_visible()
    for part in tab.hook("settings-dialog").locator("summary").all():
        part.click()
    assert tab.page.evaluate(small, smallest) == []


def test_with_the_readers_own_colours_what_is_chosen_and_focused_is_told_by_a_line(
    tiers: Tiers, new_tab: NewTab
) -> None:
    tab = new_tab(tiers, forced_colors="active").open()
    line = "node => [getComputedStyle(node).outlineStyle, parseFloat(getComputedStyle(node).outlineWidth)]"
    assert tab.composer.evaluate(line) == ["solid", 3]
    toggle = tab.hook("thinking-toggle")
    before = toggle.evaluate(line)
    toggle.click()
    tab.composer.focus()
    after = toggle.evaluate(line)
    assert sorted([before, after]) == [["none", 3], ["solid", 2]]

    tab.hook("settings").click()
    chosen = tab.hook("settings-dialog").locator("label:has(> input[type=radio]:checked)").last

    assert chosen.evaluate(line) == ["solid", 2]
