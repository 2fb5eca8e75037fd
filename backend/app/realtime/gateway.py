"""The Socket.IO door: connecting, joining and leaving chats, refusing everything else clearly.

What is sent down goes through `rooms`; what a chat is, services know.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import socketio
from engineio.async_socket import AsyncSocket
from loguru import logger
from pydantic import Field, ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from app.config import Settings
from app.errors import AppError
from app.realtime import refusals
from app.realtime.outbox import Outbox
from app.realtime.rooms import Member, Rooms
from app.realtime.socket_places import SocketPlaces
from app.realtime.socket_turns import AT_ONCE
from app.schemas.base import Wire, canonical_id
from app.services.chat_joining import ChatJoining, Joined
from app.services.conversation import chat_not_found
from app.utils.text_frames import FRAMES

PING_INTERVAL_S = PING_TIMEOUT_S = 20
MAX_FRAME_BYTES = 131_072
CONNECT_WITHIN_S = 20.0  # an engine.io connection that does not connect to Socket.IO is of no use
MAX_ID_CHARS = 100
RESERVED = (
    "connect",
    "disconnect",
    "*",
)  # events of the library's own, which a client must not be able to raise

Identify = Callable[[Any], str]
"""Return whose connection this is by its `auth`, or raise an AppError."""


class TextPacket(socketio.packet.Packet):  # type: ignore[misc]
    """Goes out as text, without being looked through for bytes. What comes in as binary, the frame filter refuses."""

    uses_binary_events = False


class LeanSocket(AsyncSocket):  # type: ignore[misc]
    """An engine.io socket whose writer waits without a timer a packet: dead sockets are found by their pings."""

    async def poll(self) -> list[Any]:
        """Wait for packets to send; an empty list ends the writer."""
        packets: list[Any] = await self.queue.take()
        return packets


class Server(socketio.AsyncServer):  # type: ignore[misc]
    """A Socket.IO server whose sockets have bounded outboxes, and which closes on nonsense without a traceback."""

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        await super()._handle_eio_connect(eio_sid, environ)
        eio_socket = self.eio.sockets[eio_sid]
        outbox = Outbox()
        outbox.write_frame = environ["asgi.scope"].get("extensions", {}).get(FRAMES)
        while not eio_socket.queue.empty():
            outbox.put_nowait(eio_socket.queue.get_nowait())
        eio_socket.queue = outbox
        eio_socket.__class__ = LeanSocket
        asyncio.get_running_loop().call_later(CONNECT_WITHIN_S, self._close_unconnected, eio_sid)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            logger.debug("a socket sent nonsense and is closed: {}", type(error).__name__)
            await self.end_connection(eio_sid)

    async def end_connection(self, eio_sid: str) -> None:
        """Close a connection from this side: its writer ends after what is queued, whatever the client does."""
        eio_socket = self.eio.sockets.get(eio_sid)
        if eio_socket is not None:
            await self.eio.disconnect(eio_sid)
            eio_socket.queue.put_nowait(None)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        if self.manager.sid_from_eio_sid(eio_sid, namespace or "/") is not None:
            raise ValueError(
                "connected already"
            )  # a second session on one socket would hear everything twice
        await super()._handle_connect(eio_sid, namespace, data)

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:  # noqa: A002
        if not isinstance(data, list) or not data or not isinstance(data[0], str) or data[0] in RESERVED:
            raise ValueError("not an event of a client")
        await super()._handle_event(eio_sid, namespace, id, data)

    def _close_unconnected(self, eio_sid: str) -> None:
        if eio_sid in self.eio.sockets and self.manager.sid_from_eio_sid(eio_sid, "/") is None:
            self.start_background_task(self.end_connection, eio_sid)


class JoinChat(Wire):
    """Payload of `chat.join`."""

    chat_id: Annotated[str, Field(max_length=MAX_ID_CHARS)]
    run_id: Annotated[str, Field(max_length=MAX_ID_CHARS)] | None = None
    after_seq: Annotated[int, Field(ge=0, le=2**53)] | None = None
    messages: Annotated[int, Field(ge=0, le=5000)] | None = None


class LeaveChat(Wire):
    """Payload of `chat.leave`."""

    chat_id: Annotated[str, Field(max_length=MAX_ID_CHARS)]


class Gateway:
    """Handles the events that clients send."""

    def __init__(
        self,
        settings: Settings,
        rooms: Rooms,
        joining: ChatJoining,
        identify: Identify,
        places: SocketPlaces,
    ) -> None:
        self._rooms = rooms
        self._joining = joining
        self._identify = identify
        self._places = places
        self._turns = asyncio.Semaphore(
            AT_ONCE
        )  # who comes back with hundreds of others joins with a few of them
        self.server = Server(
            async_mode="asgi",
            transports=["websocket"],
            cors_allowed_origins=settings.origins,  # never [] nor "*": both let every page in
            max_http_buffer_size=MAX_FRAME_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            serializer=TextPacket,
            namespaces=["/"],
            always_connect=False,
            cookie=None,
            async_handlers=False,  # one socket's events are handled in their order
            http_compression=False,
            logger=False,
            engineio_logger=False,
        )
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("chat.join", self._on_join)
        self.server.on("chat.leave", self._on_leave)
        self.server.on("*", self._unknown)

    async def _connect(self, sid: str, _environ: dict[str, Any], auth: Any = None) -> None:
        try:
            user_id = self._identify(auth)
        except AppError as error:
            raise Refused(error.detail, refusals.app_error(error)) from None
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        outbox = self.server.eio.sockets[eio_sid].queue
        if not self._places.take(user_id):
            detail = "There are too many connections. Close a tab, or try again later."
            raise Refused(detail, refusals.problem(429, "too_many_sockets", detail))

        def let_go() -> None:
            self.server.start_background_task(self.server.end_connection, eio_sid)

        self._rooms.add(Member(sid, user_id, outbox, let_go))

    async def _disconnect(self, sid: str, *_reason: Any) -> None:
        if (member := self._rooms.member(sid)) is not None:
            self._rooms.remove(sid)
            self._places.give_back(member.user_id)

    async def _on_join(self, sid: str, *args: Any) -> dict[str, Any]:
        return await self._answer(self._join, sid, args)

    async def _on_leave(self, sid: str, *args: Any) -> dict[str, Any]:
        return await self._answer(self._leave, sid, args)

    async def _unknown(self, _event: str, _sid: str, *_args: Any) -> dict[str, Any]:
        detail = "There is no such event. Clients send chat.join and chat.leave."
        return {"ok": False, "error": refusals.problem(404, "not_found", detail)}

    async def _answer(
        self,
        handle: Callable[[Member, Any], Awaitable[dict[str, Any]]],
        sid: str,
        args: tuple[Any, ...],
    ) -> dict[str, Any]:
        member = self._rooms.member(sid)
        if member is None:
            return {"ok": False, "error": refusals.problem(401, "unauthorized", "This socket is closed.")}
        try:
            return {"ok": True, **await handle(member, args[0] if len(args) == 1 else None)}
        except ValidationError as error:
            return {"ok": False, "error": refusals.invalid(error)}
        except AppError as error:
            return {"ok": False, "error": refusals.app_error(error)}
        except Exception:  # noqa: BLE001 (the edge: a socket is answered, whatever is wrong with the code)
            logger.exception("unforeseen error in a socket event")
            return {"ok": False, "error": refusals.unforeseen()}

    async def _join(self, member: Member, payload: Any) -> dict[str, Any]:
        asked = JoinChat.model_validate(payload)
        chat_id = _id(asked.chat_id)
        run_id = _id(asked.run_id, missing="") if asked.run_id is not None else None
        async with self._turns:
            joined = await self._joining.join(
                member.user_id,
                chat_id,
                enter=lambda current: self._rooms.enter(member, chat_id, current),
                run_id=run_id,
                after_seq=asked.after_seq,
                messages=asked.messages,
            )
            return _joined(joined)

    async def _leave(self, member: Member, payload: Any) -> dict[str, Any]:
        self._rooms.leave(member, _id(LeaveChat.model_validate(payload).chat_id))
        return {}


def _id(text: str, *, missing: str | None = None) -> str:
    """Return an id in canonical form; a malformed one is an unknown one."""
    try:
        return canonical_id(text)
    except ValueError:
        if missing is not None:
            return missing
        raise chat_not_found() from None


def _joined(joined: Joined) -> dict[str, Any]:
    if joined.events is not None:
        return {"events": [msgspec.to_builtins(event) for event in joined.events]}
    return {
        "chat": joined.chat.model_dump(mode="json") if joined.chat is not None else None,
        "run": joined.run.model_dump(mode="json") if joined.run is not None else None,
    }
