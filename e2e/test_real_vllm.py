"""The promises that need a real vLLM: its channels, its limits, its way of being stopped.

The model is the tiny Qwen3, which was taught what a word in a message asks for; see `engine/tiny_corpus.py`.
"""

import json
import re

import pytest
from playwright.sync_api import expect

from e2e.conftest import REAL_MAX_NEW_TOKENS as MAX_NEW_TOKENS
from e2e.conftest import NewTab
from e2e.deadline import eventually
from e2e.engine.real_vllm import RealVllm
from e2e.rest import Json, Rest
from e2e.socket_client import SocketClient
from e2e.test_one_origin import text_of
from e2e.tiers import Tiers

pytestmark = pytest.mark.real_vllm

LONG_ANSWER = 3000


def ask(api: Rest, content: str, **options: object) -> tuple[list[Json], Json]:
    """Ask in a new chat and return the events and the stored message."""
    chat = api.new_chat()
    run = api.start(chat["id"], content, options={"seed": 1, **options})["run"]
    events = list(api.events(run["id"]))
    return events, api.message(chat["id"], run["message_id"])


def test_with_thinking_both_channels_arrive_split_as_vllm_itself_splits_them(
    api: Rest, vllm: RealVllm
) -> None:
    question = "please explain the garden"
    body = {
        "model": vllm.model,
        "messages": [{"role": "user", "content": question}],
        "max_tokens": 400,
        "temperature": 0,
    }
    own = api.call("POST", "/v1/chat/completions", body)["choices"][0]

    events, message = ask(api, question, thinking=True, max_tokens=400, temperature=0)

    assert message["status"] == "completed"
    assert message["metadata"]["finish_reason"] == own["finish_reason"] == "stop"
    assert message["reasoning"] == own["message"]["reasoning"] != ""
    assert message["content"] == own["message"]["content"] != ""
    assert text_of(events, "reasoning") == message["reasoning"]
    assert text_of(events, "content") == message["content"]


def test_without_thinking_there_is_no_thought(api: Rest) -> None:
    events, message = ask(api, "please explain the garden", thinking=False, max_tokens=600)

    assert (message["status"], message["reasoning"]) == ("completed", "")
    assert message["content"].strip()
    assert {event["channel"] for event in events if event["type"] == "run.delta"} == {"content"}


@pytest.mark.parametrize("word", ["emoji", "中文"])
def test_characters_of_several_tokens_arrive_whole(api: Rest, word: str) -> None:
    events, message = ask(api, f"please {word} show", thinking=False, max_tokens=300)

    assert "\ufffd" not in message["content"]
    assert text_of(events, "content") == message["content"]
    assert any(ord(character) > 0x2000 for character in message["content"])


def test_stop_frees_the_engine_and_keeps_what_was_seen(api: Rest, vllm: RealVllm) -> None:
    chat = api.new_chat()
    run = api.start(chat["id"], "long story", options={"thinking": False, "max_tokens": 6000})["run"]
    events = api.events(run["id"])
    seen = [next(events) for _ in range(12)]
    assert vllm.running() == 1

    stopped = api.stop(run["id"], seen_seq=seen[-1]["seq"])

    assert stopped["run"]["status"] == "stopped"
    # Two minutes of work were left to do.
    eventually(lambda: vllm.running() == 0, 2, "the engine to drop the request")
    assert stopped["receipt"]["confirmed"] is (stopped["receipt"]["engine_released_ms"] is not None)
    rest = list(events)
    assert rest[-1]["type"] == "run.ended"
    assert rest[-1]["text_seq"] == seen[-1]["seq"]
    message = api.message(chat["id"], run["message_id"])
    assert message["content"] == text_of([*seen, *rest], "content") == text_of([*seen, rest[-1]], "content")


def test_a_long_answer_is_whole_and_ends_at_its_limit(api: Rest) -> None:
    events, message = ask(api, "long story", thinking=False, max_tokens=LONG_ANSWER)

    assert message["status"] == "completed"
    assert message["metadata"]["finish_reason"] == "length"
    assert message["metadata"]["usage"]["completion_tokens"] == LONG_ANSWER
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert text_of(events, "content") == message["content"]


def test_max_tokens_is_kept_to_the_token(api: Rest) -> None:
    _, message = ask(api, "long story", thinking=False, max_tokens=7)

    assert message["metadata"]["finish_reason"] == "length"
    assert message["metadata"]["usage"]["completion_tokens"] == 7


def test_more_tokens_than_the_limit_are_refused_with_the_limit(api: Rest) -> None:
    chat = api.new_chat()
    body = {"message": {"content": "hello"}, "options": {"max_tokens": MAX_NEW_TOKENS + 1}}

    problem = api.call("POST", f"/api/chats/{chat['id']}/runs", body, status=422)

    assert problem["code"] == "max_tokens_too_large"
    assert problem["limit"] == MAX_NEW_TOKENS
    assert api.chat(chat["id"])["messages"] == []


def test_a_prompt_that_does_not_fit_is_a_clear_failure_and_stays(api: Rest) -> None:
    text = "鱻 " * 33_000
    _, message = ask(api, text, thinking=False, max_tokens=100)

    assert message["status"] == "failed"
    assert message["metadata"]["error"]["code"] == "context_too_long"
    assert re.search(r"\d{4,}", message["metadata"]["error"]["detail"])
    assert api.message(message["chat_id"], message["parent_id"])["content"] == text


def test_the_engines_figures_are_stored_as_it_gave_them(api: Rest) -> None:
    _, message = ask(api, "please explain the garden", thinking=False, max_tokens=100)

    usage = message["metadata"]["usage"]
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert message["metadata"]["timings"]["time_to_first_token_ms"] > 0


@pytest.mark.socketio
def test_socket_and_sse_are_equal_event_for_event(api: Rest, real_tiers: Tiers) -> None:
    chat = api.new_chat()
    with SocketClient(real_tiers.url) as socket:
        socket.join(chat["id"])
        run = api.start(chat["id"], "please code", options={"thinking": True, "max_tokens": 500})["run"]
        by_sse = list(api.events(run["id"]))
        by_socket = socket.until_ended(run["id"])

    assert by_socket == by_sse


def test_a_plain_openai_request_passes_the_gateway(api: Rest, vllm: RealVllm) -> None:
    body = {
        "model": vllm.model,
        "messages": [{"role": "user", "content": "brief"}],
        "max_tokens": 20,
        "temperature": 0,
        "chat_template_kwargs": {"enable_thinking": False},
    }

    whole = api.call("POST", "/v1/chat/completions", body, status=200)
    streamed = api.client.post("/v1/chat/completions", json={**body, "stream": True}).text

    assert [model["id"] for model in api.call("GET", "/v1/models")["data"]] == [vllm.model]
    lines = [line[6:] for line in streamed.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    parts = [
        choice["delta"].get("content") or "" for line in lines[:-1] for choice in json.loads(line)["choices"]
    ]
    assert "".join(parts) == whole["choices"][0]["message"]["content"] != ""


@pytest.mark.chromium
def test_in_the_browser_a_real_answer_survives_a_reload_and_a_stop(
    real_tiers: Tiers, new_tab: NewTab, api: Rest, vllm: RealVllm
) -> None:
    tab = new_tab(real_tiers).open()
    switch = tab.hook("thinking-toggle")
    if (switch.get_attribute("aria-pressed") or switch.get_attribute("aria-checked")) != "true":
        switch.click()
    tab.send("please explain the long story")
    expect(tab.answer.get_by_test_id("thinking")).to_be_visible(timeout=30_000)
    expect(tab.content).to_contain_text(re.compile(r"\w+ \w+ \w+"), timeout=60_000)

    def shown() -> str:
        return re.sub(r"\s", "", tab.content.text_content() or "")

    before = shown()
    tab.page.reload()
    eventually(lambda: len(shown()) > len(before) + 20, 30, "the answer to go on after the reload")
    tab.hook("stop").click()

    expect(tab.answer).to_have_attribute("data-status", "stopped")
    eventually(lambda: vllm.running() == 0, 2, "the engine to drop the request")
    stored = api.chat(tab.chat_id)["messages"][-1]
    whole = re.sub(r"\s", "", stored["content"])
    assert whole.startswith(before)
    assert shown() == whole
    assert stored["reasoning"].strip()
