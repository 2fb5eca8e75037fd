"""The part of a text that shows a hit, as safe HTML: `<mark>` around the words, everything else escaped."""

import html
from collections.abc import Sequence
from itertools import groupby

from app.utils.folding import fold

BEFORE_CHARS = 40
AFTER_CHARS = 120


def snippet(text: str, terms: Sequence[str]) -> str:
    """Return the surroundings of the first place where one of the folded terms stands."""
    folded = fold(text)
    places = [place for term in terms if (place := folded.find(term)) >= 0]
    first = min(places, default=0)
    start, end = max(0, first - BEFORE_CHARS), min(len(text), first + AFTER_CHARS)
    marked = _marked(folded[start:end], terms)
    parts = ["…" if start > 0 else ""]
    for is_hit, characters in groupby(zip(marked, text[start:end], strict=True), key=lambda each: each[0]):
        part = html.escape("".join(" " if c.isspace() else c for _, c in characters))
        parts.append(f"<mark>{part}</mark>" if is_hit else part)
    parts.append("…" if end < len(text) else "")
    return "".join(parts)


def _marked(folded: str, terms: Sequence[str]) -> list[bool]:
    marked = [False] * len(folded)
    for term in terms:
        place = folded.find(term)
        while place >= 0:
            marked[place : place + len(term)] = [True] * len(term)
            place = folded.find(term, place + len(term))
    return marked
