"""Bytes of an engine to items: the same whatever the slices, over vLLM's own recorded streams."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inference.openai_chunks import ChunkDecoder
from app.inference.sse import MAX_LINE_BYTES, LineTooLongError, SseParser
from app.ports import EngineItem, Finished, Piece, PromptSeen

RECORDED = Path(__file__).parents[1] / "recorded"
STREAMS = sorted((*RECORDED.glob("stream_*.body"), *RECORDED.glob("completion_*.body")))
DONE = b"data: [DONE]\n\n"


def chunk(delta: str, finish: str | None = None) -> bytes:
    reason = f'"{finish}"' if finish else "null"
    return b'data: {"choices":[{"delta":%s,"finish_reason":%s}]}\n\n' % (delta.encode(), reason.encode())


def content(text: str) -> bytes:
    return chunk('{"content":"%s"}' % text.replace("\n", "\\n"))


def read(slices: list[bytes]) -> tuple[dict[str, str], list[int], Finished | None, str | None]:
    """Return (text per channel, token ids, end, code of the failure)."""
    parser, decoder = SseParser(), ChunkDecoder()
    items: list[EngineItem] = []
    for piece in slices:
        items += decoder.feed(parser.feed(piece))
    if not decoder.is_done and decoder.failure is None:
        items += decoder.cut()
    texts = {"reasoning": "", "content": ""}
    ids: list[int] = []
    for item in items:
        if isinstance(item, Piece):
            texts[item.channel] += item.text
            ids += item.token_ids
    finished = next((item for item in items if isinstance(item, Finished)), None)
    return texts, ids, finished, decoder.failure.code if decoder.failure else None


def sliced(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_recorded_streams_read_the_same_in_any_slices(path: Path, size: int) -> None:
    body = path.read_bytes()

    assert read([body]) == read(sliced(body, size))


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from(STREAMS),
    ends=st.sampled_from(["\n", "\r", "\r\n"]),
    cuts=st.lists(st.integers(0, 30_000), max_size=40),
)
def test_any_cuts_and_line_ends_give_the_same_text(path: Path, ends: str, cuts: list[int]) -> None:
    body = path.read_bytes()
    other = body.replace(b"\n", ends.encode())
    places = sorted({cut % len(other) for cut in cuts} | {0, len(other)})

    assert read([body]) == read([other[a:b] for a, b in zip(places, places[1:], strict=False)])


def test_recorded_thinking_is_reasoning_and_carries_usage() -> None:
    texts, _, finished, failure = read([(RECORDED / "stream_thinking.body").read_bytes()])

    assert texts["reasoning"].startswith("病例ulo>We FULL用药")
    assert texts["content"] == ""
    assert finished is not None
    assert finished.finish_reason == "length"
    assert finished.usage is not None
    assert finished.usage["completion_tokens_details"] == {"reasoning_tokens": 24}
    assert failure is None


def test_a_recorded_continuation_from_token_ids_is_the_rest_of_the_recorded_answer() -> None:
    whole = read([(RECORDED / "stream_token_ids.body").read_bytes()])
    asked = json.loads((RECORDED / "completion_token_ids.meta.json").read_bytes())["request"]["prompt"]
    body = (RECORDED / "completion_token_ids.body").read_bytes()

    parser, decoder = SseParser(), ChunkDecoder(inside_thought=True, after_seam=True)
    items = decoder.feed(parser.feed(body))
    rest = {"reasoning": "", "content": ""}
    for item in items:
        if isinstance(item, Piece):
            rest[item.channel] += item.text
    ids = [token for item in items if isinstance(item, Piece) for token in item.token_ids]

    assert [item.token_ids for item in items if isinstance(item, PromptSeen)] == [tuple(asked)]
    assert (len(ids), ids) == (16, whole[1][-16:])
    assert rest == {name: text[-len(rest[name]) :] for name, text in whole[0].items()}
    assert 0 < len(rest["reasoning"]) < len(whole[0]["reasoning"])
    assert rest["content"] == whole[0]["content"]


def test_with_stop_strings_text_comes_after_its_tokens() -> None:
    """Ids of a token may come while its text is held back: whoever goes on from ids must know."""
    body = (RECORDED / "stream_token_ids_stopped_by_string.body").read_bytes()

    texts, ids, _, _ = read([body])
    early, early_ids, _, _ = read([body[: body.index(b'"finish_reason":"stop"')].rpartition(b"data: ")[0]])

    assert texts["content"].startswith(early["content"])
    assert texts["content"].removeprefix(early["content"]) == "e."
    assert ids[: len(early_ids)] == early_ids
    assert len(ids) == len(early_ids) + 1
    assert ids[-1] == 151645  # the end of the turn has no text: "e." was of tokens given before


def test_a_stream_that_falls_silent_is_lost_with_its_text_kept() -> None:
    texts, _, finished, failure = read([(RECORDED / "stream_sigterm.body").read_bytes()])

    assert len(texts["reasoning"]) > 100
    assert finished is None
    assert failure == "engine_lost"


END = chunk("{}", "stop") + DONE
CASES: dict[str, tuple[bytes, str, str | None]] = {
    "plain": (content("hi") + END, "hi", None),
    "crlf": ((content("hi") + END).replace(b"\n", b"\r\n"), "hi", None),
    "bom": (b"\xef\xbb\xbf" + content("hi") + END, "hi", None),
    "comments": (b": ping\n\n" + content("hi") + b":\n\n" + END, "hi", None),
    "done without a space": (content("hi") + chunk("{}", "stop") + b"data:[DONE]\n\n", "hi", None),
    "event, id and retry fields": (b"event: x\nid: 1\nretry: 5\n" + content("hi") + END, "hi", None),
    "data over two lines": (b'data: {"choices":\ndata: [{"delta":{"content":"hi"}}]}\n\n' + END, "hi", None),
    "event without data": (b"event: ping\n\n" + content("hi") + END, "hi", None),
    "nothing after done counts": (content("hi") + END + content("more") + DONE, "hi", None),
    "done twice": (content("hi") + END + DONE, "hi", None),
    "unknown fields": (
        b'data: {"x":[1],"choices":[{"delta":{"content":"hi","y":{}}}]}\n\n' + END,
        "hi",
        None,
    ),
    "null delta text": (chunk('{"content":null}') + content("hi") + END, "hi", None),
    "no choices": (b'data: {"choices":[]}\n\n' + content("hi") + END, "hi", None),
    "bad json": (content("hi") + b"data: {oops\n\n" + content("more") + END, "hi", "engine_malformed"),
    "bad utf-8": (
        content("hi") + b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n',
        "hi",
        "engine_malformed",
    ),
    "json that is no object": (content("hi") + b"data: 17\n\n" + END, "hi", "engine_malformed"),
    "half a line at the end": (content("hi") + b'data: {"cho', "hi", "engine_lost"),
    "no blank line at the end": (content("hi") + content("more").rstrip(b"\n"), "hi", "engine_lost"),
    "end without done": (content("hi") + chunk("{}", "stop"), "hi", "engine_lost"),
    "done without a reason": (content("hi") + DONE, "hi", "engine_lost"),
    "nothing": (b"", "", "engine_lost"),
    "error, then done": (
        content("hi") + b'data: {"error":{"message":"EngineCore","code":500}}\n\n' + DONE,
        "hi",
        "engine_error",
    ),
    "error as text": (content("hi") + b'data: {"error":"oops"}\n\n', "hi", "engine_error"),
    "sentinel inside the text": (content("data: [DONE]") + END, "data: [DONE]", None),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_malformed_streams_end_as_they_should_and_lose_no_text(name: str, size: int) -> None:
    body, text, failure = CASES[name]

    texts, _, finished, seen = read(sliced(body, size))

    assert (text, failure) == (texts["content"], seen)
    assert (failure is None) == (finished is not None)


def test_a_line_without_an_end_is_refused() -> None:
    parser = SseParser()

    with pytest.raises(LineTooLongError):
        for _ in range(MAX_LINE_BYTES // 65536 + 1):
            parser.feed(b"x" * 65536)


def test_the_prompt_ids_of_a_million_tokens_come_in_one_line() -> None:
    ids = b", ".join([b"151645"] * 1_000_000)
    parser = SseParser()

    events = [data for slice_ in sliced(b"data: [" + ids + b"]\n\n", 65536) for data in parser.feed(slice_)]

    assert events == [b"[" + ids + b"]"]


THINKING = {
    "opened and closed": ("<think>a b</think>c", "a b", "c"),
    "after white space": ("\n\n<think>a</think>\n\nc", "a", "\n\nc"),
    "never closed": ("<think>a b", "a b", ""),
    "never opened": ("a b\n</think>c", "", "a b\nc"),
    "spoken of": ("say `</think>` at the end", "", "say `</think>` at the end"),
    "no thinking": ("a <b> c", "", "a <b> c"),
    "a tag later is text": ("see <think>x", "", "see <think>x"),
    "closed once": ("<think>a</think>b</think>c", "a", "b</think>c"),
    "nearly a tag": ("<thin", "", "<thin"),
    "nearly closed": ("<think>a</thin", "a</thin", ""),
    "only white space": ("  \n", "", "  \n"),
    "empty thought": ("<think></think>c", "", "c"),
}


@pytest.mark.parametrize("name", THINKING)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_think_tags_in_the_content_are_split_in_any_slices(name: str, size: int) -> None:
    text, reasoning, answer = THINKING[name]
    parts = [text[start : start + size] for start in range(0, len(text), size)]

    texts, _, finished, _ = read([*(content(part) for part in parts), END])

    assert {"reasoning": reasoning, "content": answer} == texts
    assert finished is not None


def test_a_tag_is_text_once_the_engine_splits_by_itself() -> None:
    body = chunk('{"reasoning":"a"}') + content("<think>b</think>c") + END

    assert {"reasoning": "a", "content": "<think>b</think>c"} == read([body])[0]


def test_the_older_name_of_thinking_is_read_too() -> None:
    assert read([chunk('{"reasoning_content":"a"}') + content("b") + END])[0] == {
        "reasoning": "a",
        "content": "b",
    }


def test_ids_of_chunks_without_text_are_kept_in_order() -> None:
    steps = [
        b'data: {"choices":[{"delta":{"reasoning":"a"},"token_ids":[1]}]}\n\n',
        b'data: {"choices":[{"delta":{},"token_ids":[151668]}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"b"},"token_ids":[2,3]}]}\n\n',
        END,
    ]

    assert [1, 151668, 2, 3] == read(steps)[1] == read([b"".join(steps)])[1]


def test_a_prompt_that_opens_the_thought_makes_the_text_thinking() -> None:
    prompt = b'data: {"choices":[],"prompt_token_ids":[1,2,151667,198]}\n\n'

    assert read([prompt, content("a</think>b"), END])[0] == {"reasoning": "a", "content": "b"}


def test_a_prompt_that_closes_the_thought_it_opened_makes_the_text_an_answer() -> None:
    prompt = b'data: {"choices":[],"prompt_token_ids":[1,2,151667,151668]}\n\n'

    assert read([prompt, content("a"), END])[0]["content"] == "a"
