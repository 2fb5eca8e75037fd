"""A laptop that is closed in the middle of an answer: the browser sleeps, alone or with the backend, and wakes to all of it."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import expect

from e2e.conftest import NewTab, NewTiers
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

ASLEEP_S = 60.0 if os.environ.get("LONG_FAULTS") else 2.0  # a minute is longer than a socket may be silent
WORDS = [f"word{number} " for number in range(30)]
WHOLE = "".join(WORDS).strip()
AWAKE_MS = 30_000


@contextmanager
def asleep(tiers: Tiers, *, backend_too: bool) -> Iterator[None]:
    """Stop every process of the browser, and wake them in the end."""
    sleepers = [each for each in psutil.Process().children(recursive=True) if "chrom" in each.name()]
    assert sleepers
    if backend_too:
        assert tiers.backend is not None
        sleepers.append(psutil.Process(tiers.backend.pid))
    for each in sleepers:
        each.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for each in reversed(sleepers):
            each.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("backend_too", [False, True], ids=["the browser", "browser and backend"])
def test_who_wakes_up_finds_the_whole_answer_and_nothing_that_seems_to_go_on(
    new_tiers: NewTiers, new_tab: NewTab, engine: ScriptedEngine, *, backend_too: bool
) -> None:
    answer = engine.answer(content=WORDS, gated=True)
    tiers = new_tiers()
    tab = new_tab(tiers).open()
    tab.send("Write thirty words")
    answer.step(2)
    expect(tab.content).to_have_text("word0 word1")
    rest = Rest(tiers.backend_url)
    [chat] = rest.chats()

    with asleep(tiers, backend_too=backend_too):
        answer.open()
        time.sleep(ASLEEP_S)
        if not backend_too:
            assert rest.ended(chat["active_run_id"])["status"] == "completed"

    expect(tab.answer).to_have_attribute("data-status", "completed", timeout=AWAKE_MS)
    expect(tab.content).to_have_text(WHOLE)
    expect(tab.hook("stop")).to_be_hidden()
    expect(tab.hook("connection")).to_have_attribute("data-state", "online")
    assert rest.chat(chat["id"])["messages"][-1]["content"].strip() == WHOLE
    rest.close()
