"""Import and export on the wire. The exported file itself is described in docs/api.md."""

from typing import Literal

from app.schemas.base import Wire

ExportFormat = Literal["json", "markdown", "html"]


class Skipped(Wire):
    """What was not imported: its place in the file, counted from 0, presets after the conversations, and why."""

    index: int
    reason: str


class Imported(Wire):
    """What `POST /api/import` answers: how many chats and messages are new, and what was left out."""

    chats: int
    messages: int
    skipped: list[Skipped]
