"""What a sabotage is. Applied to a copy only, by `run.py`."""

from typing import NamedTuple


class Patch(NamedTuple):
    """One line of a file below backend/, what it becomes, and the test below backend/tests/ that must notice."""

    name: str
    file: str
    old: str
    new: str
    test: str
