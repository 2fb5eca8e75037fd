"""Promises about the page as an app of its own: it can be installed, opens without a server, and keeps no chat."""

import pytest
from playwright.sync_api import expect

from e2e.conftest import NewTab, NewTiers
from e2e.rest import Rest
from e2e.tiers import Tiers

pytestmark = pytest.mark.chromium

WORKER = "navigator.serviceWorker.ready.then((found) => found.active.state)"
CACHED = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
  return found;
}"""


def test_the_page_can_be_installed(rest: Rest) -> None:
    manifest = rest.call("GET", "/manifest.webmanifest")

    assert manifest["display"] == "standalone"
    sizes = {icon["sizes"] for icon in manifest["icons"]}
    assert {"192x192", "512x512"} <= sizes
    for icon in manifest["icons"]:
        answer = rest.client.get(icon["src"])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, icon["type"])


def test_the_shell_opens_without_a_server_and_says_so(new_tiers: NewTiers, new_tab: NewTab) -> None:
    tiers = new_tiers()
    tab = new_tab(tiers).open()
    tab.send("Something private")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    assert tab.page.evaluate(WORKER) == "activated"
    tab.page.reload()  # from now on the worker sees what is loaded
    expect(tab.messages()).to_have_count(2)
    tab.witness.expect("Failed to load resource", "WebSocket", "ERR_", "service.?worker", "fetch")

    tiers.end()
    tab.page.reload()

    expect(tab.composer).to_be_visible()
    expect(tab.hook("connection")).not_to_have_attribute("data-state", "online")
    expect(tab.page.get_by_role("status").filter(has_text="connection").first).to_be_visible()


def test_nothing_of_a_chat_is_kept_in_the_browsers_caches(tiers: Tiers, new_tab: NewTab) -> None:
    tab = new_tab(tiers).open()
    tab.page.evaluate(WORKER)
    tab.page.reload()
    tab.send("Something private")
    expect(tab.answer).to_have_attribute("data-status", "completed")
    tab.hook("chat-search").fill("private")
    expect(tab.page.locator("mark").first).to_be_visible()
    tab.page.reload()
    expect(tab.messages()).to_have_count(2)

    cached = tab.page.evaluate(CACHED)

    assert "/" in cached
    strange = [
        path
        for path in cached
        if path != "/" and not path.startswith(("/_app/immutable/", "/icon", "/favicon", "/manifest"))
    ]
    assert strange == []


def test_an_upgraded_page_asks_to_be_loaded_again(tiers: Tiers, new_tab: NewTab) -> None:
    tab = new_tab(tiers).open()
    tab.composer.fill("Half a thought")
    tab.page.route("**/_app/version.json", lambda route: route.fulfill(json={"version": "newer"}))

    tab.page.evaluate("dispatchEvent(new Event('online'))")
    tab.page.get_by_role("button", name="Reload").click()

    expect(tab.composer).to_have_value("Half a thought")
