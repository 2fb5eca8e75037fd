"""Makes the pictures of the README from a running system: `python scripts/pictures.py [http://127.0.0.1:3000]`.

Asks its questions like a reader would; does not start anything but the browser. Writes to docs/pictures/.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, expect  # noqa: E402

from e2e.browser import chromium, new_context  # noqa: E402
from e2e.chat_page import ChatPage  # noqa: E402
from e2e.rest import Json, Rest  # noqa: E402
from e2e.witness import Witness  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
ANSWER_MS = 180_000
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
QUESTION = {
    "en": "Write a Python function that adds two numbers. Then explain it in a short list.",
    "zh": "Write a Python function that reverses a string. 请写一个反转字符串的 Python 函数。",
}
OTHERS = {
    "en": ["Regex for ISO dates", "Notes on prefix caching", "翻译产品说明", "Packing list for Lisbon"],
    "zh": ["明天的天气怎么样", "整理会议纪要", "Regex for ISO dates", "解释前缀缓存"],
}
LOCALE = {"en": "en-US", "zh": "zh-CN"}


def chat_of(rest: Rest, language: str) -> Json:
    """Make the chats of one language, the last of them with an answer of the model; returns that one."""
    for title in reversed(OTHERS[language]):
        rest.new_chat(title=title)
    chat = rest.new_chat()
    run = rest.start(chat["id"], QUESTION[language], options={"max_tokens": 400, "temperature": 0.2})["run"]
    ended = rest.ended(run["id"], within_s=ANSWER_MS / 1000)
    if ended["status"] != "completed":
        sys.exit(f"The model did not answer: {ended['error']}")
    return chat


def shoot(browser: Browser, url: str, chat: Json, path: Path, **options: object) -> None:
    """Take one picture of a chat."""
    context = new_context(browser, **options)
    tab = ChatPage(context.new_page(), url, Witness(context, url)).open(chat["id"])
    expect(tab.answer).to_have_attribute("data-status", re.compile("completed"), timeout=ANSWER_MS)
    # Code is coloured when the page has time for it.
    tab.page.wait_for_function(
        "[...document.querySelectorAll('pre code')].every((c) => c.querySelector('[class*=hljs-]'))"
    )
    tab.page.screenshot(path=path)
    context.close()
    print(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KB")


def main() -> None:
    """Take all pictures. The chats made for them are deleted again; others in the list are left alone."""
    url = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000").rstrip("/")
    PICTURES.mkdir(parents=True, exist_ok=True)
    rest = Rest(url)
    before = {chat["id"] for chat in rest.chats()}
    if before:
        sys.exit(
            f"{url} holds {len(before)} chats, which would be in the pictures. Start one with an empty database."
        )
    with chromium() as browser:
        for language, locale in LOCALE.items():
            chat = chat_of(rest, language)
            for scheme in ("light", "dark"):
                picture = PICTURES / f"chat-{scheme}-{language}.png"
                shoot(browser, url, chat, picture, color_scheme=scheme, locale=locale, viewport=DESKTOP)
            if language == "en":
                phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
                shoot(
                    browser, url, chat, PICTURES / "phone.png", color_scheme="light", locale=locale, **phone
                )
            rest.clear()
    rest.close()


if __name__ == "__main__":
    main()
