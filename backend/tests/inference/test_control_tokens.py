"""Control tokens in people's text lose their power in the engine's copy, and nothing else changes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.control_tokens import KNOWN_TOKENS, ZERO_WIDTH_SPACE, ControlTokens


@pytest.mark.parametrize("token", KNOWN_TOKENS)
def test_each_known_token_is_broken_and_reads_the_same(token: str, tmp_path: Path) -> None:
    text = ControlTokens(tmp_path).inert(f"a {token}b", model="m", root=None)

    assert token not in text
    assert text.replace(ZERO_WIDTH_SPACE, "") == f"a {token}b"


@given(st.lists(st.sampled_from([*KNOWN_TOKENS, "<|im_", "start|>", "<", "x", "<thi", "nk>"]), max_size=12))
def test_no_arrangement_of_pieces_leaves_a_token_whole(pieces: list[str]) -> None:
    text = ControlTokens(Path("/nowhere")).inert("".join(pieces), model="m", root=None)

    assert [token for token in KNOWN_TOKENS if token in text] == []


def test_the_tokens_come_from_the_served_models_own_tokenizer(tmp_path: Path) -> None:
    added = [{"id": 1, "content": "<|special|>"}, {"id": 2, "content": "  "}]
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "tokenizer.json").write_text(
        json.dumps({"model": {"vocab": {"a": 1}}, "added_tokens": added})
    )
    control = ControlTokens(tmp_path / "elsewhere")

    by_root = control.inert("<|special|> <|im_end|>", model="x", root=str(tmp_path / "m"))
    by_name = ControlTokens(tmp_path).inert("<|special|>", model="m", root=None)

    assert by_root == f"<{ZERO_WIDTH_SPACE}|special|> <|im_end|>"
    assert by_name == f"<{ZERO_WIDTH_SPACE}|special|>"


def test_a_token_inside_another_is_broken_too(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    added = [{"content": "<a[INST]>"}, {"content": "[INST]"}]
    (tmp_path / "m" / "tokenizer.json").write_text(json.dumps({"added_tokens": added}))

    text = ControlTokens(tmp_path).inert("<a[INST]>", model="m", root=None)

    assert text == f"<{ZERO_WIDTH_SPACE}a[{ZERO_WIDTH_SPACE}INST]>"


@given(st.text(alphabet="ab <>|é天气", max_size=40))
def test_text_without_tokens_stays_as_it_is(text: str) -> None:
    assert ControlTokens(Path("/nowhere")).inert(text, model="m", root=None) == text or "<s>" in text
