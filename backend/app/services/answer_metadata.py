"""What is kept beside an answer's text, and what it says about going on with it. Pure."""

from typing import Any

from app.schemas.message import Message
from app.utils.digest import digest

THINKING_MS = "thinking_ms"
OF_ONE_RUN = frozenset({"usage", "timings", "finish_reason", "error", "receipt", "options", "dropped_turns"})


def text_digest(reasoning: str, content: str) -> str:
    """Return a short name of exactly this text."""
    return digest([reasoning, content])


def can_go_on(status: str, finish_reason: object) -> bool:
    """Return whether an answer was cut: stopped, interrupted, or at the end of its tokens."""
    return status in ("stopped", "interrupted") or (status == "completed" and finish_reason == "length")


def begun_again(metadata: dict[str, Any], run_id: str) -> dict[str, Any]:
    """Return the metadata of an answer that another run goes on with: nothing of how the last one ended.

    How long was thought about it stays, as it counts over all runs.
    """
    kept = {name: value for name, value in metadata.items() if name not in OF_ONE_RUN}
    thought_ms = _thought_ms(metadata)
    return kept | {"run_id": run_id} | ({} if thought_ms is None else {"timings": {THINKING_MS: thought_ms}})


def whole_timings(
    timings: dict[str, Any] | None, before: Message, own_ms: int | None
) -> dict[str, Any] | None:
    """Return the timings of an answer, with how long was thought about it over all runs, as far as all of that is known.

    Args:
        timings: of its last request, as the engine tells them.
        before: the answer as it was when the run began.
        own_ms: how long this run has thought; 0: it has not; None: nobody knows.
    """
    before_ms = _thought_ms(before.metadata) if before.reasoning else 0
    if own_ms is None or before_ms is None or not (before.reasoning or own_ms):
        return timings
    return (timings or {}) | {THINKING_MS: before_ms + own_ms}


def _thought_ms(metadata: dict[str, Any]) -> int | None:
    timings = metadata.get("timings")
    found = timings.get(THINKING_MS) if isinstance(timings, dict) else None
    return found if isinstance(found, int) else None
