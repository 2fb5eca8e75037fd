"""All SQL about labels: the folders and tags that chats are filed under. They have no rows of their own."""

from collections.abc import Sequence

from sqlalchemy import String, TableValuedAlias, case, cast, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import ChatRow

Counted = Sequence[tuple[str, int, int]]
"""Each name with its number of chats, and how many of those are archived."""

_IF_ARCHIVED = case((ChatRow.archived, ChatRow.id))


class LabelRepository:
    """Labels of one user at a time, in no order; those of deleted chats are not seen.

    All rows of the user's chats are read, once for each method, which the list's index finds. An index of its own would be
    written with each chat, for what is asked when a menu is opened.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def folders(self, user_id: str) -> Counted:
        """Return the user's folders, each with how many chats are in it, and how many archived ones."""
        query = (
            select(ChatRow.folder, func.count(), func.count(_IF_ARCHIVED))
            .where(ChatRow.user_id == user_id, ChatRow.deleted_at.is_(None))
            .group_by(ChatRow.folder)
        )
        # programs may have set a folder without a name, which is none
        return [
            (name, chats, archived) for name, chats, archived in await self._session.execute(query) if name
        ]

    async def tags(self, user_id: str) -> Counted:
        """Return the user's tags, each with how many chats have it, and how many archived ones."""
        each = each_tag(self._session)
        name = cast(each.c.value, String)
        query = (
            # a chat may have been given a tag twice
            select(name, func.count(ChatRow.id.distinct()), func.count(_IF_ARCHIVED.distinct()))
            .select_from(ChatRow)
            .join(each, true())
            .where(ChatRow.user_id == user_id, ChatRow.deleted_at.is_(None))
            .group_by(name)
        )
        return [(tag, chats, archived) for tag, chats, archived in await self._session.execute(query)]


def each_tag(session: AsyncSession) -> TableValuedAlias:
    """Return the tags of a chat's row as rows with a `value`, in the words of the session's database."""
    elements = (
        func.json_each(ChatRow.tags)
        if session.get_bind().dialect.name == "sqlite"
        else func.json_array_elements_text(ChatRow.tags)
    )
    return elements.table_valued("value").alias("each_tag")
