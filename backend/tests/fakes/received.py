"""One request that the scripted engine has received: what came, how far it got, and how it ended.

Answers nothing itself.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

from .answers import Answer
from .vocabulary import Planned

State = Literal["running", "finished", "hung_up", "broken"]
"""broken: the script ended it, not the client."""


@dataclass
class Script:
    """An answer waiting for its requests, and the gate of its tokens."""

    id: int
    answer: Answer
    left: int | None
    allowed: int = 0
    is_open: bool = False
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def step(self, tokens: int = 1) -> None:
        """Let so many more tokens go."""
        self.allowed += tokens
        self.moved.set()

    def open(self) -> None:
        """Let all tokens go."""
        self.is_open = True
        self.moved.set()

    async def passed(self, number: int) -> None:
        """Wait until the token `number` (from 0) may go."""
        while not self.is_open and number >= self.allowed:
            self.moved.clear()
            await self.moved.wait()


@dataclass
class Received:
    """A request for an answer."""

    number: int
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float
    script: Script | None = None
    prompt_ids: list[int] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)  # empty where the answer has no end
    state: State = "running"
    sent_tokens: int = 0
    ended_at: float | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, state: State, at: float) -> None:
        """Note how it ended; the first word counts."""
        if self.state == "running":
            self.state, self.ended_at = state, at
            self.ended.set()

    def as_json(self) -> dict[str, Any]:
        """Return what a test in another process wants to know."""
        return {
            "number": self.number,
            "path": self.path,
            "body": self.body,
            "authorization": self.headers.get("Authorization"),
            "script": self.script.id if self.script else None,
            "state": self.state,
            "sent_tokens": self.sent_tokens,
            "seconds": None if self.ended_at is None else self.ended_at - self.at,
        }
