"""What storage costs when there is much in it: the list, a long chat, searching, writing, starting.

Prints figure, goal and ratio; asserts nothing. `python bench/storage.py [chats] [messages]` from the repository's root.
"""

import asyncio
import os
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "backend"))

from app.repositories.indexing import FIRST_TITLE, pair_words
from app.repositories.opening import opened
from app.repositories.storage import Storage
from app.schemas.message import CreateMessage, Message
from app.schemas.run import Run
from app.services.chat_service import ChatService
from app.services.message_service import MessageService
from app.services.search_service import SearchService
from app.utils.clock import SystemClock
from app.utils.folding import fold

USER = "local"
LONG_CHAT = 5000
ROUNDS = 30
WORDS = [
    "the",
    "weather",
    "is",
    "fine",
    "today",
    "and",
    "the",
    "model",
    "answers",
    "with",
    "tokens",
    "about",
    "gradients",
    "memory",
    "kernels",
    "attention",
    "sampling",
    "context",
    "prompt",
    "latency",
    "throughput",
    "batch",
    "cache",
    "block",
    "engine",
    "stream",
    "socket",
    "browser",
    "markdown",
]
PHRASES = (
    "今天天气很好",
    "模型正在回答问题",
    "请解释一下注意力机制",
    "显存不够用了",
    "上下文太长",
    "谢谢你的帮助",
)
TIME = "2026-01-01 00:00:00.000000"
MIB = 2**20


class _Nobody:
    """Nobody listens and nothing runs."""

    def run_events(self, *_: object) -> None:
        """Do nothing."""

    def user_event(self, *_: object) -> None:
        """Do nothing."""

    async def stop_for_delete(self, *_: object) -> None:
        """Do nothing."""

    def present(self, run: Run) -> Run:
        """Return it as it is."""
        return run

    def present_message(self, message: Message) -> Message:
        """Return it as it is."""
        return message


def show(name: str, figures: list[float], goal: float) -> None:
    """Print the 95th percentile of some seconds in milliseconds."""
    figure = statistics.quantiles(figures, n=20)[-1] * 1000 if len(figures) > 1 else figures[0] * 1000
    print(f"{name:<46} {figure:9.1f} ms  goal {goal:7.1f}  ratio {figure / goal:5.2f}")


def messages(chats: list[str], count: int) -> Iterator[tuple[str, int, str]]:
    """Give (chat, position, text): one long chat, the others alike; every hundredth text holds a rare word."""
    dice = random.Random(1)
    places = dict.fromkeys(chats, 0)
    for number in range(count):
        chat = chats[0] if number < LONG_CHAT else chats[number % len(chats)]
        places[chat] += 1
        text = " ".join(dice.choices(WORDS, k=60)) + " " + "，".join(dice.choices(PHRASES, k=4))
        yield chat, places[chat], text + (" zebra 斑马" if number % 100 == 0 else "")


def fill(path: Path, chat_count: int, message_count: int) -> None:
    """Put chats and messages into a database with the schema, as the application would have."""
    database = sqlite3.connect(path)
    chats = [str(uuid.uuid4()) for _ in range(chat_count)]
    with database:
        database.executemany(
            "INSERT INTO chats (id, user_id, title, params, pinned, archived, tags, activity, created_at, updated_at)"
            " VALUES (?, ?, ?, '{}', 0, 0, '[]', ?, ?, ?)",
            [(chat, USER, f"chat {number}", number + 1, TIME, TIME) for number, chat in enumerate(chats)],
        )
        database.executemany(
            "INSERT INTO search_entries (number, chat_id) VALUES (?, ?)",
            [(FIRST_TITLE + number, chat) for number, chat in enumerate(chats)],
        )
        database.executemany(
            "INSERT INTO search_trigrams (rowid, text) VALUES (?, ?)",
            [(FIRST_TITLE + number, f"chat {number}") for number in range(chat_count)],
        )
        last: dict[str, str] = {}
        for number, (chat, position, text) in enumerate(messages(chats, message_count), start=1):
            message, folded = str(uuid.uuid4()), fold(text)
            database.execute(
                "INSERT INTO messages (id, chat_id, parent_id, position, role, content, reasoning, status, metadata,"
                " created_at, updated_at) VALUES (?, ?, ?, ?, 'user', ?, '', 'completed', '{}', ?, ?)",
                (message, chat, last.get(chat), position, text, TIME, TIME),
            )
            database.execute("INSERT INTO search_entries VALUES (?, ?, ?)", (number, chat, message))
            database.execute("INSERT INTO search_trigrams (rowid, text) VALUES (?, ?)", (number, folded))
            database.execute(
                "INSERT INTO search_pairs (rowid, text) VALUES (?, ?)", (number, pair_words(folded))
            )
            last[chat] = message
        database.executemany(
            "UPDATE chats SET active_leaf_id = ? WHERE id = ?", [(m, c) for c, m in last.items()]
        )
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


async def timed(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> list[float]:
    """Return how many seconds each round took, the first left out."""
    figures = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        await work()
        figures.append(time.perf_counter() - begun)
    return figures[1:]


async def measure(url: str, path: Path) -> None:
    """Open the filled database and print what things take."""
    begun = time.perf_counter()
    async with opened(url) as database:
        show("opening it (checked, no migration)", [time.perf_counter() - begun], 1000)
        storage, clock, nobody = Storage(database), SystemClock(), _Nobody()
        chats = ChatService(storage, clock, nobody, nobody, max_new_tokens=1)
        told = MessageService(storage, clock, nobody, nobody, max_message_chars=100_000)
        search = SearchService(storage, clock)
        page = await chats.page(USER, limit=50, cursor=None, archived=False, tag=None, folder=None)
        newest, oldest = page.items[0].id, None
        with sqlite3.connect(path) as raw:
            oldest = raw.execute("SELECT id FROM chats WHERE activity = 1").fetchone()[0]

        show(
            "first page of the list",
            await timed(
                lambda: chats.page(USER, limit=50, cursor=None, archived=False, tag=None, folder=None)
            ),
            9,
        )
        show(
            f"opening a chat of {LONG_CHAT} messages, last 50",
            await timed(lambda: chats.get(USER, oldest, last=50)),
            60,
        )
        show(
            f"opening a chat of {LONG_CHAT} messages, whole",
            await timed(lambda: chats.get(USER, oldest), 5),
            1000,
        )
        message = CreateMessage(role="user", content="hello " * 20 + "天气很好")
        show("adding a message", await timed(lambda: told.create(USER, newest, message)), 20)
        words = {
            "a rare word": "zebra",
            "a common word": "weather",
            "two Chinese characters, rare": "斑马",
            "two Chinese characters, common": "天气",
        }
        others = {
            "five Chinese characters": "正在回答问",
            "two words": "zebra 天气",
            "three letters that stand nowhere": "qqq",
            "one letter": "z",
            "two letters that stand nowhere": "qq",
        }
        for kind, query in (words | others).items():
            show(
                f"search: {kind}",
                await timed(lambda query=query: search.search(USER, query, limit=20, cursor=None), 20),
                30 if kind in words else 300,
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory of this process':<46} {peak:9.1f} MiB goal   250.0  ratio {peak / 250:5.2f}")


async def migrate(url: str) -> None:
    """Make the schema."""
    async with opened(url):
        pass


def main() -> None:
    """Fill and measure."""
    chat_count, message_count = (
        int(each) for each in (*sys.argv[1:], *("10000", "200000")[len(sys.argv) - 1 :])
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        asyncio.run(migrate(f"sqlite:///{path}"))
        # memory counts from here: filling happens in a child
        child = os.fork()
        if child == 0:
            fill(path, chat_count, message_count)
            os._exit(0)
        os.waitpid(child, 0)
        print(f"{chat_count} chats, {message_count} messages: {path.stat().st_size / MIB:.0f} MiB")
        asyncio.run(measure(f"sqlite:///{path}", path))


if __name__ == "__main__":
    main()
