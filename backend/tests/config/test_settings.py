"""Settings: from the environment, checked, and refused in one clear line."""

import pytest
from pydantic import ValidationError

from app.config import Settings
from app.database import async_url


def made(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://a:1", ["http://a:1/v1"]),
        ("http://a:1/v1/", ["http://a:1/v1"]),
        (" http://a:1 , http://b/v1,", ["http://a:1/v1", "http://b/v1"]),
    ],
)
def test_engines_are_listed_with_commas_and_completed(given: str, meant: list[str]) -> None:
    assert made(vllm_api_base_url=given).vllm_api_base_url == meant


def test_pages_on_this_machine_may_talk_to_it() -> None:
    assert made(frontend_port=1, backend_port=2).origins == [
        "http://localhost:1",
        "http://localhost:2",
        "http://127.0.0.1:1",
        "http://127.0.0.1:2",
    ]
    assert made(cors_origins="https://chat.example/, http://b").origins == [
        "https://chat.example",
        "http://b",
    ]


def test_a_backend_open_to_everybody_does_not_start() -> None:
    for host in ("0.0.0.0", "192.168.1.1", "::"):  # noqa: S104 (refused)
        with pytest.raises(ValidationError, match="loopback"):
            made(backend_host=host)
        assert made(backend_host=host, auth_mode="jwt").backend_host == host
        assert made(backend_host=host, allow_open_without_login=True).backend_host == host


@pytest.mark.parametrize(
    "wrong",
    [
        {"cors_origins": "*"},
        {"vllm_api_base_url": " , "},
        {"backend_port": 70_000},
        {"max_concurrent_runs": 0},
        {"log_level": "LOUD"},
        {"auth_mode": "off"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        made(**wrong)


def test_a_user_has_four_runs_with_login_unless_set() -> None:
    assert made().runs_per_user is None
    assert made(auth_mode="jwt").runs_per_user == 4
    assert made(auth_mode="jwt", max_runs_per_user=9).runs_per_user == 9


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite"),
        ("sqlite+pysqlite:////tmp/x.db", "sqlite+aiosqlite"),
        ("postgres://a@b/c", "postgresql+asyncpg"),
        ("postgresql://a@b/c", "postgresql+asyncpg"),
        ("postgresql+psycopg2://a@b/c", "postgresql+asyncpg"),
    ],
)
def test_a_database_url_needs_no_driver(url: str, driver: str) -> None:
    assert async_url(url).drivername == driver


def test_the_default_number_of_tokens_gives_way_to_a_lower_limit() -> None:
    assert made(max_new_tokens=1000).tokens_by_default == 1000
    assert made(max_new_tokens=1000, default_max_tokens=10).tokens_by_default == 10
