"""Promises about answers that go on while the reader leaves, reloads or reads in two places."""

import re

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedAnswer, ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

WORDS = [f"word{number} " for number in range(30)]
WHOLE = "".join(WORDS).strip()


@pytest.fixture
def answer(engine: ScriptedEngine) -> ScriptedAnswer:
    """An answer that is written word by word, as the test says."""
    return engine.answer(content=WORDS, gated=True)


# The first two tokens are the thought and its end.
@pytest.mark.parametrize("steps", [0, 1, 3, 12, 31])
def test_a_reload_in_the_middle_goes_on_to_the_same_text(
    tab: ChatPage, rest: Rest, engine: ScriptedEngine, steps: int
) -> None:
    answer = engine.answer(reasoning=["Let me think."], content=WORDS, gated=True)
    tab.send("Write thirty words")
    answer.until_asked()
    answer.step(steps)
    shown = "".join(WORDS[: max(0, steps - 2)]).strip()
    if shown:
        expect(tab.content).to_have_text(shown)

    tab.page.reload()

    expect(tab.question).to_contain_text("Write thirty words")
    if shown:
        expect(tab.content).to_have_text(shown)
    expect(tab.hook("stop")).to_be_visible()
    answer.open()
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).to_have_text(WHOLE)
    assert rest.chat(tab.chat_id)["messages"][-1]["content"].strip() == WHOLE
    assert len(engine.generations()) == 1


def test_five_reloads_in_a_row_change_nothing(tab: ChatPage, answer: ScriptedAnswer) -> None:
    tab.send("Write thirty words")
    answer.until_asked()
    for _ in range(5):
        answer.step(4)
        tab.page.reload()
    answer.open()

    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).to_have_text(WHOLE)
    expect(tab.messages()).to_have_count(2)


def test_a_reload_right_after_sending_loses_neither_the_question_nor_the_answer(
    tab: ChatPage, answer: ScriptedAnswer
) -> None:
    tab.send("Write thirty words")
    tab.page.reload()
    answer.open()

    expect(tab.question).to_contain_text("Write thirty words")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).to_have_text(WHOLE)
    expect(tab.messages()).to_have_count(2)


def test_a_second_tab_sees_the_same_and_can_stop(
    tiers: Tiers, new_tab: NewTab, answer: ScriptedAnswer
) -> None:
    first = new_tab(tiers).open()
    first.send("Write thirty words")
    answer.step(5)
    expect(first.content).to_have_text(" ".join(f"word{number}" for number in range(5)))
    second = new_tab(tiers).open(first.chat_id)
    expect(second.content).to_have_text(" ".join(f"word{number}" for number in range(5)))
    answer.step()
    expect(first.content).to_contain_text("word5")
    expect(second.content).to_contain_text("word5")

    second.hook("stop").click()

    for tab in (first, second):
        expect(tab.answer).to_have_attribute("data-status", "stopped")
        expect(tab.content).to_have_text(" ".join(f"word{number}" for number in range(6)))
    answer.until_left()


def test_a_message_sent_in_one_tab_appears_in_the_other(
    tiers: Tiers, new_tab: NewTab, rest: Rest, engine: ScriptedEngine
) -> None:
    engine.answer(content="First.")
    engine.answer(content="Second.")
    first = new_tab(tiers).open()
    first.send("One")
    expect(first.content).to_have_text("First.")
    second = new_tab(tiers, profile="another browser").open(first.chat_id)
    expect(second.content).to_have_text("First.")

    second.send("Two")

    for tab in (first, second):
        expect(tab.messages()).to_have_count(4)
        expect(tab.question).to_contain_text("Two")
        expect(tab.content).to_have_text("Second.")


def test_who_closes_the_page_and_comes_back_finds_the_answer(
    tiers: Tiers, new_tab: NewTab, answer: ScriptedAnswer, rest: Rest
) -> None:
    tab = new_tab(tiers).open()
    tab.send("Write thirty words")
    answer.step(2)
    expect(tab.content).to_have_text("word0 word1")
    chat_id = tab.chat_id
    run_id = rest.chat(chat_id)["active_run"]["id"]
    tab.page.close()

    answer.open()
    assert rest.ended(run_id)["status"] == "completed"
    later = new_tab(tiers).open()
    later.chat(chat_id).click()

    expect(later.content).to_have_text(WHOLE)
    expect(later.answer).to_have_attribute("data-status", "completed")


def test_a_lost_network_is_said_and_made_up_for(tab: ChatPage, answer: ScriptedAnswer) -> None:
    tab.witness.expect("ERR_INTERNET_DISCONNECTED", "WebSocket")
    tab.send("Write thirty words")
    answer.step(2)
    expect(tab.content).to_have_text("word0 word1")

    tab.page.context.set_offline(True)
    expect(tab.hook("connection")).to_have_attribute("data-state", re.compile("offline|reconnecting"))
    answer.open()
    tab.page.context.set_offline(False)

    expect(tab.hook("connection")).to_have_attribute("data-state", "online")
    expect(tab.content).to_have_text(WHOLE)
    expect(tab.answer).to_have_attribute("data-status", "completed")


def test_leaving_for_another_chat_and_coming_back_shows_the_stream_again(
    tab: ChatPage, answer: ScriptedAnswer, rest: Rest
) -> None:
    other = rest.new_chat(title="Elsewhere")
    tab.send("Write thirty words")
    answer.step(2)
    expect(tab.content).to_have_text("word0 word1")
    chat_id = tab.chat_id

    tab.chat(other["id"]).click()
    expect(tab.messages()).to_have_count(0)
    expect(tab.hook("stop")).to_be_hidden()
    answer.step(3)
    tab.chat(chat_id).click()

    expect(tab.content).to_have_text("word0 word1 word2 word3 word4")
    answer.open()
    expect(tab.content).to_have_text(WHOLE)
