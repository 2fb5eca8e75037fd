"""What chats and messages need to know of runs that have not ended, as a small protocol.

Implemented by the run service; here so that neither service imports the other.
"""

from typing import Protocol

from app.schemas.message import Message
from app.schemas.run import Run


class LiveRuns(Protocol):
    """The runs that live in this process."""

    async def stop_for_delete(self, user_id: str, run_id: str) -> None:
        """Stop a run and come back when it has ended (`run.ended` is out); an ended one is left as it is."""
        ...

    def present(self, run: Run) -> Run:
        """Return the run with its live `seq` and its place in the queue, if it lives here."""
        ...

    def present_message(self, message: Message) -> Message:
        """Return the message with the text that is visible so far, if a run into it lives here."""
        ...
