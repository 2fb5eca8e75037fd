"""Routes of chats."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.contract import problems, same_again
from app.api.deps import ChatId, IfMatch, ServicesDep, UserId
from app.schemas.base import Text
from app.schemas.chat import MAX_TAG_CHARS, Chat, ChatPage, CreateChat, ForkChat, UpdateChat

router = APIRouter(prefix="/api/chats", tags=["chats"])

MAX_CURSOR_CHARS = 1000
Cursor = Annotated[
    Text | None, Query(max_length=MAX_CURSOR_CHARS, description="`next_cursor` of the page before")
]


@router.post("/", status_code=201, responses=same_again(Chat) | problems(409))
async def create_chat(
    request: CreateChat, response: Response, services: ServicesDep, user_id: UserId
) -> Chat:
    """Make a chat. The same request with the same `id` again answers 200 with the present state."""
    chat, created = await services.chats.create(user_id, request)
    response.status_code = 201 if created else 200
    return chat


@router.get("/")
async def list_chats(
    services: ServicesDep,
    user_id: UserId,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
    archived: bool = False,
    tag: Annotated[Text | None, Query(max_length=MAX_TAG_CHARS)] = None,
    folder: Annotated[Text | None, Query(max_length=MAX_TAG_CHARS)] = None,
) -> ChatPage:
    """List chats: pinned first, then the newest activity first."""
    return await services.chats.page(
        user_id, limit=limit, cursor=cursor, archived=archived, tag=tag, folder=folder
    )


@router.get("/{chat_id}", responses=problems(404))
async def get_chat(
    chat_id: ChatId,
    services: ServicesDep,
    user_id: UserId,
    messages: Annotated[
        int | None,
        Query(ge=0, le=5000, description="The last N of the active path; left out: the whole tree"),
    ] = None,
) -> Chat:
    """Open a chat."""
    return await services.chats.get(user_id, chat_id, last=messages)


@router.put("/{chat_id}", responses=problems(404, 412))
async def update_chat(
    chat_id: ChatId, request: UpdateChat, services: ServicesDep, user_id: UserId, if_match: IfMatch = None
) -> Chat:
    """Change a chat; what is left out stays."""
    return await services.chats.update(user_id, chat_id, request, if_match=if_match)


@router.delete("/{chat_id}", status_code=204, responses=problems(404, 409))
async def delete_chat(chat_id: ChatId, services: ServicesDep, user_id: UserId) -> None:
    """Delete a chat; a live run in it is stopped first. It can be restored for 30 days."""
    await services.chats.delete(user_id, chat_id)


@router.post("/{chat_id}/restore", responses=problems(404))
async def restore_chat(chat_id: ChatId, services: ServicesDep, user_id: UserId) -> Chat:
    """Undo the deletion of a chat."""
    return await services.chats.restore(user_id, chat_id)


@router.post("/{chat_id}/fork", status_code=201, responses=problems(404, 409))
async def fork_chat(chat_id: ChatId, request: ForkChat, services: ServicesDep, user_id: UserId) -> Chat:
    """Make a new chat with a copy of the path up to a message."""
    return await services.forking.fork(user_id, chat_id, request.message_id)


@router.post("/{chat_id}/title", responses=problems(404, 429, 502, 503))
async def title_chat(chat_id: ChatId, services: ServicesDep, user_id: UserId) -> Chat:
    """Ask the model for a title."""
    return await services.titling.title(user_id, chat_id)
