"""Pictures of the page's main states in every theme, language and width, to be looked at: `python -m e2e.contact_sheet FOLDER`.

Not a test, and not the pictures of the README; those are made by `scripts/pictures.py`.
"""

import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from e2e.browser import chromium, new_context
from e2e.chat_page import ChatPage
from e2e.rest import Rest
from e2e.scripted_engine import ScriptedEngine
from e2e.tiers import Tiers
from e2e.witness import Witness

State = Callable[[ChatPage, ScriptedEngine, Rest], None]

WIDTHS = {360: 740, 768: 1024, 1440: 900}
SHOTS = list(itertools.product(("light", "dark"), ("en-US", "zh-CN"), WIDTHS))
ANSWER = Path(__file__).with_name("contact_sheet.md").read_text(encoding="utf-8")
THOUGHT = "The user wants to know why the second turn is faster. It is the prefix cache: 键值缓存被复用了。 I should say it briefly."


def _first_visit(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.open()


def _thinking(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    answer = engine.answer(reasoning=THOUGHT, content=ANSWER, gated=True)
    tab.open().send("Why is the second turn faster?")
    answer.step(8)
    expect(tab.answer.get_by_test_id("thinking")).to_be_visible()


def _streaming(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    answer = engine.answer(reasoning=THOUGHT, content=ANSWER, gated=True)
    tab.open().send("Why is the second turn faster?")
    answer.step(120)
    expect(tab.content).to_contain_text("prefix")


def _answered(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    engine.answer(reasoning=THOUGHT, content=ANSWER)
    tab.open().send("Why is the second turn faster? 为什么第二轮更快？")
    expect(tab.answer).to_have_attribute("data-status", "completed")


def _thought_open(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _answered(tab, engine, rest)
    tab.answer.get_by_test_id("thinking").locator("summary, button").first.click()


def _branches(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _answered(tab, engine, rest)
    engine.answer(content="Another answer, short this time.")
    tab.answer.hover()
    tab.answer.get_by_test_id("regenerate").click()
    expect(tab.content).to_contain_text("Another answer")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    tab.answer.hover()


def _editing(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _answered(tab, engine, rest)
    tab.question.hover()
    tab.question.get_by_test_id("edit").click()


def _stopped(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    answer = engine.answer(content=ANSWER, gated=True)
    tab.open().send("Why is the second turn faster?")
    answer.step(30)
    expect(tab.content).to_contain_text("second")
    tab.hook("stop").click()
    expect(tab.answer).to_have_attribute("data-status", "stopped")


def _failed(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    engine.answer(status=500, times=2)
    tab.open().send("Why is the second turn faster?")
    expect(tab.answer).to_have_attribute("data-status", "failed")


def _too_long(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    engine.refuse_context()
    tab.open().send("Why is the second turn faster?")
    expect(tab.answer).to_have_attribute("data-status", "failed")


def _search(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.open()
    _show_chats(tab)
    tab.hook("chat-search").fill("天气")
    expect(tab.page.locator("mark").first).to_be_visible()


def _chats(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.open()
    _show_chats(tab)
    tab.chats().nth(1).hover()
    tab.chats().nth(1).get_by_test_id("chat-menu").click()
    expect(tab.page.get_by_role("menuitem").last).to_be_visible()


def _deleted(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _chats(tab, engine, rest)
    tab.page.get_by_role("menuitem").last.click()
    expect(tab.page.get_by_text("Undo").or_(tab.page.get_by_text("撤销")).first).to_be_visible()


def _settings(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.open()
    tab.hook("settings").click()
    expect(tab.page.get_by_role("dialog").last).to_be_visible()


def _show_chats(tab: ChatPage) -> None:
    if not tab.hook("chat-search").is_visible():
        tab.page.get_by_role("button").first.click()
        expect(tab.hook("chat-search")).to_be_visible()


def _waiting(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _streaming(tab, engine, rest)
    for text in ("And the third?", "再问一句：缓存什么时候会失效？"):
        tab.composer.fill(text)
        tab.composer.press("Enter")
    expect(tab.messages("user")).to_have_count(3)


def _offline(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _answered(tab, engine, rest)
    tab.witness.expect("ERR_INTERNET_DISCONNECTED", "WebSocket")
    tab.page.context.set_offline(True)
    tab.composer.fill("Written without a network")
    tab.composer.press("Enter")
    expect(tab.hook("retry")).to_be_visible()


def _menu(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _branches(tab, engine, rest)
    tab.answer.get_by_test_id("message-menu").click()
    expect(tab.hook("message-delete")).to_be_visible()


def _compared(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _menu(tab, engine, rest)
    tab.hook("message-compare").click()
    expect(tab.hook("diff")).to_be_visible()


def _figures(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _answered(tab, engine, rest)
    tab.answer.get_by_test_id("stats").click()


def _long_question(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    engine.answer(content="That is a long text.")
    tab.open().send("Read this: " + "字和 words, line by line.\n" * 800)
    expect(tab.answer).to_have_attribute("data-status", "completed")


def _all_settings(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    _settings(tab, engine, rest)
    for part in tab.hook("settings-dialog").locator("summary").all():
        part.click()


def _presets(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.open()
    tab.hook("settings").click()
    tab.hook("open-presets").click()
    tab.hook("preset-new").click()
    tab.hook("preset-name").fill("Translate 翻译")
    tab.hook("preset-prompt").fill("Translate into {{language}}:\n\n{{text}}")
    tab.hook("preset-save").click()
    tab.hook("preset").first.click()
    expect(tab.hook("preset-text")).to_be_visible()


def _palette(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.open()
    tab.page.keyboard.press("Control+k")
    expect(tab.hook("palette-chat").first).to_be_visible()


def _shortcuts(tab: ChatPage, engine: ScriptedEngine, rest: Rest) -> None:
    tab.open()
    tab.page.keyboard.press("Control+/")
    expect(tab.hook("shortcuts-dialog")).to_be_visible()


STATES: dict[str, State] = {
    "first-visit": _first_visit,
    "thinking": _thinking,
    "streaming": _streaming,
    "answered": _answered,
    "thought-open": _thought_open,
    "branches": _branches,
    "editing": _editing,
    "stopped": _stopped,
    "failed": _failed,
    "too-long": _too_long,
    "search": _search,
    "chats": _chats,
    "deleted": _deleted,
    "settings": _settings,
    "waiting": _waiting,
    "offline": _offline,
    "menu": _menu,
    "compared": _compared,
    "figures": _figures,
    "long-question": _long_question,
    "all-settings": _all_settings,
    "presets": _presets,
    "palette": _palette,
    "shortcuts": _shortcuts,
}


def fill(rest: Rest, engine: ScriptedEngine) -> None:
    """Make the chats that the list shows."""
    engine.answer(content="明天的天气晴，适合出门散步。")
    rest.ask("明天天气怎么样？", chat=rest.new_chat(title="天气查询"))
    for title in ("Regex help", "Deploy notes", "翻译一段很长很长的合同条款并检查其中的术语是否一致"):
        rest.new_chat(title=title)


def shoot(browser: Browser, tiers: Tiers, engine: ScriptedEngine, folder: Path, states: list[str]) -> None:
    """Make every picture of these states, and one sheet a state that holds them all."""
    rest = Rest(tiers.url)
    for name in states:
        for scheme, locale, width in SHOTS:
            engine.reset()
            rest.clear()
            fill(rest, engine)
            context = new_context(
                browser,
                color_scheme=scheme,
                locale=locale,
                viewport={"width": width, "height": WIDTHS[width]},
                has_touch=width == min(WIDTHS),
                is_mobile=width == min(WIDTHS),
            )
            tab = ChatPage(context.new_page(), tiers.url, Witness(context, tiers.url))
            try:
                STATES[name](tab, engine, rest)
            except Exception as error:  # noqa: BLE001 a state that cannot be reached is to be seen too
                print(f"{name} {scheme} {locale} {width}: {str(error).splitlines()[0]}")
            tab.page.screenshot(path=folder / f"{name}-{scheme}-{locale}-{width}.png")
            for problem in tab.witness.problems():
                print(f"{name} {scheme} {locale} {width}: {problem}")
            context.close()
        sheet(browser, folder, name)
    rest.close()


def sheet(browser: Browser, folder: Path, name: str) -> None:
    """Lay the pictures of one state side by side."""
    figures = "".join(
        f"<img src='{name}-{scheme}-{locale}-{width}.png' style='height:520px;margin:6px'>"
        for scheme, locale, width in sorted(SHOTS, key=lambda shot: (shot[1], shot[0], shot[2]))
    )
    html = folder / f"{name}.html"
    html.write_text(f"<body style='margin:0;background:#888;width:2250px'>{figures}</body>", encoding="utf-8")
    page = browser.new_page(viewport={"width": 2250, "height": 1070})
    page.goto(html.as_uri())
    page.screenshot(path=folder / f"sheet-{name}.png")
    page.close()


def main() -> None:
    """Make the pictures of the states named, or of all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    states = sys.argv[2:] or list(STATES)
    with tempfile.TemporaryDirectory() as data, ScriptedEngine(Path(data)) as engine, chromium() as browser:
        tiers = Tiers(Path(data) / "tiers", engine.url)
        try:
            tiers.start()
            shoot(browser, tiers, engine, folder, states)
        finally:
            tiers.end()


if __name__ == "__main__":
    main()
