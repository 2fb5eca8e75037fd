"""A journal that waits: what it is told goes to the real one when the run is stored, and to nobody when it is not.

So an engine can be asked while a start is being stored, and nothing is seen of a run that there is not.
"""

from collections.abc import Callable, Sequence
from functools import partial

from app.errors import Unavailable
from app.ports import Journal, JournaledLog
from app.schemas.numbered import Numbered


class HeldJournal:
    """Stands before a journal, for one log; implements `ports.Journal`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._held: list[Callable[[], None]] = []

    @property
    def trouble(self) -> Unavailable | None:
        """Why nothing can be made safe just now, or None."""
        return self._journal.trouble

    def add(self, log: JournaledLog, event: Numbered, token_ids: Sequence[int]) -> None:
        """Hold an event."""
        self._held.append(partial(self._journal.add, log, event, token_ids))

    def prompt(self, log: JournaledLog, token_ids: Sequence[int]) -> None:
        """Hold the tokens of the prompt."""
        self._held.append(partial(self._journal.prompt, log, token_ids))

    def released(self) -> Journal:
        """Hand on what was held, and return the journal that it went to."""
        for hand_on in self._held:
            hand_on()
        return self._journal
