"""Which turns of a conversation fit into a model's context, when its oldest may be dropped.

Where the cut is depends on the turns alone and moves in steps, so that the prompt's beginning stays the same from turn
to turn and the engine's prefix cache holds.
"""

from collections.abc import Sequence
from itertools import accumulate

from app.ports import TokenCounter, Turn

TOKENS_A_TURN = 8  # what a template puts around each
TOKENS_A_PROMPT = 32  # and around all of them
RESERVED = 4  # at most one part of so many of the context is kept free for the answer
STEPS = 8  # the cut moves by so many parts of the context


class ContextWindow:
    """Fits conversations into contexts."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter

    async def fitted(
        self, turns: Sequence[Turn], *, model: str, room: int, max_tokens: int
    ) -> tuple[tuple[Turn, ...], int]:
        """Return the turns that fit, and how many were dropped: the oldest, never the system prompt nor the question.

        Args:
            turns: the conversation, the question last.
            model: whose tokens are counted.
            room: tokens that its context holds.
            max_tokens: of the answer, for which some room is kept.
        """
        for_prompt = room - min(max_tokens, room // RESERVED) - TOKENS_A_PROMPT
        # a token is at least one byte: most conversations fit without being counted
        if sum(len(turn.content.encode()) + TOKENS_A_TURN for turn in turns) <= for_prompt:
            return tuple(turns), 0
        counts = [TOKENS_A_TURN + await self._counter.count(model, turn.content) for turn in turns]
        too_many = sum(counts) - for_prompt
        if too_many <= 0:
            return tuple(turns), 0
        step = max(1, room // STEPS)
        wanted = -(-too_many // step) * step
        first = 1 if turns[0].role == "system" else 0
        dropped = next(
            (n for n, tokens in enumerate(accumulate(counts[first:-1]), start=1) if tokens >= wanted),
            len(turns) - 1 - first,
        )
        while first + dropped < len(turns) - 1 and turns[first + dropped].role != "user":
            dropped += 1  # an answer without its question would be a strange beginning
        return (*turns[:first], *turns[first + dropped :]), dropped
