"""What is kept beside an answer's text, and what it says about going on with it. Pure."""

from typing import Any

from app.utils.digest import digest

OF_ONE_RUN = frozenset({"usage", "timings", "finish_reason", "error", "receipt", "options", "dropped_turns"})


def text_digest(reasoning: str, content: str) -> str:
    """Return a short name of exactly this text."""
    return digest([reasoning, content])


def can_go_on(status: str, finish_reason: object) -> bool:
    """Return whether an answer was cut: stopped, interrupted, or at the end of its tokens."""
    return status in ("stopped", "interrupted") or (status == "completed" and finish_reason == "length")


def begun_again(metadata: dict[str, Any], run_id: str) -> dict[str, Any]:
    """Return the metadata of an answer that another run goes on with: nothing of how the last one ended."""
    return {name: value for name, value in metadata.items() if name not in OF_ONE_RUN} | {"run_id": run_id}
