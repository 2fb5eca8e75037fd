"""The promises that depend on the browser, in Firefox and in WebKit: what Chromium shows in every other test.

A browser that is not installed is not tested here; the test command installs both where Debian has them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.browsers.firefox import Firefox
from e2e.browsers.webkit import WebKit
from e2e.conftest import has_failed, result_folder
from e2e.deadline import eventually
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

PATIENCE_S = 30
BROWSERS = {"firefox": Firefox, "webkit": WebKit}
MARKED = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in BROWSERS]
MARKDOWN = """## Sorting

Python sorts with **sorted**, in time $O(n \\log n)$:

```python
def youngest(people):
    return sorted(people, key=lambda person: person.age)[0]
```

| method | stable |
| --- | :-: |
| `sorted` | yes |

- 中文也可以
"""
ANSWER = "[...document.querySelectorAll('[data-testid=message][data-role=assistant]')].at(-1)"


class Visit:
    """One tab at the page, and waiting for what it shows."""

    def __init__(self, tab: Firefox | WebKit, url: str) -> None:
        self.tab = tab
        self.url = url

    def open(self) -> None:
        """Go to a new chat."""
        self.tab.open(f"{self.url}/")
        self.until("document.activeElement?.id === 'composer'", "the composer to have the focus")

    def send(self, text: str) -> None:
        """Write a message and click Send."""
        self.tab.write(text)
        self.until("!document.querySelector('[data-testid=send]')?.disabled", "Send to be ready")
        self.tab.click("[data-testid=send]")
        self.until("location.pathname.startsWith('/c/')", "the address of the chat")

    def until(self, expression: str, what: str) -> Any:
        """Wait until an expression is true in the page and return its value."""
        return eventually(lambda: self.tab.evaluate(expression), PATIENCE_S, what)

    def until_status(self, status: str) -> None:
        """Wait until the last answer has this status."""
        self.until(f"{ANSWER}?.dataset.status === '{status}'", f"the answer to be {status}")

    def until_text(self, text: str) -> None:
        """Wait until the last answer says this."""
        eventually(lambda: text in self.text(), PATIENCE_S, f"{text!r} in the answer")

    def text(self) -> str:
        """Return what the last answer shows."""
        shown = self.tab.evaluate(f"{ANSWER}?.querySelector('[data-testid=content]')?.innerText ?? ''")
        return str(shown)

    def brightness(self) -> float:
        """Return how light the page's ground is, 0 to 1."""
        ground = self.tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(map(float, re.findall(r"[\d.]+", ground)[:3])) / 3 / 255


@pytest.fixture(params=MARKED)
def visit(request: pytest.FixtureRequest, tiers: Tiers, tmp_path: Path) -> Iterator[Visit]:
    """A visit in each browser; errors of its console fail the test."""
    tab: Firefox | WebKit = BROWSERS[request.param](tmp_path)
    try:
        yield Visit(tab, tiers.url)
        problems = tab.problems()
        if has_failed(request.node) or problems:
            (result_folder(request.node) / "window.png").write_bytes(tab.screenshot())
    finally:
        tab.close()
    assert problems == []


def test_an_answer_streams_with_code_table_and_formula(visit: Visit, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=MARKDOWN, gated=True)
    visit.open()
    visit.send("How do I sort?")

    answer.step(3)
    visit.until_text("Sorting")
    visit.until_status("streaming")
    answer.open()
    visit.until_status("completed")

    content = f"{ANSWER}.querySelector('[data-testid=content]')"
    assert (
        visit.until(f"{content}.querySelector('pre [class*=hljs-keyword]')?.textContent", "colours") == "def"
    )
    assert visit.tab.evaluate(f"{content}.querySelector('th, td').textContent") == "method"
    visit.until(f"{content}.querySelector('.katex') !== null", "the formula")
    visit.until(
        "[...document.fonts].some((font) => font.family.includes('KaTeX') && font.status === 'loaded')",
        "the letters of the formula",
    )
    assert "中文也可以" in visit.text()


def test_a_reload_in_the_middle_goes_on(visit: Visit, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["One ", "two ", "three."], gated=True)
    visit.open()
    visit.send("Count")
    answer.step(2)
    visit.until_text("One two")

    visit.tab.reload()
    visit.until_text("One two")
    visit.until_status("streaming")
    answer.open()

    visit.until_status("completed")
    assert visit.text().strip() == "One two three."


def test_stop_keeps_what_was_read_and_frees_the_engine(visit: Visit, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["One ", "two ", "three."], gated=True)
    visit.open()
    visit.send("Count")
    answer.step(2)
    visit.until_text("One two")

    visit.tab.click("[data-testid=stop]")

    visit.until_status("stopped")
    answer.until_left()
    assert visit.text().strip() == "One two"


def test_a_thought_is_folded_and_opens(visit: Visit, engine: ScriptedEngine) -> None:
    engine.answer(reasoning="Let me see.", content="Done.")
    visit.open()
    visit.send("Think")
    visit.until_status("completed")
    shown = f"{ANSWER}.querySelector('[data-testid=thinking]').innerText.includes('Let me see.')"
    assert not visit.tab.evaluate(shown)

    visit.tab.click("[data-testid=thinking] button, [data-testid=thinking] summary")

    visit.until(shown, "the thought")


def test_enter_sends_but_not_while_an_input_method_composes(visit: Visit, engine: ScriptedEngine) -> None:
    engine.answer(content="你好！")
    visit.open()
    # As Firefox and Chromium report it: the Enter that takes a candidate belongs to the input method.
    visit.tab.evaluate(
        """(() => {
          const box = document.querySelector('#composer');
          const key = {key: 'Enter', bubbles: true, cancelable: true};
          box.dispatchEvent(new CompositionEvent('compositionstart', {bubbles: true}));
          box.value = '你好';
          box.dispatchEvent(new InputEvent('input', {bubbles: true, isComposing: true}));
          box.dispatchEvent(new KeyboardEvent('keydown', {...key, isComposing: true}));
          // As Safari does: the composition is over just before the same Enter comes.
          box.dispatchEvent(new CompositionEvent('compositionend', {bubbles: true, data: '你好'}));
          box.dispatchEvent(new KeyboardEvent('keydown', {...key, keyCode: 229}));
        })()"""
    )
    assert visit.tab.evaluate("document.querySelector('#composer').value") == "你好"
    assert visit.tab.evaluate("location.pathname") == "/"
    visit.tab.write("，世界")
    visit.until("document.querySelector('#composer').value === '你好，世界'", "what was typed")

    visit.tab.press("Enter")

    visit.until_status("completed")
    [asked] = engine.generations()
    assert asked["messages"][-1]["content"] == "你好，世界"


def test_the_theme_is_switched_and_kept(visit: Visit) -> None:
    visit.open()
    assert visit.brightness() > 0.7

    for _ in range(2):  # as the system, light, dark
        visit.tab.click("[data-testid=theme]")
    eventually(lambda: visit.brightness() < 0.3, PATIENCE_S, "the page to be dark")
    visit.tab.reload()

    assert visit.brightness() < 0.3


def test_a_dialog_closes_with_escape_and_gives_the_focus_back(visit: Visit) -> None:
    visit.open()
    visit.tab.evaluate("document.querySelector('[data-testid=settings]').focus()")
    visit.tab.press("Enter")
    visit.until("document.querySelector('[role=dialog]')?.contains(document.activeElement)", "the dialog")

    visit.tab.press("Escape")

    visit.until("document.querySelector('[role=dialog]') === null", "the dialog to be gone")
    visit.until("document.activeElement?.dataset.testid === 'settings'", "the focus at the button")


def test_nothing_scrolls_sideways_in_a_narrow_window(visit: Visit, engine: ScriptedEngine) -> None:
    engine.answer(content=f"{MARKDOWN}\n\n{'y' * 500}\n\n$$\\sum_{{i=1}}^{{n}} {'x_i + ' * 40} 1$$")
    visit.tab.resize(360, 740)
    visit.open()
    visit.send("Wide")
    visit.until_status("completed")

    for area in ("document.scrollingElement", "document.querySelector('[data-testid=messages]')"):
        assert visit.tab.evaluate(f"{area}.scrollWidth - {area}.clientWidth") == 0
