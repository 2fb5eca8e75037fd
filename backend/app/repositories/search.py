"""Where in a user's chats pieces of text may stand, newest first. The index is kept by `indexing.py`.

Finds candidates: whoever asks verifies them against their text.
"""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.repositories.indexing import pair_words
from app.repositories.plain_sql import PlainSql
from app.utils.folding import TRIGRAM, cjk_pairs, is_cjk, spellings, trigrams

BEFORE_ALL = 2**63 - 1
CANDIDATES = 100  # at a time: with messages of 100,000 characters still a bounded amount of memory
SCANNED_TERMS = 8  # of a query of nothing but single letters; the others are verified like all
SCANNED = 20_000  # entries that one statement of a scan looks at

TEXT = "CASE WHEN e.message_id IS NULL THEN c.title ELSE m.content END"
SHOWN = f"SELECT e.number, e.chat_id, e.message_id, m.role, {TEXT}"
ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
LIKE_SPECIAL = re.compile(r"[%_\\]")
JOINED = """
    JOIN chats c ON c.id = e.chat_id LEFT JOIN messages m ON m.id = e.message_id
"""
MINE = "c.user_id = :user_id AND c.deleted_at IS NULL"


@dataclass(frozen=True)
class Candidate:
    """A title (no message) or a message, and its text. `number` is its place in the descending order."""

    number: int
    chat_id: str
    message_id: str | None
    role: str | None
    text: str


@dataclass(frozen=True)
class Candidates:
    """Some candidates, and the number before which to go on; None when there are no more."""

    found: Sequence[Candidate]
    go_on_before: int | None


class SearchRepository:
    """Candidates for folded terms among one user's chats, deleted ones left out."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._is_sqlite = PlainSql(session).is_sqlite

    async def candidates(self, user_id: str, terms: Sequence[str], *, before: int = BEFORE_ALL) -> Candidates:
        """Return the next texts that may hold every term: by the index where a term is long enough, else by a scan."""
        long = [term for term in terms if len(term) >= TRIGRAM]
        pairs = [term for term in terms if len(term) < TRIGRAM and len(term) > 1 and is_cjk(term)]
        if not long and not pairs:
            return await self._scan(user_id, terms, before)
        values = {"user_id": user_id, "before": before, "limit": CANDIDATES}
        if self._is_sqlite:
            query, more = self._sqlite(long, pairs)
        else:
            query, more = self._postgresql(long, pairs)
        found = await self._fetch(query, values | more)
        return Candidates(found, found[-1].number if len(found) == CANDIDATES else None)

    def _sqlite(self, long: Sequence[str], pairs: Sequence[str]) -> tuple[str, dict[str, Any]]:
        pieces = sorted({piece for term in long for piece in trigrams(term)})
        words = " ".join(pair_words(term) for term in pairs).split()
        wanted = {"trigrams": " AND ".join(map(_quoted, pieces)), "pairs": " AND ".join(map(_quoted, words))}
        tables = [name for name in ("trigrams", "pairs") if wanted[name]]
        first, others = tables[0], tables[1:]
        joins = "".join(
            f" JOIN search_{name} ON search_{name}.rowid = search_{first}.rowid" for name in others
        )
        matches = " AND ".join(f"search_{name} MATCH :{name}" for name in tables)
        # CROSS JOIN keeps the order of the loops: the index leads, or the limit would come too late
        query = f"""
            {SHOWN} FROM search_{first} {joins} CROSS JOIN search_entries e ON e.number = search_{first}.rowid {JOINED}
            WHERE {matches} AND search_{first}.rowid < :before AND {MINE}
            ORDER BY search_{first}.rowid DESC LIMIT :limit
        """
        return query, {name: wanted[name] for name in tables}

    def _postgresql(self, long: Sequence[str], pairs: Sequence[str]) -> tuple[str, dict[str, Any]]:
        grams = {piece for term in long for piece in trigrams(term)} | {
            p for term in pairs for p in cjk_pairs(term)
        }
        query = f"""
            {SHOWN} FROM search_entries e {JOINED}
            WHERE e.grams @> CAST(:grams AS text[]) AND e.number < :before AND {MINE}
            ORDER BY e.number DESC LIMIT :limit
        """
        return query, {"grams": sorted(grams)}

    async def _scan(self, user_id: str, terms: Sequence[str], before: int) -> Candidates:
        window = (
            "SELECT number FROM search_entries WHERE number < :before ORDER BY number DESC LIMIT :scanned"
        )
        bounds = await self._session.execute(
            text(f"SELECT MIN(number), COUNT(*) FROM ({window}) AS looked_at"),  # noqa: S608 (a constant)
            {"before": before, "scanned": SCANNED},
        )
        lowest, looked_at = bounds.one()
        if not looked_at:
            return Candidates([], None)
        conditions: list[str] = []
        values: dict[str, Any] = {"user_id": user_id, "before": before, "lowest": lowest, "limit": CANDIDATES}
        for number, term in enumerate(terms[:SCANNED_TERMS]):
            condition, more = self._holds(term, f"t{number}")
            conditions.append(condition)
            values |= more
        query = f"""
            {SHOWN} FROM search_entries e {JOINED}
            WHERE e.number < :before AND e.number >= :lowest AND {MINE} AND {" AND ".join(conditions)}
            ORDER BY e.number DESC LIMIT :limit
        """
        found = await self._fetch(query, values)
        if len(found) == CANDIDATES:
            return Candidates(found, found[-1].number)
        return Candidates(found, lowest if looked_at == SCANNED else None)

    def _holds(self, term: str, name: str) -> tuple[str, dict[str, str]]:
        if self._is_sqlite:
            # SQLite's LIKE does not tell ASCII cases apart and looks once; instr would look once for each spelling
            wanted = sorted({each.translate(ASCII_LOWER) for each in spellings(term)})
            test, values = (
                f"{TEXT} LIKE :{{}} ESCAPE '\\'",
                [f"%{LIKE_SPECIAL.sub(_escaped, w)}%" for w in wanted],
            )
        else:
            test, values = f"strpos({TEXT}, :{{}}) > 0", spellings(term)
        names = [f"{name}_{number}" for number in range(len(values))]
        return "(" + " OR ".join(map(test.format, names)) + ")", dict(zip(names, values, strict=True))

    async def _fetch(self, query: str, values: dict[str, Any]) -> list[Candidate]:
        found = await self._session.execute(text(query), values)
        return [Candidate(*row) for row in found]


def _escaped(special: re.Match[str]) -> str:
    return f"\\{special.group()}"


def _quoted(piece: str) -> str:
    """Return a piece as a string of the full-text query language, in which nothing has a meaning."""
    return '"' + piece.replace('"', '""') + '"'
