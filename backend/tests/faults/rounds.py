"""One fault round: several answers at once, one fault drawn by the seed, and everything that must be true afterwards.

How many rounds there are, and in how many lanes, is said elsewhere.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults import laws
from tests.faults.faults import FAULTS, SPAN_S, Fault
from tests.faults.follower import Follower, Json
from tests.faults.lane import Lane

RATE = 150.0
MAX_PARTS = 16
WITHIN_S = 45.0
STOPPED_SHARE = 0.15


@dataclass
class Asked:
    """One question of a round and those who read its answer."""

    chat_id: str
    run_id: str
    message_id: str
    question: str
    followers: list[Follower] = field(default_factory=list)


@dataclass
class Tally:
    """What rounds have come to."""

    rounds: int = 0
    runs: int = 0
    characters: int = 0
    continued: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        self.rounds += other.rounds
        self.runs += other.runs
        self.characters += other.characters
        self.continued += other.continued
        self.faults += other.faults
        self.outcomes += other.outcomes
        self.problems += other.problems


class Rounds:
    """Plays rounds on one lane."""

    def __init__(
        self,
        lane: Lane,
        *,
        streams: tuple[int, int] = (2, 4),
        faults: Mapping[str, tuple[Fault, int]] = FAULTS,
    ) -> None:
        self._lane = lane
        self._streams = streams
        self._faults = faults
        self._numbers = itertools.count(1)

    async def play(self, fault: str | None = None) -> Tally:
        """Play one round, with a fault drawn from the seed unless it is named."""
        lane, dice = self._lane, self._lane.dice
        names = list(self._faults)
        fault = fault or dice.choices(names, [self._faults[name][1] for name in names])[0]
        tally = Tally(rounds=1, faults=Counter([fault]))
        number = next(self._numbers)
        lane.engine.reset()
        lane.answers(rate=RATE, parts=MAX_PARTS)
        lane.to_engine.slices = dice.choice([None, None, 3, 50])
        asked = [
            Asked(lane.id(), lane.id(), lane.id(), f"round {number} question {index}")
            for index in range(dice.randint(*self._streams))
        ]
        chats = await asyncio.gather(
            *(lane.say("POST", "/api/chats/", {"id": each.chat_id}) for each in asked)
        )
        assert [chat["id"] for chat in chats] == [each.chat_id for each in asked]
        for each in asked:
            for _ in range(dice.choice([1, 1, 2])):
                self._follow(each)
        followers = [follower for each in asked for follower in each.followers]
        try:
            async with asyncio.timeout(WITHIN_S):
                await asyncio.gather(
                    self._faults[fault][0](lane, followers),
                    *(self._send(each) for each in asked),
                    *(self._stop(each) for each in asked if dice.random() < STOPPED_SHARE),
                )
                await asyncio.gather(*(follower.until_ended(WITHIN_S) for follower in followers))
            for each in asked:
                await self._check(each, tally)
        except (AssertionError, TimeoutError) as error:
            tally.problems.append(f"{type(error).__name__}: {error}\n{lane.backend.log[-3000:]}")
            await self._mend()
        finally:
            for follower in followers:
                await follower.stop()
        tally.problems = [f"round {number} ({fault}): {problem}" for problem in tally.problems]
        return tally

    def _follow(self, each: Asked) -> None:
        door: Any = "sse" if self._lane.dice.random() < 0.4 else "socket"
        follower = Follower(
            self._lane.to_backend.url,
            each.chat_id,
            each.run_id,
            door=door,
            seed=self._lane.dice.getrandbits(32),
        )
        follower.start(self._lane.session)
        each.followers.append(follower)

    async def _send(self, each: Asked) -> None:
        body = {"run_id": each.run_id, "message": {"id": each.message_id, "content": each.question}}
        await self._lane.say("POST", f"/api/chats/{each.chat_id}/runs", body)

    async def _stop(self, each: Asked) -> None:
        await asyncio.sleep(self._lane.dice.uniform(0, SPAN_S))
        reader = each.followers[0]
        await reader.until_seq(1, WITHIN_S)
        body = {"seen_seq": reader.seq} if self._lane.dice.random() < 0.7 else {}
        await self._lane.say("POST", f"/api/runs/{each.run_id}/stop", body)

    async def _check(self, each: Asked, tally: Tally) -> None:
        lane = self._lane
        chat = await lane.say("GET", f"/api/chats/{each.chat_id}", direct=True)
        messages: list[Json] = chat["messages"]
        roles = [(message["role"], message["id"] == each.message_id) for message in messages]
        if roles != [("user", True), ("assistant", False)] or chat["active_run"] is not None:
            tally.problems.append(f"the chat has {roles} and the run {chat['active_run']}")
            return
        stored = messages[-1]
        events = await lane.events(each.run_id)
        found = laws.broken_by_events(events, stored) if events else []
        found += laws.broken_by_requests(lane.requests_of(each.question), stored)
        for reader in each.followers:
            assert reader.ended is not None
            found += reader.problems
            found += laws.broken_by_reader(reader.sent, events, reader.ended, stored)
        allowed = {"completed", "stopped"}
        if stored["status"] not in allowed:
            found.append(f"it came out {stored['status']}: {stored['metadata'].get('error')}")
        tally.runs += 1
        tally.characters += len(stored["content"]) + len(stored["reasoning"])
        tally.continued += stored["metadata"].get("continued", 0)
        tally.outcomes[stored["status"]] += 1
        tally.problems += found

    async def _mend(self) -> None:
        """Bring everything back after a round that failed, so that the next one can be played."""
        lane = self._lane
        lane.to_engine.release()
        lane.to_backend.release()
        await lane.to_engine.accept()
        await lane.backend.kill()
        await lane.backend.start()
