"""A reader that stops reading stays small, holds nobody up, and gets everything when it reads again."""

import asyncio

import pytest
from engineio.packet import MESSAGE, Packet

from app.realtime.outbox import Outbox
from app.realtime.rooms import CREDIT_CHARS, MAX_BACKLOG_CHARS, Member, Rooms
from app.schemas.numbered import Delta, Numbered

RUN, CHAT, USER = "r", "c", "u"


def delta(seq: int, size: int = 1000) -> Delta:
    return Delta(CHAT, RUN, "m", seq, channel="content", text="x" * size)


class Reader:
    """A member whose writer the test plays."""

    def __init__(self, rooms: Rooms, sid: str) -> None:
        self.outbox = Outbox()
        self.gone = False
        self.member = Member(sid, USER, self.outbox, self._let_go)
        rooms.add(self.member)
        rooms.enter(self.member, CHAT)
        self.got: list[str] = []

    def _let_go(self) -> None:
        self.gone = True

    async def read(self) -> int:
        packets = await self.outbox.take()
        self.got.extend(packet.data for packet in packets)
        return len(packets)


@pytest.fixture
def log() -> list[Numbered]:
    return []


@pytest.fixture
def rooms(log: list[Numbered]) -> Rooms:
    rooms = Rooms()
    rooms.replay = lambda run_id, seq: log[seq:] if run_id == RUN else None
    return rooms


def publish(rooms: Rooms, log: list[Numbered], count: int) -> None:
    for _ in range(count):
        log.append(delta(len(log) + 1))
        rooms.run_events(USER, CHAT, log[-1:])


async def test_a_stuck_reader_is_skipped_and_caught_up_without_a_gap(
    rooms: Rooms, log: list[Numbered]
) -> None:
    stuck, quick = Reader(rooms, "stuck"), Reader(rooms, "quick")
    for _ in range(1000):
        publish(rooms, log, 1)
        await quick.read()

    assert stuck.outbox.backlog < CREDIT_CHARS + 2000
    assert len(quick.got) == 1000
    while len(stuck.got) < 1000:
        await stuck.read()
        assert stuck.outbox.backlog < CREDIT_CHARS + 2000
    assert stuck.got == quick.got
    publish(rooms, log, 1)
    await stuck.read()
    assert len(stuck.got) == 1001


async def test_events_that_come_while_it_catches_up_are_neither_lost_nor_sent_twice(
    rooms: Rooms, log: list[Numbered]
) -> None:
    reader = Reader(rooms, "slow")
    publish(rooms, log, 600)
    while len(reader.got) < 1500:
        await reader.read()
        if len(log) < 1500:
            publish(rooms, log, 100)

    seqs = [int(text.split('"seq":')[1].split(",")[0]) for text in reader.got]
    assert seqs == list(range(1, 1501))


async def test_a_reader_whose_events_are_not_kept_is_let_go(rooms: Rooms, log: list[Numbered]) -> None:
    reader = Reader(rooms, "slow")
    publish(rooms, log, 600)
    rooms.replay = lambda _run_id, _seq: None
    reading = asyncio.ensure_future(reader.read())
    await reading
    waiting = asyncio.ensure_future(reader.read())
    await asyncio.wait({waiting}, timeout=0.01)
    waiting.cancel()

    assert reader.gone


async def test_a_reader_that_does_not_even_read_what_happens_to_its_chats_is_let_go(rooms: Rooms) -> None:
    reader = Reader(rooms, "stuck")
    event = {"type": "chat.changed", "chat": {"id": CHAT, "title": "x" * 1000}}
    for _ in range(2000):
        rooms.user_event(USER, event)

    assert reader.gone
    assert reader.outbox.backlog < MAX_BACKLOG_CHARS + 2000


async def test_an_event_is_encoded_once_for_the_whole_room(
    rooms: Rooms, log: list[Numbered], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counted(event: Numbered) -> Packet:
        made.append(event.seq)
        return Packet(MESSAGE, data="x")

    monkeypatch.setattr("app.realtime.rooms.event_packet", counted)
    readers = [Reader(rooms, f"s{number}") for number in range(10)]
    publish(rooms, log, 3)

    assert made == [1, 2, 3]
    assert all(reader.outbox.qsize() == 3 for reader in readers)


async def test_nobody_hears_of_another_users_chat(rooms: Rooms, log: list[Numbered]) -> None:
    reader = Reader(rooms, "mine")
    rooms.run_events("other", CHAT, [delta(1)])
    rooms.user_event("other", {"type": "chat.deleted", "chat_id": CHAT})

    assert reader.outbox.empty()
