"""Promises about a conversation of more turns than are shown at once."""

import re

import pytest
from playwright.sync_api import expect

from e2e.browser import PHONE
from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.rest import Json, Rest
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

TURNS = 400  # more than are drawn without being asked for
EARLIER_PAGE = re.compile(r"/api/chats/[^/]+/messages\?.*before=")
WHOLE_CHAT = re.compile(r"/api/chats/[0-9a-f-]{36}$")


def turn(number: int, parent: str | None, text: str = "") -> Json:
    return {
        "id": f"m{number}",
        "parent_id": parent,
        "role": "assistant" if number % 2 else "user",
        "content": text or f"Turn {number}.",
        "created_at": f"2026-01-01T{number // 60 % 24:02}:{number % 60:02}:00Z",
    }


@pytest.fixture
def chat_id(rest: Rest) -> str:
    """A long conversation whose second turn has another version; a word far up is nowhere else."""
    messages = [turn(number, f"m{number - 1}" if number else None) for number in range(TURNS)]
    messages[6]["content"] = "Turn 6 is about zebras."
    messages.append({**turn(1, "m0", "Another first answer."), "id": "other"})
    rest.call("POST", "/api/import", {"messages": messages, "active_leaf_id": f"m{TURNS - 1}"})
    return str(rest.chats()[0]["id"])


@pytest.fixture
def asked(new_tab: NewTab, tiers: Tiers) -> tuple[ChatPage, list[str]]:
    """A tab, and the addresses it asks for."""
    tab, urls = new_tab(tiers), []
    tab.page.on("request", lambda request: urls.append(request.url))
    return tab, urls


def go_up(tab: ChatPage, text: str) -> None:
    """Scroll up until a turn is there."""
    first = tab.messages().first
    for _ in range(TURNS):
        if text in (first.text_content() or ""):
            return
        tab.hook("messages").evaluate("box => { box.scrollTop = 0 }")
        tab.page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(first).to_contain_text(text)


def test_it_opens_at_its_end_and_is_read_up_page_by_page(
    asked: tuple[ChatPage, list[str]], chat_id: str
) -> None:
    tab, urls = asked
    tab.open(chat_id)
    expect(tab.messages().last).to_contain_text(f"Turn {TURNS - 1}.")
    expect(tab.messages().last).to_be_in_viewport()

    go_up(tab, "Turn 0.")

    expect(tab.messages()).to_have_count(TURNS)
    expect(tab.hook("earlier")).to_be_hidden()
    assert len([url for url in urls if EARLIER_PAGE.search(url)]) == 4  # 50 came with the chat
    assert not [url for url in urls if WHOLE_CHAT.search(url)]


def test_the_browsers_own_search_finds_all_of_it(asked: tuple[ChatPage, list[str]], chat_id: str) -> None:
    tab, _ = asked
    tab.open(chat_id)
    expect(tab.messages().last).to_contain_text(f"Turn {TURNS - 1}.")

    tab.page.keyboard.press("Control+f")

    expect(tab.messages()).to_have_count(TURNS, timeout=60_000)
    expect(tab.messages().last).to_be_in_viewport()


def test_a_hit_far_up_is_gone_to(asked: tuple[ChatPage, list[str]], chat_id: str) -> None:
    tab, _ = asked
    tab.open(chat_id)
    expect(tab.messages().last).to_contain_text(f"Turn {TURNS - 1}.")
    tab.hook("chat-search").fill("zebras")

    tab.hook("search-hit").first.click()

    expect(tab.page.get_by_text("Turn 6 is about zebras.").last).to_be_in_viewport()


def test_another_version_that_is_not_here_is_shown_and_stays(
    asked: tuple[ChatPage, list[str]], chat_id: str
) -> None:
    tab, _ = asked
    tab.open(chat_id)
    expect(tab.messages().last).to_contain_text(f"Turn {TURNS - 1}.")
    go_up(tab, "Turn 0.")
    answer = tab.messages("assistant").first
    answer.hover()
    answer.get_by_test_id("branch-next").click()

    expect(tab.content).to_have_text("Another first answer.")
    expect(tab.messages()).to_have_count(2)
    tab.page.reload()
    expect(tab.content).to_have_text("Another first answer.")
    tab.answer.hover()
    tab.answer.get_by_test_id("branch-prev").click()
    expect(tab.messages().last).to_contain_text(f"Turn {TURNS - 1}.")


READ_UP = """async ({steps, px}) => {
  const box = document.querySelector('[data-testid=messages]');
  const frames = async (count) => { while (count--) await new Promise(requestAnimationFrame); };
  const moves = [];
  for (let step = 0; step < steps && box.scrollTop > px; step++) {
    const { left, top, width, height } = box.getBoundingClientRect();
    const seen = document.elementFromPoint(left + width / 2, top + height / 2).closest('[data-message-id]');
    const before = seen?.getBoundingClientRect().top;
    box.scrollTop -= px;
    await frames(3);
    if (seen) moves.push(Math.round(seen.getBoundingClientRect().top - before));
  }
  return moves;
}"""
STEP_PX = 150


def test_what_is_read_moves_by_what_is_scrolled_whatever_is_laid_out_above(tab: ChatPage, rest: Rest) -> None:
    """Turns out of sight are not laid out, so their height is a guess until they come near."""
    texts = [
        "Word. " * 400,
        "- item\n" * 30,
        "```python\n" + "x = 1\n" * 40 + "```",
        "一行字。" * 200,
        "| a |\n|-|\n" + "| b |\n" * 20,
    ]
    messages = [
        turn(number, f"m{number - 1}" if number else None, texts[number // 2 % 5] if number % 2 else "")
        for number in range(120)
    ]
    rest.call("POST", "/api/import", {"messages": messages, "active_leaf_id": "m119"})
    tab.open(str(rest.chats()[0]["id"]))
    expect(tab.messages()).to_have_count(120)

    moves = tab.page.evaluate(READ_UP, {"steps": 150, "px": STEP_PX})

    assert len(moves) > 100
    assert [move for move in moves if abs(move - STEP_PX) > 2] == []


GO_UP_AT_ONCE = """async (px) => {
  const frame = () => new Promise(requestAnimationFrame);
  const box = () => document.querySelector('[data-testid=messages]');
  while (!(box()?.scrollTop > px)) await frame();
  await frame();
  box().dispatchEvent(new WheelEvent('wheel', { deltaY: -px }));
  box().scrollTop -= px;
}"""
REST = "box => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop)"


def test_who_goes_up_while_a_conversation_is_still_being_drawn_stays_there(
    new_tab: NewTab, tiers: Tiers, rest: Rest
) -> None:
    answer = (
        "Because the engine **keeps what it has read**.\n\nThe longer the conversation, the more this saves."
    )
    messages = [
        turn(number, f"m{number - 1}" if number else None, answer if number % 2 else "And when is it lost?")
        for number in range(80)
    ]
    rest.call("POST", "/api/import", {"messages": messages, "active_leaf_id": "m79"})
    tab = new_tab(tiers, viewport=PHONE)
    tab.page.goto(f"{tiers.url}/c/{rest.chats()[0]['id']}", wait_until="commit")

    tab.page.evaluate(GO_UP_AT_ONCE, 800)

    expect(tab.messages()).to_have_count(80)
    assert tab.hook("messages").evaluate(REST) == pytest.approx(800, abs=60)
    expect(tab.hook("jump-to-latest")).to_be_visible()
