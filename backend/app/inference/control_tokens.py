"""Making control tokens in people's text harmless, in the copy that goes to the engine alone.

vLLM's tokeniser reads `<|im_end|>` in a message as the real end of the turn, so that a text could forge one. The stored
text stays as it was written.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import msgspec

ZERO_WIDTH_SPACE = "\u200b"
# For a model whose tokeniser cannot be read here: those of the families that are served most.
KNOWN_TOKENS = (
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>", "<tool_call>", "</tool_call>",
    "<tool_response>", "</tool_response>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
    "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>", "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|python_tag|>", "<|start|>", "<|end|>", "<|message|>",
    "<|channel|>", "<|return|>", "<|call|>", "<|system|>", "<|user|>", "<|assistant|>", "<start_of_turn>",
    "<end_of_turn>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<bos>", "<eos>",
)  # fmt: skip
MIN_CHARS = 3  # a shorter "added token" is ordinary text


class ControlTokens:
    """The strings a model's tokeniser takes for control tokens, and text without their power.

    Args:
        models_dir: where models lie that an engine names without a path.
    """

    def __init__(self, models_dir: Path) -> None:
        self._models_dir = models_dir
        self._inert: dict[tuple[str, str | None], Callable[[str], str]] = {}

    def inert(self, text: str, *, model: str, root: str | None) -> str:
        """Return `text` with an invisible character inside each control token of the model.

        Args:
            text: what somebody wrote.
            model: the name it is served under.
            root: where the engine loaded it from, where it tells.
        """
        return self.inert_for(model, root)(text)

    def inert_for(self, model: str, root: str | None) -> Callable[[str], str]:
        """Return `inert` for one model: a long conversation has thousands of texts."""
        found = self._inert.get((model, root))
        if found is None:
            found = self._inert[model, root] = partial(_inert, _patterns(self._tokens(model, root)))
        return found

    def _tokens(self, model: str, root: str | None) -> tuple[str, ...]:
        places = [Path(root)] if root is not None and Path(root).is_absolute() else []
        for place in (*places, self._models_dir / model):
            tokens = _added_tokens(place / "tokenizer.json")
            if tokens:
                return tokens
        return KNOWN_TOKENS


class _Added(msgspec.Struct):
    content: str


class _Tokenizer(msgspec.Struct):
    """Only what is needed: a vocabulary of 150,000 words is read over without being built."""

    added_tokens: list[_Added] = []


@lru_cache(maxsize=16)
def _added_tokens(tokenizer: Path) -> tuple[str, ...]:
    try:
        added = msgspec.json.decode(tokenizer.read_bytes(), type=_Tokenizer).added_tokens
    except (OSError, msgspec.DecodeError):
        return ()
    contents = (token.content for token in added)
    return tuple(content for content in contents if len(content) >= MIN_CHARS and not content.isspace())


def _inert(patterns: Sequence[tuple[str, re.Pattern[str]]], text: str) -> str:
    for first, pattern in patterns:
        if first in text:
            text = pattern.sub(_broken, text)
    return text


def _patterns(tokens: tuple[str, ...]) -> list[tuple[str, re.Pattern[str]]]:
    """Return what to look for, by its first character: one pattern of all would be tried at each place of each text.

    A text has most first characters nowhere, and the places of one are found thirteen times faster than those of several.
    """
    longest_first = sorted(set(tokens), key=lambda token: (token[0], -len(token)))
    return [
        (first, re.compile("|".join(map(re.escape, same))))
        for first, same in groupby(longest_first, key=itemgetter(0))
    ]


def _broken(found: re.Match[str]) -> str:
    token = found[0]
    return token[0] + ZERO_WIDTH_SPACE + token[1:]
