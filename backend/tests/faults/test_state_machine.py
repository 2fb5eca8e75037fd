"""Everything people and machines do to runs, in any order, on a real backend that is killed, against a model.

More of it: `STATE_MACHINE_EXAMPLES=200 pytest backend/tests/faults/test_state_machine.py`.
"""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fakes.answers import Answer
from tests.faults import laws
from tests.faults.answers import Question
from tests.faults.follower import Door, Follower
from tests.faults.forked_backend import ForkServer
from tests.faults.lane import Lane, lane
from tests.faults.model import Model, ModelRun

if TYPE_CHECKING:
    from tests.fakes.received import Script

CHATS = 2
WORDS = 6
EXAMPLES = int(os.environ.get("STATE_MACHINE_EXAMPLES", "8"))


class Runs(RuleBasedStateMachine):
    """One backend on SQLite and the two chats in it."""

    forking: ClassVar[subprocess.Popen[bytes]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory()
        self.model = Model()
        self.asked: list[Question] = []
        self.scripts: list[Script] = []
        self.second: list[Follower] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 40))

    @initialize()
    def begin(self) -> None:
        server = self.do(self.stack.enter_async_context(ForkServer(self.forking)))
        made = lane(Path(self.folder.name), 1, server, idle_timeout_s=30)
        self.lane: Lane = self.do(self.stack.enter_async_context(made))
        self.chats = [self.lane.id() for _ in range(CHATS)]
        for chat_id in self.chats:
            self.do(self.lane.say("POST", "/api/chats/", {"id": chat_id}))

    # --- what people do ---

    @rule(chat=st.integers(0, CHATS - 1), door=st.sampled_from(["socket", "sse"]))
    def send(self, chat: int, door: Door) -> None:
        if self.model.live_in(chat) is not None:
            return
        for before, run in zip(self.asked, self.model.runs, strict=True):
            if run.chat == chat:
                self.do(before.reader.until_ended())
        number = len(self.asked)
        words = [f"run {number} word {n} " for n in range(WORDS)]
        match = f"question {number}."
        script = Answer(content=words, match=match, gated=True, times=None)
        self.scripts.append(self.lane.engine.script(script))
        asked = Question(
            self.lane, self.chats[chat], str(uuid4()), str(uuid4()), match, self._reader(chat, door)
        )
        asked.reader.run_id = asked.run_id
        self.do(asked.send())
        self.do(self._follow(asked.reader))  # before, the chat's last answer is another run's
        self.asked.append(asked)
        self.model.runs.append(ModelRun(chat, match, words))

    def _reader(self, chat: int, door: Door) -> Follower:
        reader = Follower(self.lane.to_backend.url, self.chats[chat], "", door=door, seed=len(self.asked))
        self.lane.readers.append(reader)
        return reader

    async def _follow(self, reader: Follower) -> None:
        reader.start(self.lane.session)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def resend(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(self.asked))
        answer = self.do(again.send())
        assert answer["run"]["id"] == again.run_id
        assert answer["user_message"]["id"] == again.message_id

    @precondition(lambda self: self._live())
    @rule(data=st.data(), count=st.integers(1, 3))
    def delta(self, data: st.DataObject, count: int) -> None:
        number = data.draw(st.sampled_from(self._live()))
        run = self.model.runs[number]
        before = run.given
        run.given = min(len(run.words), run.given + count)
        self.scripts[number].step(run.given - before)
        if run.is_over:
            self.do(self.asked[number].reader.until_ended())
        else:
            self.do(self.asked[number].reader.until_text(run.words[run.given - 1], 20))

    @precondition(lambda self: self._live())
    @rule(data=st.data(), aware=st.booleans())
    def stop(self, data: st.DataObject, *, aware: bool) -> None:
        number = data.draw(st.sampled_from(self._live()))
        asked, run = self.asked[number], self.model.runs[number]
        body = {"seen_seq": asked.reader.seq} if aware else {}
        answer = self.do(self.lane.say("POST", f"/api/runs/{asked.run_id}/stop", body))
        assert answer["run"]["status"] == "stopped"
        run.stopped = True
        self.do(asked.reader.until_ended())

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def drop_and_rejoin(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.asked)).reader.drop()

    @precondition(lambda self: self._live())
    @rule(data=st.data(), door=st.sampled_from(["socket", "sse"]))
    def second_tab(self, data: st.DataObject, door: Door) -> None:
        number = data.draw(st.sampled_from(self._live()))
        run = self.model.runs[number]
        tab = self._reader(run.chat, door)
        tab.run_id = self.asked[number].run_id
        self.do(self._follow(tab))
        self.second.append(tab)
        if run.given:
            self.do(tab.until_text(run.words[run.given - 1], 20))

    # --- what machines do ---

    @rule()
    def kill_9_and_restart(self) -> None:
        self.do(self.lane.backend.kill())
        self.do(self.lane.backend.start())
        self._cut()

    @rule()
    def network_reset(self) -> None:
        self.lane.to_backend.cut()

    @precondition(lambda self: self._live())
    @rule(clean=st.booleans())
    def engine_reset(self, *, clean: bool) -> None:
        self.lane.to_engine.cut(reset=not clean)
        self._cut()

    def _cut(self) -> None:
        for run in self.model.runs:
            run.cut()

    # --- what must be true ---

    @invariant()
    def no_reader_saw_anything_wrong(self) -> None:
        if hasattr(self, "lane"):
            assert [problem for reader in self.lane.readers for problem in reader.problems] == []

    @invariant()
    def what_is_shown_is_a_beginning_of_what_was_given(self) -> None:
        for asked, run in zip(self.asked, self.model.runs, strict=True):
            assert run.whole.startswith(asked.reader.text["content"])

    def _live(self) -> list[int]:
        return [number for number, run in enumerate(self.model.runs) if not run.is_over]

    def teardown(self) -> None:
        try:
            if hasattr(self, "lane"):
                self._finish()
        finally:
            self.do(self.stack.aclose())
            self.loop.close()
            self.folder.cleanup()

    def _finish(self) -> None:
        for script in self.scripts:
            script.open()
        for number, chat_id in enumerate(self.chats):
            mine = [a for a, r in zip(self.asked, self.model.runs, strict=True) if r.chat == number]
            for asked in mine:
                self.do(asked.reader.until_ended())
            chat = self.do(self.lane.say("GET", f"/api/chats/{chat_id}", direct=True))
            questions = [m["content"] for m in chat["messages"] if m["role"] == "user"]
            assert questions == self.model.questions(number), "every question once, in its order"
            assert chat["active_run"] is None
            by_id = {message["id"]: message for message in chat["messages"]}
            for asked in mine:
                assert asked.reader.ended is not None
                self._check(asked, by_id[asked.reader.ended["id"]])
        for tab in self.second:
            self.do(tab.until_ended())
        self.no_reader_saw_anything_wrong()

    def _check(self, asked: Question, stored: dict[str, Any]) -> None:
        run = self.model.runs[self.asked.index(asked)]
        events = self.do(self.lane.events(asked.run_id))
        assert (laws.broken_by_events(events, stored) if events else []) == []
        assert stored["status"] == ("stopped" if run.stopped else "completed")
        if run.stopped:
            assert run.whole.startswith(stored["content"])
        else:
            assert stored["content"] == run.whole


@pytest.mark.sqlite
@pytest.mark.socketio
def test_any_order_of_everything_agrees_with_the_model(forking: subprocess.Popen[bytes]) -> None:
    Runs.forking = forking
    machine: Any = Runs.TestCase
    machine.settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=14,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # each step is real: shrinking would take minutes
        suppress_health_check=list(HealthCheck),
    )
    machine("runTest").runTest()
