"""What an engine is asked for a run: the conversation, or the very tokens after which it has to go on.

Reads the conversation; asks nobody.
"""

from dataclasses import replace

from app.ports import AnswerSoFar, Generation, ModelCatalogue, Tokenizer, Turn
from app.repositories.storage import Storage
from app.services.active_run import ActiveRun
from app.services.context_window import ContextWindow
from app.services.run_options import sampling
from app.services.run_seam import Seam


class RunPrompt:
    """Builds requests."""

    def __init__(
        self, storage: Storage, catalogue: ModelCatalogue, tokenizer: Tokenizer, window: ContextWindow
    ) -> None:
        self._window = window
        self._storage = storage
        self._catalogue = catalogue
        self._tokenizer = tokenizer

    async def generation(self, run: ActiveRun, seam: Seam) -> tuple[Generation, tuple[int, ...]]:
        """Return the request for a run from a seam on, and the tokens in it that stand before the next text.

        `max_tokens` counts across the seams of a run; zero: everything has been generated.

        Raises:
            EngineUnreachable: which model is meant only an engine can say, and none can be reached.
        """
        model = run.model or run.options.model or (await self._catalogue.default()).id
        limit = (run.options.max_tokens or 1) - seam.tokens
        asked = Generation(
            model=model,
            turns=(),
            max_tokens=limit,
            thinking=run.options.thinking,
            sampling=sampling(run.options),
        )
        closes = run.closes_thought and seam.inside_thought
        if seam.is_exact:
            ahead = await self._tokenizer.closed_thought(model, seam.prompt_ids) if closes else ()
            if ahead or not closes:
                ids = seam.prompt_ids + seam.generated_ids + ahead
                inside = seam.inside_thought and not closes
                return replace(asked, prompt_token_ids=ids, inside_thought=inside), ahead
        room = await self._room(model)
        turns = run.turns if run.turns is not None else await self._turns(run)
        if room is not None and run.options.context == "drop_oldest" and turns:
            turns, run.dropped_turns = await self._window.fitted(
                turns, model=model, room=room, max_tokens=limit
            )
        asked = replace(asked, turns=turns, max_tokens=min(limit, room or limit))
        if not seam.has_text:
            return asked, ()
        inside = seam.inside_thought and not closes
        return replace(asked, begun=AnswerSoFar(*run.text(), closed=not inside), inside_thought=inside), ()

    async def _room(self, model: str) -> int | None:
        """Return how many tokens a model can hold: engines refuse to be asked for more than that."""
        return next((each.max_model_len for each in await self._catalogue.served() if each.id == model), None)

    async def _turns(self, run: ActiveRun) -> tuple[Turn, ...]:
        if run.chat_id is None or run.message.parent_id is None:
            return ()
        async with self._storage.of(run.chat_id).read() as unit:
            chat = await unit.chats.get(run.user_id, run.chat_id)
            path = await unit.messages.path(run.message.parent_id)
        system = [Turn("system", chat.system_prompt)] if chat is not None and chat.system_prompt else []
        return (*system, *(Turn(row.role, row.content) for row in path if row.content))  # type: ignore[arg-type]
