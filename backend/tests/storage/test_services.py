"""What changes of chats and messages tell the world, and what they do about live runs and clocks."""

from uuid import uuid4

import pytest

from app.errors import Conflict, Invalid, NotFound
from app.models import RunRow
from app.repositories.storage import Storage
from app.schemas.chat import CreateChat, UpdateChat
from app.schemas.message import CreateMessage, UpdateMessage
from app.services.chat_service import ChatService
from app.services.message_service import MessageService
from tests.fakes.clock import FakeClock
from tests.fakes.listeners import HeardEvents, StoppableRuns

USER = "local"


@pytest.fixture
def chats(storage: Storage, clock: FakeClock, events: HeardEvents, live_runs: StoppableRuns) -> ChatService:
    """The service of chats."""
    return ChatService(storage, clock, events, live_runs, max_new_tokens=100)


@pytest.fixture
def messages(
    storage: Storage, clock: FakeClock, events: HeardEvents, live_runs: StoppableRuns
) -> MessageService:
    """The service of messages."""
    return MessageService(storage, clock, events, live_runs, max_message_chars=100)


async def a_chat(chats: ChatService) -> str:
    made, _ = await chats.create(USER, CreateChat())
    return made.id


async def a_message(messages: MessageService, chat_id: str, parent_id: str | None = None) -> str:
    request = CreateMessage(role="user", content="hello")
    if parent_id is not None:
        request = CreateMessage(role="user", content="hello", parent_id=parent_id)
    made, _ = await messages.create(USER, chat_id, request)
    return made.id


async def a_live_run(storage: Storage, clock: FakeClock, chat_id: str, message_id: str) -> str:
    run = RunRow(
        id=str(uuid4()),
        user_id=USER,
        chat_id=chat_id,
        message_id=message_id,
        status="streaming",
        created_at=clock.now(),
    )
    async with storage.write() as unit:
        await unit.runs.insert(run)
        message = await unit.messages.get(chat_id, message_id)
        assert message is not None
        message.status = "streaming"
        await unit.messages.save()
    return run.id


async def test_every_change_is_told_once_and_a_repeated_request_is_not(
    chats: ChatService, messages: MessageService, events: HeardEvents
) -> None:
    chat_id, message_id = str(uuid4()), str(uuid4())
    create = CreateMessage(id=message_id, role="user", content="hello")
    for _ in range(2):
        await chats.create(USER, CreateChat(id=chat_id))
        await messages.create(USER, chat_id, create)
    await messages.update(USER, chat_id, message_id, UpdateMessage(content="x"))
    await chats.update(USER, chat_id, UpdateChat(pinned=True))
    await messages.delete(USER, chat_id, message_id)
    await chats.delete(USER, chat_id)
    await chats.restore(USER, chat_id)

    assert events.types == [
        "chat.changed",
        *("message.changed", "chat.changed"),
        "message.changed",
        "chat.changed",
        *("message.deleted", "chat.changed"),
        "chat.deleted",
        "chat.changed",
    ]
    assert {user for user, _ in events.heard} == {USER}
    assert events.heard[1][1]["message"]["id"] == message_id
    assert events.heard[5][1] == {"type": "message.deleted", "chat_id": chat_id, "message_id": message_id}


async def test_a_refused_change_is_not_told(
    chats: ChatService, messages: MessageService, events: HeardEvents
) -> None:
    chat_id = await a_chat(chats)
    events.heard.clear()

    with pytest.raises(NotFound):
        await messages.create(USER, chat_id, CreateMessage(role="user", content="x", parent_id=str(uuid4())))
    with pytest.raises(Invalid):
        await chats.update(USER, chat_id, UpdateChat(max_tokens=101))
    with pytest.raises(Conflict):
        await chats.create(USER, CreateChat(id=chat_id, title="other"))

    assert events.heard == []


async def test_deleting_a_chat_stops_its_run_first(
    chats: ChatService,
    messages: MessageService,
    storage: Storage,
    clock: FakeClock,
    live_runs: StoppableRuns,
) -> None:
    chat_id = await a_chat(chats)
    run_id = await a_live_run(storage, clock, chat_id, await a_message(messages, chat_id))

    await chats.delete(USER, chat_id)

    assert live_runs.stopped == [run_id]
    with pytest.raises(NotFound):
        await chats.get(USER, chat_id)


async def test_deleting_a_message_stops_only_a_run_below_it(
    chats: ChatService,
    messages: MessageService,
    storage: Storage,
    clock: FakeClock,
    live_runs: StoppableRuns,
) -> None:
    chat_id = await a_chat(chats)
    root = await a_message(messages, chat_id)
    beside = await a_message(messages, chat_id, root)
    question = await a_message(messages, chat_id, root)
    run_id = await a_live_run(storage, clock, chat_id, await a_message(messages, chat_id, question))

    await messages.delete(USER, chat_id, beside)
    assert live_runs.stopped == []
    await messages.delete(USER, chat_id, question)
    assert live_runs.stopped == [run_id]
    assert [message.id for message in (await chats.get(USER, chat_id)).messages] == [root]


async def test_a_run_that_cannot_be_stopped_keeps_its_chat(
    chats: ChatService,
    messages: MessageService,
    storage: Storage,
    clock: FakeClock,
    live_runs: StoppableRuns,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing(_user_id: str, _run_id: str) -> None:
        return None

    chat_id = await a_chat(chats)
    message_id = await a_message(messages, chat_id)
    await a_live_run(storage, clock, chat_id, message_id)
    monkeypatch.setattr(live_runs, "stop_for_delete", nothing)

    for refused in (chats.delete(USER, chat_id), messages.delete(USER, chat_id, message_id)):
        with pytest.raises(Conflict) as conflict:
            await refused
        assert conflict.value.code == "run_active"

    assert (await chats.get(USER, chat_id)).active_run is not None


async def test_a_message_that_a_run_writes_into_is_not_changed(
    chats: ChatService, messages: MessageService, storage: Storage, clock: FakeClock
) -> None:
    chat_id = await a_chat(chats)
    message_id = await a_message(messages, chat_id)
    await a_live_run(storage, clock, chat_id, message_id)

    with pytest.raises(Conflict) as conflict:
        await messages.update(USER, chat_id, message_id, UpdateMessage(content="x"))

    assert conflict.value.code == "run_active"


@pytest.mark.parametrize("jump_s", [-7200, 7200])
async def test_a_clock_that_jumps_changes_no_order(
    chats: ChatService, messages: MessageService, clock: FakeClock, jump_s: float
) -> None:
    first, second = await a_chat(chats), await a_chat(chats)
    before = [await a_message(messages, first), await a_message(messages, first)]
    stamp = (await chats.get(USER, first)).updated_at
    clock.jump(jump_s)
    after = [await a_message(messages, first), await a_message(messages, first)]
    third = await a_chat(chats)

    whole = await chats.get(USER, first)
    listed = await chats.page(USER, limit=10, cursor=None, archived=False, tag=None, folder=None)
    assert [message.id for message in whole.messages] == before + after
    assert whole.updated_at > stamp
    assert [chat.id for chat in listed.items] == [third, first, second]


async def test_deleted_chats_are_kept_for_thirty_days(chats: ChatService, clock: FakeClock) -> None:
    chat_id, kept = await a_chat(chats), await a_chat(chats)
    await chats.delete(USER, chat_id)

    clock.advance(30 * 24 * 3600)
    assert await chats.purge_deleted() == 0
    clock.advance(1)
    assert await chats.purge_deleted() == 1

    with pytest.raises(NotFound):
        await chats.restore(USER, chat_id)
    assert (await chats.get(USER, kept)).id == kept


async def test_another_users_chat_is_an_unknown_one(chats: ChatService, messages: MessageService) -> None:
    chat_id = await a_chat(chats)
    message_id = await a_message(messages, chat_id)
    other = "somebody"

    for asked in (
        chats.get(other, chat_id),
        chats.update(other, chat_id, UpdateChat(title="x")),
        chats.delete(other, chat_id),
        chats.restore(other, chat_id),
        messages.create(other, chat_id, CreateMessage(role="user", content="x")),
        messages.page(other, chat_id, limit=1, before=None),
        messages.update(other, chat_id, message_id, UpdateMessage(content="x")),
        messages.delete(other, chat_id, message_id),
    ):
        with pytest.raises(NotFound) as refused:
            await asked
        assert refused.value.code == "chat_not_found"


async def test_a_chat_holds_a_bounded_number_of_messages(
    chats: ChatService, messages: MessageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.conversation.MAX_MESSAGES_PER_CHAT", 2)
    monkeypatch.setattr("app.services.chat_creation.MAX_CHATS_PER_USER", 1)
    chat_id = await a_chat(chats)
    await a_message(messages, chat_id)
    await a_message(messages, chat_id)

    with pytest.raises(Conflict) as full:
        await a_message(messages, chat_id)
    with pytest.raises(Conflict) as many:
        await a_chat(chats)

    assert (full.value.code, full.value.limit) == ("chat_full", 2)
    assert (many.value.code, many.value.limit) == ("too_many_chats", 1)
