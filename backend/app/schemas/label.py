"""Labels on the wire: the folders and tags that a user's chats are filed under."""

from app.schemas.base import Wire


class Label(Wire):
    """A folder or a tag, and how many chats it holds; of those, how many are archived."""

    name: str
    chats: int
    archived: int


class Labels(Wire):
    """What `GET /api/labels` answers, by name."""

    folders: list[Label]
    tags: list[Label]
