"""Promises about sizes, colours and languages."""

import re

import pytest
from playwright.sync_api import expect

from e2e.browser import PHONE
from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.deadline import eventually
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

WIDE = (
    """| a | b | c | d | e | f | g | h |
| - | - | - | - | - | - | - | - |
| somewhat | longer | words | in | every | cell | of | this |

```python
print("a line of code that is much longer than any telephone is wide, and then some more of it, until the end")
```

https://example.com/"""
    + "path/" * 60
)


@pytest.mark.parametrize("text", ["x" * 3000, "长" * 3000, "word " * 20_000], ids=["word", "chinese", "100k"])
def test_nothing_scrolls_sideways_on_a_telephone(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, text: str
) -> None:
    engine.answer(content=f"{WIDE}\n\n{'y' * 500}")
    tab = new_tab(tiers, viewport=PHONE, has_touch=True).open()

    tab.send(text[:100_000])
    expect(tab.answer).to_have_attribute("data-status", "completed")

    assert tab.overflow() == 0
    assert tab.hook("messages").evaluate("area => area.scrollWidth - area.clientWidth") == 0
    box = tab.composer.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_a_message_over_the_limit_is_refused_in_words_and_kept(tab: ChatPage, rest: Rest) -> None:
    tab.witness.expect("413|422")
    tab.composer.fill("word " * 20_001)

    tab.composer.press("Enter")

    expect(tab.question).to_contain_text(re.compile("too long", re.IGNORECASE))
    expect(tab.question).to_contain_text(re.compile("100,?000"))
    tab.question.get_by_role("button", name="Edit", exact=True).click()
    editor = tab.page.get_by_role("textbox", name="Edit your message")
    expect(editor).to_have_value(re.compile("^(word ){9}"))
    assert all(chat["message_count"] == 0 for chat in rest.chats())


def test_on_a_telephone_the_chats_are_a_sheet_that_opens_and_closes(
    tiers: Tiers, new_tab: NewTab, rest: Rest
) -> None:
    chat = rest.new_chat(title="From before")
    tab = new_tab(tiers, viewport=PHONE, has_touch=True).open()
    expect(tab.chat(chat["id"])).not_to_be_in_viewport()

    tab.page.get_by_role("button", name=re.compile("sidebar|chats|menu", re.IGNORECASE)).first.click()
    expect(tab.chat(chat["id"])).to_be_in_viewport()
    tab.chat(chat["id"]).click()

    tab.page.wait_for_url(f"**/c/{chat['id']}")
    expect(tab.chat(chat["id"])).not_to_be_in_viewport()


def test_what_a_finger_must_hit_is_large_enough(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tab = new_tab(tiers, viewport=PHONE, has_touch=True, is_mobile=True).open()
    tab.send("Hello")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    tab.composer.fill("next")

    for name in ("send", "thinking-toggle"):
        box = tab.hook(name).bounding_box()
        assert box, name
        assert min(box["width"], box["height"]) >= 44, (name, box)


@pytest.mark.parametrize(("locale", "word"), [("zh-CN", "新对话|新聊天|新建"), ("en-US", "New chat")])
def test_the_page_speaks_the_language_of_the_browser(
    tiers: Tiers, new_tab: NewTab, locale: str, word: str
) -> None:
    tab = new_tab(tiers, locale=locale).open()

    expect(tab.hook("new-chat")).to_contain_text(re.compile(word))
    assert tab.page.evaluate("document.documentElement.lang").startswith(locale[:2])


def test_the_language_is_switched_at_once_and_kept(tab: ChatPage) -> None:
    expect(tab.hook("new-chat")).to_contain_text("New chat")

    tab.hook("language").click()

    expect(tab.hook("new-chat")).to_contain_text(re.compile("新"))
    tab.page.reload()
    expect(tab.hook("new-chat")).to_contain_text(re.compile("新"))
    assert tab.page.evaluate("document.documentElement.lang").startswith("zh")


def brightness(tab: ChatPage) -> float:
    """Return how light the page's ground is, 0 to 1, as it is painted."""
    rgb = tab.page.evaluate(
        """() => {
          const canvas = new OffscreenCanvas(1, 1).getContext('2d');
          for (const ground of [document.documentElement, document.body]) {
            canvas.fillStyle = getComputedStyle(ground).backgroundColor;
            canvas.fillRect(0, 0, 1, 1);
          }
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    return sum(rgb) / 3 / 255


@pytest.mark.parametrize(("scheme", "dark"), [("dark", True), ("light", False)])
def test_the_page_follows_the_systems_light_or_dark(
    tiers: Tiers, new_tab: NewTab, scheme: str, dark: bool
) -> None:
    tab = new_tab(tiers, color_scheme=scheme).open()

    assert (brightness(tab) < 0.3) is dark


def test_the_theme_is_switched_at_once_and_kept_without_a_flash(tiers: Tiers, new_tab: NewTab) -> None:
    tab = new_tab(tiers, color_scheme="light").open()
    assert brightness(tab) > 0.7

    # As the system, light, dark.
    tab.hook("theme").click()
    tab.hook("theme").click()
    eventually(lambda: brightness(tab) < 0.3, 5, "the page to be dark")
    tab.page.reload(wait_until="commit")
    tab.page.wait_for_selector("body")
    assert brightness(tab) < 0.3


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_every_control_is_within_the_window(tiers: Tiers, new_tab: NewTab, width: int) -> None:
    tab = new_tab(tiers, viewport={"width": width, "height": 800}).open()
    tab.send("Hello")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    assert tab.overflow() == 0
    for name in ("composer", "thinking-toggle", "model-picker"):
        expect(tab.hook(name)).to_be_in_viewport(ratio=1)


def test_reading_is_not_disturbed_while_an_answer_comes(tab: ChatPage, engine: ScriptedEngine) -> None:
    answer = engine.answer(
        content=["First paragraph.\n\n", "Second ", "paragraph.\n\n", "Third."], gated=True
    )
    tab.send("Write")
    answer.step()
    expect(tab.content).to_have_text("First paragraph.")
    before = tab.content.get_by_text("First paragraph.").bounding_box()
    composer = tab.composer.bounding_box()
    answer.open()
    expect(tab.answer).to_have_attribute("data-status", "completed")

    assert tab.content.get_by_text("First paragraph.").bounding_box() == before
    assert tab.composer.bounding_box() == composer
