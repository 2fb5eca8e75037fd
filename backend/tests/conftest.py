"""Fixtures that more than one suite uses: databases, settings, the application as it is served."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import httpx2
import pytest

from app.config import Settings
from app.database import Database
from app.repositories.memory import MemoryStorage
from app.repositories.opening import opened
from app.repositories.storage import Storage
from main import running
from tests.fakes.clock import FakeClock
from tests.fakes.listeners import HeardEvents, StoppableRuns
from tests.fakes.postgresql import Cluster, cluster

BASE_URL = "http://127.0.0.1:8080"
BOTH = [
    pytest.param("sqlite", marks=pytest.mark.sqlite),
    pytest.param("postgresql", marks=pytest.mark.postgresql),
]


async def _migrate(url: str) -> None:
    async with opened(url):
        pass


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A cluster whose database `migrated` has the schema."""
    with cluster() as made:
        asyncio.run(_migrate(made.create("migrated")))
        yield made


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "chat.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


_numbers = count()


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """The URL of an empty SQLite database with the schema."""
    path = tmp_path / "data" / "chat.db"
    path.parent.mkdir(mode=0o700)
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database with the schema: each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    made: Cluster = request.getfixturevalue("postgresql")
    name = f"test_{next(_numbers)}"
    yield made.create(name, template="migrated")
    made.drop(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database."""
    async with opened(database_url) as database:
        yield database


@pytest.fixture
def storage(database: Database) -> Storage:
    """Units of work over the database."""
    return Storage(database, MemoryStorage())


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def events() -> HeardEvents:
    """What the services publish."""
    return HeardEvents()


@pytest.fixture
def live_runs(storage: Storage) -> StoppableRuns:
    """Runs that can be stopped."""
    return StoppableRuns(storage)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a backend of its own; no engine is there."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        models_dir=tmp_path / "models",
        vllm_api_base_url=["http://127.0.0.1:9/v1"],
    )


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A program that talks to the whole application, as `main` wires it."""
    async with running(settings) as whole:
        # an unforeseen error must come back as a 500, as it does over a socket
        transport = httpx2.ASGITransport(app=whole.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            yield client
