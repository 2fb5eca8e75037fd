"""Promises about the list of chats."""

import re

import pytest
from playwright.sync_api import Locator, expect

from e2e.browser import PHONE
from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.deadline import eventually
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium


def menu(tab: ChatPage, chat_id: str) -> Locator:
    """Open the menu of a chat and return its items."""
    item = tab.chat(chat_id)
    item.hover()
    item.get_by_test_id("chat-menu").click()
    return tab.page.get_by_role("menuitem")


def test_chats_stand_newest_first(tab: ChatPage, rest: Rest) -> None:
    made = [rest.new_chat(title=title)["id"] for title in ("oldest", "middle", "newest")]

    expect(tab.chats()).to_have_count(3)
    ids = tab.chats().evaluate_all("items => items.map(item => item.dataset.chatId)")
    assert ids == made[::-1]
    rest.ask("bring me up", chat={"id": made[0]})

    expect(tab.chats().first).to_have_attribute("data-chat-id", made[0])


def test_a_chat_is_opened_by_a_click_and_by_its_address(
    tab: ChatPage, rest: Rest, engine: ScriptedEngine
) -> None:
    engine.answer(content="It is blue.")
    chat = rest.new_chat(title="The sky")
    rest.ask("What colour?", chat=chat)

    tab.chat(chat["id"]).click()

    tab.page.wait_for_url(f"**/c/{chat['id']}")
    expect(tab.content).to_have_text("It is blue.")
    expect(tab.page).to_have_title(re.compile("The sky"))


def test_a_chat_is_renamed_in_place(tab: ChatPage, rest: Rest) -> None:
    chat = rest.new_chat(title="Old name")

    menu(tab, chat["id"]).filter(has_text="Rename").click()
    field = tab.page.get_by_role("textbox").and_(tab.page.locator(":focus"))
    field.fill("新的名字")
    field.press("Enter")

    expect(tab.chat(chat["id"])).to_contain_text("新的名字")
    eventually(lambda: rest.chat(chat["id"])["title"] == "新的名字", 5, "the new title to be stored")


def test_a_deleted_chat_comes_back_by_undo(tab: ChatPage, rest: Rest) -> None:
    chat = rest.new_chat(title="Precious")

    menu(tab, chat["id"]).filter(has_text="Delete").click()
    expect(tab.chat(chat["id"])).to_have_count(0)
    tab.page.get_by_role("button", name=re.compile("undo", re.IGNORECASE)).click()

    expect(tab.chat(chat["id"])).to_contain_text("Precious")
    assert [found["id"] for found in rest.chats()] == [chat["id"]]


def test_a_deleted_chat_is_gone_after_a_reload(tab: ChatPage, rest: Rest) -> None:
    chat = rest.new_chat(title="Away with it")
    kept = rest.new_chat(title="Kept")

    menu(tab, chat["id"]).filter(has_text="Delete").click()
    expect(tab.chat(chat["id"])).to_have_count(0)
    tab.page.reload()

    expect(tab.chats()).to_have_count(1)
    expect(tab.chat(kept["id"])).to_be_visible()


def test_deleting_the_open_chat_leads_to_a_new_one(tab: ChatPage, rest: Rest) -> None:
    chat = rest.ask("Hello")["run"]["chat_id"]
    tab.open(chat)
    expect(tab.messages()).to_have_count(2)

    menu(tab, chat).filter(has_text="Delete").click()

    expect(tab.messages()).to_have_count(0)
    tab.page.wait_for_url(f"{tab.url}/")


def test_search_finds_a_two_character_chinese_word_and_marks_it(
    tab: ChatPage, rest: Rest, engine: ScriptedEngine
) -> None:
    engine.answer(content="明天的天气很好，适合出门。")
    found = rest.new_chat(title="出门")
    rest.ask("明天怎么样？", chat=found)
    rest.new_chat(title="Something else")

    tab.hook("chat-search").fill("天气")

    expect(tab.page.locator("mark")).to_have_text("天气")
    tab.page.locator("mark").click()
    tab.page.wait_for_url(f"**/c/{found['id']}*")
    expect(tab.content).to_contain_text("明天的天气很好")


def test_on_a_telephone_a_hit_leads_to_its_words_though_the_list_goes(
    tiers: Tiers, new_tab: NewTab, rest: Rest, engine: ScriptedEngine
) -> None:
    engine.answer(content=f"{'Filler. ' * 400}The umbrella is red. {'Filler. ' * 400}")
    found = rest.new_chat(title="Packing")
    rest.ask("What do I need?", chat=found)
    rest.new_chat(title="Something else")
    tab = new_tab(tiers, viewport=PHONE, has_touch=True).open()
    tab.page.get_by_role("button", name="Open the list of chats").click()
    tab.hook("chat-search").fill("umbrella")

    tab.hook("search-hit").click()

    marks = "CSS.highlights.get('search-hit')?.size ?? 0"
    eventually(lambda: tab.page.evaluate(marks) == 1, 10, "the words to be marked")
    top, bottom = tab.page.evaluate(
        """() => {
          const [range] = CSS.highlights.get('search-hit');
          const { top, bottom } = range.getBoundingClientRect();
          return [top, bottom];
        }"""
    )
    assert 0 < top < bottom < PHONE["height"]


@pytest.mark.parametrize("words", ['"', "AND", "NEAR(", "col:x", "-", "%", "<script>alert(1)</script>", "*"])
def test_search_survives_any_words(tab: ChatPage, rest: Rest, words: str) -> None:
    chat = rest.new_chat(title="Plain")

    tab.hook("chat-search").fill(words)
    tab.hook("chat-search").press("Enter")
    tab.hook("chat-search").fill("Plain")

    expect(tab.page.locator("mark")).to_have_text("Plain")
    tab.hook("chat-search").fill("")
    expect(tab.chat(chat["id"])).to_be_visible()


def test_a_new_chat_keeps_the_old_one_in_the_list(tab: ChatPage, engine: ScriptedEngine) -> None:
    tab.send("The first")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    first = tab.chat_id

    tab.hook("new-chat").click()
    expect(tab.messages()).to_have_count(0)
    tab.send("The second")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    expect(tab.chats()).to_have_count(2)
    expect(tab.chats().first).to_have_attribute("data-chat-id", tab.chat_id)
    expect(tab.chat(first)).to_contain_text("The first")


def test_what_another_program_does_to_a_chat_shows_at_once(tab: ChatPage, rest: Rest) -> None:
    chat = rest.new_chat(title="Before")
    expect(tab.chat(chat["id"])).to_contain_text("Before")

    rest.call("PUT", f"/api/chats/{chat['id']}", {"title": "After"})
    expect(tab.chat(chat["id"])).to_contain_text("After")
    rest.call("DELETE", f"/api/chats/{chat['id']}", status=204)

    expect(tab.chat(chat["id"])).to_have_count(0)


def test_a_temporary_chat_leaves_nothing_in_the_list(
    tab: ChatPage, rest: Rest, engine: ScriptedEngine
) -> None:
    engine.answer(content="Nobody will know.")
    kept = rest.new_chat(title="Kept")

    tab.hook("temporary-chat").click()
    tab.send("A secret")
    expect(tab.content).to_have_text("Nobody will know.")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    expect(tab.hook("temporary")).to_be_visible()
    assert rest.chat(tab.chat_id)["temporary"] is True
    tab.page.reload()
    expect(tab.content).to_have_text("Nobody will know.")
    expect(tab.chat(kept["id"])).to_be_visible()
    expect(tab.chats()).to_have_count(1)


def test_a_new_chat_after_a_temporary_one_is_kept(tab: ChatPage, rest: Rest) -> None:
    tab.hook("temporary-chat").click()
    tab.send("A secret")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    tab.hook("new-chat").click()
    expect(tab.messages()).to_have_count(0)
    tab.send("To be kept")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    expect(tab.chats()).to_have_count(1)
    assert [chat["id"] for chat in rest.chats()] == [tab.chat_id]


def test_a_conversation_is_cleared_and_its_chat_stays(tab: ChatPage, rest: Rest) -> None:
    chat = rest.ask("Hello", chat=rest.new_chat(title="Turns"))["run"]["chat_id"]
    tab.open(chat)
    expect(tab.messages()).to_have_count(2)

    menu(tab, chat).filter(has_text="Clear").click()
    tab.hook("clear-confirm").click()

    expect(tab.messages()).to_have_count(0)
    expect(tab.chat(chat)).to_contain_text("Turns")
    assert rest.chat(chat)["messages"] == []
    tab.send("Again")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.messages()).to_have_count(2)
