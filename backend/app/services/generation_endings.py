"""The endings that errors make of a generation, and the figures of one that took several requests. Pure."""

from dataclasses import replace
from typing import Any

from app.errors import AppError
from app.ports import Generation
from app.schemas.problem import RunError
from app.services.active_run import Ending
from app.services.run_seam import Seam


def failed(error: AppError) -> Ending:
    """Return the ending of a run that an error ended."""
    return Ending("failed", RunError.model_validate({"code": error.code, "detail": error.detail}))


def cut_off(error: AppError, seam: Seam) -> Ending:
    """Return the ending after an error: interrupted where there is text to be kept, failed where there is none."""
    return interrupted(error) if seam.has_text else failed(error)


def whole_usage(usage: dict[str, Any] | None, generation: Generation, seam: Seam) -> dict[str, Any] | None:
    """Return the engine's figures for the whole answer, whose last part `generation` has brought.

    Prompt tokens are those of the first request, and the answer is all that came after them. What the engine says of
    the last request alone (how much of its prompt was cached, how many tokens were thought) says nothing of the whole
    and is left out. Where an answer went on by its text only the sum is known.
    """
    if usage is None or (generation.prompt_token_ids is None and generation.begun is None):
        return usage
    total, prompt = usage.get("total_tokens"), len(seam.prompt_ids)
    if not isinstance(total, int):
        return None
    if generation.prompt_token_ids is None:
        return {"total_tokens": total}
    return {"prompt_tokens": prompt, "completion_tokens": total - prompt, "total_tokens": total}


def interrupted(error: AppError) -> Ending:
    """Return the ending of a run that an error cut."""
    return replace(failed(error), outcome="interrupted")
