"""Messages on the wire. A message belongs to one chat and has one parent: together they make a tree."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Id, JsonObject, NamedId, NonBlankText, StorableObject, UtcTime, Wire

Role = Literal["system", "user", "assistant"]
MessageStatus = Literal["queued", "streaming", "completed", "stopped", "interrupted", "failed"]


class Message(Wire):
    """A stored message. `timestamp` is `created_at` in whole Unix seconds; its id is among `sibling_ids`.

    Of an answer `metadata` holds `run_id` (its newest run), `usage`, `timings`, `finish_reason`, `error`, `receipt`,
    `continued` and `options`, each left out where there is none. `timings` are the engine's own figures, and beside them
    `thinking_ms`: how long the model thought, over all runs into the message, waiting left out. `usage` counts the
    whole answer; where it was gone on with, what only one of its requests can say (`cached_tokens`) is left out.
    """

    id: Id
    chat_id: Id | None
    parent_id: Id | None
    sibling_ids: list[Id]
    role: Role
    content: str
    reasoning: str
    model: str | None
    status: MessageStatus
    metadata: JsonObject
    timestamp: int
    created_at: UtcTime
    updated_at: UtcTime


class CreateMessage(Wire):
    """Add a message by hand, without a run."""

    id: Id | None = None
    parent_id: NamedId | None = None
    role: Role
    content: NonBlankText
    metadata: StorableObject | None = None


class UpdateMessage(Wire):
    """Change a message in place; what is left out stays."""

    content: NonBlankText | None = None
    metadata: StorableObject | None = None


class MessagePage(Wire):
    """A page of the active path, oldest first within the page, newest page first."""

    items: list[Message]
    next_cursor: str | None = Field(description="A message id for `before`, or null at the beginning")
