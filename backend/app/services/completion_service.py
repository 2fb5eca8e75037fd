"""Use cases for programs: one question, one answer, in a chat or without anything being stored.

A run without a chat counts against the limits as every other, and ends when its client leaves.
"""

from collections.abc import Sequence
from uuid import uuid4

from app.config import Settings
from app.ports import Clock, Turn
from app.schemas.completion import Completion, CompletionTurn, Generate
from app.schemas.message import Message
from app.schemas.options import Options, Params
from app.schemas.run import StartRun, UserTurn
from app.services.active_run import ActiveRun
from app.services.conversation import check_length, check_max_tokens
from app.services.option_checks import check_response_format, check_room
from app.services.run_options import run_options
from app.services.run_parts import RunParts
from app.services.run_service import RunService


class CompletionService:
    """Completions."""

    def __init__(self, runs: RunService, parts: RunParts, settings: Settings) -> None:
        self._runs = runs
        self._parts = parts
        self._max_message_chars = settings.max_message_chars
        self._max_new_tokens = settings.max_new_tokens
        self._default_max_tokens = settings.tokens_by_default

    async def start(self, user_id: str, request: Completion) -> ActiveRun:
        """Begin to answer a request. Its log can be followed, its end waited for.

        Raises:
            NotFound: `chat_not_found`.
            Conflict, Overloaded, Invalid, TooLarge, Unavailable: as `RunService.start`.
        """
        options = Options.model_validate({name: getattr(request, name) for name in Options.model_fields})
        if request.chat_id is not None:
            content = request.content or ""
            # named as here: the run itself calls them options and message
            check_length(content, limit=self._max_message_chars)
            self._check(options)
            run = StartRun(message=UserTurn(content=content), options=options)
            started, _ = await self._runs.start(user_id, request.chat_id, run)
            return self._runs.started(started.run.id)
        if request.messages is None:
            return self._answer_one(user_id, request.content or "", options, field="content")
        for number, turn in enumerate(request.messages):
            check_length(turn.content, limit=self._max_message_chars, field=f"messages.{number}.content")
        return self.answer(user_id, request.messages, options)

    def generate(self, user_id: str, request: Generate) -> ActiveRun:
        """Begin to answer a prompt; nothing is stored.

        Raises:
            Overloaded, Invalid, TooLarge, Unavailable: as `RunService.start`.
        """
        return self._answer_one(user_id, request.prompt, request, field="prompt")

    def answer(
        self, user_id: str, asked: Sequence[CompletionTurn], options: Params, *, last: bool = False
    ) -> ActiveRun:
        """Begin to answer turns, of whatever length, that are stored nowhere; with `last` when nobody else waits.

        Raises:
            Overloaded, Invalid, Unavailable: as `RunService.start`.
        """
        self._check(options)
        check_room(options.max_tokens, options.model, self._parts.catalogue.known())
        whole = run_options(options, None, default_max_tokens=self._default_max_tokens)
        self._runs.check_open()
        run_id = str(uuid4())
        ticket = self._parts.admission.admit(run_id, user_id, None, last=last)
        now = self._parts.clock.now()
        run = ActiveRun(
            id=run_id,
            user_id=user_id,
            chat_id=None,
            message=_unstored(self._parts.clock),
            options=whole,
            ticket=ticket,
            log=self._parts.logs.open(
                user_id=user_id, chat_id=None, run_id=run_id, message_id=None, kept=False
            ),
            created_at=now,
            turns=tuple(Turn(turn.role, turn.content) for turn in asked),
        )
        self._parts.lives.launch(run)
        return run

    def _answer_one(self, user_id: str, content: str, options: Params, *, field: str) -> ActiveRun:
        check_length(content, limit=self._max_message_chars, field=field)
        return self.answer(user_id, [CompletionTurn(role="user", content=content)], options)

    def _check(self, options: Params) -> None:
        check_max_tokens(options.max_tokens, limit=self._max_new_tokens)
        check_response_format(options)


def _unstored(clock: Clock) -> Message:
    message_id, now = str(uuid4()), clock.now()
    return Message(
        id=message_id,
        chat_id=None,
        parent_id=None,
        sibling_ids=[message_id],
        role="assistant",
        content="",
        reasoning="",
        model=None,
        status="queued",
        metadata={},
        timestamp=int(now.timestamp()),
        created_at=now,
        updated_at=now,
    )
