"""Fixtures of the fault tests: the process that forks backends, lanes, and a served backend in this process."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import BOTH
from tests.faults.forked_backend import ForkServer, end, fork_server
from tests.faults.lane import Lane, lane
from tests.served.fixtures import backend, engine, live_settings, overrides

if TYPE_CHECKING:
    from tests.fakes.postgresql import Cluster

__all__ = ["backend", "engine", "live_settings", "overrides"]

SEED = 20261121
NewLane = Callable[..., Awaitable[Lane]]
_numbers = count()


@pytest.fixture(scope="session")
def forking() -> Iterator[subprocess.Popen[bytes]]:
    """The process that forks backends, one for all tests: it takes seconds to start."""
    process = fork_server()
    yield process
    end(process)


@pytest.fixture
async def server(forking: subprocess.Popen[bytes]) -> AsyncIterator[ForkServer]:
    """Forks backends; those of a test end with it."""
    async with ForkServer(forking) as server:
        yield server


@pytest.fixture
async def new_lane(server: ForkServer, tmp_path: Path, migrated_sqlite: Path) -> AsyncIterator[NewLane]:
    """Make a lane, with further settings of its backend."""
    async with AsyncExitStack() as stack:

        async def make(seed: int = SEED, **settings: Any) -> Lane:
            folder = tmp_path / f"lane{next(_numbers)}"
            folder.mkdir()
            shutil.copy(migrated_sqlite, folder / "chat.db")
            return await stack.enter_async_context(lane(folder, seed, server, **settings))

        yield make


@pytest.fixture(params=BOTH)
def either(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The settings that name the database: none for SQLite in the backend's own folder, or an empty one on PostgreSQL."""
    if request.param == "sqlite":
        yield {}
        return
    made: Cluster = request.getfixturevalue("postgresql")
    name = f"fault_{next(_numbers)}"
    yield {"database_url": made.create(name, template="migrated")}
    made.drop(name)
