"""Promises about the page while the backend is away."""

import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import NewTab, NewTiers
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium

AWAY = ("Failed to load resource", "WebSocket")


def test_a_backend_that_goes_and_comes_is_said_and_nothing_is_lost(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tiers = new_tiers()
    tab = new_tab(tiers).open()
    tab.witness.expect(*AWAY)
    engine.answer(content="Before.")
    tab.send("One")
    expect(tab.content).to_have_text("Before.")

    tiers.end_backend()
    expect(tab.hook("connection")).to_have_attribute("data-state", re.compile("reconnecting|offline"))
    expect(tab.content).to_have_text("Before.")
    tab.composer.fill("written while it was away")
    tiers.start_backend()

    expect(tab.hook("connection")).to_have_attribute("data-state", "online", timeout=20_000)
    expect(tab.composer).to_have_value("written while it was away")
    engine.answer(content="After.")
    tab.hook("send").click()
    expect(tab.content).to_have_text("After.")
    expect(tab.messages()).to_have_count(4)


def test_a_message_sent_while_the_backend_is_away_is_kept_and_goes_when_it_is_back(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tiers = new_tiers()
    tab = new_tab(tiers).open()
    tab.witness.expect(*AWAY)
    engine.answer(content="Before.")
    tab.send("One")
    expect(tab.content).to_have_text("Before.")
    chat_id = tab.chat_id
    tiers.end_backend()
    expect(tab.hook("connection")).to_have_attribute("data-state", re.compile("reconnecting|offline"))
    engine.answer(content="After.")

    tab.composer.fill("Two")
    tab.composer.press("Enter")
    expect(tab.question).to_contain_text("Two")
    expect(tab.question).to_contain_text(re.compile("not sent", re.IGNORECASE))
    tab.page.reload()
    expect(tab.question).to_contain_text("Two")
    tiers.start_backend()

    expect(tab.hook("connection")).to_have_attribute("data-state", "online", timeout=20_000)
    expect(tab.content).to_have_text("After.")
    rest = Rest(tiers.url)
    texts = [message["content"] for message in rest.chat(chat_id)["messages"]]
    rest.close()
    assert texts == ["One", "Before.", "Two", "After."]


def test_a_page_opened_before_the_backend_is_there_comes_alive_with_it(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tiers = new_tiers()
    tiers.end_backend()
    tab = new_tab(tiers)
    tab.witness.expect(*AWAY)
    tab.open()
    expect(tab.hook("connection")).to_have_attribute("data-state", re.compile("reconnecting|offline"))

    tiers.start_backend()

    expect(tab.hook("connection")).to_have_attribute("data-state", "online", timeout=20_000)
    tab.send("Hello")
    expect(tab.answer).to_have_attribute("data-status", "completed")


def test_a_backend_killed_in_the_middle_goes_on_from_where_it_was(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tiers = new_tiers()
    tab = new_tab(tiers).open()
    tab.witness.expect(*AWAY)
    answer = engine.answer(content=["Half ", "an ", "answer ", "is ", "none."], gated=True)
    tab.send("One")
    answer.step(2)
    expect(tab.content).to_have_text("Half an")

    tiers.kill_backend()
    answer.open()
    tiers.start_backend()

    expect(tab.hook("connection")).to_have_attribute("data-state", "online", timeout=20_000)
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).to_have_text("Half an answer is none.")
    expect(tab.answer).to_contain_text("Went on after a restart.")
    expect(tab.messages()).to_have_count(2)


def test_a_backend_killed_in_the_middle_keeps_the_question_and_leaves_no_spinner(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tiers = new_tiers(RESUME_RUNS="false")
    tab = new_tab(tiers).open()
    tab.witness.expect(*AWAY)
    answer = engine.answer(content=["Half ", "an ", "answer"], gated=True)
    tab.send("One")
    answer.step(2)
    expect(tab.content).to_have_text("Half an")

    tiers.kill_backend()
    tiers.start_backend()

    expect(tab.hook("connection")).to_have_attribute("data-state", "online", timeout=20_000)
    expect(tab.question).to_contain_text("One")
    expect(tab.answer).to_have_attribute("data-status", "interrupted")
    expect(tab.hook("stop")).to_be_hidden()
    engine.answer(content="Whole.")
    tab.answer.get_by_role("button", name=re.compile("retry|again", re.IGNORECASE)).first.click()
    expect(tab.content).to_have_text("Whole.")
