"""A session that is done in the thread it is used in: what repositories call of `AsyncSession`, and plain SQL.

Knows no query, begins nothing and commits nothing.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.repositories.late_statements import Late


class ThreadSession:
    """The methods of `AsyncSession` that repositories call, over a connection of this very thread: none of them waits.

    The ORM's session is made when it is asked for: plain SQL needs none. With `late` it puts those of no haste there.
    """

    def __init__(self, bind: Connection | Session, late: list[Late] | None = None) -> None:
        self._bind = bind
        self._late = late
        self._raw: sqlite3.Connection | None = None
        self._session = bind if isinstance(bind, Session) else None

    def __getattr__(self, name: str) -> Any:
        """Give what is not asynchronous in an `AsyncSession` either: `add`, `new`, `dirty`, `get_bind`."""
        return getattr(self.session, name)

    @property
    def session(self) -> Session:
        """The ORM's session on this connection."""
        if self._session is None:
            assert isinstance(self._bind, Connection)  # noqa: S101 (else it was there from the beginning)
            self._session = Session(
                bind=self._bind,
                expire_on_commit=False,
                autoflush=False,
                join_transaction_mode="create_savepoint",
            )
        return self._session

    def plain(self, sql: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run plain SQL and return its rows."""
        if self._raw is None:
            bind = self._bind.connection() if isinstance(self._bind, Session) else self._bind
            self._raw = raw_connection(bind)
        rows: list[Sequence[Any]] = self._raw.execute(sql, values).fetchall()
        return rows

    def plain_late(self, what: Late) -> None:
        """Run plain SQL whose rows nobody needs, before the commit, or now where nobody commits for many."""
        if self._late is None:
            self.plain(what.sql, what.values)
        else:
            self._late.append(what)

    def end(self, *, well: bool) -> None:
        """Send the ORM's changes, or drop them."""
        if self._session is None:
            return
        try:
            if well:
                self._session.commit()
        finally:
            self._session.close()

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement."""
        return self.session.execute(*args, **kwargs)

    async def scalar(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement and return its first value."""
        return self.session.scalar(*args, **kwargs)

    async def scalars(self, *args: Any, **kwargs: Any) -> Any:
        """Execute a statement and return its first column."""
        return self.session.scalars(*args, **kwargs)

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        """Return a row by its key."""
        return self.session.get(*args, **kwargs)

    async def flush(self) -> None:
        """Send what was set on rows."""
        self.session.flush()


def raw_connection(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)
