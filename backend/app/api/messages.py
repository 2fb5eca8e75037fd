"""Routes of messages."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.api.contract import problems, same_again
from app.api.deps import ChatId, IfMatch, MessageId, ServicesDep, UserId
from app.schemas.base import NamedId
from app.schemas.message import CreateMessage, Message, MessagePage, UpdateMessage

router = APIRouter(prefix="/api/chats/{chat_id}/messages", tags=["messages"])


@router.post("", status_code=201, responses=same_again(Message) | problems(404, 409, 413))
async def create_message(
    chat_id: ChatId, request: CreateMessage, response: Response, services: ServicesDep, user_id: UserId
) -> Message:
    """Add a message by hand, without a run. The same request with the same `id` again answers 200."""
    message, created = await services.messages.create(user_id, chat_id, request)
    response.status_code = 201 if created else 200
    return message


@router.get("", responses=problems(404))
async def list_messages(
    chat_id: ChatId,
    services: ServicesDep,
    user_id: UserId,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[NamedId | None, Query(description="A message id: the page ends before it")] = None,
) -> MessagePage:
    """Page through the active path: oldest first within a page, the newest page first."""
    return await services.messages.page(user_id, chat_id, limit=limit, before=before)


@router.put("/{message_id}", responses=problems(404, 409, 412, 413))
async def update_message(
    chat_id: ChatId,
    message_id: MessageId,
    request: UpdateMessage,
    services: ServicesDep,
    user_id: UserId,
    if_match: IfMatch = None,
) -> Message:
    """Change a message in place; what is left out stays."""
    return await services.messages.update(user_id, chat_id, message_id, request, if_match=if_match)


@router.delete("/{message_id}", status_code=204, responses=problems(404, 409))
async def delete_message(
    chat_id: ChatId, message_id: MessageId, services: ServicesDep, user_id: UserId
) -> None:
    """Delete a message with everything below it; a live run in there is stopped first."""
    await services.messages.delete(user_id, chat_id, message_id)
