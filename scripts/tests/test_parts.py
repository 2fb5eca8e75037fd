"""What is remembered of a part: the step it is at, and what it said before it ended."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from supervision.guard import group_lives
from supervision.log_file import LogFile
from supervision.part import Part

SOON_S = 20.0


class NoGuard:
    """Nobody is watched: the parts here end by themselves."""

    def watch(self, group: int) -> None:
        """See Guard."""

    def forget(self, group: int) -> None:
        """See Guard."""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def part(tmp_path: Path, said: list[str]) -> Iterator[Callable[[str], Part]]:
    made = []

    def make(script: str) -> Part:
        probe = ("127.0.0.1", 9, "/")
        made.append(Part("vllm", ["bash", "-c", script], probe, tmp_path, said.append, verbose=False))
        return made[-1]

    yield make
    for each in made:
        each.log.close()


def run(part: Part) -> int:
    running = part.run(dict(os.environ), NoGuard())  # type: ignore[arg-type]
    return asyncio.run(asyncio.wait_for(running, SOON_S))


def test_how_far_a_step_is_is_remembered_and_not_said(part: Callable[[str], Part], said: list[str]) -> None:
    one = part("echo '==> downloading it'; echo '... downloading it: 3 of 9 MB'; exit 7")

    assert run(one) == 7

    assert one.last_step == "downloading it: 3 of 9 MB"
    assert said == ["vllm    ==> downloading it"]


def test_a_new_start_is_not_at_the_last_step_of_the_one_before(
    part: Callable[[str], Part], tmp_path: Path
) -> None:
    one = part(f"if mkdir {tmp_path}/once 2>/dev/null; then echo '==> installing it'; fi")

    run(one)
    assert one.last_step == "installing it"
    run(one)

    assert one.last_step == "starting"


def test_a_part_has_ended_when_only_its_children_are_left_and_they_go_with_it(
    part: Callable[[str], Part], tmp_path: Path
) -> None:
    # As vLLM's engine core does when its API process is killed: it lives on, and holds what its parent wrote to.
    family = tmp_path / "family"
    one = part(f"sleep 600 & echo $$ $! >{family}.new; mv {family}.new {family}; wait")

    async def killed() -> int:
        running = asyncio.create_task(one.run(dict(os.environ), NoGuard()))  # type: ignore[arg-type]
        while not family.exists():  # noqa: ASYNC110 (a file tells nobody)
            await asyncio.sleep(0.01)
        os.kill(int(family.read_text().split()[0]), signal.SIGKILL)
        return await running

    assert asyncio.run(asyncio.wait_for(killed(), SOON_S)) == -signal.SIGKILL

    child = int(family.read_text().split()[1])
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_group_of_which_nobody_has_taken_leave_lives_no_more() -> None:
    # In a container whose first process is no init the dead stay in the list for ever.
    one = subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True)
    assert one.stdin
    assert group_lives(one.pid)

    one.stdin.close()
    os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)

    assert not group_lives(one.pid)
    one.wait()
    assert not group_lives(one.pid)


def test_the_end_of_a_log_is_what_was_said_and_no_noise_after_it(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "vllm.log")
    noise = ("nanobind: leaked 3 functions!", ' - leaked function "add"', " - ... skipped remainder")

    for line in ("RuntimeError: engine died", *noise * 10):
        log.write(line)
    log.close()

    assert list(log.tail) == ["RuntimeError: engine died"]
    assert len(log.path.read_text().splitlines()) == 31
