"""The W3C WebDriver commands, as far as the tests need them: one method a command.

Does not start a browser or know the page. How a command is sent is the browser's: `firefox.py`, `webkit.py`.
"""

import base64
from collections.abc import Callable
from typing import Any

Send = Callable[[str, dict[str, Any]], Any]
"""Sends a command by its name in the standard, and returns its value."""

KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004"}
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class WebDriver:
    """A tab of a browser, whichever it is."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        self._send("Navigate", {"url": url})

    def reload(self) -> None:
        """Load the page again."""
        self._send("Refresh", {})

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self._send("ExecuteScript", {"script": f"return ({expression})", "args": []})

    def click(self, selector: str) -> None:
        """Scroll an element into view and click its middle, as a mouse does."""
        found = self._send("FindElement", {"using": "css selector", "value": selector})
        self._send("ElementClick", {"id": found[_ELEMENT]})

    def write(self, text: str) -> None:
        """Type into whatever has the focus."""
        strokes = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._send("PerformActions", {"actions": [{"type": "key", "id": "keys", "actions": strokes}]})

    def press(self, key: str) -> None:
        """Press one key: `Enter`, `Escape`, `Tab`."""
        self.write(KEYS[key])

    def resize(self, width: int, height: int) -> None:
        """Give the window a size."""
        self._send("SetWindowRect", {"width": width, "height": height})

    def screenshot(self) -> bytes:
        """Return the window as a PNG."""
        taken = self._send("TakeScreenshot", {"full": False})
        return base64.b64decode(taken)
