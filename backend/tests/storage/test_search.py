"""Search finds every text that holds the words, whatever they are made of; on both databases."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import Invalid
from app.repositories.storage import Storage
from app.schemas.chat import CreateChat, SearchPage, UpdateChat
from app.schemas.message import CreateMessage, UpdateMessage
from app.services.chat_service import ChatService
from app.services.message_service import MessageService
from app.services.search_service import SearchService
from app.services.snippet import snippet
from app.utils.folding import cjk_pairs, fold, spellings
from tests.fakes.clock import FakeClock
from tests.fakes.listeners import HeardEvents, StoppableRuns

USER = "local"
# every kind of piece the index tells apart: short and long, cased, Chinese, Japanese, Korean, rare, composed, syntax
ALPHABET = [
    *(
        "a",
        "B",
        "ß",
        "İ",
        "ſ",
        "K",
        "Å",
        "é",
        "e\u0301",
        "Σ",
        "ς",
        "Ǆ",
        "ﬁ",
        "1",
        "_",
        "%",
        '"',
        "'",
        "*",
        "-",
    ),
    *(
        "(",
        "AND",
        "NEAR(",
        "col:x",
        "\\",
        "天",
        "气",
        "很",
        "好",
        "カ",
        "が",
        "ﾊ",
        "한",
        "국",
        "𠮷",
        "𬺰",
        "🫠",
    ),
    *("👩‍👩‍👧", "\u202e", "\ufeff", "\u2028", "\ufffe", "\x01", " ", " ", "\n", "\u3000"),
]


class Desk:
    """Chats, messages and search over one storage."""

    def __init__(self, storage: Storage, clock: FakeClock, events: HeardEvents, runs: StoppableRuns) -> None:
        self.chats = ChatService(storage, clock, events, runs, max_new_tokens=100)
        self.messages = MessageService(storage, clock, events, runs, max_message_chars=100_000)
        self.search = SearchService(storage, clock)

    async def chat(self, title: str = "", user_id: str = USER) -> str:
        made, _ = await self.chats.create(user_id, CreateChat(title=title))
        return made.id

    async def say(self, chat_id: str, content: str, user_id: str = USER) -> str:
        made, _ = await self.messages.create(user_id, chat_id, CreateMessage(role="user", content=content))
        return made.id

    async def find(self, query: str, user_id: str = USER, limit: int = 100) -> list[tuple[str, str | None]]:
        """Return every hit of all pages as (chat, message)."""
        hits: list[tuple[str, str | None]] = []
        cursor: str | None = None
        while True:
            page: SearchPage = await self.search.search(user_id, query, limit=limit, cursor=cursor)
            hits += [(hit.chat.id, hit.message_id) for hit in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return hits


@pytest.fixture
def desk(storage: Storage, clock: FakeClock, events: HeardEvents, live_runs: StoppableRuns) -> Desk:
    """Everything that search needs."""
    return Desk(storage, clock, events, live_runs)


@pytest.mark.parametrize(
    "query",
    [
        "天气",
        "天",
        "气很",
        "今天天气很好",
        "weather",
        "WEATHER",
        "we",
        "W",
        "天气 weather",
        "is  天",
        "😀",
        "r i",
    ],
)
async def test_words_of_any_length_and_writing_are_found(desk: Desk, query: str) -> None:
    chat = await desk.chat("title")
    message = await desk.say(chat, "今天天气很好 The Weather is fine 😀")
    await desk.say(chat, "nothing of that kind")

    assert await desk.find(query) == [(chat, message)]


@pytest.mark.parametrize(
    "query", ["天好", "weatherman", "天气 rain", "今天气", "abcde", "wea%er", "w_ather", "好x"]
)
async def test_what_does_not_stand_there_is_not_found(desk: Desk, query: str) -> None:
    chat = await desk.chat()
    await desk.say(chat, "今天天气很好 The weather is fine abcd bcde")

    assert await desk.find(query) == []


@pytest.mark.parametrize("seed", range(3))
async def test_every_text_that_holds_the_words_is_found(desk: Desk, seed: int) -> None:
    """search(x) finds every message that contains x: against a plain look at every text."""
    dice = random.Random(seed)  # noqa: S311 (repeatable, not secret)
    chat = await desk.chat("x")
    texts: dict[str, str] = {}
    for _ in range(40):
        text = "".join(dice.choices(ALPHABET, k=dice.randint(1, 30)))
        if text.strip():
            texts[await desk.say(chat, text)] = text

    for _ in range(120):
        text = dice.choice(list(texts.values()))
        start = dice.randrange(len(text))
        query = text[start : start + dice.choice([1, 1, 2, 2, 3, 4, 8])]
        query = dice.choice([query, query.upper(), query.lower()])
        terms = fold(query).split()
        wanted = {found for found, each in texts.items() if terms and all(t in fold(each) for t in terms)}
        found = await desk.find(query, limit=7)

        assert {message for _, message in found if message is not None} == wanted, ascii(query)
        assert len(found) == len(set(found))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(query=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200))
async def test_no_input_breaks_it(desk: Desk, query: str) -> None:
    await desk.find(query)


async def test_edited_renamed_and_deleted_texts_are_found_as_they_are_now(desk: Desk) -> None:
    chat = await desk.chat("first title 标题")
    message = await desk.say(chat, "original words 原文")

    await desk.chats.update(USER, chat, UpdateChat(title="second name 名称"))
    await desk.messages.update(USER, chat, message, UpdateMessage(content="replaced text 新文"))

    for gone in ("first", "标题", "original", "原文"):
        assert await desk.find(gone) == []
    for there in ("second", "名称"):
        assert await desk.find(there) == [(chat, None)]
    for there in ("replaced", "新文"):
        assert await desk.find(there) == [(chat, message)]
    await desk.messages.delete(USER, chat, message)
    assert await desk.find("replaced") == []
    again = await desk.say(chat, "another text 新文")
    assert await desk.find("新文") == [(chat, again)]


async def test_titles_come_first_then_the_newest_message(desk: Desk) -> None:
    first = await desk.chat("about llamas")
    old = await desk.say(first, "llamas spit")
    second = await desk.chat("llamas again")
    new = await desk.say(second, "more llamas")

    assert await desk.find("llamas") == [(second, None), (first, None), (second, new), (first, old)]
    assert await desk.find("llamas", limit=1) == await desk.find("llamas")


async def test_archived_is_found_deleted_is_not_and_restored_is_again(desk: Desk) -> None:
    chat = await desk.chat("findable")
    await desk.chats.update(USER, chat, UpdateChat(archived=True))
    assert await desk.find("findable") == [(chat, None)]

    await desk.chats.delete(USER, chat)
    assert await desk.find("findable") == []
    assert await desk.find("f") == []

    await desk.chats.restore(USER, chat)
    assert await desk.find("findable") == [(chat, None)]


async def test_another_users_texts_are_not_found(desk: Desk) -> None:
    chat = await desk.chat("private", user_id="somebody")
    await desk.say(chat, "secret 秘密", user_id="somebody")

    for query in ("private", "secret", "秘密", "s"):
        assert await desk.find(query) == []
        assert await desk.find(query, user_id="somebody") != []


async def test_a_purged_chat_leaves_nothing_in_the_index(
    desk: Desk, storage: Storage, clock: FakeClock
) -> None:
    chat = await desk.chat("purged title")
    message = await desk.say(chat, "purged text 清除")
    await desk.chats.delete(USER, chat)
    clock.advance(31 * 24 * 3600)
    assert await desk.chats.purge_deleted() == 1

    async with storage.read() as unit:
        for terms in (["purged"], ["清除"], ["p"]):
            assert (await unit.search.candidates(USER, terms)).found == []
    other = await desk.chat("fresh")
    assert await desk.say(other, "unrelated") != message
    assert await desk.find("purged") == []


async def test_a_search_whose_time_is_over_goes_on_from_its_cursor(
    desk: Desk, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.repositories.search.SCANNED", 2)
    chat = await desk.chat("title")
    wanted = await desk.say(chat, "x marks the spot")
    for number in range(6):
        await desk.say(chat, f"{number}")
    monkeypatch.setattr(clock, "monotonic", iter(range(1000)).__next__)  # each look costs a second

    first = await desk.search.search(USER, "x", limit=10, cursor=None)

    assert first.items == []
    assert first.next_cursor is not None
    assert (chat, wanted) in await desk.find("x")


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzEsMl0", "Wy0xXQ", "W251bGxd"])
async def test_a_foreign_cursor_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.search.search(USER, "x", limit=10, cursor=cursor)

    assert refused.value.fields[0].field == "cursor"


async def test_two_hundred_characters_may_be_asked_for(desk: Desk) -> None:
    assert await desk.find("x" * 200) == []
    with pytest.raises(Invalid) as refused:
        await desk.find("x" * 201)

    assert refused.value.fields[0].field == "q"


def test_a_snippet_marks_the_words_and_escapes_the_rest() -> None:
    assert snippet("a <b> & \"B\" 'c'\n d", ["b"]) == (
        "a &lt;<mark>b</mark>&gt; &amp; &quot;<mark>B</mark>&quot; &#x27;c&#x27;  d"
    )
    assert snippet("</mark><script>x", ["script"]) == "&lt;/mark&gt;&lt;<mark>script</mark>&gt;x"
    assert snippet("天气很好", ["气很"]) == "天<mark>气很</mark>好"


def test_a_snippet_shows_the_surroundings_of_the_first_hit() -> None:
    found = snippet("a " * 500 + "needle" + " b" * 500, ["needle"])

    assert "<mark>needle</mark>" in found
    assert found.startswith("…")
    assert found.endswith("…")
    assert len(found) < 250


@given(st.text())
def test_folding_keeps_every_place(text: str) -> None:
    folded = fold(text)

    assert len(folded) == len(text)
    assert fold(folded) == folded
    assert all(fold(text[place]) == folded[place] for place in range(len(text)))


@given(st.text(max_size=2))
def test_spellings_are_all_that_fold_to_it(text: str) -> None:
    assert text in spellings(fold(text))
    assert all(fold(each) == fold(text) for each in spellings(fold(text)))


def test_pairs_of_a_long_text_are_quick() -> None:
    text = "天气很好" * 25_000
    begun = time.perf_counter()
    pairs = cjk_pairs(text)

    assert sorted(pairs) == sorted({"天气", "气很", "很好", "好天"})
    assert time.perf_counter() - begun < 2
