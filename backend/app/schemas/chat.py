"""Chats on the wire: whole, as a list item, and as search hits."""

from typing import Annotated

from pydantic import Field

from app.schemas.base import Id, NamedId, Text, UtcTime, Wire
from app.schemas.message import Message, Role
from app.schemas.options import MaxTokens, ModelName, Params, Temperature
from app.schemas.run import Run

MAX_TITLE_CHARS = 500
MAX_SYSTEM_PROMPT_CHARS = 100_000
MAX_TAGS = 50
MAX_TAG_CHARS = 100

Title = Annotated[Text, Field(max_length=MAX_TITLE_CHARS)]
SystemPrompt = Annotated[Text, Field(max_length=MAX_SYSTEM_PROMPT_CHARS)]
Tag = Annotated[Text, Field(min_length=1, max_length=MAX_TAG_CHARS)]
Folder = Annotated[Text, Field(max_length=MAX_TAG_CHARS)]


class _ChatFields(Wire):
    id: Id
    title: str
    user_id: str
    model: str | None
    temperature: float | None
    max_tokens: int | None
    params: Params
    pinned: bool
    archived: bool
    temporary: bool
    tags: list[str]
    folder: str | None
    active_leaf_id: Id | None
    created_at: UtcTime
    updated_at: UtcTime


class Chat(_ChatFields):
    """A chat with its messages (derived from the rows) and the run that has not ended, if any."""

    system_prompt: str | None
    messages: list[Message]
    active_run: Run | None


class ChatSummary(_ChatFields):
    """A chat as a list item."""

    message_count: int
    active_run_id: Id | None


class CreateChat(Wire):
    """A new chat; its `id` may be chosen by the client."""

    id: Id | None = None
    title: Title | None = None
    model: ModelName | None = None
    system_prompt: SystemPrompt | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    params: Params = Field(default_factory=Params)
    temporary: bool = False


class UpdateChat(Wire):
    """Changes to a chat; a field that is left out stays, null clears where a chat may be without it."""

    title: Title | None = None
    model: ModelName | None = None
    system_prompt: SystemPrompt | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    params: Params | None = None
    pinned: bool | None = None
    archived: bool | None = None
    tags: Annotated[list[Tag], Field(max_length=MAX_TAGS)] | None = None
    folder: Folder | None = None
    active_leaf_id: NamedId | None = None


class ForkChat(Wire):
    """Go on elsewhere from a message."""

    message_id: NamedId


class ChatPage(Wire):
    """A page of chats: pinned first, then the newest activity first."""

    items: list[ChatSummary]
    next_cursor: str | None


class SearchHit(Wire):
    """A place where the words stand. In a title: no message. `snippet` is HTML-escaped but for `<mark>`."""

    chat: ChatSummary
    message_id: Id | None
    role: Role | None
    snippet: str


class SearchPage(Wire):
    """A page of hits."""

    items: list[SearchHit]
    next_cursor: str | None
