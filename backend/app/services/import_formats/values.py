"""Values of a file that nobody can trust, read as what they should be; and what every format is turned into.

Nothing here raises for a wrong value: it is as if it were not there.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SECONDS_UP_TO = 1e11  # what is larger counts in milliseconds, microseconds or nanoseconds
EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MAX_NAME_CHARS = 512


@dataclass
class ReadMessage:
    """A message as a file tells of it; `key` and `parent` are names within the file.

    One without a role, or without text unless it says `keep`, is no message of ours.
    """

    key: str
    parent: str | None
    role: str
    content: str
    reasoning: str = ""
    model: str | None = None
    status: str = "completed"
    keep: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass
class ReadChat:
    """A chat as a file tells of it; `active` names the message that was looked at last."""

    title: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    active: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    messages: list[ReadMessage] = field(default_factory=list)


class Unreadable(Exception):
    """This conversation cannot be imported; the message says why, in a few words of ours."""


def text(value: Any) -> str:
    """Return a text that both databases can keep: NUL and halves of characters are replaced."""
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode() if value else ""


def name(value: Any) -> str | None:
    """Return a short name, or None."""
    found = text(value).strip()[:MAX_NAME_CHARS]
    return found or None


def items(value: Any) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def fields(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def key(value: Any) -> str | None:
    """Return the name of a node within its file, or None."""
    return value if isinstance(value, str) and value else None


def time(value: Any) -> datetime | None:
    """Return a time from Unix seconds (or finer) or ISO 8601, or None when it is none of this era."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value)
            while seconds > SECONDS_UP_TO:
                seconds /= 1000
            found = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return found if EARLIEST <= found <= LATEST else None
