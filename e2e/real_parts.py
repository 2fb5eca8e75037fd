"""Which real parts served the tests, in their versions, and how many tests each: the last lines of a run.

A pytest plugin. Does not start anything.
"""

from collections import Counter

import pytest

VERSIONS: dict[str, str] = {}
"""What a part said about itself, by its marker; set by whoever started it."""

_PARTS = {
    "chromium": "Chromium",
    "real_vllm": "vLLM on this machine's CPU",
    "socketio": "Socket.IO client",
}
_served: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _served.update(marker for marker in _PARTS if marker in report.keywords)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("real parts")
    for marker, name in _PARTS.items():
        if _served[marker]:
            version = VERSIONS.get(marker, "")
            terminalreporter.write_line(
                f"{name} {version}: {_served[marker]} tests passed".replace("  ", " ")
            )
