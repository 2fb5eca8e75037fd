"""A chat as JSON, Markdown or HTML: pure text. The HTML is inert: everything people or models wrote is escaped."""

import html
import json
import re
from collections.abc import Sequence

from app.schemas.chat import Chat
from app.schemas.message import Message
from app.schemas.preset import Preset
from app.services.import_formats.ours import FORMAT, VERSION

__all__ = ["FORMAT", "VERSION", "all_tail", "as_html", "as_json", "as_markdown", "file_name"]

UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u202a-\u202e\u2066-\u2069]+')
MAX_FILE_NAME_CHARS = 80
WHO = {"user": "User", "assistant": "Assistant", "system": "System"}
PAGE = """<!doctype html>
<html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
h2 {{ font-size: .9rem; opacity: .7; margin: 2rem 0 .25rem }}
div, details {{ white-space: pre-wrap; overflow-wrap: anywhere }}
details {{ opacity: .75 }}
</style></head><body>
<h1 dir="auto">{title}</h1>
{turns}
</body></html>
"""


def file_name(chat: Chat) -> str:
    """Return a name for the file, without its ending, that every system takes."""
    found = " ".join(UNFIT.sub(" ", chat.title).split()).strip(". ")[:MAX_FILE_NAME_CHARS].strip()
    return found or "chat"


def as_json(chat: Chat, *, reasoning: bool) -> str:
    """Return everything of a chat, with all its branches, but whose it is."""
    whole = chat.model_dump(mode="json", exclude={"user_id", "active_run"})
    if not reasoning:
        for message in whole["messages"]:
            message["reasoning"] = ""
    return json.dumps(whole, ensure_ascii=False, allow_nan=False)


def all_tail(presets: Sequence[Preset]) -> str:
    """Return what comes after the chats in a file of everything."""
    whole = [preset.model_dump(mode="json") for preset in presets]
    return f'\n], "presets": {json.dumps(whole, ensure_ascii=False, allow_nan=False)}}}\n'


def as_markdown(chat: Chat, *, reasoning: bool) -> str:
    """Return the active path as Markdown."""
    parts = [f"# {' '.join(chat.title.split()) or 'Chat'}"]
    if chat.system_prompt:
        parts += ["## System", chat.system_prompt]
    for message in active_path(chat):
        parts.append(f"## {_who(message)}")
        if reasoning and message.reasoning:
            parts.append("\n".join(f"> {line}".rstrip() for line in message.reasoning.splitlines()))
        parts.append(message.content)
    return "\n\n".join(parts) + "\n"


def as_html(chat: Chat, *, reasoning: bool) -> str:
    """Return the active path as a page of its own that loads and runs nothing."""
    turns = []
    if chat.system_prompt:
        turns.append(f'<h2>System</h2><div dir="auto">{html.escape(chat.system_prompt)}</div>')
    for message in active_path(chat):
        thought = ""
        if reasoning and message.reasoning:
            thought = (
                f'<details dir="auto"><summary>Reasoning</summary>{html.escape(message.reasoning)}</details>'
            )
        text = html.escape(message.content)
        turns.append(f'<h2>{html.escape(_who(message))}</h2>{thought}<div dir="auto">{text}</div>')
    return PAGE.format(title=html.escape(chat.title or "Chat"), turns="\n".join(turns))


def active_path(chat: Chat) -> list[Message]:
    """Return the messages from the root to the active leaf."""
    by_id = {message.id: message for message in chat.messages}
    path = []
    here = by_id.get(chat.active_leaf_id or "")
    while here is not None:
        path.append(here)
        here = by_id.get(here.parent_id or "")
    return path[::-1]


def _who(message: Message) -> str:
    return WHO[message.role] + (f" ({' '.join(message.model.split())})" if message.model else "")
