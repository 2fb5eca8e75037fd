"""Promises about somebody's first minute with the page."""

import re

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium


def test_the_first_visit_shows_an_empty_chat_ready_to_write_in(tab: ChatPage) -> None:
    expect(tab.composer).to_be_visible()
    expect(tab.composer).to_be_focused()
    expect(tab.messages()).to_have_count(0)
    expect(tab.chats()).to_have_count(0)
    expect(tab.hook("connection")).to_have_attribute("data-state", "online")


def test_sending_the_first_message_makes_a_chat_with_an_address_and_a_title(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    engine.answer(content="The answer is 42.")

    tab.send("What is six times seven?")

    expect(tab.question).to_contain_text("What is six times seven?")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).to_have_text("The answer is 42.")
    chat = rest.chat(tab.chat_id)
    assert [message["content"] for message in chat["messages"]] == [
        "What is six times seven?",
        "The answer is 42.",
    ]
    expect(tab.chat(chat["id"])).to_contain_text("six times seven")
    assert len(engine.generations()) == 1


def test_looking_at_the_page_makes_no_chat(tab: ChatPage, rest: Rest) -> None:
    tab.hook("new-chat").click()
    expect(tab.composer).to_be_focused()

    assert rest.chats() == []


def test_an_unknown_chat_says_so_and_leads_back(tiers: Tiers, new_tab: NewTab) -> None:
    tab = new_tab(tiers)
    tab.witness.expect("404")

    tab.page.goto(f"{tiers.url}/c/0190a000-0000-7000-8000-000000000000")

    expect(
        tab.page.get_by_text(re.compile("not found|no longer|does not exist|no such", re.IGNORECASE)).first
    ).to_be_visible()
    tab.hook("new-chat").click()
    expect(tab.composer).to_be_enabled()
