"""Nothing that a text says runs, loads or covers, wherever the page shows it.

Under the policy the page is served with, Trusted Types enforced, and seen from outside by the browser's own protocol.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Route, expect

from e2e.browser import new_context
from e2e.chat_page import ChatPage
from e2e.conftest import NewTab
from e2e.deadline import eventually
from e2e.hostile_vectors import EVIL, VECTORS, mutations
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

MUTATIONS, SEED = 300, 20261121
IN_A_CHAT = 20
DRAWN_MS = 30_000
WIRES = """
Object.defineProperty(window, 'tripped', { value: (what) => tell_tripped(`${what} ${location.pathname}`) });
for (const name of ['alert', 'confirm', 'prompt', 'print'])
  window[name] = () => tripped(name);
addEventListener('securitypolicyviolation', (event) =>
  tell_violated(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
# The sanitiser reads a text as a document that is never shown; what the browser blocks in there never was in the page.
HARMLESS = re.compile(r"^(style-src|base-uri)")
DANGERS = """() => [...document.querySelectorAll('body *')].flatMap((node) => {
  if (!node.closest('[data-testid=content], [data-testid=thinking]')) return [];
  const inFormula = node.closest('.katex');  // KaTeX places its letters itself
  const bad = 'script iframe frame form base meta link object embed video audio input textarea select dialog template'.split(' ');
  const names = node.getAttributeNames().filter((name) => name.startsWith('on') || name === 'style' && !inFormula);
  const href = node.getAttribute('href') ?? node.getAttribute('xlink:href') ?? '';
  const isBad = bad.includes(node.localName) || names.length || /^\\s*(javascript|data|vbscript|file|blob):/i.test(href);
  return isBad || getComputedStyle(node).position === 'fixed' ? [node.outerHTML.slice(0, 300)] : [];
})"""


class Tripwire:
    """What ran, what was asked for elsewhere and what the policy blocked, in one tab."""

    def __init__(self, session: CDPSession, origin: str) -> None:
        self.tripped: list[str] = []
        self.foreign: list[str] = []
        self.violations: list[str] = []
        session.on("Runtime.bindingCalled", self._called)
        session.on("Network.requestWillBeSent", lambda event: self._asked(event["request"]["url"], origin))
        session.on("Page.javascriptDialogOpening", lambda event: self.tripped.append(event["message"]))
        for name in ("tell_tripped", "tell_violated"):
            session.send("Runtime.addBinding", {"name": name})
        for domain in ("Runtime", "Network", "Page"):
            session.send(f"{domain}.enable")

    def _called(self, event: dict[str, Any]) -> None:
        if event["name"] == "tell_tripped":
            self.tripped.append(event["payload"])
        elif not HARMLESS.match(event["payload"]):
            self.violations.append(event["payload"])

    def _asked(self, url: str, origin: str) -> None:
        if re.match(r"(https?|wss?|ftp):", url) and not re.match(rf"(http|ws)://{origin}(/|$)", url):
            self.foreign.append(url)


@pytest.fixture
def guarded(tiers: Tiers, new_tab: NewTab) -> Iterator[tuple[ChatPage, Tripwire]]:
    """Give a tab with wires in it; none may have been touched in the end."""
    tab = new_tab(tiers)
    tab.witness.expect("style-src", "base-uri|base URI", "Failed to load resource")
    tab.page.add_init_script(WIRES)
    wire = Tripwire(tab.page.context.new_cdp_session(tab.page), tiers.url.split("//")[1])
    yield tab.open(), wire
    assert tab.page.evaluate(DANGERS) == []
    assert tab.page.evaluate("document.querySelectorAll('main [data-testid=composer]').length") == 1
    assert (wire.tripped, wire.foreign, wire.violations) == ([], [], [])
    tab.composer.click(trial=True)


def test_the_wires_are_live(browser: Browser) -> None:
    """The same vectors on a page without policy and sanitiser run and load, and both are seen."""
    context = new_context(browser)
    page = context.new_page()
    page.add_init_script(WIRES)
    wire = Tripwire(context.new_cdp_session(page), "bare.example")
    page.route("**/*", lambda route: route.fulfill(body="", content_type="text/html"))
    page.route("http://bare.example/*", _as_document)

    page.goto("http://bare.example/all", wait_until="commit")

    eventually(lambda: _alive(page, wire), 120, "the vectors to run")
    context.close()


def test_the_policy_is_enforced_and_with_it_trusted_types(
    guarded: tuple[ChatPage, Tripwire], rest: Rest
) -> None:
    tab, wire = guarded
    tab.witness.expect("TrustedHTML", "require-trusted-types-for")
    headers = rest.client.get("/").headers

    assert "require-trusted-types-for 'script'" in headers["Content-Security-Policy"]
    assert "Content-Security-Policy-Report-Only" not in headers
    script = "try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=tripped(1)>') } catch (e) { e.name }"
    assert tab.page.evaluate(script) == "TypeError"
    assert [violation.split()[0] for violation in wire.violations] == ["require-trusted-types-for"]
    wire.violations.clear()


@pytest.mark.parametrize("corpus", ["vectors", "mutations"])
def test_what_stands_in_a_message_does_nothing(
    guarded: tuple[ChatPage, Tripwire], rest: Rest, corpus: str
) -> None:
    tab, wire = guarded
    texts = VECTORS if corpus == "vectors" else mutations(MUTATIONS, SEED)
    for batch in _batches(texts):
        chat = rest.new_chat(title="x")["id"]
        for text in batch:
            rest.call("POST", f"/api/chats/{chat}/messages", {"role": "assistant", "content": text})
        tab.open(chat)
        expect(tab.messages()).to_have_count(len(batch))
        expect(tab.page.locator('main [aria-busy="true"]')).to_have_count(0)
        assert tab.page.evaluate(DANGERS) == [], batch
        assert (wire.tripped, wire.foreign, wire.violations) == ([], [], []), batch


def test_what_is_drawn_does_nothing(guarded: tuple[ChatPage, Tripwire], rest: Rest) -> None:
    tab, _ = guarded
    texts = [vector for vector in VECTORS if vector.startswith("```mermaid")]
    chat = rest.new_chat(title="x")["id"]
    for text in texts:
        rest.call("POST", f"/api/chats/{chat}/messages", {"role": "assistant", "content": text})
    tab.open(chat)
    expect(tab.messages()).to_have_count(len(texts))

    for message in tab.messages().all():
        message.scroll_into_view_if_needed()
        drawn = message.locator(".diagram").locator("img, .problem").first
        expect(drawn).to_be_visible(timeout=DRAWN_MS)
        drawn.click()

    assert len(texts) >= 12
    frames = tab.page.locator("iframe")
    assert (frames.count(), frames.get_attribute("sandbox")) == (1, "allow-scripts")


def test_what_streams_in_does_nothing(guarded: tuple[ChatPage, Tripwire], engine: ScriptedEngine) -> None:
    tab, _ = guarded
    whole = "\n\n---\n\n".join(VECTORS) + "\n\n# The end of it"
    pieces = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    engine.answer(reasoning=pieces[: len(pieces) // 2], content=pieces, rate=1500)

    tab.send("Harm me")

    expect(tab.answer).to_have_attribute("data-status", "completed", timeout=60_000)
    tab.answer.get_by_test_id("thinking").locator("summary, button").first.click()
    expect(tab.answer.get_by_test_id("thinking")).to_contain_text(VECTORS[0][:20])


def test_what_a_user_writes_does_nothing(guarded: tuple[ChatPage, Tripwire], rest: Rest) -> None:
    tab, _ = guarded
    chat = rest.new_chat(title="x", system_prompt="\n".join(VECTORS[:100]))["id"]
    whole = "\n\n".join(VECTORS)
    rest.call("POST", f"/api/chats/{chat}/messages", {"role": "user", "content": whole})

    tab.open(chat)

    expect(tab.question).to_contain_text(VECTORS[0])
    tab.hook("settings").click()
    expect(tab.page.get_by_role("dialog").last).to_be_visible()
    tab.page.keyboard.press("Escape")


def test_titles_hits_and_their_marks_do_nothing(guarded: tuple[ChatPage, Tripwire], rest: Rest) -> None:
    tab, _ = guarded
    titles = [re.sub(r"\s+", " ", f"needle {vector} needle")[:400] for vector in VECTORS]
    for title in titles:
        rest.new_chat(title=title)
    chat = rest.new_chat(title="<mark>x</mark>needle<img src=x onerror=tripped(1)>")["id"]
    for vector in VECTORS[:40]:
        content = f"{vector} needle {vector}"
        rest.call("POST", f"/api/chats/{chat}/messages", {"role": "user", "content": content})

    tab.open(chat)
    expect(tab.page).to_have_title(re.compile("needle<img"))
    expect(tab.chat(chat)).to_contain_text("<mark>x</mark>needle<img src=x")
    tab.hook("chat-search").fill("needle")

    expect(tab.page.locator("mark").first).to_have_text("needle")
    assert tab.page.evaluate("document.querySelectorAll('[data-testid=sidebar] img').length") == 0


def test_what_the_engine_calls_itself_and_complains_of_does_nothing(
    guarded: tuple[ChatPage, Tripwire], engine: ScriptedEngine
) -> None:
    tab, _ = guarded
    hostile = "<img src=x onerror=tripped(1)><script>tripped(1)</script>"
    engine.set(models=["scripted", *[vector[:200] for vector in VECTORS[:30]]])
    error = {"message": hostile, "type": hostile, "param": hostile, "code": 400}
    engine.answer(status=400, body={"error": error})

    tab.page.reload()
    tab.hook("model-picker").click()
    tab.page.keyboard.press("Escape")
    tab.send("Fail")

    expect(tab.answer).to_have_attribute("data-status", "failed")


def _alive(page: Page, wire: Tripwire) -> bool:
    page.evaluate("1")  # lets what the browser told arrive
    return len(set(wire.tripped)) >= 60 and sum(EVIL in url for url in wire.foreign) >= 20


def _as_document(route: Route) -> None:
    """Give a vector as a document of its own, or all of them side by side."""
    name = route.request.url.rsplit("/", 1)[-1]
    frames = "".join(f"<iframe src=/{at}></iframe>" for at in range(len(VECTORS)))
    body = VECTORS[int(name)] if name.isdigit() else frames if name == "all" else ""
    route.fulfill(body=body, content_type="text/html; charset=utf-8")


def _batches(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), IN_A_CHAT):
        yield texts[start : start + IN_A_CHAT]
