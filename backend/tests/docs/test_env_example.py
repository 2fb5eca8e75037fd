"""`.env.example` names every setting once, says what it does, and shows its default."""

import re

import pytest

from app.config import REPOSITORY, Settings
from app.database import async_url

EXAMPLE = REPOSITORY / ".env.example"
OF_THE_PAGE = {"VITE_API_BASE_URL"}  # read when the page is built, not by the backend
LINE = re.compile(r"^(?P<name>[A-Z_]+)=(?P<value>.*)$")


def shown() -> dict[str, str]:
    found = [match for line in EXAMPLE.read_text().splitlines() if (match := LINE.match(line))]
    names = [match["name"] for match in found]
    assert len(names) == len(set(names))
    return {match["name"]: match["value"] for match in found}


def test_it_names_every_setting_and_no_other() -> None:
    assert set(shown()) == {name.upper() for name in Settings.model_fields} | OF_THE_PAGE


def test_each_setting_has_a_line_that_says_what_it_does() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if LINE.match(line):
            assert lines[number - 1].startswith("# "), line
            assert LINE.match(lines[number - 2]) or not lines[number - 2], f"{line} has more than one line"


def test_it_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    by_example = Settings(_env_file=EXAMPLE)
    by_default = Settings(_env_file=None)

    assert async_url(by_example.database_url) == async_url(by_default.database_url)
    shown_values, defaults = (made.model_dump(exclude={"database_url"}) for made in (by_example, by_default))
    assert shown_values == defaults
