"""Promises about going on with an answer that was cut, and about ending a thought."""

import re

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium


def test_a_stopped_answer_goes_on_in_the_same_message(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    answer = engine.answer(content=["Alpha ", "beta ", "gamma ", "delta."], gated=True)
    tab.send("List letters")
    answer.step(2)
    expect(tab.content).to_have_text("Alpha beta")
    tab.hook("stop").click()
    expect(tab.answer).to_have_attribute("data-status", "stopped")
    before = rest.chat(tab.chat_id)["messages"][-1]

    tab.answer.get_by_test_id("continue").click()

    expect(tab.answer).to_have_attribute("data-status", "completed")
    after = rest.chat(tab.chat_id)["messages"][-1]
    assert after["id"] == before["id"]
    assert after["content"].startswith(before["content"])
    assert len(after["content"]) > len(before["content"])
    expect(tab.messages()).to_have_count(2)
    expect(tab.answer.get_by_test_id("continue")).to_have_count(0)


def test_an_answer_cut_by_its_length_offers_to_go_on(tab: ChatPage, engine: ScriptedEngine) -> None:
    engine.answer(content="One two three", finish_reason="length")
    tab.send("Count")
    expect(tab.answer).to_have_attribute("data-status", "completed")

    expect(tab.answer.get_by_test_id("outcome")).to_contain_text(re.compile("length", re.IGNORECASE))
    expect(tab.answer.get_by_test_id("continue")).to_be_visible()


def test_the_thought_is_ended_on_request_and_the_answer_comes(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    answer = engine.answer(reasoning="One thing and another thing and more", content="Done.", gated=True)
    tab.send("Think about it")
    answer.step(3)
    expect(tab.answer.get_by_test_id("thinking")).to_contain_text("Thinking")
    run = rest.chat(tab.chat_id)["active_run"]["id"]

    tab.hook("answer-now").click()

    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).not_to_be_empty()
    assert rest.run(run)["run"]["status"] == "completed"
