"""Plain SQL with named parameters, past the ORM, for the few paths where each tenth of a millisecond counts.

The same text runs on both databases; how times, JSON and rows are kept is taken from the models. Knows no query.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import JSON, Boolean, TextClause, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import to_json
from app.models import Row
from app.models.base import UtcDateTime
from app.repositories.late_statements import Late
from app.repositories.thread_session import ThreadSession

R = TypeVar("R", bound=Row)
Convert = Callable[[Any], Any]


class _Field(NamedTuple):
    name: str  # in the model
    column: str
    default: Convert | None
    write: Convert | None
    read: Convert | None


class PlainSql:
    """Statements on the connection of a session. Failures come as the session's, or as `sqlite3.Error`."""

    def __init__(self, session: AsyncSession | ThreadSession) -> None:
        self._session = session
        self.is_sqlite = isinstance(session, ThreadSession) or session.get_bind().dialect.name == "sqlite"

    async def rows(self, sql: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run a statement and return its rows, if it has some."""
        if isinstance(self._session, ThreadSession):
            return self._session.plain(sql, values)
        result: Any = await self._session.execute(_text(sql), values)
        return result.all() if result.returns_rows else ()

    async def late(self, what: Late) -> None:
        """Run a statement whose rows nobody needs, at the latest before the commit."""
        if isinstance(self._session, ThreadSession):
            self._session.plain_late(what)
        else:
            await self.rows(what.sql, what.values)

    async def insert(self, *rows: Row) -> None:
        """Store rows of one kind that no session knows."""
        kind = rows[0].plain_of if isinstance(rows[0], _Plain) else type(rows[0])
        fields = _fields(kind, self.is_sqlite)
        values = {}
        for number, row in enumerate(rows):
            given = row.__dict__
            for field in fields:
                value = given.get(field.name)
                if value is None and field.default is not None and field.name not in given:
                    value = field.default(None)
                if field.write is not None and value is not None:
                    value = field.write(value)
                values[f"{field.column}_{number}"] = value
        await self.rows(_insert(kind, len(rows)), values)

    async def one(self, kind: type[R], where: str, values: Mapping[str, Any]) -> R | None:
        """Return a row as `plain_row` makes them, or None."""
        found = await self.rows(f"{_select(kind)} WHERE {where}", values)
        if not found:
            return None
        fields = zip(_fields(kind, self.is_sqlite), found[0], strict=True)
        kept: R = _plain(kind)(
            **{
                field.name: field.read(value) if field.read is not None and value is not None else value
                for field, value in fields
            }
        )
        return kept

    def kept(self, kind: type[Row], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of a model as the database keeps them, by column."""
        kept = {}
        for field in _fields(kind, self.is_sqlite):
            if field.name in values:
                value = values[field.name]
                kept[field.column] = (
                    field.write(value) if field.write is not None and value is not None else value
                )
        return kept

    def time(self, moment: datetime) -> Any:
        """Return an aware time as the database keeps it."""
        return _sqlite_time(moment) if self.is_sqlite else moment


class _Plain(SimpleNamespace):
    plain_of: type[Row]


def plain_row(kind: type[R], **values: Any) -> R:
    """Return something with the attributes of a new row, defaults set, and nothing of the ORM's: only plain SQL keeps it.

    To make a row of the ORM's, and to set what it tracks, costs more than to store it.
    """
    row = _blank(kind) | values
    for name, default in _defaults(kind).items():
        if name not in values:
            row[name] = default(None)
    made: R = _plain(kind)(**row)
    return made


@lru_cache
def _plain(kind: type[R]) -> type[R]:
    return cast("type[R]", type(f"Plain{kind.__name__}", (_Plain,), {"plain_of": kind}))


@lru_cache
def _blank(kind: type[Row]) -> dict[str, Any]:
    return {field.name: None for field in _fields(kind, True)}  # noqa: FBT003


@lru_cache
def _defaults(kind: type[Row]) -> dict[str, Convert]:
    fields = _fields(kind, True)  # noqa: FBT003
    return {field.name: field.default for field in fields if field.default is not None}


_text: Callable[[str], TextClause] = lru_cache(maxsize=256)(text)


@lru_cache
def _fields(kind: type[Row], is_sqlite: bool) -> tuple[_Field, ...]:
    fields = []
    for each in inspect(kind).column_attrs:
        column = each.columns[0]
        write: Convert | None = None
        read: Convert | None = None
        if isinstance(column.type, UtcDateTime):
            write, read = (_sqlite_time, _from_sqlite_time) if is_sqlite else (None, _from_time)
        elif isinstance(column.type, JSON):
            write, read = to_json, json.loads if is_sqlite else None  # asyncpg reads it itself
        elif isinstance(column.type, Boolean):
            read = bool
        default = getattr(column.default, "arg", None)
        fields.append(
            _Field(
                each.key,
                column.name,
                default if default is None or callable(default) else _always(default),
                write,
                read,
            )
        )
    return tuple(fields)


def _always(value: Any) -> Convert:
    return lambda _context: value


@lru_cache
def _insert(kind: type[Row], rows: int) -> str:
    columns = [field.column for field in _fields(kind, True)]  # noqa: FBT003
    names = (", ".join(f":{column}_{number}" for column in columns) for number in range(rows))
    values = ", ".join(f"({each})" for each in names)
    return f"INSERT INTO {kind.__tablename__} ({', '.join(columns)}) VALUES {values}"  # noqa: S608 (of the models)


@lru_cache
def _select(kind: type[Row]) -> str:
    columns = ", ".join(field.column for field in _fields(kind, True))  # noqa: FBT003
    return f"SELECT {columns} FROM {kind.__tablename__}"  # noqa: S608 (of the models)


def _sqlite_time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_sqlite_time(kept: str) -> datetime:
    return datetime.fromisoformat(kept).replace(tzinfo=UTC)


def _from_time(kept: datetime) -> datetime:
    return kept.astimezone(UTC)
