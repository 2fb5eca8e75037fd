"""Stop strings: cut off wherever they fall, and never half shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.openai_chunks import ChunkDecoder
from app.inference.stop_strings import StopStrings
from app.ports import Finished, Piece

TEXT = st.text("abST\u00e9", max_size=30)


@given(TEXT, st.lists(st.text("abST", min_size=1, max_size=4), max_size=4), st.lists(st.integers(0, 30)))
def test_the_text_ends_before_the_first_stop_string_however_it_is_sliced(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    places = [text.find(stop) for stop in stops if stop in text]
    matcher, shown = StopStrings(stops), ""
    marks = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    for start, end in zip(marks, marks[1:], strict=False):
        shown += matcher.feed(text[start:end])
        assert text.startswith(shown)
        assert matcher.found or not any(
            shown.endswith(stop[:size]) for stop in stops for size in range(1, len(stop))
        ), "what was shown ends with the beginning of a stop string"

    assert matcher.found == bool(places)
    assert shown + matcher.end() == (text[: min(places)] if places else text)


def chunk(text: str, *ids: int, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "token_ids": list(ids), "finish_reason": finish}
    return json.dumps({"choices": [choice]}).encode()


def test_tokens_are_given_with_the_last_of_their_text() -> None:
    decoder = ChunkDecoder(stop=["STOP"])

    first = decoder.feed([chunk("one ", 1), chunk("two ST", 2)])
    second = decoder.feed([chunk("ILL ", 3)])

    assert first == [Piece("content", "one ", (1,)), Piece("content", "", (2,))]
    assert second == [Piece("content", "two STILL ", (3,))]


@pytest.mark.parametrize("ids", [(), (7,)])
def test_an_engine_that_knows_no_stop_strings_is_not_waited_for(ids: tuple[int, ...]) -> None:
    decoder = ChunkDecoder(stop=["STOP"])

    items = decoder.feed([chunk("all ", *ids), chunk("STOP here", *ids), chunk("and on", *ids)])

    assert "".join(item.text for item in items if isinstance(item, Piece)) == "all "
    assert items[-1] == Finished("stop", None, None)
    assert decoder.is_done


def test_half_a_stop_string_is_not_shown_when_the_stream_breaks() -> None:
    decoder = ChunkDecoder(stop=["STOP"])

    items = [*decoder.feed([chunk("one ", 1), chunk("two ST", 2)]), *decoder.cut()]

    assert "".join(item.text for item in items if isinstance(item, Piece)) == "one "


def test_half_a_stop_string_at_the_end_is_text() -> None:
    decoder = ChunkDecoder(stop=["STOP"])

    items = decoder.feed([chunk("two ST", 2), chunk("", finish="stop"), b"[DONE]"])

    assert "".join(item.text for item in items if isinstance(item, Piece)) == "two ST"
