"""`.env.example` names every setting once, says what it does, and shows its default."""

import re

import pytest
import yaml

from app.config import REPOSITORY, Settings
from app.database import async_url

EXAMPLE = REPOSITORY / ".env.example"
OF_THE_PAGE = {"VITE_API_BASE_URL"}  # read when the page is built, not by the backend
LINE = re.compile(r"^(?P<name>[A-Z_]+)=(?P<value>.*)$")
# an empty value would reach pip, the hub's client or vLLM, so these stand there as comments
OF_THE_SCRIPTS = re.compile(r"^#(?P<name>[A-Z_]+)=", re.MULTILINE)
SCRIPT_NAMES = {
    "ENGINE_DEVICE",
    "HF_ENDPOINT",
    "VLLM_USE_MODELSCOPE",
    "VLLM_CPU_KVCACHE_SPACE",
    "FRONTEND_HOST",
    "PIP_INDEX_URL",
    "BASE_IMAGE",
}


def shown() -> dict[str, str]:
    found = [match for line in EXAMPLE.read_text().splitlines() if (match := LINE.match(line))]
    names = [match["name"] for match in found]
    assert len(names) == len(set(names))
    return {match["name"]: match["value"] for match in found}


def test_it_names_every_setting_and_no_other() -> None:
    assert set(shown()) == {name.upper() for name in Settings.model_fields} | OF_THE_PAGE


def test_it_names_what_only_scripts_read_and_they_do_read_it() -> None:
    found = OF_THE_SCRIPTS.findall(EXAMPLE.read_text())
    places = [REPOSITORY / "docker-compose.yml", REPOSITORY / "frontend/server/settings.js"]
    places += [*(REPOSITORY / "scripts").rglob("*.sh"), *(REPOSITORY / "deploy").glob("*")]
    texts = "\n".join(place.read_text(errors="replace") for place in places if place.is_file())

    assert sorted(found) == sorted(SCRIPT_NAMES)
    assert [name for name in found if name not in texts] == []


def test_each_setting_has_a_line_that_says_what_it_does() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for number, line in enumerate(lines):
        if LINE.match(line):
            assert lines[number - 1].startswith("# "), line
            assert LINE.match(lines[number - 2]) or not lines[number - 2], f"{line} has more than one line"


def test_the_containers_are_given_every_setting_that_is_no_place() -> None:
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    given = compose["services"]["backend"]["environment"]
    of_the_image = {"DATABASE_URL", "BACKEND_HOST", "BACKEND_PORT", "MODELS_DIR", "REDIS_URL"}
    of_the_engine = {"VLLM_EXTRA_ARGS"}
    fixed = {"VLLM_API_BASE_URL", "ENGINE_STATUS_FILE", "ALLOW_OPEN_WITHOUT_LOGIN"}

    assert set(given) | of_the_image | of_the_engine == {name.upper() for name in Settings.model_fields}
    for name in set(given) - fixed:
        assert str(given[name]).startswith(f"${{{name}:-"), name


def test_it_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    by_example = Settings(_env_file=EXAMPLE)
    by_default = Settings(_env_file=None)

    assert async_url(by_example.database_url) == async_url(by_default.database_url)
    shown_values, defaults = (made.model_dump(exclude={"database_url"}) for made in (by_example, by_default))
    assert shown_values == defaults
