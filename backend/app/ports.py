"""The ports: what the services need from the world, as small protocols.

Implemented by the edges (inference, realtime), by repositories, and by the scripted parts of the tests;
wired in `main`. Nothing here does anything.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from app.schemas.run import Channel


class Clock(Protocol):
    """Time. Durations and deadlines use `monotonic`, never the wall clock."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        ...


# --- the engine -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """One message of a prompt, as the model is to see it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Generation:
    """What the engine is asked for. `sampling` holds OpenAI and vLLM names, absent where not set.

    With `prompt_token_ids` the engine goes on from exactly these tokens and `turns` is not used.
    """

    model: str
    turns: tuple[Turn, ...]
    max_tokens: int
    thinking: bool | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    prompt_token_ids: tuple[int, ...] | None = None
    inside_thought: bool = False


@dataclass(frozen=True)
class Piece:
    """Text of one channel from one socket read, with the ids of its tokens where the engine gives them.

    A piece may carry ids and no text: `</think>` does.
    """

    channel: Channel
    text: str
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class PromptSeen:
    """The prompt as the engine tokenised it, once, before the first piece, where it tells."""

    token_ids: tuple[int, ...]


@dataclass(frozen=True)
class Finished:
    """The engine's own end of an answer, with its own figures; absent ones are null, never guessed."""

    finish_reason: str
    usage: dict[str, Any] | None
    timings: dict[str, Any] | None


EngineItem = PromptSeen | Piece | Finished


class EngineStream(Protocol):
    """One answer coming in.

    Iterating gives what each socket read brought, merged per channel, in order. The last item of the last batch
    is `Finished`; a stream that ends without it raises.

    Raises:
        EngineError: while iterating, for everything that goes wrong; text before it has been given already.
    """

    def __aiter__(self) -> AsyncIterator[Sequence[EngineItem]]: ...


class ChatModel(Protocol):
    """A model behind an engine."""

    def stream(self, generation: Generation) -> AbstractAsyncContextManager[EngineStream]:
        """Ask for an answer. Leaving the context closes the connection, which makes the engine drop the request."""
        ...


@dataclass(frozen=True)
class ServedModel:
    """A model an engine serves now."""

    id: str
    max_model_len: int | None
    root: str | None = None


class ModelCatalogue(Protocol):
    """Which models the engines serve and whether they are usable, from a short-lived cache."""

    async def served(self) -> Sequence[ServedModel]:
        """Return the models served now.

        Raises:
            EngineUnreachable: no engine answers.
        """
        ...

    async def default(self) -> ServedModel:
        """Return the model used where none is named: DEFAULT_MODEL, else the engine's first."""
        ...


# --- the events of a run ----------------------------------------------------------------------------------


class EventSink(Protocol):
    """Where facts go down to clients. Never blocks for a slow one, never raises."""

    def run_events(self, user_id: str, chat_id: str, events: Sequence[dict[str, Any]]) -> None:
        """Send numbered events to everybody who has the chat open, in order."""
        ...

    def user_event(self, user_id: str, event: dict[str, Any]) -> None:
        """Send an unnumbered event to every client of the user."""
        ...


@dataclass(frozen=True)
class LogSnapshot:
    """The text of a run as far as it is visible, and the number of the last event in it."""

    seq: int
    content: str
    reasoning: str


class RunLog(Protocol):
    """The numbered event log of one run. Written by its generation task alone, read by anybody.

    An event has a number from the moment it is appended, and is visible (in snapshots, to followers, on wires)
    only once it is durable; how durable is the implementation's promise. `append` never blocks and never raises.
    """

    @property
    def seq(self) -> int:
        """The number of the last visible event."""
        ...

    def append(self, event: dict[str, Any], *, token_ids: Sequence[int] = ()) -> int:
        """Number an event and have it published as soon as it is durable. Returns its number."""
        ...

    async def settled(self) -> None:
        """Wait until everything appended so far is visible.

        Raises:
            Unavailable: it cannot be made durable.
        """
        ...

    def snapshot(self) -> LogSnapshot:
        """Return the visible text and its seq, read together without an await between."""
        ...

    def events_after(self, seq: int) -> list[dict[str, Any]] | None:
        """Return the visible events after `seq`, or None when they are no longer kept."""
        ...

    def follow(self, seq: int) -> AsyncIterator[dict[str, Any]]:
        """Give the events after `seq` and then each new one, until `run.ended`."""
        ...


class RunLogs(Protocol):
    """The logs of live and lately ended runs."""

    def open(self, *, user_id: str, chat_id: str | None, run_id: str, message_id: str | None) -> RunLog:
        """Begin the log of a new run."""
        ...

    def get(self, run_id: str) -> RunLog | None:
        """Return a log that is still kept, else None."""
        ...
