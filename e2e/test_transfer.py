"""Promises about taking chats out as files and bringing files in."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from e2e.chat_page import ChatPage
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium

THOUGHT = "I thought about it."


def answered(tab: ChatPage, engine: ScriptedEngine) -> None:
    engine.answer(reasoning=THOUGHT, content="It is **blue** 蓝.")
    tab.send("Which colour?")
    expect(tab.answer).to_have_attribute("data-status", "completed")


def downloaded(tab: ChatPage, link: Locator) -> str:
    """Return the text of the file behind a link."""
    with tab.page.expect_download() as waiting:
        link.click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def test_an_exported_chat_comes_back_once_and_a_second_time_is_told(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest, tmp_path: Path
) -> None:
    answered(tab, engine)
    before = rest.chat(tab.chat_id)
    tab.hook("settings").click()
    file = tmp_path / "chats.json"
    file.write_text(downloaded(tab, tab.hook("export-all")), encoding="utf-8")
    rest.clear()

    tab.hook("import-file").set_input_files(file)
    expect(tab.hook("import-report")).to_contain_text("1 chat and 2 messages")
    tab.hook("import-file").set_input_files(file)
    expect(tab.hook("import-report")).to_contain_text("No. 1: it is here already")

    [chat] = rest.chats()
    texts = [message["content"] for message in rest.chat(chat["id"])["messages"]]
    assert texts == [message["content"] for message in before["messages"]]
    expect(tab.chat(chat["id"])).to_be_attached()


def test_a_chat_is_exported_in_three_formats_with_its_thinking_on_request_only(
    tab: ChatPage, engine: ScriptedEngine
) -> None:
    answered(tab, engine)
    tab.hook("settings").click()

    files = {name: downloaded(tab, tab.hook(f"export-{name}")) for name in ("json", "markdown", "html")}
    tab.hook("export-thinking").check()
    with_thinking = downloaded(tab, tab.hook("export-markdown"))

    assert json.loads(files["json"])["format"] == "vllm-chat"
    assert "It is **blue** 蓝." in files["markdown"]
    assert "<html" in files["html"]
    assert all(THOUGHT not in file for file in files.values())
    assert THOUGHT in with_thinking


def test_a_file_that_is_no_export_is_refused_in_words(tab: ChatPage, rest: Rest, tmp_path: Path) -> None:
    file = tmp_path / "no.json"
    file.write_text("[1, 2", encoding="utf-8")
    tab.witness.expect("422")
    tab.hook("settings").click()

    tab.hook("import-file").set_input_files(file)

    failure = tab.hook("import-failure")
    expect(failure).to_have_text(re.compile("This file is not an export that can be imported."))
    expect(failure).to_be_in_viewport(ratio=1)
    expect(tab.hook("import")).to_be_enabled()
    assert rest.chats() == []
