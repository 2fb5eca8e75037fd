"""The plain WebSocket `/ws/chat`: chat, stop and resume in the reference's words, over the same runs.

Pure ASGI. A reader that is slow waits for itself only: it reads from the log of the run.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal

import msgspec
from loguru import logger
from pydantic import Field, TypeAdapter, ValidationError

from app.errors import AppError, Conflict, FieldProblem, Gone, NotFound
from app.realtime import refusals
from app.realtime.event_rate import EventRate
from app.realtime.frames import BURST, MAX_FRAME_CHARS, MAX_STRIKES, RATE_PER_S, Receive, Scope, Send
from app.realtime.socket_places import SocketPlaces
from app.schemas.base import NamedId, NonBlankText, Wire
from app.schemas.chat import CreateChat
from app.schemas.numbered import Delta, Ended, Numbered
from app.schemas.options import Options
from app.schemas.run import Run, StartRun, UserTurn
from app.services.chat_service import ChatService
from app.services.run_service import RunService
from app.services.run_view import RunView

CLOSE_POLICY, CLOSE_TOO_BIG = 1008, 1009
TRY_AGAIN_S = 5
TOO_MANY = "There are too many connections. Close one, or try again later."


class Chat(Wire):
    """Ask. Without `chat_id` a chat is made."""

    type: Literal["chat"]
    chat_id: NamedId | None = None
    content: NonBlankText
    thinking: bool | None = None
    options: Options = Field(default_factory=Options)


class Stop(Wire):
    """Stop the run that is being read."""

    type: Literal["stop"]


class Resume(Wire):
    """Read a run on after an event."""

    type: Literal["resume"]
    run_id: NamedId
    after_seq: Annotated[int, Field(ge=0, le=2**53)] = 0


COMMANDS: TypeAdapter[Chat | Stop | Resume] = TypeAdapter(
    Annotated[Chat | Stop | Resume, Field(discriminator="type")]
)


class PlainSockets:
    """The ASGI application of the path."""

    def __init__(
        self,
        chats: ChatService,
        runs: RunService,
        view: RunView,
        *,
        user_id: str,
        places: SocketPlaces,
        monotonic: Callable[[], float],
    ) -> None:
        self._chats = chats
        self._runs = runs
        self._view = view
        self._user_id = user_id
        self._places = places
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await receive()
        if not self._places.take(self._user_id):
            await refusals.refuse_connection(scope, send, TOO_MANY, retry_after_s=TRY_AGAIN_S)
            return
        try:
            await send({"type": "websocket.accept"})
            reader = _Reader(self._chats, self._runs, self._view, self._user_id, send)
            code = await self._read(reader, receive)
            await reader.leave()
            if code is not None:
                await send({"type": "websocket.close", "code": code})
        finally:
            self._places.give_back(self._user_id)

    async def _read(self, reader: "_Reader", receive: Receive) -> int | None:
        rate = EventRate(RATE_PER_S, BURST, self._monotonic)
        strikes = 0
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message.get("text")
            if text is None:
                return CLOSE_POLICY
            if len(text) > MAX_FRAME_CHARS:
                return CLOSE_TOO_BIG
            if not rate.take():
                strikes += 1
                if strikes > MAX_STRIKES:
                    return CLOSE_POLICY
                detail = "Too many messages on this connection. Slow down."
                await reader.refuse(refusals.problem(429, "too_many_requests", detail))
                continue
            await reader.take(text)


class _Reader:
    """One connection: the run it reads, and what it says."""

    def __init__(self, chats: ChatService, runs: RunService, view: RunView, user_id: str, send: Send) -> None:
        self._chats = chats
        self._runs = runs
        self._view = view
        self._user_id = user_id
        self._send = send
        self._run_id: str | None = None
        self._following: asyncio.Task[None] | None = None
        self._reading = False

    async def take(self, text: str) -> None:
        """Do what a message asks, or say why not."""
        try:
            command = COMMANDS.validate_python(json.loads(text))
            if isinstance(command, Chat):
                await self._chat(command)
            elif isinstance(command, Stop):
                await self._stop()
            else:
                await self._resume(command)
        except ValidationError as error:
            await self.refuse(refusals.invalid(error, below=1))
        except (ValueError, RecursionError):
            detail = "The message is not valid JSON."
            fields = (FieldProblem("body", "malformed_json", detail),)
            await self.refuse(refusals.problem(422, "malformed_json", detail, fields=fields))
        except AppError as error:
            await self.refuse(refusals.app_error(error))
        except Exception:  # noqa: BLE001 (the edge: a socket is answered, whatever is wrong with the code)
            logger.exception("unforeseen error on the plain WebSocket")
            await self.refuse(refusals.unforeseen())

    async def refuse(self, problem: dict[str, Any]) -> None:
        """Say why something was not done."""
        await self._say({"type": "error", "error": problem})

    async def leave(self) -> None:
        """Read no more. The run goes on."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})

    async def _chat(self, asked: Chat) -> None:
        self._check_free()
        chat_id = asked.chat_id
        if chat_id is None:
            chat, _ = await self._chats.create(self._user_id, CreateChat())
            chat_id = chat.id
        options = asked.options
        if asked.thinking is not None:
            options = options.model_copy(update={"thinking": asked.thinking})
        request = StartRun(message=UserTurn(content=asked.content), options=options)
        try:
            started, _ = await self._runs.start(self._user_id, chat_id, request)
        except AppError:
            if asked.chat_id is None:  # nothing is stored of what is refused
                await self._chats.delete(self._user_id, chat_id)
            raise
        await self._follow(started.run, 0)

    async def _resume(self, asked: Resume) -> None:
        self._check_free()
        run, _ = await self._view.stored(self._user_id, asked.run_id)
        await self._follow(run, asked.after_seq)

    async def _stop(self) -> None:
        if self._run_id is None:
            raise NotFound("run_not_found", "There is no run on this connection.")
        await self._runs.stop(self._user_id, self._run_id)

    def _check_free(self) -> None:
        if self._reading:
            raise Conflict("run_active", "This connection reads a run that has not ended.")

    async def _follow(self, run: Run, after_seq: int) -> None:
        self._run_id = run.id
        await self._say(
            {"type": "start", "chat_id": run.chat_id, "run_id": run.id, "message_id": run.message_id}
        )
        try:
            events = await self._view.events(self._user_id, run.id, after_seq=after_seq)
        except Gone:
            events = None
        if events is None:
            ended, message = await self._view.stored(self._user_id, run.id)
            await self._say(
                {"type": "done", "outcome": ended.status, "message": message.model_dump(mode="json")}
            )
            return
        self._reading = True
        self._following = asyncio.create_task(self._pass_on(events))

    async def _pass_on(self, events: AsyncGenerator[Sequence[Numbered], None]) -> None:
        async with aclosing(events):
            async for batch in events:
                for event in batch:
                    if isinstance(event, Delta):
                        delta = {"seq": event.seq, "channel": event.channel, "text": event.text}
                        await self._say({"type": "delta", **delta})
                    elif isinstance(event, Ended):
                        self._reading = False
                        await self._say({"type": "done", "outcome": event.outcome, "message": event.message})

    async def _say(self, message: dict[str, Any]) -> None:
        text = msgspec.json.encode(message).decode()
        try:
            await self._send({"type": "websocket.send", "bytes": None, "text": text})
        except Exception as error:  # noqa: BLE001 (the server's own error for a closed connection)
            logger.debug("a plain WebSocket is gone: {}", type(error).__name__)
