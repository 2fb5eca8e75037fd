"""The screens of the dialogs of the whole page: settings, presets, palette, shortcuts, export and import."""

import json
import re

from playwright.sync_api import FilePayload, expect

from e2e.screens.chats import Json, chat, exported, library, turn
from e2e.screens.stage import Screens, Stage

SCREENS = Screens()
screen = SCREENS.add


@screen("settings", "Settings: this chat")
def settings(stage: Stage) -> None:
    stage.open()
    stage.settings()
    stage.tab.hook("system-prompt").fill(stage.words.system_prompt)


@screen("settings-all", "Settings with every part open", height=1900)
def settings_all(stage: Stage) -> None:
    stage.open()
    for part in stage.settings().locator("summary").all():
        part.click()
    stage.tab.hook("temperature").fill("3")
    stage.tab.hook("schema").fill('{"type": "objekt"}')


@screen("settings-browser", "Settings: this browser, export and import")
def settings_browser(stage: Stage) -> None:
    stage.open()
    stage.settings()
    stage.tab.hook("import").scroll_into_view_if_needed()


@screen("presets-empty", "No presets yet")
def presets_empty(stage: Stage) -> None:
    stage.begin()
    stage.settings()
    stage.tab.hook("open-presets").click()
    expect(stage.tab.hook("presets-dialog").get_by_test_id("preset-new")).to_be_visible()


def with_presets(stage: Stage) -> None:
    """Open the presets, of which there are two."""
    name, prompt = stage.words.preset
    for made in ((name, prompt), ("Code review", "Review this code, worst problems first:\n\n{{code}}")):
        stage.rest.call("POST", "/api/presets", {"name": made[0], "prompt": made[1], "options": {}})
    presets_empty(stage)
    expect(stage.tab.hook("preset")).to_have_count(2)


@screen("presets", "Presets")
def presets(stage: Stage) -> None:
    with_presets(stage)


@screen("preset-form", "Writing a preset")
def preset_form(stage: Stage) -> None:
    presets_empty(stage)
    stage.tab.hook("preset-new").click()
    stage.tab.hook("preset-name").fill(stage.words.preset[0])
    stage.tab.hook("preset-prompt").fill(stage.words.preset[1])


@screen("preset-use", "Using a preset")
def preset_use(stage: Stage) -> None:
    with_presets(stage)
    stage.tab.hook("preset").filter(has_text=stage.words.preset[0]).first.click()
    stage.tab.hook("preset-variable").first.fill("Português")


@screen("palette", "Palette")
def palette(stage: Stage) -> None:
    stage.open()
    stage.tab.page.keyboard.press("Control+k")
    expect(stage.tab.hook("palette-chat").first).to_be_visible()


@screen("palette-found", "Palette: chats found")
def palette_found(stage: Stage) -> None:
    palette(stage)
    stage.tab.hook("palette-box").fill(stage.words.search)
    expect(stage.tab.hook("palette-chat")).to_have_count(1)


@screen("palette-empty", "Palette: nothing found")
def palette_empty(stage: Stage) -> None:
    palette(stage)
    stage.tab.hook("palette-box").fill(stage.words.nothing)
    expect(stage.tab.hook("palette-chat")).to_have_count(0)
    expect(stage.tab.hook("palette").get_by_role("status")).to_have_text(re.compile("Nothing|没有"))


@screen("shortcuts", "Shortcuts")
def shortcuts(stage: Stage) -> None:
    stage.open()
    stage.tab.page.keyboard.press("Control+/")
    expect(stage.tab.hook("shortcuts-dialog")).to_be_visible()


def a_file(chats: list[Json]) -> FilePayload:
    """Return a file to import."""
    content = json.dumps(exported(chats), ensure_ascii=False).encode()
    return {"name": "chats.json", "mimeType": "application/json", "buffer": content}


@screen("import-running", "Import, while the server reads")
def import_running(stage: Stage) -> None:
    settings_browser(stage)
    stage.hold("**/api/import")
    stage.tab.hook("import-file").set_input_files(a_file([]))
    expect(stage.tab.hook("transfer").get_by_role("progressbar")).to_be_visible()
    stage.tab.hook("transfer").get_by_role("progressbar").scroll_into_view_if_needed()


@screen("import-report", "Import, with its report")
def import_report(stage: Stage) -> None:
    settings_browser(stage)
    words = stage.words
    new = [chat(f"{words.edited} {number}", turn(words.edited, words.short)) for number in range(3)]
    known = library(words)["chats"][:2]
    broken = [
        {"title": "?", "messages": [{"id": "a"}]},
        {"title": "", "messages": [], "active_leaf_id": None},
    ]
    stage.tab.hook("import-file").set_input_files(a_file([*new, *known, *broken]))
    expect(stage.tab.hook("import-report")).to_be_visible()
    stage.tab.hook("import-report").scroll_into_view_if_needed()


@screen("import-refused", "Import of a file that is no export")
def import_refused(stage: Stage) -> None:
    settings_browser(stage)
    stage.tab.witness.expect("422")
    refused: FilePayload = {"name": "x.json", "mimeType": "application/json", "buffer": b"[1, 2"}
    stage.tab.hook("import-file").set_input_files(refused)
    expect(stage.tab.hook("import-failure")).to_be_visible()
