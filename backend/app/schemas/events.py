"""Events on the wire, the same over Socket.IO and SSE.

Numbered ones belong to a run; the others go to every client of the user.
"""

from typing import Literal

from app.schemas.base import Id, Wire
from app.schemas.chat import ChatSummary
from app.schemas.message import Message
from app.schemas.run import Channel, Outcome


class _RunEvent(Wire):
    chat_id: Id | None
    run_id: Id
    message_id: Id | None
    seq: int


class RunQueuedEvent(_RunEvent):
    """The run waits: for a place (`position`), or for the engine (`reason`). May repeat."""

    type: Literal["run.queued"] = "run.queued"
    position: int | None
    reason: Literal["capacity", "engine_unavailable"]


class RunStartedEvent(_RunEvent):
    """The engine works on it. `continued` counts how often it went on after a crash."""

    type: Literal["run.started"] = "run.started"
    model: str
    parent_id: Id | None
    continued: int
    continues: Id | None


class RunDeltaEvent(_RunEvent):
    """More text of one channel."""

    type: Literal["run.delta"] = "run.delta"
    channel: Channel
    text: str


class RunEndedEvent(_RunEvent):
    """The one end of a run. The text ends at `text_seq`; `message` is the stored one."""

    type: Literal["run.ended"] = "run.ended"
    outcome: Outcome
    text_seq: int
    message: Message


class ChatChangedEvent(Wire):
    """A chat is new or has changed."""

    type: Literal["chat.changed"] = "chat.changed"
    chat: ChatSummary


class ChatDeletedEvent(Wire):
    """A chat is gone."""

    type: Literal["chat.deleted"] = "chat.deleted"
    chat_id: Id


class MessageChangedEvent(Wire):
    """A message is new or has changed."""

    type: Literal["message.changed"] = "message.changed"
    message: Message


class MessageDeletedEvent(Wire):
    """A message and all below it are gone."""

    type: Literal["message.deleted"] = "message.deleted"
    chat_id: Id
    message_id: Id


RunEvent = RunQueuedEvent | RunStartedEvent | RunDeltaEvent | RunEndedEvent
UserEvent = ChatChangedEvent | ChatDeletedEvent | MessageChangedEvent | MessageDeletedEvent
Event = RunEvent | UserEvent
