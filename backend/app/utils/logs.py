"""The log: one line an event on stderr, in which nobody can forge another line or colour.

What is worth logging is its callers' business; texts of conversations are not.
"""

import logging
import re
import sys
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from loguru import Message, Record

FORMAT = "{time:YYYY-MM-DDTHH:mm:ss.SSSZZ} {level: <7} {name} {message}"
# everything that moves a cursor, begins a line, or turns the direction of writing
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
QUIET = ("uvicorn", "uvicorn.error", "socketio", "engineio", "sqlalchemy", "alembic", "aiosqlite", "asyncio")


def one_line(text: str) -> str:
    """Return a text with every control character shown as its escape."""
    return UNSAFE.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode(), text)


def set_up(level: str) -> None:
    """Send the application's log, and the libraries' warnings, to stderr."""
    logger.remove()
    logger.configure(patcher=_patch)
    logger.add(_write, level=level, format=FORMAT, backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _patch(record: "Record") -> None:
    record["message"] = one_line(record["message"])


def _write(message: "Message") -> None:
    # what follows the first line is a trace: marked, so that no text in it can pass for a line of the log
    first, *trace = str(message).rstrip("\n").split("\n")
    sys.stderr.write("\n  | ".join([first, *map(one_line, trace)]) + "\n")


class _Forward(logging.Handler):
    """Hands the libraries' records to the one log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a library's record."""
        logger.opt(exception=record.exc_info).log(
            record.levelname, "{}: {}", record.name, record.getMessage()
        )
