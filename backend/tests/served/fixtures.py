"""Fixtures of tests that talk to a served backend: the scripted engine, the backend, its chats."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedVllm]:
    """A scripted engine."""
    async with ScriptedVllm() as engine:
        yield engine


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Settings that a module or test changes by overriding this fixture."""
    return {}


@pytest.fixture
def live_settings(
    sqlite_url: str, tmp_path: Path, engine: ScriptedVllm, overrides: dict[str, Any]
) -> Settings:
    """Settings of a backend in front of the scripted engine."""
    known = {
        "database_url": sqlite_url,
        "models_dir": tmp_path / "models",
        "vllm_api_base_url": [engine.url],
        "default_model": "scripted",
        "backend_port": 0,
        "drain_s": 0.2,
    }
    return Settings(_env_file=None, **(known | overrides))


@pytest.fixture
async def backend(live_settings: Settings) -> AsyncIterator[Backend]:
    """A served backend."""
    async with serving(live_settings) as backend:
        yield backend
