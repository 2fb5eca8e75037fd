"""Debian's Firefox, without a screen, driven by the protocol it has built in (Marionette): no driver is needed beside it.

Does not know the page.
"""

import json
import re
import socket
from pathlib import Path
from typing import Any

from e2e.browsers.webdriver import WebDriver
from e2e.deadline import eventually
from e2e.processes import Process

EXECUTABLE = "/usr/bin/firefox-esr"
START_S = 60
COMMAND_S = 60
# As the other tests have it: English, nothing moves, the system is light, nothing asks the network for itself.
PREFERENCES = {
    "marionette.port": 0,
    "intl.locale.requested": "en-US",
    "intl.accept_languages": "en-US",
    "ui.prefersReducedMotion": 1,
    "ui.systemUsesDarkTheme": 0,
    "ui.primaryPointerCapabilities": 6,  # a mouse: fine, and hovers
    "ui.allPointerCapabilities": 6,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}
# What the browser itself has on record: errors of scripts, blocked content, and what was printed as an error.
_RECORD = """
const isOurs = (source) => /^https?:/.test(source ?? '');
const errors = Services.console.getMessageArray()
  .filter((found) => found instanceof Ci.nsIScriptError && !(found.flags & Ci.nsIScriptError.warningFlag))
  .filter((found) => isOurs(found.sourceName) || found.category === 'CSP')
  .map((found) => `${found.category}: ${found.errorMessage} ${found.sourceName}`);
const printed = Cc['@mozilla.org/consoleAPI-storage;1'].getService(Ci.nsIConsoleAPIStorage).getEvents()
  .filter(({level, filename}) => level === 'error' && isOurs(filename))
  .map((event) => event.arguments.map(String).join(' '));
return [...errors, ...printed];
"""


class Firefox(WebDriver):
    """One window of a process and a profile of its own.

    Args:
        folder: that holds the profile and the log.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda name, body: self._call(f"WebDriver:{name}", body))
        profile = folder / "profile"
        profile.mkdir(parents=True)
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
        flags = ["--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
        self._process = Process(
            "Firefox",
            [EXECUTABLE, *flags, "--profile", str(profile)],
            log=folder / "firefox.log",
            env={"HOME": str(folder)},
        )
        try:
            self._socket = self._connect(profile / "MarionetteActivePort")
            self._count = 0
            self._read()  # who it is
            self._call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})
        except BaseException:
            self._process.kill()
            raise

    def problems(self) -> list[str]:
        """Return the errors of the console and what the content security policy blocked."""
        self._call("Marionette:SetContext", {"value": "chrome"})
        found = self._call("WebDriver:ExecuteScript", {"script": _RECORD, "args": [], "sandbox": "system"})
        self._call("Marionette:SetContext", {"value": "content"})
        return [str(each) for each in found]

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._process.kill()

    def _connect(self, file: Path) -> socket.socket:
        def port() -> int | None:
            assert self._process.returncode is None, self._process.tail()
            said = file.read_text(encoding="ascii") if file.exists() else ""
            return int(said) if re.fullmatch(r"\d+\s*", said) else None

        number = eventually(port, START_S, "Firefox to say its port")
        return socket.create_connection(("127.0.0.1", number or 0), timeout=COMMAND_S)

    def _call(self, name: str, body: dict[str, Any]) -> Any:
        self._count += 1
        sent = json.dumps([0, self._count, name, body]).encode()
        self._socket.sendall(b"%d:%s" % (len(sent), sent))
        _, _, error, value = self._read()
        assert error is None, f"{name} {body}: {error}"
        return value["value"] if isinstance(value, dict) and set(value) == {"value"} else value

    def _read(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            size += self._take(1)
        return json.loads(self._take(int(size[:-1])))

    def _take(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            more = self._socket.recv(count - len(got))
            assert more, f"Firefox hung up\n{self._process.tail()}"
            got += more
        return got
