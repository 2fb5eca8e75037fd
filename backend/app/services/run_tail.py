"""Text that has no number yet, of one channel, with the tokens it came from. Pure."""

from collections.abc import Sequence

from app.schemas.run import Channel


class Tail:
    """Gathers text. Tokens without a text of their own go with the text after them.

    So the tokens of what is taken end where its text ends, and an engine can go on after them.
    """

    def __init__(self) -> None:
        self.channel: Channel = "content"
        self._text: list[str] = []
        self._ids: list[int] = []
        self._held_ids: list[int] = []  # of tokens whose text is still to come

    def add(self, channel: Channel, text: str, token_ids: Sequence[int]) -> bool:
        """Add text; returns whether there was any. What is gathered must be of this channel, or taken before."""
        if not text:
            self._held_ids += token_ids
            return False
        self.channel = channel
        self._text.append(text)
        self._ids += self._held_ids
        self._ids += token_ids
        self._held_ids.clear()
        return True

    def hold(self, token_ids: Sequence[int]) -> None:
        """Put these tokens before the next text, instead of any that waited for theirs."""
        self._held_ids = list(token_ids)

    def take(self) -> tuple[Channel, str, tuple[int, ...]] | None:
        """Take out what was gathered, or None."""
        if not self._text:
            return None
        taken = self.channel, "".join(self._text), tuple(self._ids)
        self._text.clear()
        self._ids.clear()
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._text.clear()
        self._ids.clear()
        self._held_ids.clear()
