"""The conversations that are there before a picture is taken, as a file of our own export: dated, with fixed figures.

Sends nothing; `stage.py` imports the file through the API.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from e2e.screens.words import Words

Json = dict[str, Any]

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
"""What the clock of the page shows on every picture."""
MODEL = "Qwen/Qwen3-0.6B"
LONG_TURNS = 40
USAGE = {
    "prompt_tokens": 812,
    "completion_tokens": 436,
    "total_tokens": 1248,
    "prompt_tokens_details": {"cached_tokens": 755},
    "completion_tokens_details": {"reasoning_tokens": 164},
}
TIMINGS = {
    "time_to_first_token_ms": 41.0,
    "generation_time_ms": 8385.0,
    "queue_time_ms": 0.4,
    "mean_itl_ms": 19.2,
    "tokens_per_second": 52.0,
    "thinking_ms": 3200.0,
}
FIGURES: Json = {"usage": USAGE, "timings": TIMINGS, "finish_reason": "stop"}


def turn(question: str, answer: str, **fields: Any) -> list[Json]:
    """Return a question and its answer, to be joined by `chat`; the fields are those of the answer."""
    asked = {"role": "user", "content": question, "status": "completed"}
    told = {
        "role": "assistant",
        "content": answer,
        "status": "completed",
        "model": MODEL,
        "metadata": FIGURES,
        **fields,
    }
    return [asked, told]


def chat(title: str, messages: list[Json], *, days_ago: int = 0, **fields: Any) -> Json:
    """Return one chat; each message stands below the one before it, unless it says another `parent_id`."""
    at = NOW - timedelta(days=days_ago, hours=2)
    told = []
    for number, message in enumerate(messages):
        told.append(
            {
                "id": f"m{number}",
                "parent_id": f"m{number - 1}" if number else None,
                "created_at": (at + timedelta(seconds=number)).isoformat(),
                **message,
            }
        )
    return {
        "title": title,
        "created_at": at.isoformat(),
        "updated_at": at.isoformat(),
        "active_leaf_id": told[-1]["id"] if told else None,
        "messages": told,
        **fields,
    }


def library(words: Words) -> Json:
    """Return the file with the chats of the list: pinned, of several days, in a folder, with tags, archived."""
    chats = []
    for number, (title, days) in enumerate(words.titles):
        filed: Json = {}
        if number in (2, 7):
            filed = {"folder": words.folder, "tags": [words.tags[0]]}
        if number == 10:
            filed = {"pinned": True, "tags": [words.tags[1]]}
        messages = turn(words.question, words.short) if number == 0 else turn(title, words.short)
        if number == 0:
            messages[1]["reasoning"] = words.thought
        chats.append(chat(title, messages, days_ago=days, **filed))
        # The list is ordered by the last use; of one day the first named is the newest.
        chats[-1]["updated_at"] = (NOW - timedelta(days=days, minutes=5 + number)).isoformat()
    chats += [chat(title, turn(title, words.short), days_ago=90, archived=True) for title in words.archived]
    return exported(chats)


def exported(chats: list[Json]) -> Json:
    """Return the file of an export."""
    return {"format": "vllm-chat", "version": 1, "chats": chats}
