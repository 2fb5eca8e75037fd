"""Who may run, who waits, who is refused."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Conflict, Overloaded
from app.services.admission import Admission, Ticket


def admission(running: int = 2, queued: int = 3, per_user: int | None = None) -> Admission:
    return Admission(running=running, queued=queued, per_user=per_user)


def test_a_storm_gives_exactly_running_queued_and_refused() -> None:
    door, results = admission(8, 16), Counter[str]()

    for number in range(100):
        try:
            ticket = door.admit(f"r{number}", "u", f"c{number}")
        except Overloaded as error:
            results["refused" if error.code == "too_many_runs" and error.retry_after_s else "wrong"] += 1
        else:
            results["running" if ticket.running else "queued"] += 1

    assert results == {"running": 8, "queued": 16, "refused": 76}


def test_a_chat_has_one_run_at_a_time() -> None:
    door = admission()
    first = door.admit("r1", "u", "c")

    with pytest.raises(Conflict) as refused:
        door.admit("r2", "u", "c")

    assert refused.value.code == "run_active"
    door.release(first)
    door.admit("r2", "u", "c")


def test_a_user_has_a_limit_of_his_own_and_others_have_theirs() -> None:
    door = admission(running=8, per_user=2)
    door.admit("r1", "a", "c1")
    door.admit("r2", "a", "c2")

    with pytest.raises(Overloaded) as refused:
        door.admit("r3", "a", "c3")

    assert refused.value.limit == 2
    assert door.admit("r4", "b", "c4").running


def test_users_take_turns_in_the_queue_and_keep_their_own_order() -> None:
    door = admission(running=1, queued=9)
    now = door.admit("first", "a", None)
    for run_id, user_id in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")]:
        door.admit(run_id, user_id, None)
    told = [ticket.run_id for _, ticket in door.queue()]
    assert [door.position(run_id) for run_id in told] == [1, 2, 3, 4, 5, 6]

    turns = []
    while len(door):
        waiting = [ticket for _, ticket in door.queue()]
        door.release(now)
        now = next((ticket for ticket in waiting if ticket.running), now)
        turns.append(now.run_id)

    assert turns[:6] == told == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_leaving_the_queue_moves_the_others_up() -> None:
    door = admission(running=1)
    door.admit("r1", "u", None)
    second, third = door.admit("r2", "u", None), door.admit("r3", "u", None)

    door.release(second)

    assert door.position("r3") == 1
    assert not third.running


Action = tuple[str, int, int]


@given(
    actions=st.lists(st.tuples(st.sampled_from(["admit", "release"]), st.integers(0, 3), st.integers(0, 40))),
    per_user=st.none() | st.integers(1, 4),
)
def test_the_limits_hold_whatever_happens(actions: list[Action], per_user: int | None) -> None:
    door = admission(per_user=per_user)
    held: list[Ticket] = []
    for number, (action, user, pick) in enumerate(actions):
        if action == "admit":
            try:
                held.append(door.admit(f"r{number}", f"u{user}", None))
            except Overloaded:
                mine = sum(ticket.user_id == f"u{user}" for ticket in held)
                assert mine == per_user or len(held) == 5
        elif held:
            door.release(held.pop(pick % len(held)))
        running = [ticket for ticket in held if ticket.running]
        assert len(door) == len(held)
        assert len(running) == min(2, len(held)), "a place stays empty only when nobody waits"
        assert [place for place, _ in door.queue()] == list(range(1, len(held) - len(running) + 1))
