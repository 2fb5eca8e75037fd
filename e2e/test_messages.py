"""Promises about what can be done with one message: compare, change, copy, fork, delete."""

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.test_branches import action
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium


def choose(tab: ChatPage, name: str) -> None:
    """Choose from the menu of the last answer."""
    action(tab.answer, "message-menu")
    tab.hook(f"message-{name}").click()


def ask(tab: ChatPage, engine: ScriptedEngine, question: str, answer: str) -> None:
    engine.answer(content=answer)
    tab.send(question)
    expect(tab.content).to_have_text(answer)
    expect(tab.answer).to_have_attribute("data-status", "completed")


def test_two_answers_are_compared_word_by_word_in_chinese_too(tab: ChatPage, engine: ScriptedEngine) -> None:
    ask(tab, engine, "天气?", "今天天气很好。")
    engine.answer(content="今天天气不好。")
    action(tab.answer, "regenerate")
    expect(tab.content).to_have_text("今天天气不好。")

    choose(tab, "compare")

    changed = tab.hook("diff").locator("ins, del").all_inner_texts()
    assert changed
    assert all("今天" not in part for part in changed)


def test_an_answer_is_changed_in_place_in_all_tabs(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, rest: Rest
) -> None:
    one = new_tab(tiers).open()
    ask(one, engine, "Name?", "My name is Bob.")
    two = new_tab(tiers).open(one.chat_id)
    expect(two.content).to_have_text("My name is Bob.")

    choose(one, "rewrite")
    one.hook("edit-box").fill("My name is Alice.")
    one.hook("edit-save").click()

    expect(one.content).to_have_text("My name is Alice.")
    expect(two.content).to_have_text("My name is Alice.")
    assert rest.chat(one.chat_id)["messages"][-1]["content"] == "My name is Alice."


def test_a_branch_chosen_in_one_tab_is_shown_in_the_other(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    one = new_tab(tiers).open()
    ask(one, engine, "Try", "First try.")
    engine.answer(content="Second try.")
    action(one.answer, "regenerate")
    expect(one.content).to_have_text("Second try.")
    two = new_tab(tiers).open(one.chat_id)
    expect(two.content).to_have_text("Second try.")

    action(one.answer, "branch-prev")

    expect(two.content).to_have_text("First try.")


def test_a_message_goes_with_what_is_below_it_after_a_question(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    ask(tab, engine, "One", "A.")
    ask(tab, engine, "Two", "B.")
    action(tab.question, "message-menu")
    tab.hook("message-delete").click()
    expect(tab.hook("delete-dialog")).to_contain_text("The message below it")
    tab.hook("delete-confirm").click()

    expect(tab.messages()).to_have_count(2)
    assert [message["content"] for message in rest.chat(tab.chat_id)["messages"]] == ["One", "A."]


def test_a_fork_is_a_chat_of_its_own_up_to_the_message(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    ask(tab, engine, "One", "A.")
    origin = tab.chat_id
    choose(tab, "fork")
    tab.page.wait_for_url(lambda url: not url.endswith(origin))
    expect(tab.content).to_have_text("A.")

    ask(tab, engine, "Two", "B.")

    assert len(rest.chat(origin)["messages"]) == 2
    assert len(rest.chat(tab.chat_id)["messages"]) == 4
