"""Promises about an answer while it is being written."""

import re

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium

MARKDOWN = """## Sorting

Python sorts with **sorted**, see [the manual](https://docs.python.org/3/howto/sorting.html):

```python
def youngest(people):
    return sorted(people, key=lambda person: person.age)[0]
```

| method | stable |
| --- | :-: |
| `sorted` | yes |

- 中文也可以
- and *emphasis*
"""
CODE = "def youngest(people):\n    return sorted(people, key=lambda person: person.age)[0]"


def test_text_is_shown_before_the_rest_has_been_written(tab: ChatPage, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["One ", "two ", "three."], gated=True)
    tab.send("Count")

    answer.step()
    expect(tab.content).to_have_text("One")
    answer.step()
    expect(tab.content).to_have_text("One two")
    expect(tab.answer).to_have_attribute("data-status", "streaming")
    answer.open()

    expect(tab.content).to_have_text("One two three.")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.hook("stop")).to_be_hidden()


def test_markdown_becomes_headings_tables_lists_and_links(tab: ChatPage, engine: ScriptedEngine) -> None:
    engine.answer(content=MARKDOWN)

    tab.send("How do I sort?")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    expect(tab.content.get_by_role("heading", name="Sorting")).to_be_visible()
    expect(tab.content.get_by_role("cell", name="sorted")).to_be_visible()
    expect(tab.content.get_by_role("listitem")).to_have_count(2)
    expect(tab.content.locator("strong")).to_have_text("sorted")
    link = tab.content.get_by_role("link", name="the manual")
    expect(link).to_have_attribute("href", "https://docs.python.org/3/howto/sorting.html")
    expect(link).to_have_attribute("rel", re.compile("noopener"))


def test_code_is_highlighted_and_copied_as_it_was_written(tab: ChatPage, engine: ScriptedEngine) -> None:
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    engine.answer(content=MARKDOWN)
    tab.send("How do I sort?")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    expect(tab.content.locator("pre [class*=hljs-keyword]").first).to_have_text("def")
    tab.content.get_by_role("button", name=re.compile("copy", re.IGNORECASE)).click()

    copied = tab.page.evaluate("navigator.clipboard.readText()")
    assert copied.rstrip("\n") == CODE


def test_the_whole_answer_is_copied_as_markdown(tab: ChatPage, engine: ScriptedEngine) -> None:
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    engine.answer(content=MARKDOWN)
    tab.send("How do I sort?")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    tab.answer.hover()
    tab.answer.get_by_test_id("copy").click()

    assert tab.page.evaluate("navigator.clipboard.readText()") == MARKDOWN


def test_thinking_is_folded_away_shows_that_it_lives_and_opens(tab: ChatPage, engine: ScriptedEngine) -> None:
    answer = engine.answer(reasoning=["Let me ", "see."], content=["Done."], gated=True)
    tab.send("Think")
    answer.step()

    thinking = tab.answer.get_by_test_id("thinking")
    expect(thinking).to_be_visible()
    expect(thinking).to_contain_text(re.compile("thinking", re.IGNORECASE))
    expect(tab.page.get_by_text("Let me")).to_be_hidden()
    thinking.locator("summary, button").first.click()
    expect(thinking).to_contain_text("Let me")
    answer.step()
    expect(thinking).to_contain_text("Let me see.")
    answer.open()

    expect(tab.content).to_have_text("Done.")
    expect(thinking).to_contain_text(re.compile("thought", re.IGNORECASE))


@pytest.mark.parametrize("thinking", [True, False])
def test_the_thinking_switch_is_what_the_engine_is_asked_for(
    tab: ChatPage, engine: ScriptedEngine, thinking: bool
) -> None:
    switch = tab.hook("thinking-toggle")
    if (switch.get_attribute("aria-pressed") or switch.get_attribute("aria-checked")) != str(
        thinking
    ).lower():
        switch.click()

    tab.send("Think?")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    [asked] = engine.generations()
    assert asked["chat_template_kwargs"]["enable_thinking"] is thinking
    expect(tab.answer.get_by_test_id("thinking")).to_have_count(1 if thinking else 0)


def test_an_answer_of_one_character_a_token_is_whole(tab: ChatPage, engine: ScriptedEngine) -> None:
    text = "边写边读，比等待更快 🫠👩‍👩‍👧 — naïve café"
    engine.answer(content=list(text), slice_bytes=1)

    tab.send("中文")

    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).to_have_text(text)


def test_the_view_follows_the_answer_until_the_reader_scrolls_up(
    tab: ChatPage, engine: ScriptedEngine
) -> None:
    lines = [f"Line {number}.\n\n" for number in range(120)]
    answer = engine.answer(content=lines, gated=True)
    tab.send("Write a lot")

    answer.step(60)
    expect(tab.content.get_by_text("Line 59.")).to_be_in_viewport()
    tab.hook("messages").hover()
    tab.page.mouse.wheel(0, -1500)
    expect(tab.content.get_by_text("Line 59.")).not_to_be_in_viewport()
    expect(tab.hook("jump-to-latest")).to_be_visible()
    answer.open()
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content.get_by_text("Line 119.")).not_to_be_in_viewport()
    tab.hook("jump-to-latest").click()

    expect(tab.content.get_by_text("Line 119.")).to_be_in_viewport()
    expect(tab.hook("jump-to-latest")).to_be_hidden()
