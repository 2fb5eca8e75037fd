"""Statements whose rows nobody needs: those of a whole batch are done together, just before its commit.

Knows no table. An FTS index writes what it has gathered at each savepoint, and whenever the number of a row is not above
the last one: told of one start after the other, it wrote a segment for each text.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple


class Late(NamedTuple):
    """A statement about one row of a table."""

    table: str
    row: int
    sql: str
    values: Mapping[str, Any]


def do_late(late: Iterable[Late], connection: sqlite3.Connection) -> None:
    """Do statements, those of each table in the order of their rows; what is about one row stays in its order."""
    ordered = sorted(late, key=lambda each: (each.table, each.row))
    for sql, group in groupby(ordered, key=lambda each: each.sql):
        connection.executemany(sql, [each.values for each in group])
