"""Our own export: chats as they are on the wire, read as strictly as a request."""

from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from app.schemas.base import StorableObject
from app.schemas.chat import Folder, SystemPrompt, Tag
from app.schemas.message import MessageStatus
from app.schemas.options import MaxTokens, ModelName, Params, Temperature
from app.services.import_formats.values import ReadChat, ReadMessage, fields, items, key, text, time

FORMAT, VERSION = "vllm-chat", 1
LIVE = frozenset({"queued", "streaming"})
# names that scripts trip over; and a run here is not the run there
UNSAFE_KEYS = frozenset({"__proto__", "constructor", "prototype"})
_KINDS: dict[str, TypeAdapter[Any]] = {
    "model": TypeAdapter(ModelName | None),
    "system_prompt": TypeAdapter(SystemPrompt | None),
    "temperature": TypeAdapter(Temperature | None),
    "max_tokens": TypeAdapter(MaxTokens | None),
    "params": TypeAdapter(Params),
    "pinned": TypeAdapter(bool),
    "archived": TypeAdapter(bool),
    "tags": TypeAdapter(list[Tag]),
    "folder": TypeAdapter(Folder | None),
}
_metadata: TypeAdapter[dict[str, Any]] = TypeAdapter(StorableObject)


def is_one(value: dict[str, Any]) -> bool:
    """Return whether a conversation is of this format."""
    return isinstance(value.get("messages"), list) and "active_leaf_id" in value


def read(value: dict[str, Any]) -> ReadChat:
    """Read a chat. A setting that no request could have made is left out."""
    chat = ReadChat(
        title=text(value.get("title")),
        created_at=time(value.get("created_at")),
        updated_at=time(value.get("updated_at")),
        active=key(value.get("active_leaf_id")),
        settings=_settings(value),
    )
    for each in value["messages"]:
        message = fields(each)
        role, status = str(message.get("role")), str(message.get("status"))
        known = status if status in get_args(MessageStatus) else "completed"
        chat.messages.append(
            ReadMessage(
                key=key(message.get("id")) or f"number {len(chat.messages)}",
                parent=key(message.get("parent_id")),
                role=role if role in ("system", "user", "assistant") else "",
                content=text(message.get("content")),
                reasoning=text(message.get("reasoning")),
                model=text(message.get("model")) or None,
                status="interrupted" if known in LIVE else known,  # nobody writes into it any more
                keep=True,
                metadata=_object(message.get("metadata")),
                created_at=time(message.get("created_at")),
                updated_at=time(message.get("updated_at")),
            )
        )
    return chat


def _settings(value: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for field, kind in _KINDS.items():
        try:
            checked = kind.validate_python(value[field], strict=field != "params")
        except (KeyError, ValidationError):
            continue
        found[field] = (
            checked.model_dump(mode="json", exclude_none=True) if isinstance(checked, Params) else checked
        )
    return found


def _object(value: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = _safe(_metadata.validate_python(fields(value)))
    except ValidationError:
        return {}
    found.pop("run_id", None)
    return found


def _safe(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _safe(each) for name, each in value.items() if name not in UNSAFE_KEYS}
    return [_safe(each) for each in items(value)] if isinstance(value, list) else value
