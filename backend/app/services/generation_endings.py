"""The endings that errors make of a generation, and the figures of one that took several requests. Pure."""

from dataclasses import replace

from app.errors import AppError
from app.schemas.problem import RunError
from app.services.active_run import Ending
from app.services.run_seam import Seam


def failed(error: AppError) -> Ending:
    """Return the ending of a run that an error ended."""
    return Ending("failed", RunError.model_validate({"code": error.code, "detail": error.detail}))


def cut_off(error: AppError, seam: Seam) -> Ending:
    """Return the ending after an error: interrupted where there is text to be kept, failed where there is none."""
    return interrupted(error) if seam.has_text else failed(error)


def whole_usage(usage: dict[str, object] | None, generated_before: int) -> dict[str, object] | None:
    """Return the engine's figures for the whole answer: what it took for prompt was partly answer already."""
    if usage is None or not generated_before:
        return usage
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return usage
    return usage | {
        "prompt_tokens": prompt - generated_before,
        "completion_tokens": completion + generated_before,
    }


def interrupted(error: AppError) -> Ending:
    """Return the ending of a run that an error cut."""
    return replace(failed(error), outcome="interrupted")
