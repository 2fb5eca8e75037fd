"""A drawn few of the sabotages must be noticed, and every one must still have its place. All of them: `run.py`."""

from collections import Counter

import pytest

from app.config import REPOSITORY
from tests.mutants.patches import PATCHES, Patch
from tests.mutants.run import main

DRAWN, SEED = 3, 20261121


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_each_sabotage_has_its_place_and_its_test(patch: Patch) -> None:
    assert (REPOSITORY / "backend" / patch.file).read_text().count(patch.old) == 1
    file, name = patch.test.partition("::")[0], patch.test.rpartition("::")[2]
    assert f"def {name.partition('[')[0]}(" in (REPOSITORY / "backend/tests" / file).read_text()


def test_there_are_enough_of_them() -> None:
    assert len(PATCHES) >= 25
    assert max(Counter(patch.name for patch in PATCHES).values()) == 1


def test_a_drawn_few_are_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--count", str(DRAWN), "--seed", str(SEED)])

    assert code == 0, capsys.readouterr().out
