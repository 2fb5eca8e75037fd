"""The use case of giving chats away as files: one in three formats, or all as JSON, piece by piece.

What the files look like is in export_formats.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.ports import Clock
from app.repositories.storage import Storage
from app.schemas.base import utc_text
from app.schemas.transfer import ExportFormat
from app.services import export_formats
from app.services.chat_service import ChatService
from app.services.conversation import chat_not_found
from app.services.preset_service import preset_on_wire

BATCH = 100


@dataclass(frozen=True)
class ExportedFile:
    """A file: what it is called, what it is, and its text."""

    name: str
    media_type: str
    content: str


class ExportService:
    """Exports."""

    def __init__(self, storage: Storage, clock: Clock, chats: ChatService) -> None:
        self._storage = storage
        self._clock = clock
        self._chats = chats

    async def one(self, user_id: str, chat_id: str, kind: ExportFormat, *, reasoning: bool) -> ExportedFile:
        """Return one chat as a file; of Markdown and HTML only the active path.

        Raises:
            NotFound: `chat_not_found`.
        """
        chat = await self._chats.get(user_id, chat_id)
        name = export_formats.file_name(chat)
        if kind == "json":
            head, tail = self._envelope()
            content = head + export_formats.as_json(chat, reasoning=reasoning) + tail
            return ExportedFile(f"{name}.json", "application/json", content)
        if kind == "markdown":
            content = export_formats.as_markdown(chat, reasoning=reasoning)
            return ExportedFile(f"{name}.md", "text/markdown; charset=utf-8", content)
        return ExportedFile(
            f"{name}.html", "text/html; charset=utf-8", export_formats.as_html(chat, reasoning=reasoning)
        )

    async def all(self, user_id: str, *, reasoning: bool) -> AsyncIterator[str]:
        """Give every chat of the user, then every preset, as one JSON file, a chat at a time.

        Temporary and deleted chats are not in it.
        """
        head, _ = self._envelope()
        yield head
        after, first = "", True
        while True:
            async with self._storage.read() as unit:
                ids = await unit.transfers.ids_after(user_id, after, limit=BATCH)
            for chat_id in ids:
                try:
                    chat = await self._chats.get(user_id, chat_id)
                except type(chat_not_found()):
                    continue  # deleted since
                yield ("" if first else ",\n") + export_formats.as_json(chat, reasoning=reasoning)
                first = False
            if len(ids) < BATCH:
                break
            after = ids[-1]
        async with self._storage.read() as unit:
            presets = [preset_on_wire(row) for row in await unit.presets.all(user_id)]
        yield export_formats.all_tail(presets)

    def _envelope(self) -> tuple[str, str]:
        at = utc_text(self._clock.now())
        head = f'{{"format": "{export_formats.FORMAT}", "version": {export_formats.VERSION}, "exported_at": "{at}", "chats": [\n'
        return head, "\n]}\n"
