"""Kill -9 against a real vLLM: of the backend, of vLLM's API process, of its engine core, at drawn moments of real answers.

The model is the tiny Qwen3, thinking on. A few rounds here; `python -m e2e.real_crashes --rounds 20` plays as many as asked for.
"""

from collections.abc import Iterator

import pytest

from e2e.real_crashes import VICTIMS, CrashRounds, crash_rounds

pytestmark = pytest.mark.real_vllm
SEED = 20261121


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashRounds]:
    with crash_rounds(tmp_path_factory.mktemp("crashes"), SEED) as made:
        yield made


@pytest.mark.parametrize("victim", ["backend", "engine core"])
def test_a_real_answer_goes_on_after_kill_9(rounds: CrashRounds, victim: str) -> None:
    assert victim in VICTIMS

    played = rounds.play(victim)

    assert played.problems == []
    assert (played.lost, played.doubled, played.ends) == (0, 0, played.answers)
    assert played.in_flight >= 2, "the endless ones are in the middle whenever something is killed"
    assert played.continued >= 2
