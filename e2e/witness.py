"""Everything a page does that no page should: errors, blocked content, requests to other hosts.

Does not decide what a test is about; it makes any test fail.
"""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

_CSP_REPORT = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))
"""


class Witness:
    """Watches a context. What is expected in a test is named beforehand by `expect`."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._host = urlsplit(origin).netloc
        self._expected: list[re.Pattern[str]] = []
        self._seen: list[str] = []
        context.add_init_script(_CSP_REPORT)
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def expect(self, *patterns: str) -> None:
        """Say which console messages belong to this test, as regular expressions."""
        self._expected += [re.compile(pattern) for pattern in patterns]

    def problems(self) -> list[str]:
        """Return what was seen and not expected."""
        return [seen for seen in self._seen if not any(known.search(seen) for known in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._seen.append(f"console {message.type}: {message.text} [{message.location.get('url', '')}]")

    def _error(self, error: WebError) -> None:
        self._seen.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self._host:
            self._seen.append(f"request to another host: {request.method} {request.url}")
