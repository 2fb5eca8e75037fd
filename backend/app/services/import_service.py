"""The use case of taking in the chats and presets of a file, all of them or, when something breaks, none; nothing twice."""

import asyncio
from typing import Any

import msgspec

from app.errors import FieldProblem, Invalid
from app.models import ChatRow, MessageRow
from app.ports import Clock, EventSink
from app.repositories.storage import Storage, Unit
from app.schemas.transfer import Imported, Skipped
from app.services.chat_creation import MAX_CHATS_PER_USER
from app.services.conversation import summary_of, tell_chat_changed
from app.services.import_formats import chatgpt, claude, librechat, open_webui, ours
from app.services.import_formats.values import ReadChat, Unreadable
from app.services.import_presets import presets_in, store_presets
from app.services.import_tree import rows

FORMATS = (ours, chatgpt, claude, open_webui, librechat)
MAX_CONVERSATIONS = 20_000
TOLD = 200  # chats that other clients hear of; with more they had better ask for the list
ALREADY_HERE = "it is here already"


class ImportService:
    """Imports."""

    def __init__(self, storage: Storage, clock: Clock, events: EventSink) -> None:
        self._storage = storage
        self._clock = clock
        self._events = events

    async def take_in(self, user_id: str, body: bytes) -> Imported:
        """Import a file and say what became of each conversation in it.

        Raises:
            Invalid: `import_not_recognised`: it is no export that is known here.
        """
        found = await asyncio.to_thread(conversations, body)
        presets = await asyncio.to_thread(presets_in, body)
        taken: list[tuple[int, ChatRow, list[MessageRow]]] = []
        skipped: list[Skipped] = []
        for index, raw in enumerate(found):
            try:
                chat, messages = rows(read(raw), user_id, self._clock.now())
            except Unreadable as reason:
                skipped.append(Skipped(index=index, reason=str(reason)))
            else:
                taken.append((index, chat, messages))
            await asyncio.sleep(0)  # a large file does not keep others waiting

        async def work(unit: Unit) -> tuple[list[Skipped], list[Any], int]:
            more, told, count = await _store(unit, user_id, taken)
            left_out = await store_presets(unit, user_id, presets, self._clock.now())
            # after the conversations of the file
            more += [Skipped(index=len(found) + place, reason=reason) for place, reason in left_out]
            return more, told, count

        more, told, count = await self._storage.transaction(work)
        not_new = sum(each.index < len(found) for each in more)
        for summary in told:
            tell_chat_changed(self._events, summary)
        skipped = sorted(skipped + more, key=lambda each: each.index)
        return Imported(chats=len(taken) - not_new, messages=count, skipped=skipped)


async def _store(
    unit: Unit, user_id: str, taken: list[tuple[int, ChatRow, list[MessageRow]]]
) -> tuple[list[Skipped], list[Any], int]:
    """Return what was left out, the first of the new chats as list items, and how many messages are new."""
    skipped: list[Skipped] = []
    told: list[Any] = []
    count = 0
    room = MAX_CHATS_PER_USER - await unit.chats.count(user_id)
    for index, chat, messages in taken:
        known = await unit.chats.with_id(chat.id)
        if known is not None and known.deleted_at is None:
            skipped.append(Skipped(index=index, reason=ALREADY_HERE))
            continue
        if room <= 0:
            reason = f"there is room for {MAX_CHATS_PER_USER} chats"
            skipped.append(Skipped(index=index, reason=reason))
            continue
        if known is not None:
            await unit.chats.purge(chat.id)
            unit.transfers.forget(known)
        await unit.transfers.insert(chat, messages)
        count += len(messages)
        room -= 1
        if len(told) < TOLD:
            told.append(await summary_of(unit, chat))
    return skipped, told, count


def conversations(body: bytes) -> list[msgspec.Raw]:
    """Return the conversations of a file, each still as its bytes.

    Raises:
        Invalid: `import_not_recognised`.
    """
    if body[:2] == b"PK":
        raise _not_recognised("This is a zip archive. Unpack it and import the conversations.json inside.")
    try:
        start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if start == b"[":
            found = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=list[msgspec.Raw])
        else:
            whole = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"), type=dict[str, msgspec.Raw])
            inner = whole.get("chats", whole.get("conversations"))
            found = (
                msgspec.json.decode(inner, type=list[msgspec.Raw])
                if inner is not None and "messages" not in whole
                else [msgspec.Raw(body.removeprefix(b"\xef\xbb\xbf"))]
            )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _not_recognised("This is not the JSON of an export.") from None
    if len(found) > MAX_CONVERSATIONS:
        raise _not_recognised(f"A file may hold at most {MAX_CONVERSATIONS} conversations.")
    if found and not any(_format(raw) for raw in found[:100]):
        raise _not_recognised(
            "No conversation of VLLM Chat, Open WebUI, ChatGPT, Claude or LibreChat was found in it."
        )
    return found


def read(raw: msgspec.Raw) -> ReadChat:
    """Read one conversation by the format it is in.

    Raises:
        Unreadable: it is none, or broken.
    """
    known = _format(raw)
    if known is None:
        raise Unreadable("it is no conversation of a known format")
    kind, value = known
    return kind.read(value)  # type: ignore[no-any-return]


def _format(raw: msgspec.Raw) -> tuple[Any, dict[str, Any]] | None:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return next(((kind, value) for kind in FORMATS if kind.is_one(value)), None)


def _not_recognised(detail: str) -> Invalid:
    return Invalid(
        "import_not_recognised", detail, fields=(FieldProblem("body", "import_not_recognised", detail),)
    )
