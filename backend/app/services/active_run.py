"""A run that lives in this process, and the registry of them.

Holds state and decides nothing: `RunLives` alone puts runs in and takes them out.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from app.ports import EngineLoad
from app.schemas.message import Message
from app.schemas.options import Params
from app.schemas.problem import RunError
from app.schemas.run import Outcome, Receipt, Run
from app.services.admission import Ticket
from app.services.answer_metadata import can_go_on
from app.services.run_log import RunLog
from app.services.run_seam import BegunTokens, Seam
from app.services.thinking_time import ThinkingTime

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
    receipt: Receipt | None = None

    @property
    def goes_on(self) -> bool:
        """Whether the answer can be gone on with by hand."""
        return can_go_on(self.outcome, self.finish_reason)


@dataclass(frozen=True)
class StopWatch:
    """What the engine had to do just before its request was dropped, and which other runs it worked on."""

    model: str
    asked_at: float
    before: asyncio.Task[EngineLoad | None]
    others: frozenset[str]


@dataclass(eq=False)
class ActiveRun:
    """One run from its admission to its end.

    `halt` says why it is being cancelled, once somebody has asked for that. `message` is what was stored at its
    start, with the text of earlier runs into it (`continues`, `begun`); a run without a chat has one too, which is
    stored nowhere. `closes_thought`: somebody has asked for the answer now. `asked_model`: the model whose engine has
    been asked; `at_engine`: it is answering. `is_thought_timed`: no part of its own thought came before this process.
    `launched`: it is stored, or known never to be (`is_unstored`). `stopping`: the first stop, which alone says where the text ends.
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
    dropped_turns: int = 0
    thought_tokens: int = 0
    thought_time: ThinkingTime = field(default_factory=ThinkingTime)
    is_thought_timed: bool = True
    told_position: int | None = None
    continues: str | None = None
    begun: BegunTokens | None = None
    closes_thought: bool = False
    asked_model: str | None = None
    at_engine: bool = False
    stopping: asyncio.Task[None] | None = None
    watch: StopWatch | None = None
    task: asyncio.Task[None] | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    launched: asyncio.Event = field(default_factory=asyncio.Event)
    is_unstored: bool = False
    result: tuple[Run | None, Message] | None = None

    @property
    def status(self) -> Literal["queued", "streaming"]:
        """The status the world sees until the run has ended."""
        return "queued" if self.phase == "queued" else "streaming"

    def seam(self, up_to: int | None = None) -> Seam:
        """Return where the answer goes on: after the visible text, of events up to `up_to`, or of earlier runs."""
        own = self.log.seam(up_to)
        if own.tokens or not (self.message.content or self.message.reasoning):
            return own
        begun = self.begun or BegunTokens((), ())
        return replace(
            own,
            prompt_ids=begun.prompt_ids,
            generated_ids=begun.generated_ids,
            is_exact=bool(begun.prompt_ids),
            has_text=True,
            inside_thought=not self.message.content,
        )

    def text(self) -> tuple[str, str]:
        """Return (reasoning, content) of the whole message as far as it is visible."""
        reasoning, content = self.log.text(self.log.seq)
        return self.message.reasoning + reasoning, self.message.content + content

    def answer_now(self) -> bool:
        """Ask the generation to end the thought it is in; False when it is in none."""
        if self.phase != "streaming" or self.halt is not None or not self.seam().inside_thought:
            return False
        if not self.closes_thought and self.task is not None:
            self.closes_thought = True
            self.task.cancel()
        return True

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

    def kept(self) -> list[str]:
        """Return the ids of the runs that are kept in a journal and have not come to their end."""
        return [run.id for run in self if run.log.kept and run.phase in ("queued", "streaming")]

    def let_go(self, run_id: str) -> None:
        """Let a run go without an end: another backend goes on with it."""
        run = self.get(run_id)
        if run is not None:
            run.cancel("shutdown")

    def in_chat(self, chat_id: str) -> ActiveRun | None:
        """Return the run of a chat, or None."""
        return self._by_chat.get(chat_id)
