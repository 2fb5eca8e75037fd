"""Promises to programs: everything is behind the page's port, unbuffered, the same on every wire."""

import json
import re
import uuid
from collections.abc import Iterator

import httpx2
import pytest

from e2e.rest import Rest, server_sent
from e2e.scripted_engine import ScriptedEngine
from e2e.socket_client import SocketClient
from e2e.tiers import Tiers

WORDS = [f"word{number} " for number in range(20)]


def text_of(events: list[dict], channel: str) -> str:
    """Return the text of one channel, up to where the end says it ends."""
    limit = next(event["text_seq"] for event in events if event["type"] == "run.ended")
    return "".join(
        event["text"]
        for event in events
        if event["type"] == "run.delta" and event["channel"] == channel and event["seq"] <= limit
    )


def test_page_and_api_are_one_origin(tiers: Tiers, rest: Rest) -> None:
    page = rest.client.get("/", headers={"Accept": "text/html"})
    deep = rest.client.get(f"/c/{uuid.uuid4()}", headers={"Accept": "text/html"})
    health = rest.client.get("/api/chat/health")

    assert page.status_code == deep.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert page.text == deep.text
    assert health.status_code == 200, health.text
    assert health.json()["tiers"]["vllm"]["status"]


def test_the_first_delta_arrives_before_the_second_is_written(rest: Rest, engine: ScriptedEngine) -> None:
    answer = engine.answer(content=["one ", "two ", "three"], gated=True)
    run = rest.start(rest.new_chat()["id"], "Count")["run"]
    deltas = (event for event in rest.events(run["id"]) if event["type"] == "run.delta")

    # Each step is released only after the delta before it has been read here.
    answer.step()
    assert next(deltas)["text"] == "one "
    answer.step()
    assert next(deltas)["text"] == "two "
    answer.open()
    assert next(deltas)["text"] == "three"
    assert list(deltas) == []


@pytest.mark.socketio
def test_socket_and_sse_carry_the_same_events(tiers: Tiers, rest: Rest, engine: ScriptedEngine) -> None:
    answer = engine.answer(reasoning=["Let me ", "see. "], content=WORDS, gated=True)
    chat = rest.new_chat()
    with SocketClient(tiers.url) as socket:
        joined = socket.join(chat["id"])
        assert (joined["ok"], joined["run"]) == (True, None)
        run = rest.start(chat["id"], "Write", options={"thinking": True})["run"]
        answer.open()

        by_socket = socket.until_ended(run["id"])

    by_sse = list(rest.events(run["id"]))
    assert by_socket == by_sse
    assert [event["seq"] for event in by_sse] == list(range(1, len(by_sse) + 1))
    stored = rest.message(chat["id"], run["message_id"])
    assert by_sse[-1]["type"] == "run.ended"
    assert by_sse[-1]["message"] == stored
    assert text_of(by_sse, "content") == stored["content"] == "".join(WORDS)
    assert text_of(by_sse, "reasoning") == stored["reasoning"] == "Let me see. "


@pytest.mark.socketio
def test_a_snapshot_and_the_events_after_it_are_the_whole(
    tiers: Tiers, rest: Rest, engine: ScriptedEngine
) -> None:
    answer = engine.answer(content=WORDS, gated=True)
    chat = rest.new_chat()
    run = rest.start(chat["id"], "Write")["run"]
    early = rest.events(run["id"])
    answer.step(7)
    heard = [next(early)]
    while "word6" not in "".join(event.get("text", "") for event in heard):
        heard.append(next(early))

    with SocketClient(tiers.url) as socket:
        snapshot = socket.join(chat["id"])["run"]
        answer.open()
        later = [event for event in socket.until_ended(run["id"]) if event["seq"] > snapshot["seq"]]
    heard += list(early)

    assert snapshot["content"] == "".join(WORDS[:7])
    assert [event["seq"] for event in later] == list(range(snapshot["seq"] + 1, heard[-1]["seq"] + 1))
    assert snapshot["content"] + text_of(later, "content") == text_of(heard, "content") == "".join(WORDS)


def test_events_resume_after_any_number(rest: Rest, engine: ScriptedEngine) -> None:
    engine.answer(content=WORDS, rate=400)
    run = rest.start(rest.new_chat()["id"], "Write")["run"]
    whole = list(rest.events(run["id"]))

    for after in range(len(whole)):
        assert list(rest.events(run["id"], after)) == whole[after:]
    last = rest.client.get(f"/api/runs/{run['id']}/events?after_seq={len(whole)}")
    assert last.status_code == 204


def test_an_open_stream_ends_soon_after_its_reader_leaves_and_the_run_goes_on(
    rest: Rest, engine: ScriptedEngine
) -> None:
    answer = engine.answer(content=WORDS, gated=True)
    run = rest.start(rest.new_chat()["id"], "Write")["run"]
    reader = rest.events(run["id"])
    answer.step()
    next(reader)
    reader.close()
    answer.open()

    assert rest.ended(run["id"])["status"] == "completed"
    assert rest.run(run["id"])["content"] == "".join(WORDS)


def test_openai_clients_work_through_the_page(rest: Rest, engine: ScriptedEngine) -> None:
    engine.answer(content=["Hello ", "there"])
    model = rest.call("GET", "/v1/models")["data"][0]["id"]
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": True}

    with rest.client.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line[6:] for line in answer.iter_lines() if line.startswith("data: ")]

    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert text == "Hello there"


def test_completion_answers_with_and_without_a_stream(rest: Rest, engine: ScriptedEngine) -> None:
    engine.answer(content="Salty.", times=2)

    message = rest.call("POST", "/api/chat/completion", {"content": "The sea?"})
    with rest.client.stream(
        "POST", "/api/chat/completion", json={"content": "The sea?", "stream": True}
    ) as answer:
        events = list(_events(answer))

    assert (message["content"], message["status"], message["chat_id"]) == ("Salty.", "completed", None)
    assert text_of(events, "content") == "Salty."
    assert rest.chats() == []


def _events(answer: httpx2.Response) -> Iterator[dict]:
    yield from server_sent(answer.iter_lines())


def test_fifty_sends_with_one_id_are_one_run(rest: Rest, tiers: Tiers, engine: ScriptedEngine) -> None:
    engine.answer(content="Once.", times=None)
    chat = rest.new_chat()
    body = {"run_id": str(uuid.uuid4()), "message": {"id": str(uuid.uuid4()), "content": "Once"}}

    answers = rest.together([("POST", f"/api/chats/{chat['id']}/runs", body)] * 50)

    assert sorted({answer.status_code for answer in answers}) in ([200, 202], [202])
    assert [answer.status_code for answer in answers].count(202) == 1
    assert rest.ended(body["run_id"])["status"] == "completed"
    assert len(rest.chat(chat["id"])["messages"]) == 2
    assert len(engine.generations()) == 1
    other = {**body, "message": {"content": "Something else"}}
    assert rest.call("POST", f"/api/chats/{chat['id']}/runs", other, status=409)["code"] == "id_conflict"


def test_a_foreign_page_is_refused(rest: Rest) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        answer = rest.client.get("/api/chats/", headers={"Origin": origin})
        assert answer.status_code == 403, origin
        assert answer.json()["code"] == "origin_not_allowed"
        assert "access-control-allow-origin" not in answer.headers


def test_no_reply_of_the_page_can_be_framed_or_sniffed(rest: Rest) -> None:
    headers = rest.client.get("/").headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert not re.search("unsafe-(inline|eval)", headers["content-security-policy"])
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
