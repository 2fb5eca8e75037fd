"""The route of labels: the folders and tags of a user's chats."""

from fastapi import APIRouter

from app.api.deps import ServicesDep, UserId
from app.schemas.label import Labels

router = APIRouter(tags=["chats"])


@router.get("/api/labels")
async def list_labels(services: ServicesDep, user_id: UserId) -> Labels:
    """List the folders and tags by name, each with its number of chats, and how many of those are archived.

    Deleted and temporary chats never count.
    """
    return await services.labels.all(user_id)
