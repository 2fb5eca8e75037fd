"""Promises to people who use a keyboard or a screen reader."""

import re

import pytest
from playwright.sync_api import expect

from e2e import axe
from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.test_streaming import MARKDOWN
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium


def findings(tab: ChatPage) -> list[str]:
    """Return what axe-core finds serious or critical."""
    return [what for impact, what in axe.findings(tab.page) if impact in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_axe_finds_nothing_serious(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, scheme: str, locale: str
) -> None:
    tab = new_tab(tiers, color_scheme=scheme, locale=locale).open()
    assert findings(tab) == [], "first visit"
    answer = engine.answer(reasoning="Let me see.", content=MARKDOWN, gated=True)
    tab.send("How do I sort?")
    answer.step(8)
    expect(tab.content).to_contain_text("Sorting")
    assert findings(tab) == [], "streaming"
    answer.open()
    expect(tab.answer).to_have_attribute("data-status", "completed")
    tab.answer.hover()
    assert findings(tab) == [], "chat"
    tab.hook("chat-search").fill("sort")
    expect(tab.page.locator("mark").first).to_be_visible()
    assert findings(tab) == [], "search"
    tab.hook("settings").click()
    expect(tab.page.get_by_role("dialog")).to_be_visible()

    assert findings(tab) == [], "settings"


def test_axe_finds_nothing_serious_in_a_failed_answer(tab: ChatPage, engine: ScriptedEngine) -> None:
    engine.answer(status=500, times=2)
    tab.send("Fail")
    expect(tab.answer).to_have_attribute("data-status", "failed")

    assert findings(tab) == []


def tab_to(tab: ChatPage, name: str) -> None:
    """Press Tab until this hook has the focus, as somebody without a mouse does; the focus must be visible."""
    for _ in range(80):
        tab.page.keyboard.press("Tab")
        if tab.page.evaluate("document.activeElement.dataset.testid") == name:
            break
    else:
        raise AssertionError(f"{name} is not reached by Tab")
    shown = tab.page.evaluate(
        """() => {
          for (let node = document.activeElement; node && node !== document.body; node = node.parentElement) {
            const style = getComputedStyle(node);
            if (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) return true;
            if (style.boxShadow !== 'none') return true;
          }
          return false;
        }"""
    )
    assert shown, f"one cannot see that {name} has the focus"


def test_a_whole_round_works_with_the_keyboard_alone(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    engine.answer(content="First.")
    engine.answer(content="Second.")
    tab.page.keyboard.type("Hello")
    tab.page.keyboard.press("Enter")
    expect(tab.content).to_have_text("First.")
    first = tab.chat_id

    tab_to(tab, "regenerate")
    tab.page.keyboard.press("Enter")
    expect(tab.content).to_have_text("Second.")
    tab_to(tab, "branch-prev")
    tab.page.keyboard.press("Enter")
    expect(tab.content).to_have_text("First.")
    tab_to(tab, "new-chat")
    tab.page.keyboard.press("Enter")
    expect(tab.messages()).to_have_count(0)
    expect(tab.composer).to_be_focused()
    for name in ("chat-search", "thinking-toggle", "model-picker", "settings", "language", "theme"):
        tab_to(tab, name)
    tab.page.keyboard.press("Tab")
    tab_to(tab, "chat-menu")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("menu")).to_be_visible()
    tab.page.keyboard.press("Escape")

    expect(tab.page.get_by_role("menu")).to_be_hidden()
    assert [chat["id"] for chat in rest.chats()] == [first]


def test_the_settings_close_with_escape_and_give_the_focus_back(tab: ChatPage) -> None:
    tab_to(tab, "settings")
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("dialog")).to_be_visible()

    tab.page.keyboard.press("Escape")

    expect(tab.page.get_by_role("dialog")).to_be_hidden()
    expect(tab.hook("settings")).to_be_focused()


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_every_control_has_a_name_in_the_pages_language(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, locale: str
) -> None:
    tab = new_tab(tiers, locale=locale).open()
    tab.send("hello")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    names = {
        name: tab.hook(name).first.evaluate(
            "node => node.getAttribute('aria-label') || node.innerText || node.title"
        )
        for name in (
            "new-chat",
            "thinking-toggle",
            "settings",
            "language",
            "theme",
            "copy",
            "regenerate",
            "edit",
        )
    }

    assert all(names.values()), names
    if locale == "zh-CN":
        chinese = [name for name, text in names.items() if re.search(r"[\u4e00-\u9fff]", text)]
        assert len(chinese) >= len(names) - 1, names


def test_an_answer_is_announced_politely(tab: ChatPage, engine: ScriptedEngine) -> None:
    live = tab.page.locator("[aria-live=polite], [role=status], [role=log]")

    assert live.count() > 0


MOTION = """() => {
  window.longest = 0;
  const look = () => {
    for (const motion of document.getAnimations()) {
      const { duration, iterations } = motion.effect.getComputedTiming();
      window.longest = Math.max(window.longest, Number(duration) * Math.min(iterations, 1000));
    }
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_moves_for_who_asks_for_that(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, rest: Rest, wish: str
) -> None:
    """The waiting dot, a folded thought, a dialog, a menu, a toast; with the other wish as the control."""
    chat = rest.new_chat(title="Away with it")
    tab = new_tab(tiers, reduced_motion=wish).open()
    tab.page.evaluate(MOTION)
    answer = engine.answer(reasoning="Let me see.", content="Done.", gated=True)
    tab.send("Hello")
    answer.step(2)
    expect(tab.answer).to_have_attribute("data-status", "streaming")
    answer.open()
    expect(tab.content).to_have_text("Done.")
    tab.hook("settings").click()
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.chat(chat["id"]).hover()
    tab.chat(chat["id"]).get_by_test_id("chat-menu").click()
    tab.hook("chat-delete").click()
    expect(tab.page.get_by_role("button", name="Undo")).to_be_visible()

    longest = tab.page.evaluate("longest")

    assert (longest > 50) == (wish == "no-preference"), f"{longest} ms"
