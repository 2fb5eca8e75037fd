"""All settings, read once from the environment and `.env`.

Does not create anything: the composition root builds from it.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def engine_base_url(url: str) -> str:
    """Return the OpenAI base of an engine: `/v1` is added where it is missing, a trailing slash taken off."""
    url = url.strip().rstrip("/")
    return url if url.endswith("/v1") else f"{url}/v1"


class Settings(BaseSettings):
    """The settings. Names are those of the environment variables, in lower case."""

    model_config = SettingsConfigDict(
        env_file=os.environ.get("ENV_FILE") or REPOSITORY / ".env",  # the scripts read the same one
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
    )

    vllm_api_base_url: Annotated[list[str], NoDecode] = ["http://127.0.0.1:8000/v1"]
    vllm_api_key: SecretStr | None = None
    vllm_extra_args: str = ""  # read by scripts/start_vllm.sh

    database_url: str = f"sqlite:///{REPOSITORY / 'data' / 'vllm-chat.db'}"
    redis_url: str | None = None

    engine_status_file: Path | None = (
        None  # set by scripts/start_all.sh, which says there how the engine gets on
    )

    models_dir: Path = REPOSITORY / "models"
    default_model: str | None = None

    backend_host: str = "127.0.0.1"
    backend_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    frontend_port: Annotated[int, Field(ge=0, le=65535)] = 3000
    cors_origins: Annotated[list[str], NoDecode] = []

    auth_mode: Literal["none", "jwt"] = "none"
    jwt_secret: SecretStr | None = None
    allow_open_without_login: bool = False

    max_concurrent_runs: Annotated[int, Field(ge=1)] = 32
    max_queued_runs: Annotated[int, Field(ge=0)] = 64
    max_runs_per_user: Annotated[int, Field(ge=1)] | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] = 8192
    default_max_tokens: Annotated[int, Field(ge=1)] = 2048
    max_message_chars: Annotated[int, Field(ge=1)] = 100_000
    max_sockets: Annotated[int, Field(ge=1)] = 2000
    max_sockets_per_user: Annotated[int, Field(ge=1)] = 64

    first_token_timeout_s: Annotated[float, Field(gt=0)] = 120
    idle_timeout_s: Annotated[float, Field(gt=0)] = 30
    run_timeout_s: Annotated[float, Field(gt=0)] = 1800
    engine_wait_s: Annotated[float, Field(ge=0)] = 600
    drain_s: Annotated[float, Field(ge=0)] = 10
    resume_runs: bool = True

    log_level: Literal["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("vllm_api_base_url", mode="before")
    @classmethod
    def _engine_urls(cls, value: object) -> object:
        urls = value.split(",") if isinstance(value, str) else value
        return (
            [engine_base_url(str(url)) for url in urls if str(url).strip()]
            if isinstance(urls, list)
            else urls
        )

    @field_validator("models_dir", mode="after")
    @classmethod
    def _inside_the_repository(cls, value: Path) -> Path:
        return REPOSITORY / value  # a relative one means the same wherever the backend is started

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    @model_validator(mode="after")
    def _open_backend_stays_on_loopback(self) -> "Settings":
        if not self.vllm_api_base_url:
            raise ValueError("VLLM_API_BASE_URL must name at least one engine")
        if "*" in self.cors_origins:
            raise ValueError("CORS_ORIGINS must list origins one by one; * would let every website in")
        open_without_login = self.auth_mode == "none" and self.backend_host not in LOOPBACK_HOSTS
        if open_without_login and not self.allow_open_without_login:
            raise ValueError(
                "BACKEND_HOST is not a loopback address and AUTH_MODE is none: everybody who reaches this machine "
                "could read every chat. Set BACKEND_HOST=127.0.0.1; ALLOW_OPEN_WITHOUT_LOGIN=true "
                "is for a container behind a proxy that publishes loopback only"
            )
        return self

    @property
    def origins(self) -> list[str]:
        """The page origins that may talk to the backend."""
        if self.cors_origins:
            return self.cors_origins
        return [
            f"http://{host}:{port}"
            for host in ("localhost", "127.0.0.1")
            for port in (self.frontend_port, self.backend_port)
        ]

    @property
    def tokens_by_default(self) -> int:
        """Tokens of an answer that asks for no number: the default, which gives way to a lower limit."""
        return min(self.default_max_tokens, self.max_new_tokens)

    @property
    def runs_per_user(self) -> int | None:
        """Runs that one user may have at a time: no limit without login, 4 with, unless set."""
        if self.max_runs_per_user is not None:
            return self.max_runs_per_user
        return 4 if self.auth_mode == "jwt" else None
