"""What the sockets of one user are told a little later, all at once: packets, and who was told each at once.

Sends nothing. With many sockets and many chats each socket lacks nearly all of it: what they have in common is put
together once, and cut where a socket has a packet already.
"""

from collections.abc import Collection, Hashable
from itertools import accumulate

from app.realtime.outbox import SharedPacket


class Aside:
    """Packets in their order, and the numbers of those that somebody has had."""

    def __init__(self) -> None:
        self._packets: list[SharedPacket] = []
        self._told: dict[Hashable, list[int]] = {}
        self._joined: tuple[memoryview, list[int]] | None = None

    def __len__(self) -> int:
        return len(self._packets)

    def add(self, packet: SharedPacket, told: Collection[Hashable]) -> None:
        """Put a packet aside, for all but these."""
        for who in told:
            self._told.setdefault(who, []).append(len(self._packets))
        self._packets.append(packet)
        self._joined = None

    def packets(self, who: Hashable, seen: int) -> list[SharedPacket]:
        """Return what somebody lacks who has had the first `seen` ones."""
        told = self._told.get(who, ())
        return [
            packet for number, packet in enumerate(self._packets) if number >= seen and number not in told
        ]

    def frames(self, who: Hashable, seen: int) -> bytes:
        """Return the frames of the same packets, as one."""
        if self._joined is None:
            frames = [packet.frame for packet in self._packets]
            self._joined = memoryview(b"".join(frames)), list(accumulate(map(len, frames), initial=0))
        whole, begins = self._joined
        parts, begin = [], begins[seen]
        for number in self._told.get(who, ()):
            if number >= seen:
                parts.append(whole[begin : begins[number]])
                begin = begins[number + 1]
        return b"".join((*parts, whole[begin:]))
