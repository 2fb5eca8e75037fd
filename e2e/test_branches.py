"""Promises about answering again and asking differently."""

import pytest
from playwright.sync_api import Locator, expect

from e2e.chat_page import ChatPage
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium


def action(message: Locator, name: str) -> None:
    """Click an action of a message, which may show only under the pointer."""
    message.hover()
    message.get_by_test_id(name).click()


def edit(tab: ChatPage, message: Locator, text: str) -> None:
    """Change a message of the user and send it."""
    action(message, "edit")
    tab.page.locator("textarea:focus").fill(text)
    message.get_by_role("button", name="Send").click()


def test_regenerate_adds_a_second_answer_and_both_can_be_read(tab: ChatPage, engine: ScriptedEngine) -> None:
    engine.answer(content="First try.")
    engine.answer(content="Second try.")
    tab.send("Try")
    expect(tab.content).to_have_text("First try.")

    action(tab.answer, "regenerate")

    expect(tab.content).to_have_text("Second try.")
    expect(tab.messages()).to_have_count(2)
    action(tab.answer, "branch-prev")
    expect(tab.content).to_have_text("First try.")
    expect(tab.answer.get_by_test_id("branch-prev")).to_be_disabled()
    action(tab.answer, "branch-next")
    expect(tab.content).to_have_text("Second try.")


def test_an_edited_question_starts_a_branch_of_its_own(tab: ChatPage, engine: ScriptedEngine) -> None:
    engine.answer(content="Blue.")
    engine.answer(content="Dark.")
    tab.send("The sky by day?")
    expect(tab.content).to_have_text("Blue.")

    edit(tab, tab.question, "The sky by night?")

    expect(tab.question).to_contain_text("The sky by night?")
    expect(tab.content).to_have_text("Dark.")
    expect(tab.messages()).to_have_count(2)
    action(tab.question, "branch-prev")
    expect(tab.question).to_contain_text("The sky by day?")
    expect(tab.content).to_have_text("Blue.")


def test_the_engine_is_asked_along_the_branch_that_is_shown(tab: ChatPage, engine: ScriptedEngine) -> None:
    for text in ("A1", "A2", "B"):
        engine.answer(content=text)
    tab.send("A?")
    expect(tab.content).to_have_text("A1")
    action(tab.answer, "regenerate")
    expect(tab.content).to_have_text("A2")
    action(tab.answer, "branch-prev")
    expect(tab.content).to_have_text("A1")

    tab.send("B?")
    expect(tab.content).to_have_text("B")

    asked = engine.generations()[-1]["messages"]
    assert [(turn["role"], turn["content"]) for turn in asked] == [
        ("user", "A?"),
        ("assistant", "A1"),
        ("user", "B?"),
    ]


def test_the_chosen_branch_is_still_chosen_after_a_reload(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    engine.answer(content="First try.")
    engine.answer(content="Second try.")
    tab.send("Try")
    expect(tab.content).to_have_text("First try.")
    action(tab.answer, "regenerate")
    expect(tab.content).to_have_text("Second try.")
    action(tab.answer, "branch-prev")
    expect(tab.content).to_have_text("First try.")

    tab.page.reload()

    expect(tab.content).to_have_text("First try.")
    assert len(rest.chat(tab.chat_id)["messages"]) == 3
