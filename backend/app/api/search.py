"""The route of search. Included before those of chats: `search` is no chat's id."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.api.chats import Cursor
from app.api.deps import ServicesDep, UserId
from app.schemas.base import Text
from app.schemas.chat import SearchPage
from app.services.search_service import MAX_QUERY_CHARS

router = APIRouter(prefix="/api/chats", tags=["chats"])


@router.get("/search")
async def search_chats(
    services: ServicesDep,
    user_id: UserId,
    q: Annotated[Text, Query(max_length=MAX_QUERY_CHARS, description="Words; a hit holds all of them")],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> SearchPage:
    """Search titles and texts, archived chats too, deleted ones never. A hit in a title names no message."""
    return await services.search.search(user_id, q, limit=limit, cursor=cursor)
