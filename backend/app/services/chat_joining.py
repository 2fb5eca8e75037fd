"""Joining a chat: its state and the place in its event stream, read together, so that nothing falls between.

Knows no socket: entering the room is handed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.errors import Unavailable
from app.repositories.storage import Storage
from app.schemas.base import Id, Wire
from app.schemas.chat import Chat
from app.schemas.numbered import Numbered
from app.schemas.run import RunStatus
from app.services.active_run import ActiveRuns
from app.services.chat_service import ChatService
from app.services.conversation import chat_not_found
from app.services.run_recall import RunRecall

READ_ATTEMPTS = 5  # a run may begin or end while its chat is read


class JoinedRun(Wire):
    """The run that has not ended, as of event `seq`: the whole message."""

    run_id: Id
    message_id: Id
    status: RunStatus
    content: str
    reasoning: str
    seq: int


@dataclass(frozen=True)
class Joined:
    """What a client needs to be right from here on: the missed events, or the chat with its live run."""

    events: Sequence[Numbered] | None
    chat: Chat | None
    run: JoinedRun | None


class ChatJoining:
    """Lets clients into chats."""

    def __init__(self, storage: Storage, chats: ChatService, active: ActiveRuns, recall: RunRecall) -> None:
        self._storage = storage
        self._chats = chats
        self._active = active
        self._recall = recall

    async def join(
        self,
        user_id: str,
        chat_id: str,
        *,
        enter: Callable[[str | None], None],
        run_id: str | None = None,
        after_seq: int | None = None,
        messages: int | None = None,
    ) -> Joined:
        """Enter a chat, and return what happened before the first event that comes through the room.

        `enter` is called with the run whose events are in the answer.

        Raises:
            NotFound: `chat_not_found`.
            Unavailable: the chat changes faster than it can be read.
        """
        if run_id is not None and after_seq is not None:
            missed = await self._missed(user_id, chat_id, run_id, after_seq, enter)
            if missed is not None:
                return Joined(events=missed, chat=None, run=None)
        for _ in range(READ_ATTEMPTS):
            chat = await self._chats.get(user_id, chat_id, last=messages)
            live = self._active.in_chat(chat_id)
            if (chat.active_run.id if chat.active_run is not None else None) != (live.id if live else None):
                continue
            # from here to the return nothing awaits: the room and the snapshot are of one moment
            enter(live.id if live is not None else None)
            if live is None:
                return Joined(events=None, chat=chat, run=None)
            seen = live.log.snapshot()
            run = JoinedRun(
                run_id=live.id,
                message_id=live.message.id,
                status=live.status,
                content=live.message.content + seen.content,
                reasoning=live.message.reasoning + seen.reasoning,
                seq=seen.seq,
            )
            return Joined(events=None, chat=chat, run=run)
        raise Unavailable("storage_busy", "The chat is changing just now. Try again.", retry_after_s=1)

    async def _missed(
        self, user_id: str, chat_id: str, run_id: str, after_seq: int, enter: Callable[[str | None], None]
    ) -> Sequence[Numbered] | None:
        log = await self._recall.log(user_id, run_id)
        async with self._storage.of(chat_id).read() as unit:
            if await unit.chats.get(user_id, chat_id) is None:
                raise chat_not_found()
            newest = await unit.runs.newest_in_chat(chat_id)
        live = self._active.in_chat(chat_id)
        is_newest = newest is not None and newest.id == run_id and (live is None or live.id == run_id)
        if log is None or not is_newest or after_seq > log.seq:
            return None
        enter(run_id)
        log.snapshot()  # numbers the unmerged tail
        return log.events_after(after_seq)
