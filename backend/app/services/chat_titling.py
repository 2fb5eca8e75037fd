"""The use case of asking the model for a chat's title: as a suffix of the same prompt, on request only, behind all runs.

The engine finds the prompt's prefix in its cache. What is asked and answered is stored nowhere but as the title.
"""

import asyncio

from app.errors import EngineError, EngineUnreachable
from app.ports import Clock, EventSink
from app.repositories.storage import Storage
from app.schemas.chat import Chat
from app.schemas.completion import CompletionTurn
from app.schemas.options import Params
from app.services.chat_service import ChatService
from app.services.completion_service import CompletionService
from app.services.conversation import (
    chat_for_change,
    chat_not_found,
    default_title,
    invalid,
    mark_changed,
    summary_of,
    tell_chat_changed,
)

QUESTION = (
    "Write a title of at most six words for this conversation, in its language. Answer with the title alone: "
    "no quotation marks, no full stop, nothing else."
)
TITLE_TOKENS = 32
TEMPERATURE = 0.2
QUOTES = "\"'“”‘’«»「」『』*#`_ \t"


class ChatTitling:
    """Titles by the model."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        events: EventSink,
        chats: ChatService,
        completion: CompletionService,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._events = events
        self._chats = chats
        self._completion = completion

    async def title(self, user_id: str, chat_id: str) -> Chat:
        """Give a chat a title asked from its model; when the model says nothing of use, its first line.

        Raises:
            NotFound: `chat_not_found`.
            Invalid: there is nothing in it to be named.
            Overloaded, Unavailable: as `RunService.start`.
            EngineError: the model did not answer; the title stays.
        """
        turns, options = await self._question(user_id, chat_id)
        run = self._completion.answer(user_id, turns, options, last=True)
        try:
            await run.finished.wait()
        except asyncio.CancelledError:
            run.cancel("stop")
            raise
        assert run.result is not None  # noqa: S101 (an ended run has one)
        answer = run.result[1]
        if answer.status != "completed":
            raise _refusal(answer.metadata.get("error", {}))
        first = next(turn.content for turn in turns if turn.role == "user")
        return await self._store(user_id, chat_id, tidy(answer.content) or default_title(first))

    async def _question(self, user_id: str, chat_id: str) -> tuple[list[CompletionTurn], Params]:
        async with self._storage.of(chat_id).read() as unit:
            chat = await unit.chats.get(user_id, chat_id)
            if chat is None:
                raise chat_not_found()
            path = await unit.messages.path(chat.active_leaf_id) if chat.active_leaf_id else ()
        system = [("system", chat.system_prompt)] if chat.system_prompt else []
        said = [*system, *((row.role, row.content) for row in path if row.content)]
        if not any(role == "user" for role, _ in said):
            raise invalid("messages", "too_short", "must hold a message that could be named")
        turns = [CompletionTurn.model_validate({"role": role, "content": content}) for role, content in said]
        turns.append(CompletionTurn(role="user", content=QUESTION))
        model = chat.model or chat.params.get("model")
        options = Params(
            model=model,
            thinking=False,
            temperature=TEMPERATURE,
            max_tokens=TITLE_TOKENS,
            context="drop_oldest",
        )
        return turns, options

    async def _store(self, user_id: str, chat_id: str, title: str) -> Chat:
        async with self._storage.of(chat_id).write() as unit:
            chat = await chat_for_change(unit, user_id, chat_id)
            chat.title = title
            mark_changed(chat, self._clock.now())
            await unit.chats.save()
            summary = await summary_of(unit, chat)
        tell_chat_changed(self._events, summary)
        return await self._chats.get(user_id, chat_id)


def _refusal(error: dict[str, str]) -> EngineError:
    code = error.get("code", "engine_error")
    kind = EngineUnreachable if code == "engine_unavailable" else EngineError
    return kind(code, error.get("detail", "The model gave no title."), retry_after_s=5)


def tidy(answer: str) -> str:
    """Return the first line with words in it of what a model answered, without quotes and a full stop, shortened."""
    line = default_title(answer).strip(QUOTES)
    if line.lower().startswith("title:"):
        line = line[len("title:") :].strip(QUOTES)
    return line.rstrip(".。").strip(QUOTES)
