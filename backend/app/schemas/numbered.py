"""The numbered events of a run as they are kept and sent: small, immutable, encoded fast.

Their shapes for the contract stand in `events`; a test holds the two together.
"""

from typing import Any, Literal

import msgspec

from app.schemas.run import Channel, Outcome

QueueReason = Literal["capacity", "engine_unavailable"]


class Numbered(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """One event of a run. `seq` counts 1, 2, 3 … without a hole. The ids are null where nothing is stored."""

    chat_id: str | None
    run_id: str
    message_id: str | None
    seq: int

    @property
    def type(self) -> str:
        """The name of the event on every wire."""
        return str(self.__struct_config__.tag)


class Queued(Numbered, frozen=True, gc=False, tag="run.queued"):
    """The run waits for a place or for the engine."""

    position: int | None
    reason: QueueReason


class Started(Numbered, frozen=True, gc=False, tag="run.started"):
    """The engine works on it."""

    model: str
    parent_id: str | None
    continued: int
    continues: str | None


class Delta(Numbered, frozen=True, gc=False, tag="run.delta"):
    """More text of one channel."""

    channel: Channel
    text: str


class Ended(Numbered, frozen=True, gc=False, tag="run.ended"):
    """The one end. `message` is the stored one, as JSON."""

    outcome: Outcome
    text_seq: int
    message: dict[str, Any]


_encoder = msgspec.json.Encoder()


def to_json(event: Numbered) -> bytes:
    """Return the event as compact JSON on one line."""
    return _encoder.encode(event)
