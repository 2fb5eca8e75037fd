"""Who hears what: the sockets of each user and of each chat, and the one way facts go down to them.

A packet is encoded once and put into each socket's outbox without a task. Knows no handler and reads no frame.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.errors import Overloaded
from app.realtime.aside import Aside
from app.realtime.outbox import Outbox, SharedPacket
from app.schemas.numbered import Delta, Ended, Numbered, Queued, Started, to_json

CREDIT_CHARS = 256 * 1024  # a socket this far behind gets no more events until it has read what it has
MAX_BACKLOG_CHARS = 1024 * 1024  # one that does not even read what happens to its chats is let go
MAX_ROOMS = 64
ASIDE_S = 0.25  # what happens in chats that a socket has not open waits so long, and goes together

Replay = Callable[[str, int], Sequence[Numbered] | None]
"""Return the visible events of a run after a number, or None when they are not kept."""


@dataclass(eq=False)
class Member:
    """One socket of a user.

    `behind` holds, for runs it could not be sent all of, the last number it was sent; `aside_seen` counts how much
    it has, or never needs, of what its user's sockets are told later.
    """

    sid: str
    user_id: str
    outbox: Outbox
    let_go: Callable[[], None]
    chats: set[str] = field(default_factory=set)
    behind: dict[str, int] = field(default_factory=dict)
    aside_seen: int = 0


_HEADS: dict[type[Numbered], bytes] = {
    kind: f'2["{kind.__struct_config__.tag}",'.encode() for kind in (Queued, Started, Delta, Ended)
}


def event_packet(event: Numbered) -> SharedPacket:
    """Return the packet of a numbered event, encoded once for every socket."""
    return SharedPacket(_HEADS[type(event)] + to_json(event) + b"]")


def user_packet(event: dict[str, Any]) -> SharedPacket:
    """Return the packet of an unnumbered event."""
    return SharedPacket(b"2" + msgspec.json.encode([event["type"], event]))


class Rooms:
    """The connected sockets. Implements `ports.EventSink`."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._by_user: dict[str, set[Member]] = {}
        self._by_chat: dict[str, set[Member]] = {}
        self._aside: dict[str, Aside] = {}
        self._aside_timer: asyncio.TimerHandle | None = None
        self.replay: Replay = lambda _run_id, _seq: None

    def __len__(self) -> int:
        return len(self._members)

    def member(self, sid: str) -> Member | None:
        """Return a connected socket, or None."""
        return self._members.get(sid)

    def add(self, member: Member) -> None:
        """Let a socket hear of its user's chats."""
        self._members[member.sid] = member
        self._by_user.setdefault(member.user_id, set()).add(member)
        member.aside_seen = len(self._aside.get(member.user_id, ()))
        member.outbox.on_drained = lambda: self._catch_up(member)

    def remove(self, sid: str) -> None:
        """Forget a socket."""
        member = self._members.pop(sid, None)
        if member is None:
            return
        member.outbox.on_drained = None
        _discard(self._by_user, member.user_id, member)
        for chat_id in member.chats:
            _discard(self._by_chat, chat_id, member)

    def enter(self, member: Member, chat_id: str, run_id: str | None = None) -> None:
        """Let a socket hear a chat from this moment on. What it missed before comes with the answer to its joining.

        Raises:
            Overloaded: it is in too many chats.
        """
        if chat_id not in member.chats and len(member.chats) >= MAX_ROOMS:
            raise Overloaded(
                "too_many_requests", f"A socket can be in at most {MAX_ROOMS} chats.", limit=MAX_ROOMS
            )
        if member.sid not in self._members:
            return  # gone while its chat was read
        self._send_aside(member)  # what is older than the answer to its joining goes before it
        member.chats.add(chat_id)
        self._by_chat.setdefault(chat_id, set()).add(member)
        if run_id is not None:
            member.behind.pop(run_id, None)

    def leave(self, member: Member, chat_id: str) -> None:
        """Let a socket hear a chat no longer."""
        member.chats.discard(chat_id)
        _discard(self._by_chat, chat_id, member)

    def run_events(self, user_id: str, chat_id: str | None, events: Sequence[Numbered]) -> None:
        """Send numbered events to everybody who has the chat open; one who is behind gets them when it has read."""
        members = self._by_chat.get(chat_id) if chat_id is not None else None
        if not members or not events:
            return
        run_id = events[0].run_id
        packets: list[SharedPacket] | None = None
        for member in members:
            if run_id in member.behind or member.user_id != user_id:
                continue
            if member.outbox.backlog > CREDIT_CHARS:
                member.behind[run_id] = events[0].seq - 1
                continue
            packets = packets or [event_packet(event) for event in events]
            for packet in packets:
                member.outbox.put_nowait(packet)

    def user_event(self, user_id: str, event: dict[str, Any]) -> None:
        """Send an unnumbered event to every socket of the user: at once to those that have its chat open."""
        if user_id not in self._by_user:
            return
        packet, chat_id = user_packet(event), _chat_of(event)
        open_in = self._by_chat.get(chat_id, ()) if chat_id is not None else ()
        told = frozenset(member for member in open_in if member.user_id == user_id)
        for member in told:
            if self._keeps_up(member):
                member.outbox.put_nowait(packet)
                if event["type"] == "chat.deleted":
                    self.leave(member, event["chat_id"])
        if len(told) < len(self._by_user[user_id]):
            self._aside.setdefault(user_id, Aside()).add(packet, told)
            if self._aside_timer is None:
                # not in the way of who waits for this very chat
                self._aside_timer = asyncio.get_running_loop().call_later(ASIDE_S, self._send_all_aside)

    def _send_all_aside(self) -> None:
        self._aside_timer = None
        for user_id in tuple(self._aside):
            members = self._by_user.get(user_id, ())
            for member in tuple(members):
                self._send_aside(member)
            del self._aside[user_id]
            for member in members:
                member.aside_seen = 0

    def _send_aside(self, member: Member) -> None:
        aside = self._aside.get(member.user_id)
        if aside is None:
            return
        seen, member.aside_seen = member.aside_seen, len(aside)
        frames = aside.frames(member, seen)
        if not frames or member.sid not in self._members or not self._keeps_up(member):
            return
        if not member.outbox.write(frames):
            for packet in aside.packets(member, seen):
                member.outbox.put_nowait(packet)

    def _keeps_up(self, member: Member) -> bool:
        """Return whether a socket reads what it is sent; one that does not is let go."""
        if member.outbox.backlog <= MAX_BACKLOG_CHARS:
            return True
        member.let_go()
        return False

    def _catch_up(self, member: Member) -> None:
        for run_id, seq in tuple(member.behind.items()):
            missed = self.replay(run_id, seq)
            del member.behind[run_id]
            if missed is None:
                member.let_go()  # it will connect again and take the snapshot
                return
            for event in missed:
                if event.chat_id not in member.chats:
                    break
                if member.outbox.backlog > CREDIT_CHARS:
                    member.behind[run_id] = event.seq - 1
                    return
                member.outbox.put_nowait(event_packet(event))


def _chat_of(event: dict[str, Any]) -> str | None:
    """Return the chat that an unnumbered event is about; None: none."""
    if "chat" in event:
        found: str = event["chat"]["id"]
        return found
    return event["message"]["chat_id"] if "message" in event else event.get("chat_id")


def _discard(groups: dict[str, set[Member]], key: str, member: Member) -> None:
    group = groups.get(key)
    if group is None:
        return
    group.discard(member)
    if not group:
        del groups[key]
