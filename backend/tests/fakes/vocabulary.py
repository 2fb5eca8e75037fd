"""Token ids of the scripted engine: stable within a process, with Qwen3's own for the tags of thinking.

Remembers what each prompt was answered with, so that token ids can be continued from where they end.
"""

import re
from collections.abc import Sequence

from .answers import tokens_of

OPEN_THOUGHT, CLOSE_THOUGHT, TURN, TURN_END = 151667, 151668, 151644, 151645
_FIRST_ID = 1000
_TAGS = re.compile(r"(</?think>)")

Planned = tuple[str, str, int]  # channel, text, token id


class Vocabulary:
    """Gives every distinct token an id."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {"<think>": OPEN_THOUGHT, "</think>": CLOSE_THOUGHT}

    def id(self, token: str) -> int:
        """Return the token's id."""
        return self._ids.setdefault(token, _FIRST_ID + len(self._ids))

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text; the tags of a thought are tokens of their own."""
        return [
            self.id(token)
            for part in _TAGS.split(text)
            for token in ([part] if _TAGS.fullmatch(part) else tokens_of(part))
        ]

    def prompt(self, messages: Sequence[dict[str, str]], *, thinking: bool) -> list[int]:
        """Return the ids of a chat's prompt, in the shape of Qwen3's template."""
        ids: list[int] = []
        for message in messages:
            ids += [TURN, *self.ids(message["role"]), *self.ids(str(message["content"])), TURN_END]
        ids += [TURN, *self.ids("assistant")]
        gap = self.id("\n\n")
        return ids if thinking else [*ids, OPEN_THOUGHT, gap, CLOSE_THOUGHT, gap]


class Plans:
    """What was planned for each prompt, by its ids."""

    def __init__(self) -> None:
        self._plans: dict[tuple[int, ...], list[Planned]] = {}

    def keep(self, prompt: Sequence[int], plan: list[Planned]) -> None:
        """Remember the plan of a prompt."""
        self._plans[tuple(prompt)] = plan

    def rest(self, ids: Sequence[int]) -> list[Planned] | None:
        """Return what comes after these ids, or None when they are not the beginning of an answer given here.

        Cut inside a character (after a token without text) it begins with a text that was given already, as vLLM's
        detokeniser, which steps back to a whole character, makes it.
        """
        whole = tuple(ids)
        for prompt, plan in self._plans.items():
            given = whole[len(prompt) :]
            if whole[: len(prompt)] == prompt and given == tuple(token for _, _, token in plan[: len(given)]):
                return _stepped_back(plan[: len(given)], plan[len(given) :])
        return None


def _stepped_back(given: list[Planned], rest: list[Planned]) -> list[Planned]:
    if not given or given[-1][1] or not rest:
        return rest
    before = next((text for _, text, _ in reversed(given) if text), "")
    channel, text, token_id = rest[0]
    return [(channel, before + text, token_id), *rest[1:]]
