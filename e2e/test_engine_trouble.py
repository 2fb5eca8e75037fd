"""Promises about the page while the engine is away, refuses or breaks."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.conftest import NewTab, NewTiers
from e2e.ports import free_port
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium

# Health is 503 while the engine is away, and Chromium writes down every 503.
ENGINE_AWAY = r"503.*/api/chat/health"
QUESTION = "Tell me about the sea 海"


def test_with_the_engine_away_the_page_works_says_so_and_answers_when_it_is_back(
    new_tiers: NewTiers, new_tab: NewTab, tmp_path: Path
) -> None:
    port = free_port()
    tiers = new_tiers(f"http://127.0.0.1:{port}/v1")
    tab = new_tab(tiers)
    tab.witness.expect(ENGINE_AWAY)
    tab.open()
    expect(tab.hook("engine-state")).to_contain_text(re.compile("engine|model|vllm", re.IGNORECASE))
    expect(tab.composer).to_be_enabled()

    tab.send(QUESTION)
    expect(tab.question).to_contain_text(QUESTION)
    expect(tab.answer).to_have_attribute("data-status", "queued")
    expect(tab.answer).to_contain_text(re.compile("wait", re.IGNORECASE))
    with ScriptedEngine(tmp_path, port=port) as engine:
        engine.answer(content="Salty.")

        expect(tab.content).to_have_text("Salty.")
        expect(tab.answer).to_have_attribute("data-status", "completed")
        assert len(engine.generations()) == 1


def test_a_message_that_waits_for_the_engine_can_be_stopped(new_tiers: NewTiers, new_tab: NewTab) -> None:
    tab = new_tab(new_tiers(f"http://127.0.0.1:{free_port()}/v1"))
    tab.witness.expect(ENGINE_AWAY)
    tab.open().send(QUESTION)
    expect(tab.answer).to_have_attribute("data-status", "queued")

    tab.hook("stop").click()

    expect(tab.answer).to_have_attribute("data-status", "stopped")
    expect(tab.question).to_contain_text(QUESTION)


def test_an_engine_that_stays_away_is_said_in_the_end_with_a_retry(
    new_tiers: NewTiers, new_tab: NewTab
) -> None:
    tab = new_tab(new_tiers(f"http://127.0.0.1:{free_port()}/v1", ENGINE_WAIT_S="1"))
    tab.witness.expect(ENGINE_AWAY)

    tab.open().send(QUESTION)

    expect(tab.answer).to_have_attribute("data-status", "failed")
    expect(tab.answer).to_contain_text(re.compile("engine", re.IGNORECASE))
    expect(
        tab.answer.get_by_role("button", name=re.compile("retry|again", re.IGNORECASE)).first
    ).to_be_visible()
    expect(tab.question).to_contain_text(QUESTION)


def test_a_chat_that_is_too_long_for_the_model_is_said_in_words(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    engine.refuse_context()

    tab.send(QUESTION)

    expect(tab.answer).to_have_attribute("data-status", "failed")
    expect(tab.answer).to_contain_text(re.compile("too long|context|does not fit", re.IGNORECASE))
    expect(tab.answer.get_by_role("button").first).to_be_visible()
    expect(tab.question).to_contain_text(QUESTION)
    stored = rest.chat(tab.chat_id)["messages"]
    assert stored[0]["content"] == QUESTION
    assert stored[1]["metadata"]["error"]["code"] == "context_too_long"
    assert len(engine.generations()) == 1


def test_a_failing_engine_is_said_and_retry_answers(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest
) -> None:
    engine.answer(status=500, times=2)
    tab.send(QUESTION)
    expect(tab.answer).to_have_attribute("data-status", "failed")
    expect(tab.answer).to_contain_text(re.compile("engine", re.IGNORECASE))
    expect(tab.question).to_contain_text(QUESTION)
    assert rest.chat(tab.chat_id)["messages"][-1]["metadata"]["error"]["code"] == "engine_error"
    engine.answer(content="Salty.")

    tab.answer.get_by_role("button", name=re.compile("retry|again", re.IGNORECASE)).first.click()

    expect(tab.content).to_have_text("Salty.")
    expect(tab.answer).to_have_attribute("data-status", "completed")


@pytest.mark.parametrize("end", ["eof", "reset", "error_done"])
def test_an_answer_that_breaks_off_keeps_its_text_and_says_so(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine, end: str
) -> None:
    tab = new_tab(new_tiers(RESUME_RUNS="false")).open()
    engine.answer(content=["The sea ", "is ", "salty"], end=end, end_after=2)

    tab.send(QUESTION)

    expect(tab.answer).to_have_attribute("data-status", re.compile("interrupted|failed"))
    expect(tab.content).to_have_text("The sea is")
    expect(
        tab.answer.get_by_role("button", name=re.compile("retry|again|continue", re.IGNORECASE)).first
    ).to_be_visible()


def test_a_silent_engine_is_given_up_after_the_idle_limit(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tab = new_tab(new_tiers(RESUME_RUNS="false", IDLE_TIMEOUT_S="1")).open()
    answer = engine.answer(content=["The sea ", "is ", "salty"], end="hang", end_after=2)

    tab.send(QUESTION)

    expect(tab.answer).to_have_attribute("data-status", re.compile("interrupted|failed"))
    expect(tab.content).to_have_text("The sea is")
    answer.until_left()


def test_over_the_limit_the_text_stays_and_a_countdown_says_when(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tiers = new_tiers(MAX_CONCURRENT_RUNS="1", MAX_QUEUED_RUNS="0")
    answer = engine.answer(content=["busy"], gated=True)
    busy = new_tab(tiers).open()
    busy.send("Keep it busy")
    answer.until_asked()
    tab = new_tab(tiers).open()
    tab.witness.expect("429")
    rest = Rest(tiers.url)

    tab.composer.fill(QUESTION)
    tab.hook("send").click()

    expect(tab.question).to_contain_text(QUESTION)
    expect(tab.question.get_by_role("button", name=re.compile(r"Retry in \d"))).to_be_disabled()
    # Nothing was stored of what was refused.
    assert all(QUESTION not in str(rest.chat(chat["id"])["messages"]) for chat in rest.chats())
    rest.close()
    answer.open()


def test_a_run_that_waits_for_a_place_says_its_place(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    tiers = new_tiers(MAX_CONCURRENT_RUNS="1", MAX_QUEUED_RUNS="4")
    answer = engine.answer(content=["busy"], gated=True)
    engine.answer(content="My turn.")
    busy = new_tab(tiers).open()
    busy.send("Keep it busy")
    answer.until_asked()
    tab = new_tab(tiers).open()

    tab.send(QUESTION)
    expect(tab.answer).to_have_attribute("data-status", "queued")
    expect(tab.answer).to_contain_text(re.compile("1|first|next", re.IGNORECASE))
    answer.open()

    expect(tab.content).to_have_text("My turn.")
