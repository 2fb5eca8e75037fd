"""The promises about an answer's course that need a real vLLM: stop, go on, answer now, and the options that cut or bound.

The model is the tiny Qwen3; what a word in a message asks for is in `engine/tiny_corpus.py`.
"""

from itertools import takewhile

import pytest

from e2e.engine.real_vllm import RealVllm
from e2e.rest import Json, Rest
from e2e.test_one_origin import text_of
from e2e.test_real_vllm import ask

pytestmark = pytest.mark.real_vllm

BUDGET = 12
OF_A_CHARACTER = 4  # tokens that the rarest one takes
SLACK = 32  # words: a budget is kept by the engine, or by us some tokens later


def begin(api: Rest, content: str, **options: object) -> tuple[Json, Json]:
    """Start a run in a new chat: the chat and the run."""
    chat = api.new_chat()
    return chat, api.start(chat["id"], content, options=options)["run"]


def gone_on(api: Rest, run: Json, **options: object) -> tuple[list[Json], Json]:
    """Go on with an answer by hand and return the events of the new run and the stored message."""
    started = api.call("POST", f"/api/runs/{run['id']}/continue", {"options": options}, status=202)
    events = list(api.events(started["run"]["id"]))
    return events, api.message(run["chat_id"], run["message_id"])


def test_a_stop_is_confirmed_by_the_engines_own_count(api: Rest, vllm: RealVllm) -> None:
    receipts = []
    for _ in range(
        3
    ):  # the engine has 0.6 s to be seen letting go, which a loaded machine may not keep each time
        _, run = begin(api, "long story", thinking=False, max_tokens=4000)
        next(event for event in api.events(run["id"]) if event["type"] == "run.delta")
        receipts.append(api.stop(run["id"])["receipt"])
        if receipts[-1]["confirmed"]:
            break

    assert receipts[-1]["confirmed"], receipts
    assert 0 < receipts[-1]["engine_released_ms"] < 1000
    assert receipts[-1]["tokens"] > 0
    assert vllm.running() == 0


@pytest.mark.parametrize("thinking", [False, True], ids=["answer", "thought"])
def test_a_stopped_answer_goes_on_from_its_last_token(api: Rest, thinking: bool) -> None:
    question = "please ponder" if thinking else "long story"
    chat, run = begin(api, question, thinking=thinking, max_tokens=4000, temperature=0)
    live = api.events(run["id"])
    seen = [next(live) for _ in range(14)]
    api.stop(run["id"], seen_seq=seen[-1]["seq"])
    before = api.message(chat["id"], run["message_id"])

    events, after = gone_on(api, run, max_tokens=20)

    assert (before["status"], after["status"]) == ("stopped", "completed")
    for channel in ("reasoning", "content"):
        assert after[channel] == before[channel] + text_of(events, channel)
    assert text_of(events, "reasoning" if thinking else "content")
    assert events[0]["seq"] == 1
    assert next(event for event in events if event["type"] == "run.started")["continues"] == run["id"]


def test_an_answer_cut_by_max_tokens_goes_on_behind_its_last_token(api: Rest) -> None:
    chat, run = begin(api, "long story", thinking=False, max_tokens=9, temperature=0)
    api.ended(run["id"])
    before = api.message(chat["id"], run["message_id"])

    events, after = gone_on(api, run, max_tokens=6)

    assert before["metadata"]["finish_reason"] == after["metadata"]["finish_reason"] == "length"
    assert after["content"] == before["content"] + text_of(events, "content") != before["content"]
    assert "\ufffd" not in after["content"]
    # The engine counted them: the prompt is the same one, and the answer is the first run's tokens and six more,
    # but for those of a character that was not whole when it was cut.
    counted = [before["metadata"]["usage"], after["metadata"]["usage"]]
    assert counted[0]["prompt_tokens"] == counted[1]["prompt_tokens"]
    assert counted[0]["completion_tokens"] == 9
    assert 15 - OF_A_CHARACTER < counted[1]["completion_tokens"] <= 15


def test_a_whole_answer_is_not_gone_on_with(api: Rest) -> None:
    chat, run = begin(api, "brief", thinking=False, max_tokens=100, temperature=0)
    api.ended(run["id"])

    assert api.message(chat["id"], run["message_id"])["metadata"]["finish_reason"] == "stop"
    problem = api.call("POST", f"/api/runs/{run['id']}/continue", {}, status=409)
    assert problem["code"] == "nothing_to_continue"


def test_a_thought_is_ended_on_request_and_the_answer_comes(api: Rest) -> None:
    chat, run = begin(api, "please ponder", thinking=True, max_tokens=600, temperature=0)
    live = api.events(run["id"])
    seen = [*takewhile(lambda event: event["seq"] < 12, live)]

    api.call("POST", f"/api/runs/{run['id']}/answer", {}, status=200)

    events = [*seen, *live]
    message = api.message(chat["id"], run["message_id"])
    assert message["status"] == "completed"
    thought = "".join(event["text"] for event in seen if event["type"] == "run.delta")
    assert thought
    assert message["reasoning"].startswith(thought)
    assert len(message["reasoning"].split()) < 300, "it thought on"
    assert message["content"].strip()
    assert "</think>" not in message["reasoning"] + message["content"]
    assert [event["type"] for event in events].count("run.ended") == 1
    again = api.call("POST", f"/api/runs/{run['id']}/answer", {}, status=409)
    assert again["code"] == "not_thinking"


def test_a_thought_ends_at_its_budget(api: Rest) -> None:
    _, message = ask(
        api, "please ponder", thinking=True, thinking_budget=BUDGET, max_tokens=200, temperature=0
    )

    assert message["status"] == "completed"
    assert 0 < len(message["reasoning"].split()) <= BUDGET + SLACK
    assert message["content"].strip()


def test_an_answer_ends_before_its_stop_string(api: Rest) -> None:
    _, whole = ask(api, "long story", thinking=False, max_tokens=60, temperature=0)
    stop = whole["content"][30:41]  # of several tokens, and beginning inside one

    events, message = ask(api, "long story", thinking=False, max_tokens=60, temperature=0, stop=[stop])

    assert message["metadata"]["finish_reason"] == "stop"
    assert message["content"] == whole["content"].partition(stop)[0] != "", whole["content"]
    assert text_of(events, "content") == message["content"]


def test_the_oldest_turns_are_dropped_on_request_and_stay_stored(api: Rest) -> None:
    chat = api.new_chat(system_prompt="You are brief.")
    for number in range(3):
        for role in ("user", "assistant"):
            body = {"role": role, "content": f"{number} " + "鱻 " * 2000}
            api.call("POST", f"/api/chats/{chat['id']}/messages", body, status=201)

    options = {"thinking": False, "max_tokens": 20}
    refused = api.start(chat["id"], "long story", options={**options, "context": "refuse"})
    assert api.ended(refused["run"]["id"])["error"]["code"] == "context_too_long"
    again = {"parent_id": refused["user_message"]["id"], "options": {**options, "context": "drop_oldest"}}
    run = api.start(chat["id"], **again)["run"]
    api.ended(run["id"])

    message = api.message(chat["id"], run["message_id"])
    assert message["status"] == "completed"
    assert message["metadata"]["dropped_turns"] >= 2
    assert message["content"].strip()
    assert len(api.chat(chat["id"])["messages"]) == 9
