"""The log: one line an event, in which nobody can forge another."""

from collections.abc import Callable, Iterator

import pytest
from loguru import logger

from app.utils import logs


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Gives what has been written to stderr."""
    logs.set_up("INFO")
    yield lambda: capsys.readouterr().err
    logger.remove()
    logger.configure(patcher=lambda _record: None)


def test_control_characters_are_shown_as_escapes(log: Callable[[], str]) -> None:
    logger.info("name {}", "a\nERROR forged \x1b[31mred\u202e\u2028\r")

    written = log()
    assert written.count("\n") == 1
    assert "a\\nERROR forged \\x1b[31mred\\u202e\\u2028\\r" in written


def test_a_trace_cannot_forge_a_line_and_shows_no_values(log: Callable[[], str]) -> None:
    secret = "said in confidence"
    try:
        raise ValueError("first\n2026-01-01 forged \x1b[31m" + secret[:0])  # noqa: TRY301 (the trace is the point)
    except ValueError:
        logger.exception("failed")

    written = log()
    first, *rest = written.rstrip("\n").split("\n")
    assert "failed" in first
    assert len(rest) > 2
    assert all(line.startswith("  | ") for line in rest)
    assert "\x1b" not in written
    assert secret not in written


def test_levels_below_are_left_out(log: Callable[[], str]) -> None:
    logger.debug("quiet")

    assert log() == ""
