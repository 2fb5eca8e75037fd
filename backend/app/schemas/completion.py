"""Completion for programs: one call, with or without a chat, streamed or not."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.schemas.base import NamedId, NonBlankText, Wire
from app.schemas.message import Role
from app.schemas.options import Options

MAX_TURNS = 5000


class CompletionTurn(Wire):
    """One message of a conversation that is not stored."""

    role: Role
    content: NonBlankText


class Completion(Options):
    """With `chat_id`: a run in that chat. Else `messages`, or `content` alone, are answered and nothing is stored."""

    chat_id: NamedId | None = None
    content: NonBlankText | None = None
    messages: Annotated[list[CompletionTurn], Field(min_length=1, max_length=MAX_TURNS)] | None = None
    stream: bool = False

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if (self.content is None) == (self.messages is None):
            raise PydanticCustomError("content_or_messages", "give either content or messages")
        if self.chat_id is not None and self.messages is not None:
            raise PydanticCustomError("messages_in_chat", "a chat has its own messages: give content only")
        return self


class Generate(Options):
    """Answer a prompt as one user turn; nothing is stored."""

    prompt: NonBlankText


class ClearChat(Wire):
    """Take every message out of a chat."""

    chat_id: NamedId
