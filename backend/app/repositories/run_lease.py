"""Whose live runs are, where several backends share a PostgreSQL database: each run goes on in one process alone.

A backend holds an advisory lock under its own number, on the very connection that its journal is written through: when
the process dies the server lets the lock go, and without the lock nothing more can be made safe here.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from loguru import logger
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database, Failures
from app.errors import Unavailable
from app.ports import JournaledRun
from app.repositories.journal_file import known_runs
from app.repositories.journal_past import KEPT_S

LIVE = "status IN ('queued', 'streaming')"
LOOK_EVERY_S = 2.0  # for backends that are gone; one that is gone twice in a row is not just reconnecting
# What was taken over is kept for late readers: its file is then the minute of that, below zero.
MINUTE = "(extract(epoch FROM now())::bigint / 60)::integer"
PUT_ASIDE = f"UPDATE journal_batches SET file = -{MINUTE} WHERE owner = ANY(:dead) AND file > 0"  # noqa: S608 (a constant)
FORGET_PAST = f"DELETE FROM journal_batches WHERE file < 0 AND file > :kept - {MINUTE}"  # noqa: S608 (a constant)
FORGET_EVERY = 30  # looks
LOST = "08003"  # the SQLSTATE of a connection that is none any longer


@dataclass(frozen=True)
class Taken:
    """The runs of backends that are gone, and what their journals know of them."""

    run_ids: frozenset[str] = frozenset()
    known: Mapping[str, JournaledRun] = field(default_factory=dict)
    owners: tuple[int, ...] = ()


class RunLease:
    """The lease of one backend on its runs."""

    def __init__(self, database: Database) -> None:
        self.owner = database.owner
        self._database = database
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()
        self._gone: frozenset[int] = frozenset()
        self.lost: set[str] = set()
        self.live_here: Callable[[], Collection[str]] = tuple
        self.on_lost: Callable[[str], None] = lambda _run_id: None

    async def execute(self, sql: str, **values: Any) -> Sequence[Any]:
        """Run one statement, which is on the disk when this returns; connects again where the connection was lost.

        Raises:
            Unavailable: it could not be done.
        """
        async with self._turn:
            with Failures():
                return await self._execute(sql, values)

    async def take_over(self, only: Collection[int] | None = None) -> Taken:
        """Take the live runs of every backend that is gone. They are to be journaled anew, then `settle` is due.

        Raises:
            Unavailable: the database cannot be used.
        """
        dead = tuple(
            [
                owner
                for owner in await self._others()
                if only is None or owner in only
                if await self._lock(owner)
            ]
        )
        taken = await self.execute(
            f"UPDATE runs SET owner = :me WHERE {LIVE} AND (owner IS NULL OR owner = ANY(:dead)) RETURNING id",  # noqa: S608 (a constant)
            me=self.owner,
            dead=list(dead),
        )
        batches = await self.execute(
            "SELECT records FROM journal_batches WHERE owner = ANY(:dead) AND file > 0 ORDER BY id",
            dead=list(dead),
        )
        known = await asyncio.to_thread(known_runs, [records for (records,) in batches])
        return Taken(frozenset(run_id for (run_id,) in taken), known, dead)

    async def settle(self, taken: Taken) -> None:
        """Put aside the journals of backends whose runs were taken over and journaled anew."""
        await self.execute(PUT_ASIDE, dead=list(taken.owners))
        await self.forget_past()
        for owner in taken.owners:
            await self.execute("SELECT pg_advisory_unlock(:owner)", owner=owner)

    async def forget_past(self) -> None:
        """Forget what was put aside so long ago that nobody may ask for it any more."""
        await self.execute(FORGET_PAST, kept=int(KEPT_S // 60))

    async def newly_gone(self) -> Collection[int]:
        """Return the backends that are gone now and were at the last look; keeps the own connection alive too."""
        gone = set()
        for owner in await self._others():
            if await self._lock(owner):
                await self.execute("SELECT pg_advisory_unlock(:owner)", owner=owner)
                gone.add(owner)
        before, self._gone = self._gone, frozenset(gone)
        return before & gone

    async def close(self) -> None:
        """Let everything go."""
        async with self._turn:
            if self._connection is not None:
                await self._connection.invalidate()  # the lock goes with the server's side of it
                await self._connection.close()
                self._connection = None

    # --- inside ---------------------------------------------------------------------------------------------

    async def _others(self) -> list[int]:
        found = await self.execute(
            f"SELECT owner FROM runs WHERE {LIVE} AND owner IS NOT NULL UNION SELECT owner FROM journal_batches WHERE file > 0"  # noqa: S608 (a constant)
        )
        return sorted(owner for (owner,) in found if owner != self.owner)

    async def _lock(self, owner: int) -> bool:
        ((got,),) = await self.execute("SELECT pg_try_advisory_lock(:owner)", owner=owner)
        return bool(got)

    async def _execute(self, sql: str, values: Mapping[str, Any]) -> Sequence[Any]:
        connection = self._connection or await self._connected()
        try:
            found = await connection.execute(text(sql), values)
            return found.all() if found.returns_rows else ()
        except (DBAPIError, OSError) as error:
            if not isinstance(error, DBAPIError) or error.connection_invalidated:
                self._connection = None
                await connection.close()
            raise

    async def _connected(self) -> AsyncConnection:
        connection = await self._database.writer.connect()
        try:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            # a commit that is told before it is on the disk would show what a crash takes back
            await connection.execute(text("SET synchronous_commit = on"))
            await connection.execute(text("SELECT pg_advisory_lock(:owner)"), {"owner": self.owner})
            query = f"SELECT id FROM runs WHERE {LIVE} AND owner = :owner"  # noqa: S608 (a constant)
            mine = {run_id for (run_id,) in await connection.execute(text(query), {"owner": self.owner})}
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        for run_id in set(self.live_here()) - mine:
            logger.warning("run {}: another backend has taken it over", run_id)
            self.lost.add(run_id)
            self.on_lost(run_id)
        return connection


async def look_after(lease: RunLease, take: Callable[[Taken], Any]) -> None:
    """Take over the runs of backends that die, until cancelled."""
    for number in count(1):
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            if number % FORGET_EVERY == 0:
                await lease.forget_past()
            gone = await lease.newly_gone()
            if gone:
                await take(await lease.take_over(gone))
        except Unavailable as error:
            logger.warning("cannot look after the runs of other backends: {}", error.code)
