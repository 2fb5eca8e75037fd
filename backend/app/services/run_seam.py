"""Where a run that was cut can go on. Plain data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seam:
    """Where a run can go on: after which tokens.

    Attributes:
        prompt_ids: the tokens of the prompt.
        generated_ids: the tokens of the answer so far, over all runs into it.
        is_exact: whether both are known for all of the text.
        has_text: whether the answer has any text yet.
        inside_thought: whether that text ends in a thought.
        starts: how often the run was begun.
        fruitless: how often since its last new text.
        tokens: how many tokens of the answer are this run's own; at least so many, where an engine gives no ids.
    """

    prompt_ids: tuple[int, ...]
    generated_ids: tuple[int, ...]
    is_exact: bool
    has_text: bool
    inside_thought: bool
    starts: int
    fruitless: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class BegunTokens:
    """The tokens of what earlier runs have written into the message."""

    prompt_ids: tuple[int, ...]
    generated_ids: tuple[int, ...]
