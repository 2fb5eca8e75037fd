"""Where a picture is set up: one tab on running tiers, the engine's script, the API, the texts of one language.

Knows no screen.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from playwright.sync_api import Locator, Route, WebSocketRoute, expect

from e2e.chat_page import ChatPage
from e2e.deadline import eventually
from e2e.rest import Rest
from e2e.screens.chats import FIGURES, NOW, Json, exported, library
from e2e.screens.words import Words
from e2e.scripted_engine import ScriptedAnswer, ScriptedEngine
from e2e.tiers import Tiers

SETTINGS = {"MAX_CONCURRENT_RUNS": "1", "MAX_QUEUED_RUNS": "3", "RESUME_RUNS": "false"}
"""What the backend is started with, so that a queue and its end are quickly reached."""
CONTEXT = 32768

Shelf = tuple[str, list[Json]]
"""The language of a library and its chats."""


@dataclass(frozen=True)
class Stage:
    """One tab and what is around it. Every screen begins with a fresh browser and the chats of the library."""

    tab: ChatPage
    engine: ScriptedEngine
    rest: Rest
    tiers: Tiers
    words: Words

    def reset(self, left: Shelf | None = None) -> Shelf:
        """Have the library again, a healthy engine, and nothing else; what is `left` as it was is not made anew."""
        self.engine.reset()
        self.engine.set(max_model_len=CONTEXT)
        (self.tiers.folder / "engine.json").unlink(missing_ok=True)
        for preset in self.rest.call("GET", "/api/presets")["items"]:
            self.rest.call("DELETE", f"/api/presets/{preset['id']}", status=204)
        if left is None or left != self.shelf():
            self.rest.clear()
            for chat in self._archived():
                self.rest.call("DELETE", f"/api/chats/{chat['id']}", status=204)
            self.take_in(library(self.words))
        self._until_engine_is("ready")
        return self.shelf()

    def shelf(self) -> Shelf:
        """Return the chats there are, as far as the list tells."""
        return self.words.locale, [*self.rest.chats(), *self._archived()]

    def _archived(self) -> list[Json]:
        return list(self.rest.call("GET", "/api/chats/?limit=100&archived=true")["items"])

    def take_in(self, file: Json) -> None:
        """Import a file."""
        self.rest.call("POST", "/api/import", file)

    def add(self, chat: Json) -> str:
        """Import one chat and return its id."""
        self.take_in(exported([chat]))
        return self.id_of(chat["title"])

    def id_of(self, title: str) -> str:
        """Return the id of a chat that is in the list."""
        return next(str(chat["id"]) for chat in self.rest.chats() if chat["title"] == title)

    def begin(self) -> ChatPage:
        """Open a new chat; returns the tab when the engine and the list are known."""
        self.tab.open()
        expect(self.tab.hook("connection")).to_have_attribute("data-state", "online")
        return self.tab

    def open(self, title: str | None = None) -> ChatPage:
        """Open a chat of the list, by default the first of the library, and wait until it is drawn."""
        self.tab.open(self.id_of(title or self.words.main))
        expect(self.tab.answer).to_be_visible()
        self.settle()
        return self.tab

    def asked(self, *, tokens: int, **script: Any) -> ScriptedAnswer:
        """Ask the question in a new chat and let so many tokens come."""
        answer = self.engine.answer(gated=True, **script)
        self.begin().send(self.words.question)
        answer.until_asked()
        answer.step(tokens)
        return answer

    def figures(self, **more: Any) -> None:
        """Give the last answer of the open chat the figures that are the same on every picture."""
        chat_id = self.tab.chat_id
        answer = [m for m in self.rest.chat(chat_id)["messages"] if m["role"] == "assistant"][-1]
        kept = {
            name: value for name, value in answer["metadata"].items() if name in ("error", "finish_reason")
        }
        body = {"metadata": {**FIGURES, **kept, **more}}
        self.rest.call("PUT", f"/api/chats/{chat_id}/messages/{answer['id']}", body)

    def status(self, word: str) -> None:
        """Wait until the last answer has a status."""
        expect(self.tab.answer).to_have_attribute("data-status", word)

    def show_chats(self) -> None:
        """Show the list of chats, which is a sheet on narrow screens."""
        if not self.tab.hook("chat-search").is_visible():
            self.tab.page.get_by_role("button").first.click()
        expect(self.tab.chats().first).to_be_visible()

    def chat_menu(self, at: int) -> None:
        """Open the menu of a chat in the list."""
        self.show_chats()
        self.tab.chats().nth(at).hover()
        self.tab.chats().nth(at).get_by_test_id("chat-menu").click()
        expect(self.tab.hook("chat-delete")).to_be_visible()

    def settings(self) -> Locator:
        """Open the settings and return them."""
        self.tab.hook("settings").click()
        dialog = self.tab.hook("settings-dialog")
        expect(dialog).to_be_visible()
        return dialog

    def engine_says(self, state: str, detail: str, note: str | None = None) -> None:
        """Say of the engine what the supervisor would; it is away unless it is `ready`."""
        self.engine.set(healthy=state == "ready")
        told = {"state": state, "detail": detail, "model": "Qwen3-0.6B", "note": note}
        (self.tiers.folder / "engine.json").write_text(json.dumps(told), encoding="utf-8")
        self._until_engine_is(*([state] if state in ("loading", "ready") else ["failed", "unreachable"]))

    def _until_engine_is(self, *states: str) -> None:
        """Wait until the backend has seen it: a page that is opened then shows nothing older."""

        def seen() -> bool:
            told = self.rest.client.get("/api/chat/health").json()
            return told["tiers"]["vllm"]["status"] in states

        eventually(seen, 15, f"the engine to be {states}")

    def hold(self, path: str) -> None:
        """Let requests of the page to a path wait for ever."""
        self.tab.page.context.route(path, _wait)

    def hold_socket(self) -> None:
        """Let the page's socket open and hear nothing."""
        self.tab.page.context.route_web_socket(re.compile("/socket.io/"), _wait_too)

    def settle(self) -> None:
        """Wait until code is coloured, formulas are set and diagrams are drawn."""
        self.tab.page.wait_for_function(
            """() => document.fonts.status === 'loaded'
              && [...document.querySelectorAll('pre code')].every(
                (code) => code.querySelector('[class*=hljs-]') || code.textContent.length < 40
                  || !code.closest('.code')?.querySelector('.language')?.textContent)
              && [...document.querySelectorAll('.markdown .math')].every((math) => math.querySelector('.katex'))"""
        )

    def later(self, seconds: float) -> None:
        """Set the page's clock so much later than `NOW`."""
        self.tab.page.clock.set_fixed_time(NOW + timedelta(seconds=seconds))


@dataclass(frozen=True)
class Screen:
    """One screen: what it is called on its sheet, how it is reached, and how tall the window is where that matters."""

    title: str
    reach: Callable[[Stage], None]
    height: int | None = None


class Screens(dict[str, Screen]):
    """The screens of one part of the page by name, in their order."""

    def add(
        self, name: str, title: str, *, height: int | None = None
    ) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
        """Name the way to a screen."""

        def named(reach: Callable[[Stage], None]) -> Callable[[Stage], None]:
            self[name] = Screen(title, reach, height)
            return reach

        return named


def _wait(route: Route) -> None:
    """Neither answer nor refuse."""


def _wait_too(socket: WebSocketRoute) -> None:
    """Open, and say nothing."""
