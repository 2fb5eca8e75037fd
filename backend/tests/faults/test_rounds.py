"""Rounds of drawn faults against real backends; `bench/faults/rounds.py` plays thousands of them."""

import asyncio

import pytest

from tests.faults.conftest import SEED, NewLane
from tests.faults.rounds import Rounds, Tally

ROUNDS, LANES = 40, 3


@pytest.mark.sqlite
@pytest.mark.socketio
async def test_forty_rounds_lose_nothing_double_nothing_and_end_each_run_once(new_lane: NewLane) -> None:
    lanes = [await new_lane(SEED + number) for number in range(LANES)]
    total = Tally()

    async def play(rounds: Rounds, count: int) -> None:
        for _ in range(count):
            total.add(await rounds.play())

    await asyncio.gather(
        *(play(Rounds(each), ROUNDS // LANES + (n < ROUNDS % LANES)) for n, each in enumerate(lanes))
    )

    assert total.problems == []
    assert total.rounds == ROUNDS
    assert total.continued > 5, "faults that hit nothing show nothing"
