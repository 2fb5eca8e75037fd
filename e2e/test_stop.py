"""Promises about stopping an answer."""

import re

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium


def test_stop_ends_the_engines_work_and_keeps_the_text(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    answer = engine.answer(content=["Alpha ", "beta ", "gamma ", "delta"], gated=True)
    tab.send("List letters")
    answer.step(2)
    expect(tab.content).to_have_text("Alpha beta")

    tab.hook("stop").click()

    expect(tab.answer).to_have_attribute("data-status", "stopped")
    expect(tab.answer).to_contain_text(re.compile("stopped", re.IGNORECASE))
    answer.until_left()
    expect(tab.content).to_have_text("Alpha beta")
    stored = rest.chat(tab.chat_id)["messages"][-1]
    assert (stored["status"], stored["content"]) == ("stopped", "Alpha beta ")
    expect(tab.hook("stop")).to_be_hidden()


def test_after_a_stop_the_next_message_is_answered(tab: ChatPage, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["First ", "never."], gated=True)
    tab.send("One")
    answer.step()
    expect(tab.content).to_have_text("First")
    tab.hook("stop").click()
    expect(tab.answer).to_have_attribute("data-status", "stopped")
    engine.answer(content="Second.")

    tab.send("Two")

    expect(tab.messages("assistant")).to_have_count(2)
    expect(tab.content).to_have_text("Second.")


def test_stop_works_before_the_first_token(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    answer = engine.answer(content=["Never"], gated=True)
    tab.send("Take your time")
    answer.until_asked()

    tab.hook("stop").click()

    expect(tab.answer).to_have_attribute("data-status", "stopped")
    answer.until_left()
    assert rest.chat(tab.chat_id)["messages"][-1]["content"] == ""


def test_while_nothing_has_come_the_page_says_that_it_waits(tab: ChatPage, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["There it is."], gated=True)
    tab.send("Take your time")
    answer.until_asked()

    expect(tab.answer).to_have_attribute("data-status", re.compile("queued|streaming"))
    expect(tab.answer).to_contain_text(re.compile(r"Waiting.*\d+ s"))
    expect(tab.hook("stop")).to_be_enabled()
    answer.open()

    expect(tab.content).to_have_text("There it is.")


def test_escape_stops_and_loses_nothing_that_was_written(tab: ChatPage, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["Alpha ", "beta"], gated=True)
    tab.send("Go")
    answer.step()
    expect(tab.content).to_have_text("Alpha")
    tab.composer.fill("my next thought")

    tab.composer.press("Escape")

    expect(tab.answer).to_have_attribute("data-status", "stopped")
    expect(tab.composer).to_have_value("my next thought")


@pytest.mark.parametrize("tokens", [0, 1, 5, 19, 20])
def test_a_stop_at_any_moment_leaves_one_end_and_one_text(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, rest: Rest, tokens: int
) -> None:
    answer = engine.answer(content=[f"t{number} " for number in range(20)], gated=True)
    tab = new_tab(tiers).open()
    tab.send("Race")
    answer.until_asked()
    answer.step(tokens)

    # At the last token the button may be gone before the pointer is there.
    tab.page.evaluate("document.querySelector('[data-testid=stop]')?.click()")
    answer.open()

    expect(tab.answer).to_have_attribute("data-status", re.compile("stopped|completed"))
    stored = rest.chat(tab.chat_id)["messages"][-1]
    assert stored["status"] == tab.answer.get_attribute("data-status")
    assert "".join(f"t{number} " for number in range(20)).startswith(stored["content"])
    expect(tab.content).to_have_text(stored["content"].strip())
