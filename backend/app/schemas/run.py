"""Runs on the wire: one generation into one assistant message."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Id, NamedId, NonBlankText, UtcTime, Wire
from app.schemas.message import Message
from app.schemas.options import Options
from app.schemas.problem import RunError

RunStatus = Literal["queued", "streaming", "completed", "stopped", "interrupted", "failed"]
Outcome = Literal["completed", "stopped", "interrupted", "failed"]
Channel = Literal["content", "reasoning"]


class Run(Wire):
    """One generation. `seq` is the number of its last event, `position` its place in the queue or null."""

    id: Id
    chat_id: Id
    message_id: Id
    model: str | None
    status: RunStatus
    seq: int
    position: int | None
    error: RunError | None
    continues: Id | None
    created_at: UtcTime
    started_at: UtcTime | None
    ended_at: UtcTime | None


class UserTurn(Wire):
    """The user message that a run answers; its `id` may be chosen by the client."""

    id: Id | None = None
    content: NonBlankText


class StartRun(Wire):
    """Answer a new message, or `parent_id` again."""

    run_id: Id | None = None
    message: UserTurn | None = None
    parent_id: NamedId | None = None
    options: Options = Field(default_factory=Options)


class ContinueRun(Wire):
    """Go on with an answer that was cut. Options that are left out are those of the run before."""

    run_id: Id | None = None
    options: Options = Field(default_factory=Options)


class RunStarted(Wire):
    """What a started or continued run answers; `user_message` is null where none was added."""

    run: Run
    user_message: Message | None
    assistant_message: Message


class RunSnapshot(Wire):
    """The whole message as of event `seq`."""

    run: Run
    reasoning: str
    content: str
    seq: int


class StopRun(Wire):
    """Stop a run; the text ends at the event the client has seen."""

    seen_seq: int | None = Field(default=None, ge=0)


class Receipt(Wire):
    """What is known of the engine's side of a stop. Unconfirmed: `engine_released_ms` is null."""

    confirmed: bool
    engine_released_ms: float | None
    tokens: int | None


class RunStopped(Wire):
    """What `POST /api/runs/{run_id}/stop` answers."""

    run: Run
    receipt: Receipt
