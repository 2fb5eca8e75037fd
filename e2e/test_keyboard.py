"""Promises to people without a mouse: whatever opens by a key closes by Escape and gives the focus back."""

import pytest
from playwright.sync_api import Locator, expect

from e2e.browser import PHONE
from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium


@pytest.fixture
def talk(tab: ChatPage, engine: ScriptedEngine) -> ChatPage:
    """A chat whose answer has two versions."""
    engine.answer(content="First.")
    engine.answer(content="Second.")
    tab.send("Hello")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    tab.answer.get_by_test_id("regenerate").click()
    expect(tab.content).to_have_text("Second.")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    return tab


def press(control: Locator, key: str = "Enter") -> Locator:
    """Put the focus on a control and press a key there."""
    control.focus()
    control.press(key)
    return control


@pytest.mark.parametrize("name", ["chat-menu", "chat-views", "message-menu"])
def test_a_menu_gives_the_focus_back(talk: ChatPage, name: str) -> None:
    button = press(talk.hook(name).last)
    menu = talk.page.get_by_role("menu")
    expect(menu).to_be_visible()
    talk.page.keyboard.press("ArrowDown")
    expect(menu.locator(":focus")).to_have_count(1)

    talk.page.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    expect(button).to_be_focused()


@pytest.mark.parametrize(
    ("menu", "item", "dialog"),
    [
        ("message-menu", "message-compare", "diff-dialog"),
        ("message-menu", "message-delete", "delete-dialog"),
        ("chat-menu", "chat-clear", "clear-dialog"),
        ("chat-menu", "chat-file", None),
    ],
    ids=["diff", "delete", "clear", "filing"],
)
def test_a_dialog_from_a_menu_gives_the_focus_back_to_its_button(
    talk: ChatPage, menu: str, item: str, dialog: str | None
) -> None:
    button = press(talk.hook(menu).last)
    press(talk.hook(item))
    shown = talk.hook(dialog) if dialog else talk.page.get_by_role("dialog")
    expect(shown).to_be_visible()
    expect(shown.locator(":focus")).to_have_count(1)

    talk.page.keyboard.press("Escape")

    expect(shown).to_be_hidden()
    expect(button).to_be_focused()


@pytest.mark.parametrize(
    ("keys", "dialog"),
    [("Control+k", "palette"), ("Control+/", "shortcuts-dialog")],
    ids=["palette", "shortcuts"],
)
def test_what_a_shortcut_opens_gives_the_focus_back_to_the_text(
    talk: ChatPage, keys: str, dialog: str
) -> None:
    talk.composer.fill("Half a thought")
    talk.composer.press(keys)
    expect(talk.hook(dialog)).to_be_visible()

    talk.page.keyboard.press("Escape")

    expect(talk.hook(dialog)).to_be_hidden()
    expect(talk.composer).to_be_focused()
    expect(talk.composer).to_have_value("Half a thought")


def test_presets_give_the_focus_back_to_the_settings_button(talk: ChatPage) -> None:
    button = press(talk.hook("settings"))
    press(talk.hook("open-presets"))
    expect(talk.hook("presets-dialog")).to_be_visible()

    talk.page.keyboard.press("Escape")

    expect(talk.hook("presets-dialog")).to_be_hidden()
    expect(button).to_be_focused()


def test_writing_a_message_anew_is_left_with_escape(talk: ChatPage) -> None:
    press(talk.hook("edit"))
    expect(talk.hook("edit-box")).to_be_focused()

    talk.page.keyboard.press("Escape")

    expect(talk.hook("edit-box")).to_be_hidden()
    expect(talk.hook("edit")).to_be_focused()


def test_writing_an_answer_anew_is_left_with_escape(talk: ChatPage) -> None:
    button = press(talk.hook("message-menu").last)
    press(talk.hook("message-rewrite"))
    expect(talk.hook("edit-box")).to_be_focused()

    talk.page.keyboard.press("Escape")

    expect(talk.hook("edit-box")).to_be_hidden()
    expect(button).to_be_focused()


@pytest.mark.parametrize("key", ["Escape", "Enter"])
def test_renaming_ends_at_the_chat_that_was_renamed(talk: ChatPage, key: str) -> None:
    press(talk.hook("chat-menu"))
    press(talk.hook("chat-rename"))
    expect(talk.hook("title-box")).to_be_focused()

    talk.page.keyboard.press(key)

    expect(talk.hook("title-box")).to_be_hidden()
    expect(talk.chat(talk.chat_id).locator(":focus")).to_have_count(1)


def test_the_sheet_of_chats_gives_the_focus_back(tiers: Tiers, new_tab: NewTab, rest: Rest) -> None:
    rest.new_chat(title="From before")
    tab = new_tab(tiers, viewport=PHONE).open()
    button = press(tab.page.get_by_role("button").first)
    expect(tab.hook("sidebar")).to_be_visible()

    tab.page.keyboard.press("Escape")

    expect(tab.hook("sidebar")).to_be_hidden()
    expect(button).to_be_focused()


def test_the_first_stop_leads_past_the_list_to_the_message_box(tab: ChatPage) -> None:
    link = tab.page.locator("a[href='#composer']")
    expect(link).not_to_be_in_viewport()
    # From the top, as after a click on nothing.
    tab.page.evaluate(
        "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"
    )
    tab.page.keyboard.press("Tab")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport(ratio=1)

    tab.page.keyboard.press("Enter")

    expect(tab.composer).to_be_focused()


def test_the_list_of_chats_is_one_stop_and_is_walked_with_the_arrows(
    tiers: Tiers, new_tab: NewTab, rest: Rest
) -> None:
    titles = [f"Chat {number}" for number in range(60)]
    for title in titles:
        rest.new_chat(title=title)
    tab = new_tab(tiers).open()
    expect(tab.chats().first).to_be_visible()
    assert tab.page.locator("[data-testid=chat-item] a:not([tabindex='-1'])").count() == 1
    focused = tab.page.locator(":focus")

    tab.chats().first.get_by_role("link").focus()
    for _ in range(30):
        tab.page.keyboard.press("ArrowDown")
    expect(focused).to_have_text("Chat 29")
    expect(focused).to_be_in_viewport(ratio=1)
    tab.page.keyboard.press("ArrowUp")
    expect(focused).to_have_text("Chat 30")
    tab.page.keyboard.press("Home")
    expect(focused).to_have_text("Chat 59")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")

    expect(tab.page.locator("h1")).to_have_text("Chat 58")


def test_a_chat_is_deleted_and_brought_back_by_keys_alone(tab: ChatPage, rest: Rest) -> None:
    for title in ("Kept", "Precious"):
        rest.new_chat(title=title)
    expect(tab.chats()).to_have_count(2)
    focused, keyboard = tab.page.locator(":focus"), tab.page.keyboard
    tab.chats().first.get_by_role("link").focus()
    expect(focused).to_have_text("Precious")

    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(tab.page.get_by_role("menu")).to_be_visible()
    keyboard.press("End")
    expect(focused).to_have_text("Delete")
    keyboard.press("Enter")
    expect(tab.chats()).to_have_count(1)
    # The next chat, and not the beginning of the page.
    expect(focused).to_have_text("Kept")

    keyboard.press("Alt+KeyT")
    keyboard.press("Tab")
    expect(focused).to_contain_text("Deleted")
    keyboard.press("Tab")
    expect(focused).to_have_text("Undo")
    keyboard.press("Enter")

    expect(tab.chats()).to_have_count(2)
    expect(tab.chats().first).to_contain_text("Precious")
    expect(focused).to_have_text("Kept")


def test_a_new_chat_is_begun_and_a_first_message_sent_by_keys_alone(
    tab: ChatPage, engine: ScriptedEngine
) -> None:
    engine.answer(content="One.")
    engine.answer(content="Two.")
    tab.send("Hello")
    expect(tab.content).to_have_text("One.")

    tab.page.keyboard.press("Control+Shift+O")
    expect(tab.messages()).to_have_count(0)
    expect(tab.composer).to_be_focused()
    tab.page.keyboard.type("Again")
    tab.page.keyboard.press("Enter")

    expect(tab.content).to_have_text("Two.")
    expect(tab.chats()).to_have_count(2)
