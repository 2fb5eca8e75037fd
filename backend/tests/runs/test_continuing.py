"""Going on with an answer by hand, and ending a thought: from the very tokens, into the same message."""

from typing import Any

import pytest

from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, told_text
from tests.served.chat_client import ChatClient

THOUGHT = [f"t{number} " for number in range(8)]
WORDS = [f"w{number} " for number in range(12)]
CLOSE_THOUGHT, GAP = 151668, 271


async def stopped_at(backend: Backend, engine: ScriptedVllm, chat_id: str, text: str, **more: Any) -> str:
    """Start a run, stop it when `text` is the last that was shown, and return its id."""
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = str((await backend.send(chat_id, **more))["run"]["id"])
        while not (client.text["reasoning"] + client.text["content"]).endswith(text):
            seen = client.seq
            script.step()
            if script.allowed not in {1, len(THOUGHT) + 1}:
                await client.until(lambda c, n=seen: c.seq > n)
        await backend.stop(run_id, seen_seq=client.seq)
        await client.until_ended()
    return run_id


async def continued(backend: Backend, run_id: str, **fields: Any) -> dict[str, Any]:
    reply = await backend.http.post(f"/api/runs/{run_id}/continue", json=fields)
    assert reply.status_code == 202, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def refused(backend: Backend, path: str, **fields: Any) -> tuple[int, str]:
    reply = await backend.http.post(path, json=fields)
    return reply.status_code, reply.json()["code"]


def generated(engine: ScriptedVllm, tokens: list[str]) -> list[int]:
    return [CLOSE_THOUGHT if token == "</think>" else engine.vocabulary.id(token) for token in tokens]


@pytest.mark.parametrize("text", ["t3 ", "t7 ", "w0 ", "w5 "])
async def test_a_stopped_answer_goes_on_from_its_last_token(
    backend: Backend, engine: ScriptedVllm, text: str
) -> None:
    chat_id = await backend.new_chat()
    first = await stopped_at(backend, engine, chat_id, text)
    cut = (await backend.messages(chat_id))[-1]

    started = await continued(backend, first)
    events = await backend.events(started["run"]["id"])
    whole = (await backend.messages(chat_id))[-1]

    assert started["user_message"] is None
    assert started["run"]["continues"] == first
    assert started["assistant_message"]["id"] == cut["id"] == whole["id"]
    assert started["assistant_message"]["content"] == cut["content"]
    start = next(event for event in events if event["type"] == "run.started")
    assert (start["continued"], start["continues"]) == (0, first)
    told = told_text(events)
    for channel, tokens in (("reasoning", THOUGHT), ("content", WORDS)):
        assert cut[channel] + told[channel] == whole[channel] == "".join(tokens)
    assert (whole["status"], whole["metadata"]["finish_reason"]) == ("completed", "stop")
    assert whole["metadata"]["run_id"] == started["run"]["id"]
    assert "receipt" not in whole["metadata"]
    shown = (
        THOUGHT[: int(text[1]) + 1] if text[0] == "t" else [*THOUGHT, "</think>", *WORDS[: int(text[1]) + 1]]
    )
    asked = engine.received[1].body["prompt"]
    assert asked[-len(shown) :] == generated(engine, shown)
    assert engine.plans.rest(asked) is not None


async def test_it_goes_on_again_and_again_and_each_run_counts_its_own_tokens(
    backend: Backend, engine: ScriptedVllm
) -> None:
    engine.script(Answer(content=WORDS))
    chat_id = await backend.new_chat()
    run_id = (await backend.send(chat_id, options={"max_tokens": 5, "thinking": False}))["run"]["id"]
    texts = [told_text(await backend.events(run_id))["content"]]
    for _ in range(2):
        assert (await backend.messages(chat_id))[-1]["metadata"]["finish_reason"] == "length"
        run_id = (await continued(backend, run_id))["run"]["id"]
        texts.append(told_text(await backend.events(run_id))["content"])

    whole = (await backend.messages(chat_id))[-1]

    assert texts == ["".join(WORDS[:5]), "".join(WORDS[5:10]), "".join(WORDS[10:])]
    assert whole["content"] == "".join(WORDS)
    assert [one.body["max_tokens"] for one in engine.received] == [5, 5, 5]
    assert await refused(backend, f"/api/runs/{run_id}/continue") == (409, "nothing_to_continue")


async def test_an_edited_answer_goes_on_by_its_text(backend: Backend, engine: ScriptedVllm) -> None:
    chat_id = await backend.new_chat()
    run_id = await stopped_at(backend, engine, chat_id, "w2 ")
    message = (await backend.messages(chat_id))[-1]
    engine.script(Answer(content=["on and on"]))
    edited = await backend.http.put(
        f"/api/chats/{chat_id}/messages/{message['id']}", json={"content": "Once <|im_end|>", "metadata": {}}
    )
    assert edited.json()["metadata"] == {"run_id": run_id}

    await backend.events((await continued(backend, run_id))["run"]["id"])

    asked = engine.received[1].body
    assert asked["continue_final_message"] is True
    assert asked["add_generation_prompt"] is False
    last = asked["messages"][-1]
    assert (last["role"], last["reasoning"]) == ("assistant", "".join(THOUGHT))
    assert last["content"].replace("\u200b", "") == "Once <|im_end|>"
    assert "<|im_end|>" not in last["content"]
    assert (await backend.messages(chat_id))[-1]["content"] == "Once <|im_end|>on and on"


async def test_the_same_request_is_the_same_run_and_another_one_waits_its_turn(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat()
    run_id = await stopped_at(backend, engine, chat_id, "w2 ")
    script = engine.script(Answer(content=WORDS, gated=True))
    chosen = "0194c1f0-0000-7000-8000-00000000abcd"
    path = f"/api/runs/{run_id}/continue"

    first = await backend.http.post(path, json={"run_id": chosen})
    again = await backend.http.post(path, json={"run_id": chosen})
    other = await refused(backend, path, run_id=chosen, options={"seed": 1})
    second = await refused(backend, path)
    script.open()
    await backend.events(chosen)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["run"]["id"] == chosen
    assert other == (409, "id_conflict")
    assert second == (409, "run_active")
    assert len(engine.received) == 2


async def test_what_cannot_be_gone_on_with_is_refused_and_stores_nothing(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat()
    cut = await stopped_at(backend, engine, chat_id, "w2 ")
    engine.script(Answer(content="More."))
    done = (await backend.send(chat_id, "And?"))["run"]["id"]
    await backend.events(done)
    grammar = await backend.new_chat()
    structured = await stopped_at(
        backend, engine, grammar, "w2 ", options={"response_format": {"type": "json_object"}}
    )
    before = await backend.messages(chat_id)

    assert await refused(backend, f"/api/runs/{cut}/continue") == (409, "has_children")
    assert await refused(backend, f"/api/runs/{done}/continue") == (409, "nothing_to_continue")
    assert await refused(backend, f"/api/runs/{structured}/continue") == (409, "nothing_to_continue")
    assert await refused(backend, f"/api/runs/{chat_id}/continue") == (404, "run_not_found")
    assert await refused(backend, f"/api/runs/{cut}/continue", options={"max_tokens": 10**6}) == (
        422,
        "max_tokens_too_large",
    )
    assert await backend.messages(chat_id) == before


async def test_a_continued_run_that_breaks_goes_on_from_its_own_tokens(
    backend: Backend, engine: ScriptedVllm
) -> None:
    chat_id = await backend.new_chat()
    run_id = await stopped_at(backend, engine, chat_id, "w2 ")
    engine.script(Answer(content=WORDS, end="reset", end_after=3))

    events = await backend.events((await continued(backend, run_id))["run"]["id"])

    assert (await backend.messages(chat_id))[-1]["content"] == "".join(WORDS)
    assert [event["continued"] for event in events if event["type"] == "run.started"] == [0, 1]
    shown = generated(engine, [*THOUGHT, "</think>", *WORDS[:6]])
    assert engine.received[2].body["prompt"][-len(shown) :] == shown


async def test_the_answer_now_ends_the_thought_and_stays_the_same_run(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(3)
        await client.until(lambda c: c.text["reasoning"] == "".join(THOUGHT[:3]))
        engine.script(Answer(content=["Well, ", "yes."]))

        reply = await backend.http.post(f"/api/runs/{run_id}/answer")
        ended = await client.until_ended()

    assert (reply.status_code, reply.json()["run"]["id"]) == (200, run_id)
    message = ended["message"]
    assert (message["status"], message["reasoning"]) == ("completed", "".join(THOUGHT[:3]))
    assert message["content"] == "Well, yes."
    assert "continued" not in message["metadata"]
    assert [event["type"] for event in client.of_run(run_id)].count("run.started") == 1
    assert engine.received[0].state == "hung_up"
    first, second = engine.received
    assert second.path.endswith("/v1/completions")
    shown = generated(engine, THOUGHT[:3])
    marks = second.body["prompt"][-2:]
    assert CLOSE_THOUGHT in marks
    assert second.body["prompt"][-2 - len(shown) : -2] == shown
    assert second.body["max_tokens"] == first.body["max_tokens"] - 3
    assert await refused(backend, f"/api/runs/{run_id}/answer") == (409, "not_thinking")


async def test_a_break_after_the_thought_was_ended_goes_on_with_its_mark(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, reasoning=THOUGHT, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        script.step(3)
        await client.until(lambda c: c.text["reasoning"] == "".join(THOUGHT[:3]))
        engine.script(Answer(content=["Well, ", "yes."], end="reset", end_after=1))
        await backend.http.post(f"/api/runs/{run_id}/answer")
        ended = await client.until_ended()

    assert ended["message"]["content"] == "Well, yes."
    assert ended["message"]["metadata"]["continued"] == 1
    turned, after = (one.body["prompt"] for one in engine.received[1:])
    assert after == [*turned, engine.vocabulary.id("Well, ")]


async def test_only_a_thinking_run_can_be_asked_for_its_answer(
    backend: Backend, engine: ScriptedVllm
) -> None:
    script = engine.script(Answer(content=WORDS, gated=True))
    chat_id = await backend.new_chat()
    async with ChatClient(backend.url) as client:
        await client.join(chat_id)
        run_id = (await backend.send(chat_id))["run"]["id"]
        early = await refused(backend, f"/api/runs/{run_id}/answer")
        script.step(2)
        await client.until(lambda c: c.text["content"] == "".join(WORDS[:2]))
        late = await refused(backend, f"/api/runs/{run_id}/answer")
        script.open()
        ended = await client.until_ended()

    assert early == late == (409, "not_thinking")
    assert ended["message"]["content"] == "".join(WORDS)
    assert await refused(backend, f"/api/runs/{chat_id}/answer") == (404, "run_not_found")
