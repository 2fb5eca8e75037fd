"""The unit of work: short, whole, and never open while a model generates.

Knows the repositories, no query.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import Database
from app.repositories.chats import ChatRepository
from app.repositories.messages import MessageRepository
from app.repositories.runs import RunRepository
from app.repositories.search import SearchRepository


class Unit:
    """The repositories over one session: what they change is stored together or not at all."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.chats = ChatRepository(session)
        self.messages = MessageRepository(session)
        self.runs = RunRepository(session)
        self.search = SearchRepository(session)

    async def ping(self) -> None:
        """Ask the database for nothing, to see that it answers."""
        await self._session.execute(text("SELECT 1"))


class Storage:
    """Gives units of work.

    Example:
        async with storage.write() as unit:
            await unit.chats.insert(chat)
    """

    def __init__(self, database: Database) -> None:
        self._database = database

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
