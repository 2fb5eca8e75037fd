"""Units of work in memory, for what must never be on a disk: the same schema by the same migrations.

Made with its first use, since most processes never need it; gone with the process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from app.database import Failures, configure_sqlite, to_json
from app.repositories.schema import migrate
from app.repositories.storage import Storage, Unit, unit_of
from app.repositories.thread_session import ThreadSession

T = TypeVar("T")


class MemoryStorage(Storage):
    """A storage whose statements are done at once, on the event loop: nothing of it waits for a disk or a thread."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._engine: Engine | None = None
        self._turn = asyncio.Lock()

    @property
    def owner(self) -> int | None:
        """Nobody shares this."""
        return None

    def of(self, id_: str | None) -> Storage:  # noqa: ARG002 (everything it is asked for is here)
        """Return itself."""
        return self

    def hold(self, id_: str) -> None:
        """Remember that this chat or run is kept here."""
        self._ids.add(id_)

    def let_go(self, id_: str) -> None:
        """Forget it."""
        self._ids.discard(id_)

    def holds(self, id_: str | None) -> bool:
        """Return whether a chat or run is kept here."""
        return id_ in self._ids

    @property
    def in_one_thread(self) -> bool:
        """It is on the event loop."""
        return False

    async def transaction(self, work: Callable[[Unit], Awaitable[T]], *, urgent: bool = False) -> T:  # noqa: ARG002 (nobody waits here)
        """Do the work as one unit. See `Storage`."""
        async with self.write() as unit:
            return await work(unit)

    async def look(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Do work that only reads. See `Storage`."""
        async with self.read() as unit:
            return await work(unit)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Unit]:
        """Give a unit that sees one state. See `Storage`."""
        async with self._session() as session:
            yield unit_of(session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Unit]:
        """Give a unit whose changes are kept when the block ends well. See `Storage`."""
        async with self._session() as session:
            yield unit_of(session)
            session.commit()

    def close(self) -> None:
        """Let go of everything that is kept here."""
        if self._engine is not None:
            self._engine.dispose()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[ThreadSession]:
        async with self._turn:
            if self._engine is None:
                self._engine = await asyncio.to_thread(_made)
            with (
                Failures(),
                Session(self._engine, expire_on_commit=False, autoflush=False) as session,
            ):
                yield ThreadSession(session)


def _made() -> Engine:
    engine = create_engine(
        "sqlite://",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
        json_serializer=to_json,
    )
    configure_sqlite(engine, begin="BEGIN", read_only=False)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
        migrate(connection)
        connection.commit()
    return engine
