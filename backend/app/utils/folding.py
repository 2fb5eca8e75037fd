"""Text made ready to be compared without regard to case, character by character, and cut into short pieces.

A folded text is as long as the text: a place in one is the same place in the other.
"""

import re
from functools import cache
from itertools import product

TRIGRAM = 3
# Han with its extensions, kana, Hangul: writing in which two characters are a word
CJK = (
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9d\U00020000-\U000323af"
)
CJK_PAIR = re.compile(f"(?=([{CJK}]{{2}}))")
ONLY_CJK = re.compile(f"[{CJK}]+")
LAST_CASED = 0x1F000  # no letter with a case lies above


def fold(text: str) -> str:
    """Return a text without differences of case, of the same length."""
    folded = text.casefold()
    # folding never shrinks, so an equal length says that every character became exactly one
    return folded if len(folded) == len(text) else "".join(map(_fold_character, text))


def _fold_character(character: str) -> str:
    folded = character.casefold()
    return folded if len(folded) == 1 else character


def spellings(folded: str) -> list[str]:
    """Return every text that folds to this short one."""
    return ["".join(each) for each in product(*(_unfolded().get(c, (c,)) for c in folded))]


@cache
def _unfolded() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code in range(LAST_CASED):
        character = chr(code)
        folded = _fold_character(character)
        if folded != character:
            found.setdefault(folded, [folded]).append(character)
    return {folded: tuple(characters) for folded, characters in found.items()}


def trigrams(folded: str) -> list[str]:
    """Return the distinct pieces of three characters, in a stable order."""
    return sorted({folded[start : start + TRIGRAM] for start in range(len(folded) - TRIGRAM + 1)})


def cjk_pairs(folded: str) -> list[str]:
    """Return the distinct pairs of neighbouring Chinese, Japanese and Korean characters, in a stable order."""
    return sorted(set(CJK_PAIR.findall(folded)))


def is_cjk(text: str) -> bool:
    """Return whether a text consists of Chinese, Japanese and Korean characters alone."""
    return ONLY_CJK.fullmatch(text) is not None
