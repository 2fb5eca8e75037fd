"""The ports: what the services need from the world, as small protocols.

Implemented by the edges (inference, realtime), by repositories, and by the scripted parts of the tests;
wired in `main`. Nothing here does anything.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from app.errors import Unavailable
from app.schemas.engine import ModelType
from app.schemas.numbered import Numbered, QueueReason
from app.schemas.run import Channel, Outcome


class Clock(Protocol):
    """Time. Durations and deadlines use `monotonic`, never the wall clock."""

    def now(self) -> datetime:
        """Return the wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        ...


# --- the engine -------------------------------------------------------------------------------------------


class Turn(NamedTuple):
    """One message of a prompt, as the model is to see it."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class AnswerSoFar:
    """An answer to go on with by its text, where its tokens are not known. `closed`: its thought is over."""

    reasoning: str
    content: str
    closed: bool


@dataclass(frozen=True)
class Generation:
    """What the engine is asked for. `sampling` holds OpenAI and vLLM names, absent where not set.

    With `prompt_token_ids` the engine goes on from exactly these tokens and `turns` is not used; with `begun` it goes
    on with that answer to `turns`.
    """

    model: str
    turns: tuple[Turn, ...]
    max_tokens: int
    thinking: bool | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    prompt_token_ids: tuple[int, ...] | None = None
    inside_thought: bool = False
    begun: AnswerSoFar | None = None


class Piece(NamedTuple):
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


class Tokenizer(Protocol):
    """Tokens of text, as the engine makes them."""

    async def closed_thought(self, model: str, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the tokens that end a thought and begin the answer; none where they are not known. Never raises."""
        ...


class TokenCounter(Protocol):
    """Lengths of texts, as the engine counts them."""

    async def count(self, model: str, text: str) -> int:
        """Return how many tokens a text has for a model; a careful guess where no engine tells. Never raises."""
        ...


@dataclass(frozen=True)
class PassedReply:
    """An engine's reply as it came. `body` gives its bytes, untouched, as they are read."""

    status: int
    content_type: str
    body: AsyncIterator[bytes]


class EnginePassage(Protocol):
    """The way of an OpenAI request to an engine and of its reply back, untouched."""

    def post(
        self, path: str, model: str | None, body: bytes, *, streamed: bool
    ) -> AbstractAsyncContextManager[PassedReply]:
        """Send a JSON body to `path` below the engine's base. Leaving the context closes the connection.

        Args:
            path: `chat/completions` or `completions`.
            model: which engine is asked.
            body: passed on as it is.
            streamed: whether the answer comes bit by bit, so that long silence means something is wrong.

        Raises:
            EngineError: no engine answers, or it refuses. While `body` is read: the answer broke.
        """
        ...


@dataclass(frozen=True)
class ServedModel:
    """A model an engine serves now."""

    id: str
    max_model_len: int | None
    root: str | None = None


@dataclass(frozen=True)
class EngineState:
    """How an engine is: `ready`, `unauthorized`, `failed` (it answers with errors) or `unreachable`."""

    base: str
    status: str
    models: tuple[str, ...]


@dataclass(frozen=True)
class EngineProgress:
    """What whoever starts the engine says of it while it is not there yet.

    `state` is `preparing`, `loading`, `ready`, `restarting` or `stopped`; `note` is what people ought to know
    about the model, for example that it is a stand-in.
    """

    state: str
    detail: str
    model: str | None
    note: str | None


@dataclass(frozen=True)
class ModelFolder:
    """A model on the disk; `type` is `base`, `chat`, `quantized` or `adapter`."""

    name: str
    type: ModelType
    size_bytes: int
    modified_at: datetime
    max_model_len: int | None


@dataclass(frozen=True)
class EngineLoad:
    """What an engine has to do with a model: requests running and waiting now, and dropped since its start."""

    running: int
    waiting: int
    aborted: int

    def __add__(self, other: "EngineLoad") -> "EngineLoad":
        return EngineLoad(
            self.running + other.running, self.waiting + other.waiting, self.aborted + other.aborted
        )


class EngineGauge(Protocol):
    """The engine's own count of its work."""

    async def load(self, model: str) -> EngineLoad | None:
        """Return the load of the engines of a model, or None when one of them does not tell. Never raises."""
        ...


class EngineHealth(Protocol):
    """The engine's own word on how it is."""

    async def is_well(self, model: str) -> bool:
        """Return False when every engine of a model says that it dies or loads, or is out of reach. Never raises."""
        ...


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

    def known(self) -> Sequence[ServedModel]:
        """Return the models as last heard of, the default one first, without asking; none before the first answer."""
        ...

    async def engines(self) -> Sequence[EngineState]:
        """Return how each engine is. Never raises."""
        ...


class EngineHost(Protocol):
    """The machine around the engines: what it tells of them, the models on its disk, its memory."""

    def progress(self) -> EngineProgress | None:
        """Return what is said of an engine that is being started, or None when nobody starts one here."""
        ...

    def folders(self) -> Sequence[ModelFolder]:
        """Return the models in the models folder. Blocks on the disk."""
        ...

    async def memory(self) -> dict[str, Any]:
        """Return memory of this machine, and of its GPUs where there are some, in bytes."""
        ...


# --- the events of a run ----------------------------------------------------------------------------------


class EventSink(Protocol):
    """Where facts go down to clients. Never blocks for a slow one, never raises."""

    def run_events(self, user_id: str, chat_id: str | None, events: Sequence[Numbered]) -> None:
        """Send numbered events to everybody who has the chat open, in order."""
        ...

    def user_event(self, user_id: str, event: dict[str, Any]) -> None:
        """Send an unnumbered event to every client of the user."""
        ...


class JournaledLog(Protocol):
    """The side of a log that its journal talks to, on the event loop."""

    @property
    def run_id(self) -> str:
        """The run the log belongs to."""
        ...

    def durable(self, seq: int) -> None:
        """Everything up to `seq` is safe: make it visible."""
        ...

    def undurable(self, error: Unavailable) -> None:
        """Nothing more can be made safe."""
        ...

    def journal_again(self, done: int) -> int | None:
        """Add some of the events after the first `done` ones once more; None when all are."""
        ...


@dataclass
class JournaledRun:
    """What a journal knows of a run: its events from 1 on without a hole, and the tokens of each."""

    prompt_ids: tuple[int, ...] = ()
    events: list[Numbered] = field(default_factory=list)
    token_ids: list[tuple[int, ...]] = field(default_factory=list)


class JournalPast(Protocol):
    """What is still known of runs of earlier processes, and of other ones, that have ended."""

    async def find(self, run_id: str) -> JournaledRun:
        """Return what is known of a run; nothing where it is not, or not any longer.

        Raises:
            Unavailable: the database cannot be used just now.
        """
        ...


class Journal(Protocol):
    """Where events are made safe before anybody sees them. Neither method blocks or raises."""

    @property
    def trouble(self) -> Unavailable | None:
        """Why nothing can be made safe just now, or None."""
        ...

    def add(self, log: JournaledLog, event: Numbered, token_ids: Sequence[int]) -> None:
        """Make an event safe, then tell its log: at once, or when the batch it falls into is on the disk."""
        ...

    def prompt(self, log: JournaledLog, token_ids: Sequence[int]) -> None:
        """Keep the tokens of the prompt, for going on after a crash."""
        ...


@dataclass(frozen=True)
class LogSnapshot:
    """The text of a run as far as it is visible, and the number of the last event in it."""

    seq: int
    content: str
    reasoning: str


class RunLog(Protocol):
    """The numbered event log of one run. Written by its generation task alone, read by anybody.

    Text is merged before it is numbered, never after. An event is visible (in snapshots, to followers, on wires)
    only once its journal has made it safe. Nothing but `settled` waits, nothing but `settled` raises.
    """

    @property
    def seq(self) -> int:
        """The number of the last visible event."""
        ...

    def prompt(self, token_ids: Sequence[int]) -> None:
        """Keep the tokens of the prompt beside the events."""
        ...

    def write(self, channel: Channel, text: str, token_ids: Sequence[int] = ()) -> None:
        """Add text from one socket read; a delta of one channel comes of it soon."""
        ...

    def queued(self, position: int | None, reason: QueueReason) -> None:
        """Append `run.queued`."""
        ...

    def started(self, *, model: str, parent_id: str | None, continued: int, continues: str | None) -> None:
        """Append `run.started`."""
        ...

    def drop_tail(self) -> None:
        """Forget text that has no number yet: nobody has seen it."""
        ...

    async def settled(self) -> None:
        """Number what is left and wait until everything is visible.

        Raises:
            Unavailable: it cannot be made safe.
        """
        ...

    def end(self, *, outcome: Outcome, text_seq: int, message: dict[str, Any]) -> None:
        """Publish the one `run.ended`, which the database has stored already."""
        ...

    def snapshot(self) -> LogSnapshot:
        """Return the visible text and its seq, read together without an await between."""
        ...

    def text(self, seq: int) -> tuple[str, str]:
        """Return (reasoning, content) of the visible events up to `seq`."""
        ...

    def events_after(self, seq: int) -> Sequence[Numbered]:
        """Return the visible events after `seq`."""
        ...

    def follow(self, seq: int) -> AsyncGenerator[Sequence[Numbered], None]:
        """Give the events after `seq`, then new ones as they become visible, until `run.ended`."""
        ...
