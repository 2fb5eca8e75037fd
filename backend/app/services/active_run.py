"""A run that lives in this process, and the registry of them.

Holds state and decides nothing: the run service alone puts runs in and takes them out.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.schemas.message import Message
from app.schemas.options import Params
from app.schemas.problem import RunError
from app.schemas.run import Outcome, Run
from app.services.admission import Ticket
from app.services.run_log import RunLog

Phase = Literal["queued", "streaming", "ending", "ended"]
Halt = Literal["stop", "shutdown"]


@dataclass(frozen=True)
class Ending:
    """How a generation came out. `text_seq` is where the text ends; None: at the last event."""

    outcome: Outcome
    error: RunError | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    timings: dict[str, Any] | None = None
    text_seq: int | None = None


@dataclass(eq=False)
class ActiveRun:
    """One run from its admission to its end.

    `halt` says why it is being cancelled, once somebody has asked for that. `message` is what was stored at its
    start; a run without a chat has one too, which is stored nowhere.
    """

    id: str
    user_id: str
    chat_id: str | None
    message: Message
    options: Params
    ticket: Ticket
    log: RunLog
    created_at: datetime
    model: str | None = None
    phase: Phase = "queued"
    started_at: datetime | None = None
    continued: int = 0
    entered: bool = False
    halt: Halt | None = None
    seen_seq: int | None = None
    turns: tuple[Any, ...] | None = None
    told_position: int | None = None
    task: asyncio.Task[None] | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    result: tuple[Run | None, Message] | None = None

    @property
    def status(self) -> Literal["queued", "streaming"]:
        """The status the world sees until the run has ended."""
        return "queued" if self.phase == "queued" else "streaming"

    def cancel(self, halt: Halt) -> None:
        """Ask the generation to come to its end; once it is ending, or has been asked, nothing happens."""
        if self.phase in ("ending", "ended") or self.halt is not None:
            return
        self.halt = halt
        # a task that is cancelled before its first step never runs at all, and the run would have no end
        if self.entered and self.task is not None:
            self.task.cancel()


class ActiveRuns:
    """The runs that live here, by id, by chat and by the message they write into."""

    def __init__(self) -> None:
        self._runs: dict[str, ActiveRun] = {}
        self._by_message: dict[str, ActiveRun] = {}
        self._by_chat: dict[str, ActiveRun] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[ActiveRun]:
        return iter(tuple(self._runs.values()))

    def put(self, run: ActiveRun) -> None:
        """Add a run."""
        self._runs[run.id] = run
        self._by_message[run.message.id] = run
        if run.chat_id is not None:
            self._by_chat[run.chat_id] = run

    def remove(self, run: ActiveRun) -> None:
        """Take a run out."""
        self._runs.pop(run.id, None)
        self._by_message.pop(run.message.id, None)
        if run.chat_id is not None and self._by_chat.get(run.chat_id) is run:
            del self._by_chat[run.chat_id]

    def get(self, run_id: str) -> ActiveRun | None:
        """Return a run, or None when it does not live here."""
        return self._runs.get(run_id)

    def into(self, message_id: str) -> ActiveRun | None:
        """Return the run that writes into a message, or None."""
        return self._by_message.get(message_id)

    def logs(self) -> list[RunLog]:
        """Return the logs of the runs that are kept in a journal."""
        return [run.log for run in self if run.log.kept]

    def in_chat(self, chat_id: str) -> ActiveRun | None:
        """Return the run of a chat, or None."""
        return self._by_chat.get(chat_id)
