"""Debian's WebKit: the small browser of WebKitGTK, driven by WebKitWebDriver on a screen in memory (Xvfb).

It is the engine of Safari, not Safari. Does not know the page.
"""

import re
from pathlib import Path
from typing import Any

import httpx2

from e2e.browsers.webdriver import WebDriver
from e2e.deadline import eventually
from e2e.ports import free_port
from e2e.processes import Process

DRIVER = "/usr/bin/WebKitWebDriver"
START_S = 60
COMMAND_S = 60
ENVIRONMENT = {
    "GDK_BACKEND": "x11",
    "LANG": "C.UTF-8",
    "LANGUAGE": "en_US",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
    # There is no desktop around it.
    "NO_AT_BRIDGE": "1",
    "GTK_A11Y": "none",
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    "GSETTINGS_BACKEND": "memory",
    "GIO_USE_VFS": "local",
}
# The driver tells nothing of the console: the page is asked to keep what goes wrong, from the moment it is loaded.
_RECORDER = """
  if (!window.__problems) {
    const problems = (window.__problems = []);
    const print = console.error;
    console.error = (...parts) => (problems.push(`console: ${parts.join(' ')}`), print(...parts));
    addEventListener('error', (event) => problems.push(`uncaught: ${event.message ?? event.target?.outerHTML}`), true);
    addEventListener('unhandledrejection', (event) => problems.push(`uncaught: ${event.reason}`));
    addEventListener('securitypolicyviolation', (event) =>
      problems.push(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
  }
"""
_PATHS = {
    "Navigate": ("POST", "/url"),
    "Refresh": ("POST", "/refresh"),
    "ExecuteScript": ("POST", "/execute/sync"),
    "FindElement": ("POST", "/element"),
    "ElementClick": ("POST", "/element/{id}/click"),
    "PerformActions": ("POST", "/actions"),
    "SetWindowRect": ("POST", "/window/rect"),
    "TakeScreenshot": ("GET", "/screenshot"),
    "DeleteSession": ("DELETE", ""),
}


class WebKit(WebDriver):
    """One window of a browser of its own, which keeps nothing.

    Args:
        folder: that holds the logs, and the home the browser sees.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(self._command)
        self._log = folder / "webkit.log"
        self._running: list[Process] = []
        self._seen: list[str] = []
        try:
            display = self._start_screen(folder)
            address = self._start_driver(folder, display)
            self._client = httpx2.Client(base_url=address, timeout=COMMAND_S, trust_env=False)
            made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {}}})
            self._session = f"/session/{made['sessionId']}"
        except BaseException:
            self._end()
            raise

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        super().open(url)
        self.evaluate("true")

    def reload(self) -> None:
        """Load the page again."""
        self._seen += self.evaluate("window.__problems")
        super().reload()
        self.evaluate("true")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self._send("ExecuteScript", {"script": f"{_RECORDER} return ({expression})", "args": []})

    def problems(self) -> list[str]:
        """Return the errors of the page and what the content security policy blocked."""
        return [*self._seen, *self.evaluate("window.__problems")]

    def close(self) -> None:
        """End the browser."""
        self._send("DeleteSession", {})
        self._client.close()
        self._end()

    def _end(self) -> None:
        for process in reversed(self._running):
            process.kill()

    def _start_screen(self, folder: Path) -> str:
        options = ["-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
        screen = Process("Xvfb", ["Xvfb", *options], log=folder / "screen.log")
        self._running.append(screen)

        def number() -> str | None:
            assert screen.returncode is None, screen.tail()
            found = re.search(r"^(\d+)$", screen.output(), re.MULTILINE)
            return found and f":{found[1]}"

        return eventually(number, START_S, "a screen in memory") or ""

    def _start_driver(self, folder: Path, display: str) -> str:
        homes = {name: folder / name.lower() for name in ("HOME", "XDG_RUNTIME_DIR")}
        for home in homes.values():
            home.mkdir(mode=0o700)
        port = free_port()
        driver = Process(
            "WebKitWebDriver",
            [DRIVER, f"--port={port}", "--host=127.0.0.1"],
            log=self._log,
            env={**ENVIRONMENT, **{name: str(home) for name, home in homes.items()}, "DISPLAY": display},
        )
        self._running.append(driver)
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert driver.returncode is None, driver.tail()
            try:
                return httpx2.get(f"{address}/status", timeout=5, trust_env=False).is_success
            except httpx2.TransportError:
                return False

        eventually(answers, START_S, "WebKitWebDriver to answer")
        return address

    def _command(self, name: str, body: dict[str, Any]) -> Any:
        method, path = _PATHS[name]
        place = f"{self._session}{path.format(**body)}"
        return self._call(method, place, body if method == "POST" else None)

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        answer = self._client.request(method, path, json=body)
        assert answer.is_success, f"{method} {path} {body}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()["value"]
