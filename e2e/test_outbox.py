"""Promises about messages that cannot be sent yet: nothing is lost, nothing is sent twice, the order stays."""

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

NO_NETWORK = ("ERR_INTERNET_DISCONNECTED", "WebSocket")


def texts(rest: Rest, chat_id: str) -> list[str]:
    """Return what the server has, in order."""
    return [message["content"] for message in rest.chat(chat_id)["messages"]]


def enter(tab: ChatPage, text: str) -> None:
    """Write a message and send it by the keyboard."""
    tab.composer.fill(text)
    tab.composer.press("Enter")
    expect(tab.composer).to_have_value("")


def test_what_is_written_without_a_network_goes_out_once_and_in_order(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    for text in ("Before.", "A.", "B."):
        engine.answer(content=text)
    tab.witness.expect(*NO_NETWORK)
    tab.send("One")
    expect(tab.content).to_have_text("Before.")

    tab.page.context.set_offline(True)
    enter(tab, "Two")
    enter(tab, "Three")
    expect(tab.messages("user")).to_have_count(3)
    tab.hook("outbox-edit").last.click()
    tab.hook("edit-box").fill("Three, but better")
    tab.hook("edit-save").click()
    tab.page.context.set_offline(False)

    expect(tab.messages("assistant", "completed")).to_have_count(3)
    assert texts(rest, tab.chat_id) == ["One", "Before.", "Two", "A.", "Three, but better", "B."]


def test_what_is_written_while_an_answer_streams_waits_and_survives_a_reload(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    answer = engine.answer(content=["First ", "answer."], gated=True)
    engine.answer(content="Second answer.")
    tab.send("One")
    answer.step()
    expect(tab.content).to_have_text("First")
    enter(tab, "Two")
    enter(tab, "Not this one")
    tab.hook("outbox-delete").last.click()
    expect(tab.messages("user")).to_have_count(2)
    assert texts(rest, tab.chat_id)[0::2] == ["One"]

    tab.page.reload()
    expect(tab.question).to_contain_text("Two")
    answer.open()

    expect(tab.messages("assistant", "completed")).to_have_count(2)
    assert texts(rest, tab.chat_id) == ["One", "First answer.", "Two", "Second answer."]


def test_two_tabs_send_a_waiting_message_once(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine, rest: Rest
) -> None:
    answer = engine.answer(content=["First ", "answer."], gated=True)
    engine.answer(content="Second answer.")
    one = new_tab(tiers).open()
    one.send("One")
    answer.step()
    expect(one.content).to_have_text("First")
    enter(one, "Two")
    two = new_tab(tiers).open(one.chat_id)
    expect(two.question).to_contain_text("Two")

    answer.open()

    for tab in (one, two):
        expect(tab.messages("assistant", "completed")).to_have_count(2)
        expect(tab.messages("user")).to_have_count(2)
    assert texts(rest, one.chat_id) == ["One", "First answer.", "Two", "Second answer."]
