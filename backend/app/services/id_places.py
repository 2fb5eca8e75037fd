"""Ids that clients choose: one means one thing, be it in the database or in memory with a temporary chat.

Within either of them whoever stores a thing looks for itself.
"""

from app.errors import Conflict
from app.repositories.storage import Storage


def message_key(message_id: str) -> str:
    """Return the name under which a message is held; chats and runs are held under their bare ids."""
    return f"message {message_id}"


async def check_run_is_new(storage: Storage, place: Storage, run_id: str) -> None:
    """Refuse the id of a run of the other kind of chat, temporary or not.

    Raises:
        Conflict: `id_conflict`.
    """
    if await storage.is_elsewhere(place, run_id, lambda unit: unit.runs.with_id(run_id)):
        raise Conflict("id_conflict", "Another run has this id.")


async def check_message_is_new(storage: Storage, place: Storage, message_id: str) -> None:
    """Refuse the id of a message in the other kind of chat.

    Raises:
        Conflict: `id_conflict`.
    """
    key = message_key(message_id)
    if await storage.is_elsewhere(place, key, lambda unit: unit.messages.with_id(message_id)):
        raise Conflict("id_conflict", "Another message has this id.")
