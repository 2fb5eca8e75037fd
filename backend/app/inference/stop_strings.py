"""Finding stop strings in a text that comes in pieces. Pure.

vLLM finds them too, and ends the answer there; but left to cut them off by itself it holds back text whose tokens it has
given already, and nobody could go on after those. So it is told to leave them in, and they are cut off here.
"""

from collections.abc import Sequence


class StopStrings:
    """Gives text up to the first stop string; what may be the beginning of one is held back.

    Text that was given never ends with the beginning of a stop string: who goes on after it misses none.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self.strings = tuple(strings)
        self._held = ""
        self.found = False

    @property
    def holds(self) -> bool:
        """Whether text is held back."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """Return what is certain after `text`."""
        if self.found:
            return ""
        if not self.strings:
            return text
        text = self._held + text
        self._held = ""
        places = [place for string in self.strings if (place := text.find(string)) >= 0]
        if places:
            self.found = True
            return text[: min(places)]
        # what is left after one beginning is held back may end with that of another
        while keep := max(_overlap(text, string) for string in self.strings):
            text, self._held = text[:-keep], text[-keep:] + self._held
        return text

    def end(self) -> str:
        """Return what was held back: it was no stop string."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, string: str) -> int:
    """Return how many characters at the end of `text` begin `string`."""
    for length in range(min(len(string) - 1, len(text)), 0, -1):
        if string.startswith(text[-length:]):
            return length
    return 0
