"""The rows. What may be asked of them is in the repositories."""

from app.models.base import Row
from app.models.chat import ChatRow
from app.models.message import MessageRow
from app.models.preset import PresetRow
from app.models.run import LIVE_STATUSES, RunRow, RunTokensRow

__all__ = ["LIVE_STATUSES", "ChatRow", "MessageRow", "PresetRow", "Row", "RunRow", "RunTokensRow"]
