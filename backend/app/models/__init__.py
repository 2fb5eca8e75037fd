"""The rows. What may be asked of them is in the repositories."""

from app.models.base import Row
from app.models.chat import ChatRow
from app.models.message import MessageRow
from app.models.run import LIVE_STATUSES, RunRow

__all__ = ["LIVE_STATUSES", "ChatRow", "MessageRow", "Row", "RunRow"]
