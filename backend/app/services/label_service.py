"""Use cases on labels: list them. Filing a chat under one is a change of the chat, and chat_service's."""

from app.repositories.labels import Counted
from app.repositories.storage import Storage, Unit
from app.schemas.label import Label, Labels
from app.utils.folding import fold


class LabelService:
    """Folders and tags of a user."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def all(self, user_id: str) -> Labels:
        """Return the labels of the user's chats by name, upper and lower case side by side.

        Archived chats count; deleted ones do not, and temporary ones, which no list shows, are not kept here.
        """

        async def look(unit: Unit) -> tuple[Counted, Counted]:
            return await unit.labels.folders(user_id), await unit.labels.tags(user_id)

        folders, tags = await self._storage.look(look)
        return Labels(folders=_by_name(folders), tags=_by_name(tags))


def _by_name(counted: Counted) -> list[Label]:
    # here, since the databases sort texts each in its own way
    ordered = sorted(counted, key=lambda each: (fold(each[0]), each[0]))
    return [Label(name=name, chats=chats, archived=archived) for name, chats, archived in ordered]
