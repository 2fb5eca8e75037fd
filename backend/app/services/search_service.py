"""Search over titles and texts of a user's chats, archived ones too.

Every term must stand in the text; where candidates come from is the repository's business.
"""

from collections.abc import Sequence

from app.ports import Clock
from app.repositories.search import BEFORE_ALL, Candidate
from app.repositories.storage import Storage, Unit
from app.schemas.chat import SearchHit, SearchPage
from app.services.conversation import invalid
from app.services.snippet import snippet
from app.services.wire import summary_on_wire
from app.utils.cursor import decode_cursor, encode_cursor
from app.utils.folding import fold

MAX_QUERY_CHARS = 200
BUDGET_S = 2.0  # after it a page ends where it is; its cursor goes on from there


class SearchService:
    """Finds words in a user's chats."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def search(self, user_id: str, query: str, *, limit: int, cursor: str | None) -> SearchPage:
        """Return a page of hits: titles first, then messages, the newest first.

        A page may be short, or empty, and still have a `next_cursor`: then the time for one request was over.

        Raises:
            Invalid: the query is too long, or the cursor none of ours.
        """
        if len(query) > MAX_QUERY_CHARS:
            raise invalid("q", "too_long", f"must have at most {MAX_QUERY_CHARS} characters")
        before = _place(cursor) if cursor is not None else BEFORE_ALL
        terms = list(dict.fromkeys(fold(query).split()))
        if not terms:
            return SearchPage(items=[], next_cursor=None)
        async with self._storage.read() as unit:
            found, go_on_before = await self._collect(unit, user_id, terms, limit=limit, before=before)
            listed = await unit.chats.listed(user_id, list({each.chat_id for each in found}))
        items = [
            SearchHit.model_validate(
                {
                    "chat": summary_on_wire(listed[each.chat_id]),
                    "message_id": each.message_id,
                    "role": each.role,
                    "snippet": snippet(each.text, terms),
                }
            )
            for each in found
        ]
        next_cursor = encode_cursor([go_on_before]) if go_on_before is not None else None
        return SearchPage(items=items, next_cursor=next_cursor)

    async def _collect(
        self, unit: Unit, user_id: str, terms: Sequence[str], *, limit: int, before: int
    ) -> tuple[list[Candidate], int | None]:
        deadline = self._clock.monotonic() + BUDGET_S
        hits: list[Candidate] = []
        go_on: int | None = before
        while go_on is not None and self._clock.monotonic() < deadline:
            batch = await unit.search.candidates(user_id, terms, before=go_on)
            for each in batch.found:
                folded = fold(each.text)
                if all(term in folded for term in terms):
                    hits.append(each)
                    if len(hits) > limit:  # one more than asked for says that there is another page
                        return hits[:limit], hits[limit - 1].number
            go_on = batch.go_on_before
        return hits, go_on


def _place(cursor: str) -> int:
    try:
        (before,) = decode_cursor(cursor)
        number = int(before)
    except ValueError as error:
        raise invalid("cursor", "invalid_cursor", "is not a cursor of this search") from error
    if not 0 <= number <= BEFORE_ALL:
        raise invalid("cursor", "invalid_cursor", "is not a cursor of this search")
    return number
