"""The screens of a conversation: from the first visit to a very long one."""

import re

from playwright.sync_api import expect

from e2e.screens.chats import FIGURES, LONG_TURNS, chat, turn
from e2e.screens.stage import Screens, Stage

SCREENS = Screens()
screen = SCREENS.add


@screen("first-visit", "First visit, with three starters")
def first_visit(stage: Stage) -> None:
    stage.rest.clear()
    stage.begin()
    expect(stage.tab.hook("starter").last).to_be_visible()


@screen("new-chat", "New chat, with a draft and older chats")
def new_chat(stage: Stage) -> None:
    stage.begin()
    stage.tab.hook("starter").last.click()


@screen("temporary", "Temporary chat")
def temporary(stage: Stage) -> None:
    stage.begin()
    stage.show_chats()
    stage.tab.hook("temporary-chat").click()
    expect(stage.tab.hook("temporary-bar")).to_be_visible()


@screen("chat", "Chat")
def short_chat(stage: Stage) -> None:
    stage.open()


@screen("thinking", "Thinking, with its clock")
def thinking(stage: Stage) -> None:
    stage.asked(tokens=48, reasoning=stage.words.thought, content=stage.words.answer)
    thought = stage.tab.answer.get_by_test_id("thinking")
    expect(thought).to_be_visible()
    thought.locator("summary").click()
    expect(thought).to_have_attribute("data-live", "true")
    stage.later(4.2)
    expect(thought.locator("summary")).to_contain_text(re.compile("4 ?(s|秒)"))


@screen("streaming", "Streaming, after the thinking")
def streaming(stage: Stage) -> None:
    answer = stage.asked(tokens=0, content=stage.words.answer)
    answer.step(90)
    expect(stage.tab.content.locator("h2")).to_be_visible()


@screen("waiting-first-word", "Waiting for the first word")
def first_word(stage: Stage) -> None:
    stage.asked(tokens=0, content=stage.words.answer)


@screen("long-answer", "Long answer: code, table, formula, diagram", height=1900)
def long_answer(stage: Stage) -> None:
    told = turn(stage.words.question, stage.words.answer, reasoning=stage.words.thought)
    stage.add(chat("Prefix caching 前缀缓存", told))
    stage.open("Prefix caching 前缀缓存")


@screen("thought-open", "A finished thought, opened")
def thought_open(stage: Stage) -> None:
    stage.open()
    stage.tab.answer.get_by_test_id("thinking").locator("summary").click()


@screen("figures", "What the engine did")
def figures(stage: Stage) -> None:
    stage.open()
    stage.tab.answer.get_by_test_id("stats").click()


@screen("edit-message", "Editing a message")
def edit_message(stage: Stage) -> None:
    stage.open()
    stage.tab.question.hover()
    stage.tab.question.get_by_test_id("edit").click()
    expect(stage.tab.hook("edit-box")).to_be_focused()


@screen("edit-answer", "Editing the text of an answer")
def edit_answer(stage: Stage) -> None:
    message_menu(stage)
    stage.tab.hook("message-rewrite").click()
    expect(stage.tab.hook("edit-box")).to_be_focused()


def branched(stage: Stage) -> None:
    """Open a chat whose answer has two versions."""
    told = turn(stage.words.question, stage.words.short)
    other = {**told[1], "content": stage.words.another, "parent_id": "m0"}
    stage.add(chat("Two versions 两个版本", [*told, other]))
    stage.open("Two versions 两个版本")
    expect(stage.tab.answer.get_by_test_id("branch-position")).to_have_text("2/2")


@screen("branches", "Two versions of an answer")
def branches(stage: Stage) -> None:
    branched(stage)
    stage.tab.answer.hover()


@screen("message-menu", "The menu of a message")
def message_menu(stage: Stage) -> None:
    branched(stage)
    stage.tab.answer.hover()
    stage.tab.answer.get_by_test_id("message-menu").click()
    expect(stage.tab.hook("message-delete")).to_be_visible()


@screen("diff", "Two versions compared")
def diff(stage: Stage) -> None:
    message_menu(stage)
    stage.tab.hook("message-compare").click()
    expect(stage.tab.hook("diff")).to_be_visible()


@screen("delete-message", "Deleting a message with what is below it")
def delete_message(stage: Stage) -> None:
    stage.open()
    stage.tab.question.hover()
    stage.tab.question.get_by_test_id("message-menu").click()
    stage.tab.hook("message-delete").click()
    expect(stage.tab.hook("delete-dialog")).to_be_visible()


@screen("fork", "A new chat from a message")
def fork(stage: Stage) -> None:
    stage.open()
    before = stage.tab.chat_id
    stage.tab.answer.hover()
    stage.tab.answer.get_by_test_id("message-menu").click()
    stage.tab.hook("message-fork").click()
    expect(stage.tab.page).not_to_have_url(re.compile(before))
    expect(stage.tab.answer).to_be_visible()


@screen("very-long-chat", "A long chat, scrolled up")
def very_long_chat(stage: Stage) -> None:
    told = [
        message
        for number in range(1, LONG_TURNS + 1)
        for message in turn(f"{stage.words.again} ({number})", stage.words.short)
    ]
    stage.add(chat("80 messages 八十条消息", told))
    stage.open("80 messages 八十条消息")
    # On a clock that stands still all older turns are drawn in one go, which thousands would be felt in.
    expect(stage.tab.hook("earlier")).to_have_count(0)
    stage.tab.hook("messages").evaluate("area => area.scrollTo(0, area.scrollTop - 1400)")
    expect(stage.tab.hook("jump-to-latest")).to_be_visible()


@screen("very-long-words", "Very long words")
def very_long_words(stage: Stage) -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitän" * 6
    address = "https://example.com/" + "path/" * 40
    told = turn(f"{word}\n{address}", f"{address}\n\n`{word}`\n\n{'长' * 120}\n\n- {word}")
    stage.add(chat(word[:120], told))
    stage.open(word[:120])


@screen("long-question", "A message of 100,000 characters, folded")
def long_question(stage: Stage) -> None:
    lines = "".join(stage.words.line.format(number=number) for number in range(1, 3000))
    stage.add(chat("100,000", turn(lines[:100_000], stage.words.short)))
    stage.open("100,000")


@screen("loading", "Before the chats and the conversation are there")
def loading(stage: Stage) -> None:
    chat_id = stage.id_of(stage.words.main)
    stage.hold("**/api/chats/?*")
    stage.hold("**/socket.io/**")
    stage.hold_socket()
    stage.tab.open(chat_id)
    if not stage.tab.hook("chat-search").is_visible():
        return
    expect(stage.tab.hook("sidebar").get_by_role("status").first).to_be_attached()


@screen("missing", "A chat that does not exist")
def missing(stage: Stage) -> None:
    stage.tab.page.goto(f"{stage.tab.url}/c/00000000-0000-4000-8000-000000000000")
    expect(stage.tab.page.get_by_role("alert")).to_be_visible()


@screen("no-page", "An address that is no page")
def no_page(stage: Stage) -> None:
    stage.tab.witness.expect("404")
    stage.tab.page.goto(f"{stage.tab.url}/no/such/page")
    expect(stage.tab.page.get_by_role("heading", level=1)).to_be_visible()


@screen("continued", "Went on after a restart")
def continued(stage: Stage) -> None:
    told = turn(stage.words.question, stage.words.short, metadata={**FIGURES, "continued": 1})
    stage.add(chat("Went on 已继续", told))
    stage.open("Went on 已继续")
