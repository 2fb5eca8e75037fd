"""Splitting `<think>` tags out of a stream of text, for engines that do not do it themselves.

Pure. Not used once an engine has sent thinking in a field of its own.
"""

from app.schemas.run import Channel

OPEN, CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Gives (channel, text) for text that comes in any slices.

    A thought may be opened only at the very beginning of an answer; it may be open from the start, because the
    prompt's template has opened it (`inside`), or because this is not the beginning (`at_start` false); it may never
    be closed; and it is closed once. Without an opening tag only a closing tag that begins a line is one: models
    write it there, while an answer that speaks of tags has them within a sentence.
    """

    def __init__(self, *, inside: bool = False, at_start: bool = True) -> None:
        self._inside = inside
        self._at_start = at_start
        self._closed = False
        self._held = ""
        self._begins_line = True
        self.closed_unopened = False  # a closing tag came without an opening one: the template opens it

    @property
    def holds(self) -> bool:
        """Whether text is held back that may be the beginning of a tag."""
        return bool(self._held)

    @property
    def channel(self) -> Channel:
        """The channel that text would go to now."""
        return "reasoning" if self._inside else "content"

    def passes(self, text: str) -> bool:
        """Return whether all of `text` goes to the present channel, as most texts do; else it must be fed."""
        if self._closed:
            return not self._held
        if self._held or self._at_start or CLOSE[0] in text:
            return False
        self._begins_line = text.endswith("\n")
        return True

    def feed(self, text: str) -> list[tuple[Channel, str]]:
        """Return what is certain after `text`; what may be the beginning of a tag is held back."""
        text = self._held + text
        self._held = ""
        out: list[tuple[Channel, str]] = []
        if self._at_start and not self._closed:
            text = self._opening(text)
        if text and not self._at_start:
            self._closing(text, out)
        return out

    def end(self) -> list[tuple[Channel, str]]:
        """Return what was held back: it was no tag."""
        held, self._held = self._held, ""
        return [(self.channel, held)] if held else []

    def _opening(self, text: str) -> str:
        stripped = text.lstrip()
        if stripped.startswith(OPEN):
            self._inside = True
            self._at_start = False
            return stripped.removeprefix(OPEN)
        if OPEN.startswith(stripped):  # white space, or the first letters of the tag
            self._held = text
            return ""
        self._at_start = False
        return text

    def _closing(self, text: str, out: list[tuple[Channel, str]]) -> None:
        if self._closed:
            out.append(("content", text))
            return
        before, tag, after = text.partition(CLOSE)
        if tag and not self._inside and not (before.endswith("\n") or (not before and self._begins_line)):
            self._write(before + tag, out)
            self._closing(after, out)
            return
        if tag:
            self._write(before, out)
            self.closed_unopened = not self._inside
            self._inside = False
            self._closed = True
            if after:
                out.append(("content", after))
            return
        keep = _possible_tag(text)
        self._held = text[len(text) - keep :] if keep else ""
        self._write(text[: len(text) - keep] if keep else text, out)

    def _write(self, text: str, out: list[tuple[Channel, str]]) -> None:
        if text:
            out.append((self.channel, text))
            self._begins_line = text.endswith("\n")


def _possible_tag(text: str) -> int:
    """Return how many characters at the end of `text` may be the beginning of the closing tag."""
    if CLOSE[0] not in text[-len(CLOSE) :]:
        return 0
    for length in range(min(len(CLOSE) - 1, len(text)), 0, -1):
        if CLOSE.startswith(text[-length:]):
            return length
    return 0
