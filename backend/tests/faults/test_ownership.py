"""A chat is joined by its owner alone, with and without the number of an event."""

from uuid import uuid4

import pytest

from app.errors import NotFound
from app.services.chat_joining import ChatJoining
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend


@pytest.mark.parametrize("with_number", [False, True])
async def test_nobody_joins_another_users_chat(
    backend: Backend, engine: ScriptedVllm, *, with_number: bool
) -> None:
    engine.script(Answer(content="Hello."))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id))["run"]["id"]
    await backend.events(run_id)
    parts = backend.running.parts
    joining = ChatJoining(parts.storage, backend.running.services.chats, parts.active, parts.recall)
    entered: list[str | None] = []
    after = {"run_id": run_id, "after_seq": 0} if with_number else {}

    with pytest.raises(NotFound) as theirs:
        await joining.join("somebody else", chat_id, enter=entered.append, **after)
    with pytest.raises(NotFound) as unknown:
        await joining.join("somebody else", str(uuid4()), enter=entered.append, **after)

    assert entered == []
    assert (theirs.value.code, theirs.value.detail) == (unknown.value.code, unknown.value.detail)
