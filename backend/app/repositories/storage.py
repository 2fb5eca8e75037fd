"""The unit of work: short, whole, and never open while a model generates.

Knows the repositories, no query.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar, cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.repositories.chats import ChatRepository
from app.repositories.labels import LabelRepository
from app.repositories.messages import MessageRepository
from app.repositories.presets import PresetRepository
from app.repositories.run_ends import RunEndRepository
from app.repositories.run_starts import RunStartRepository
from app.repositories.run_tokens import RunTokenRepository
from app.repositories.runs import RunRepository
from app.repositories.search import SearchRepository
from app.repositories.thread_session import ThreadSession
from app.repositories.transactions import Transactions
from app.repositories.transfers import TransferRepository

T = TypeVar("T")


class Unit:
    """The repositories over one session: what they change is stored together or not at all."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.chats = ChatRepository(session)
        self.labels = LabelRepository(session)
        self.messages = MessageRepository(session)
        self.runs = RunRepository(session)
        self.run_tokens = RunTokenRepository(session)
        self.search = SearchRepository(session)
        self.presets = PresetRepository(session)
        self.transfers = TransferRepository(session)
        self.starts = RunStartRepository(session)
        self.ends = RunEndRepository(session)

    async def ping(self) -> None:
        """Ask the database for nothing, to see that it answers."""
        await self._session.execute(text("SELECT 1"))


class Storage:
    """Gives units of work.

    Example:
        async with storage.write() as unit:
            await unit.chats.insert(chat)
    """

    def __init__(self, database: Database, temporary: "Storage | None" = None) -> None:
        self._database = database
        self._transactions = Transactions(database) if database.path is not None else None
        self._temporary = temporary

    @property
    def owner(self) -> int | None:
        """The number under which this backend owns live runs, where several share a database."""
        return self._database.owner

    @property
    def temporary(self) -> "Storage":
        """Where temporary chats are kept, which is no disk."""
        assert self._temporary is not None  # noqa: S101 (given by the composition root)
        return self._temporary

    def of(self, id_: str | None) -> "Storage":
        """Return where a chat or a run is kept: here, or in memory when it is, or is of, a temporary chat."""
        return self._temporary if self._temporary is not None and self._temporary.holds(id_) else self

    def holds(self, id_: str | None) -> bool:  # noqa: ARG002 (asked of the one in memory)
        """Return whether a chat or a run was remembered to be kept here."""
        return False

    def hold(self, id_: str) -> None:
        """Remember that a chat or a run is kept here, where that must be remembered."""

    def let_go(self, id_: str) -> None:
        """Forget it."""

    async def is_elsewhere(
        self, place: "Storage", id_: str, find: Callable[[Unit], Awaitable[object | None]]
    ) -> bool:
        """Return whether an id is known where `place` is not, in memory or, as `find` looks for it, in the database.

        What is in memory is known by the ids that it was told to hold.
        """
        if place is self:
            return self.of(id_) is not self
        return await self.look(find) is not None

    @property
    def in_one_thread(self) -> bool:
        """Whether whole transactions go through one thread, one after the other: SQLite."""
        return self._transactions is not None

    async def transaction(self, work: Callable[[Unit], Awaitable[T]], *, urgent: bool = False) -> T:
        """Do the work as one unit, stored when it ends well and forgotten when it raises.

        Much cheaper than `write`, and those that come at the same time are committed together. The work may wait for
        nothing but its unit: on SQLite it is done in the database's thread. Urgent work goes before what waits there.

        Raises:
            Unavailable: as `write`.
        """
        if self._transactions is None:
            async with self.write() as unit:
                return await work(unit)
        done: T = await self._transactions.write(lambda session: work(unit_of(session)), urgent=urgent)
        return done

    async def look(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Do work that only reads, as one unit; much cheaper than `read`, and bound by the rule of `transaction`.

        Raises:
            Unavailable: as `read`.
        """
        if self._transactions is None:
            async with self.read() as unit:
                return await work(unit)
        done: T = await self._transactions.read(lambda session: work(unit_of(session)))
        return done

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Unit]:
        """Give a unit that sees one state of the database; changing through it is a mistake.

        Raises:
            Unavailable: `storage_busy` or `storage_unavailable`.
        """
        async with self._database.read() as session:
            yield Unit(session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Unit]:
        """Give a unit whose changes are stored when the block ends well, and forgotten when it raises.

        On SQLite there is one writer: wait for nothing but the database inside.

        Raises:
            Unavailable: `storage_busy`, `storage_full` or `storage_unavailable`; nothing was stored.
        """
        async with self._database.write() as session:
            yield Unit(session)


def unit_of(session: ThreadSession) -> Unit:
    """Return the repositories over a session whose statements are done at once."""
    return Unit(cast("AsyncSession", session))  # it has the methods that repositories call
