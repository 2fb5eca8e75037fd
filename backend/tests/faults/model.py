"""What a chat ought to look like after everything that was done to it: the reference of the state machine. Pure.

A run here knows only its text so far and how it came out; nothing of journals, numbers, sockets or processes.
"""

from dataclasses import dataclass, field


@dataclass
class ModelRun:
    """One run as it ought to be."""

    chat: int
    question: str
    words: list[str]
    given: int = 0
    stopped: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or will by itself."""
        return self.stopped or self.given >= len(self.words)

    def cut(self) -> None:
        """Let whoever it was cut for go on: what was begun comes to its end by itself, what was not is begun again."""
        if self.given and not self.stopped:
            self.given = len(self.words)

    @property
    def whole(self) -> str:
        """The text it ends with, if nobody stops it."""
        return "".join(self.words)


@dataclass
class Model:
    """All runs, and which chat has a live one."""

    runs: list[ModelRun] = field(default_factory=list)

    def live_in(self, chat: int) -> ModelRun | None:
        """Return the chat's run that has not ended."""
        return next((run for run in self.runs if run.chat == chat and not run.is_over), None)

    def questions(self, chat: int) -> list[str]:
        """Return what was asked in a chat, in order."""
        return [run.question for run in self.runs if run.chat == chat]
