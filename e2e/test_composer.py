"""Promises about writing a message."""

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.chat_page import ChatPage
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium


def choose_send_key(tab: ChatPage, label: str) -> None:
    """Choose in the settings which key sends, and close them."""
    tab.hook("settings").click()
    tab.page.get_by_role("dialog").get_by_text(label, exact=True).click()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_be_hidden()


def test_enter_sends_and_shift_enter_begins_a_line(tab: ChatPage, engine: ScriptedEngine) -> None:
    tab.composer.fill("one")
    tab.composer.press("Shift+Enter")
    tab.composer.press_sequentially("two")
    assert engine.generations() == []

    tab.composer.press("Enter")

    expect(tab.answer).to_have_attribute("data-status", "completed")
    assert engine.generations()[0]["messages"][-1]["content"] == "one\ntwo"
    expect(tab.composer).to_have_value("")


def test_with_the_other_setting_ctrl_enter_sends_and_enter_begins_a_line(
    tab: ChatPage, engine: ScriptedEngine
) -> None:
    choose_send_key(tab, "Ctrl+Enter")
    tab.composer.fill("one")
    tab.composer.press("Enter")
    tab.composer.press_sequentially("two")
    expect(tab.composer).to_have_value("one\ntwo")
    tab.page.reload()
    tab.composer.press("End")

    tab.composer.press("Control+Enter")

    expect(tab.answer).to_have_attribute("data-status", "completed")
    assert engine.generations()[0]["messages"][-1]["content"] == "one\ntwo"


def compose(page: Page, text: str) -> None:
    """Begin a composition of an input method, as typing pinyin does."""
    page.context.new_cdp_session(page).send(
        "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    )


def test_enter_that_ends_a_composition_does_not_send(tab: ChatPage, engine: ScriptedEngine) -> None:
    tab.composer.focus()
    compose(tab.page, "nihao")
    tab.page.keyboard.press("Enter")
    tab.page.context.new_cdp_session(tab.page).send("Input.insertText", {"text": "你好"})
    # Safari reports the Enter that took the word after the composition, with this key code.
    tab.composer.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))"
    )
    expect(tab.composer).to_have_value(re.compile("你好"))
    expect(tab.messages()).to_have_count(0)
    assert engine.generations() == []

    tab.page.keyboard.press("Enter")

    expect(tab.answer).to_have_attribute("data-status", "completed")


def test_a_draft_survives_a_reload_and_belongs_to_its_chat(tab: ChatPage, rest: Rest) -> None:
    chat = rest.new_chat(title="With a draft")
    tab.composer.fill("half a thought 想到一半")

    tab.page.reload()
    expect(tab.composer).to_have_value("half a thought 想到一半")
    tab.chat(chat["id"]).click()
    tab.page.wait_for_url("**/c/*")
    expect(tab.composer).to_have_value("")
    tab.composer.fill("another")
    tab.hook("new-chat").click()

    expect(tab.composer).to_have_value("half a thought 想到一半")


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "\u3000"])
def test_a_blank_message_is_not_sent(tab: ChatPage, engine: ScriptedEngine, rest: Rest, text: str) -> None:
    tab.composer.fill(text)
    expect(tab.hook("send")).to_be_disabled()

    tab.composer.press("Enter")

    expect(tab.messages()).to_have_count(0)
    assert rest.chats() == []


def test_a_double_click_on_send_is_one_message(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.composer.fill("Once")
    tab.hook("send").dblclick()

    expect(tab.answer).to_have_attribute("data-status", re.compile("completed|stopped"))
    assert len(rest.chat(tab.chat_id)["messages"]) == 2
    assert len(engine.generations()) == 1


def test_the_composer_grows_with_its_text_and_shrinks_after_sending(tab: ChatPage) -> None:
    def height() -> float:
        box = tab.composer.bounding_box()
        assert box
        return box["height"]

    empty = height()
    tab.composer.fill("\n".join(f"line {number}" for number in range(6)))
    grown = height()
    tab.composer.fill("\n".join(f"line {number}" for number in range(200)))
    assert grown > empty * 1.8
    assert height() < 0.6 * tab.page.viewport_size["height"]

    tab.composer.press("Enter")

    expect(tab.composer).to_have_value("")
    assert height() == pytest.approx(empty, abs=2)


def test_one_can_write_the_next_message_while_an_answer_comes(tab: ChatPage, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["Slow ", "answer"], gated=True)
    tab.send("One")
    answer.step()
    expect(tab.content).to_have_text("Slow")

    tab.composer.fill("my next thought")
    answer.open()

    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.composer).to_have_value("my next thought")


def test_thousands_of_lines_go_in_at_once(tab: ChatPage) -> None:
    text = "今天天气很好，我们去公园散步吧。\n" * 3_800
    tab.page.evaluate("addEventListener('beforeinput', (event) => (window.took = event.defaultPrevented))")

    tab.composer.fill(text)

    # Left to the browser it goes in line by line, and the box is laid out after each.
    assert tab.page.evaluate("window.took") is True
    expect(tab.composer).to_have_value(text)
    expect(tab.hook("send")).to_be_enabled()
    tab.composer.press_sequentially("x")
    assert tab.composer.input_value() == text + "x"
