"""Who is sent what in which order: open chats at once, others together, nothing overtakes."""

import asyncio
import re
from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from app.realtime.outbox import Outbox, SharedPacket
from app.realtime.rooms import ASIDE_S, Member, Rooms
from app.schemas.numbered import Delta
from app.utils.text_frames import text_frame

CHAT, OTHER, USER = "c", "o", "u"


def changed(chat_id: str, title: str) -> dict[str, Any]:
    return {"type": "chat.changed", "chat": {"id": chat_id, "title": title}}


class Reader:
    """A socket whose network takes frames until it is told not to."""

    made = 0

    def __init__(self, rooms: Rooms) -> None:
        Reader.made += 1
        self.outbox = Outbox()
        self.outbox.write_frame = self._take
        self.takes = True
        self.written: list[bytes] = []
        self.member = Member(f"s{Reader.made}", USER, self.outbox, lambda: None)
        self.queued: list[str] = []
        rooms.add(self.member)
        self.writer = asyncio.create_task(self._write())

    def _take(self, frame: bytes) -> bool:
        if self.takes:
            self.written.append(frame)
        return self.takes

    async def _write(self) -> None:
        while packets := await self.outbox.take():
            self.queued.extend(packet.data for packet in packets)


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


async def a_reader(rooms: Rooms) -> Reader:
    reader = Reader(rooms)
    await asyncio.sleep(0)  # its writer waits now
    return reader


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_is_what_the_library_makes(size: int) -> None:
    text = "字" * (size // 3) + "x" * (size % 3)
    library = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)

    assert text_frame(text) == library
    assert len(text.encode()) == size


def test_a_frame_can_be_read_by_the_library() -> None:
    stream = StreamReader()
    stream.feed_data(text_frame("天气"))
    parsing = Frame.parse(stream.read_exact, mask=False)
    with pytest.raises(StopIteration) as end:
        next(parsing)

    assert end.value.value.data.decode() == "天气"


async def test_what_the_network_does_not_take_is_queued_and_nothing_overtakes_it(rooms: Rooms) -> None:
    reader = await a_reader(rooms)
    rooms.enter(reader.member, CHAT)
    reader.takes = False
    reader.outbox.put_nowait(SharedPacket(b"first"))
    reader.takes = True
    reader.outbox.put_nowait(SharedPacket(b"second"))

    assert reader.written == []
    await asyncio.sleep(0)
    assert reader.queued == ["first", "second"]


async def test_an_open_chat_is_told_at_once_and_another_a_little_later_in_one_write(rooms: Rooms) -> None:
    reader = await a_reader(rooms)
    rooms.enter(reader.member, CHAT)
    rooms.user_event(USER, changed(OTHER, "1"))
    rooms.user_event(USER, changed(OTHER, "2"))
    rooms.user_event(USER, changed(CHAT, "3"))

    assert [b'"3"' in frame for frame in reader.written] == [True]
    async with asyncio.timeout(5):
        while len(reader.written) < 2:  # noqa: ASYNC110 (a timer of the rooms' own)
            await asyncio.sleep(0.001)
    assert reader.written[1].index(b'"1"') < reader.written[1].index(b'"2"')


async def test_what_was_told_at_once_is_not_told_again_to_that_socket_but_to_the_others(rooms: Rooms) -> None:
    here, elsewhere = await a_reader(rooms), await a_reader(rooms)
    rooms.enter(here.member, CHAT)
    rooms.user_event(USER, changed(CHAT, "1"))
    rooms.enter(elsewhere.member, OTHER)  # asks for what waits
    rooms.user_event(USER, changed(CHAT, "2"))
    async with asyncio.timeout(5):
        while len(elsewhere.written) < 2:  # noqa: ASYNC110 (a timer of the rooms' own)
            await asyncio.sleep(0.001)

    for reader in (here, elsewhere):
        assert [(b'"1"' in frame, b'"2"' in frame) for frame in reader.written] == [
            (True, False),
            (False, True),
        ]


@pytest.mark.parametrize("takes", [True, False])
async def test_of_many_packets_each_socket_gets_what_it_has_not_had_in_order(
    rooms: Rooms, *, takes: bool
) -> None:
    readers = [await a_reader(rooms) for _ in range(3)]
    for number, reader in enumerate(readers):
        rooms.enter(reader.member, f"chat {number}")
        reader.takes = takes
    for title in ("a", "b"):
        for number in range(4):
            rooms.user_event(USER, changed(f"chat {number}", f"{title}{number}"))
    for reader in readers:
        rooms.enter(reader.member, OTHER)  # asks for what waits
    await asyncio.sleep(0)

    everything = [f"{title}{number}" for title in "ab" for number in range(4)]
    for number, reader in enumerate(readers):
        mine = [f"a{number}", f"b{number}"]
        told = b"".join(reader.written).decode("latin1") if takes else " ".join(reader.queued)
        heard = re.findall(r'"title":"(..)"', told)
        assert heard == [*mine, *(each for each in everything if each not in mine)]


async def test_who_comes_later_is_told_nothing_of_before(rooms: Rooms) -> None:
    await a_reader(rooms)
    rooms.user_event(USER, changed(CHAT, "before"))
    late = await a_reader(rooms)
    rooms.user_event(USER, changed(CHAT, "after"))
    rooms.enter(late.member, CHAT)

    assert [(b"before" in frame, b"after" in frame) for frame in late.written] == [(False, True)]


async def test_what_waits_goes_before_the_answer_to_joining(rooms: Rooms) -> None:
    """Else a client would take an older state of the chat for a newer one."""
    reader = await a_reader(rooms)
    rooms.user_event(USER, changed(CHAT, "old"))
    rooms.enter(reader.member, CHAT)
    rooms.run_events(USER, CHAT, [Delta(CHAT, "r", "m", 1, channel="content", text="new")])

    assert [b"old" in frame for frame in reader.written] == [True, False]
    assert b"new" in reader.written[1]


async def test_a_socket_that_has_gone_is_sent_nothing_more(rooms: Rooms) -> None:
    reader = await a_reader(rooms)
    rooms.user_event(USER, changed(OTHER, "1"))
    rooms.remove(reader.member.sid)
    later = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(2 * ASIDE_S, later.set_result, None)
    await later

    assert reader.written == []
