"""Where a run that was cut can go on. Plain data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seam:
    """Where a run can go on: after which tokens. `is_exact` when they are known for all of the visible text."""

    prompt_ids: tuple[int, ...]
    generated_ids: tuple[int, ...]
    is_exact: bool
    has_text: bool
    inside_thought: bool
    starts: int
