"""All SQL about runs. Their events have a home of their own."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Conflict
from app.models import LIVE_STATUSES, RunRow
from app.repositories.plain_sql import PlainSql


class RunRepository:
    """Runs; whose they are is in the row and is asked for by `get`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, user_id: str, run_id: str) -> RunRow | None:
        """Return the user's run, or None."""
        found = await self._session.execute(_OF_USER, {"run_id": run_id, "user_id": user_id})
        return found.scalar_one_or_none()

    async def with_id(self, run_id: str) -> RunRow | None:
        """Return any run with this id, whosever it is: for the run itself and for id conflicts."""
        return await self._session.get(RunRow, run_id)

    async def insert(self, run: RunRow) -> None:
        """Store a new run.

        Raises:
            Conflict: `run_active`: the chat has a run that has not ended; `id_conflict`: the id is taken.
                The unit is lost.
        """
        self._session.add(run)
        try:
            await self._session.flush()
        except IntegrityError as error:
            if is_second_live_run(error):
                raise Conflict("run_active", "This chat has a run that has not ended.") from error
            raise Conflict("id_conflict", "This id is taken.") from error

    async def move(self, run_id: str, *, to: str, by: int | None = None, **values: Any) -> bool:
        """Set the status (and more columns) of a run that has not ended; False when it had, or is not `by`'s.

        This compare-and-set is what makes a run end exactly once.
        """
        sql = PlainSql(self._session)
        kept = sql.kept(RunRow, {"status": to, **values})
        changes = ", ".join(f"{column} = :{column}" for column in kept)
        moved = await sql.rows(
            f"UPDATE runs SET {changes} WHERE id = :run_id"  # noqa: S608 (columns of the model)
            " AND status IN ('queued', 'streaming') AND (owner IS NULL OR owner = :by) RETURNING id",
            kept | {"run_id": run_id, "by": by},
        )
        return bool(moved)

    async def live_in_chat(self, chat_id: str) -> RunRow | None:
        """Return the chat's run that has not ended, or None."""
        found = await self._session.execute(_LIVE_IN_CHAT, {"chat_id": chat_id})
        return found.scalar_one_or_none()

    async def newest_in_chat(self, chat_id: str) -> RunRow | None:
        """Return the chat's newest run, ended or not, or None."""
        query = (
            select(RunRow)
            .where(RunRow.chat_id == chat_id)
            .order_by(RunRow.created_at.desc(), RunRow.id.desc())
        )
        return (await self._session.execute(query.limit(1))).scalar_one_or_none()

    async def of_message(self, message_id: str) -> Sequence[RunRow]:
        """Return the runs into a message, oldest first."""
        query = select(RunRow).where(RunRow.message_id == message_id).order_by(RunRow.created_at, RunRow.id)
        return (await self._session.scalars(query)).all()

    async def live(self, *, but: Collection[str] = ()) -> Sequence[RunRow]:
        """Return every run that has not ended, oldest first, without the ones in `but`."""
        query = select(RunRow).where(RunRow.status.in_(LIVE_STATUSES), RunRow.id.not_in(but))
        return (await self._session.scalars(query.order_by(RunRow.created_at, RunRow.id))).all()


# made once: to make a statement, and the key it is found again by, costs several times what it takes to run
_OF_USER = select(RunRow).where(RunRow.id == bindparam("run_id"), RunRow.user_id == bindparam("user_id"))
_LIVE_IN_CHAT = select(RunRow).where(RunRow.chat_id == bindparam("chat_id"), RunRow.status.in_(LIVE_STATUSES))


def is_second_live_run(error: IntegrityError | sqlite3.IntegrityError) -> bool:
    """Return whether it was the index "one live run a chat" that refused a row, not its id."""
    reason = error.orig if isinstance(error, IntegrityError) else error
    constraint = getattr(getattr(reason, "__cause__", None), "constraint_name", None)
    if constraint is not None:
        return bool(constraint == "uq_runs_live_chat_id")
    return "runs.chat_id" in str(reason)
