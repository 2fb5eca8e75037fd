"""The log of a run: what is merged, when it is numbered, and who sees it when."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Unavailable
from app.ports import JournaledLog
from app.schemas.numbered import Delta, Ended, Numbered
from app.services.run_log import MIN_INTERVAL_S, RunLog

IDS = {"user_id": "u", "chat_id": "c", "run_id": "r", "message_id": "m"}


class HeldJournal:
    """Makes nothing safe until it is told to."""

    def __init__(self, *, at_once: bool = False) -> None:
        self.at_once = at_once
        self.added: list[tuple[JournaledLog, Numbered, tuple[int, ...]]] = []
        self.committed = 0

    def add(self, log: JournaledLog, event: Numbered, token_ids: Sequence[int]) -> None:
        self.added.append((log, event, tuple(token_ids)))
        if self.at_once:
            self.commit(1)

    def prompt(self, *_: object) -> None:
        raise AssertionError("not used here")

    def commit(self, count: int) -> None:
        batch = self.added[self.committed : self.committed + count]
        self.committed += len(batch)
        for log, event, _ in batch:
            log.durable(event.seq)


class Sink:
    """Remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[Numbered] = []

    def run_events(self, _user_id: str, _chat_id: str | None, events: Sequence[Numbered]) -> None:
        self.sent.extend(events)

    def user_event(self, *_: object) -> None:
        raise AssertionError("a log knows no such event")


def made(*, at_once: bool = True, now: Callable[[], float] = lambda: 0.0) -> tuple[RunLog, HeldJournal, Sink]:
    journal, sink = HeldJournal(at_once=at_once), Sink()
    return RunLog(**IDS, journal=journal, sink=sink, monotonic=now), journal, sink


def deltas(events: Sequence[Numbered]) -> list[tuple[str, str]]:
    return [(event.channel, event.text) for event in events if isinstance(event, Delta)]


class Time:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_the_first_delta_goes_out_at_once() -> None:
    log, _, sink = made(now=lambda: 100.0)

    log.write("content", "H")

    assert deltas(sink.sent) == [("content", "H")]


async def test_text_that_follows_within_the_interval_is_one_delta() -> None:
    time = Time()
    log, _, sink = made(now=time)
    time.now = 1.0
    log.write("content", "a")
    time.now += MIN_INTERVAL_S / 4
    log.write("content", "b")
    log.write("content", "c")
    assert deltas(sink.sent) == [("content", "a")]
    time.now = 1.0 + MIN_INTERVAL_S

    log.write("content", "d")

    assert deltas(sink.sent) == [("content", "a"), ("content", "bcd")]


async def test_text_held_back_goes_out_by_itself() -> None:
    loop = asyncio.get_running_loop()
    log, _, sink = made(now=loop.time)
    log.write("content", "a")
    log.write("content", "b")

    async with asyncio.timeout(5):
        async for _ in log.follow(1):
            break

    assert deltas(sink.sent) == [("content", "a"), ("content", "b")]


async def test_channels_are_never_merged() -> None:
    log, _, sink = made()
    log.write("reasoning", "a")
    log.write("reasoning", "b")
    log.write("content", "c")
    await log.settled()

    assert deltas(sink.sent) == [("reasoning", "a"), ("reasoning", "b"), ("content", "c")]


async def test_a_snapshot_numbers_the_unmerged_tail_so_that_no_delta_repeats_it() -> None:
    log, _, sink = made()
    log.write("content", "a")
    log.write("content", "b")

    seen = log.snapshot()

    assert (seen.content, seen.seq) == ("ab", 2)
    log.write("content", "c")
    await log.settled()
    assert deltas(log.events_after(seen.seq)) == [("content", "c")]
    assert [event.seq for event in sink.sent] == [1, 2, 3]


async def test_nothing_is_seen_before_it_is_safe() -> None:
    log, journal, sink = made(at_once=False)
    log.started(model="m", parent_id=None, continued=0, continues=None)
    log.write("content", "secret")
    following = asyncio.ensure_future(anext(log.follow(0)))

    seen = log.snapshot()

    assert (seen.seq, seen.content, log.seq) == (0, "", 0)
    assert list(log.events_after(0)) == []
    assert sink.sent == []
    await asyncio.wait({following}, timeout=0.01)
    assert not following.done()
    journal.commit(2)
    assert [event.seq for event in await following] == [1, 2]
    assert log.snapshot().content == "secret"


async def test_tokens_without_text_go_with_the_next_text() -> None:
    log, journal, _ = made()
    log.write("reasoning", "hm", (1, 2))
    log.write("reasoning", "", (151668,))
    log.write("content", "so", (3,))
    await log.settled()

    assert [(ids, event.seq) for _, event, ids in journal.added] == [((1, 2), 1), ((151668, 3), 2)]


async def test_what_cannot_be_made_safe_is_given_up_at_the_end_and_no_number_is_missing() -> None:
    log, journal, sink = made(at_once=False)
    log.write("content", "kept")
    journal.commit(1)
    log.write("content", "lost")
    log.snapshot()
    log.undurable(Unavailable("storage_full", "full"))
    with pytest.raises(Unavailable):
        await log.settled()

    log.end(outcome="interrupted", text_seq=1, message={})

    assert [event.seq for event in sink.sent] == [1, 2]
    assert log.text(log.seq) == ("", "kept")
    assert isinstance(sink.sent[-1], Ended)


Step = tuple[str, Any]
steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("write"), st.tuples(st.sampled_from(["content", "reasoning"]), st.text(max_size=3))
        ),
        st.tuples(st.just("queued"), st.integers(1, 9)),
        st.tuples(st.just("time"), st.floats(0, 0.02)),
        st.tuples(st.just("commit"), st.integers(1, 4)),
        st.tuples(st.just("join"), st.none()),
        st.tuples(st.just("drop_tail"), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=400, deadline=None)
@given(steps=steps, at_once=st.booleans())
def test_laws_1_and_2_hold_for_every_order_of_things(steps: list[Step], *, at_once: bool) -> None:
    """Numbers without a hole; snapshot + what comes after = everything; the text is the sum of its deltas."""
    asyncio.run(_laws(steps, at_once=at_once))


async def _laws(steps: list[Step], *, at_once: bool) -> None:
    time = Time()
    log, journal, sink = made(at_once=at_once, now=time)
    joined: list[tuple[int, str, str]] = []
    for name, value in steps:
        if name == "write":
            log.write(*value)
        elif name == "queued":
            log.queued(value, "capacity")
        elif name == "time":
            time.now += value
        elif name == "commit":
            journal.commit(value)
        elif name == "drop_tail":
            log.drop_tail()
        else:
            seen = log.snapshot()
            joined.append((seen.seq, seen.content, seen.reasoning))
    log.drop_tail()
    journal.commit(len(journal.added))
    reasoning, content = log.text(log.seq)
    log.end(outcome="completed", text_seq=log.seq, message={})

    everything = list(log.events_after(0))
    assert [event.seq for event in everything] == list(range(1, len(everything) + 1))
    assert everything == sink.sent
    assert sum(isinstance(event, Ended) for event in everything) == 1
    assert all(text for _, text in deltas(everything))
    told = {"content": "", "reasoning": ""}
    for channel, text in deltas(everything):
        told[channel] += text
    assert told == {"content": content, "reasoning": reasoning}
    for seq, seen_content, seen_reasoning in joined:
        after = {"content": seen_content, "reasoning": seen_reasoning}
        for channel, text in deltas(log.events_after(seq)):
            after[channel] += text
        assert after == told
