"""What the backend says of its engine, its models and itself, with what to do about it."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from tests.fakes.answers import Answer
from tests.fakes.scripted_vllm import ScriptedVllm
from tests.served.backend_server import Backend, serving

HEALTH, MODELS = "/api/chat/health", "/api/chat/models"
WITHIN_S = 10.0


async def told(backend: Backend) -> tuple[int, dict[str, Any]]:
    reply = await backend.http.get(HEALTH)
    return reply.status_code, reply.json()


async def test_all_is_well_with_an_engine(backend: Backend) -> None:
    status, health = await told(backend)

    assert (status, health["status"]) == (200, "ok")
    assert {name: tier["status"] for name, tier in health["tiers"].items()} == {
        "backend": "ok",
        "database": "ok",
        "vllm": "ready",
    }
    assert health["tiers"]["vllm"]["detail"] == "scripted"
    assert 0 < health["memory"]["machine_available_bytes"] <= health["memory"]["machine_total_bytes"]
    assert health["memory"]["backend_bytes"] > 10_000_000


@pytest.mark.parametrize("path", [f"{HEALTH}?live", f"{HEALTH}/?live"])
async def test_the_process_lives_whatever_the_engine_does(live_settings: Settings, path: str) -> None:
    async with serving(away(live_settings)) as backend:
        live = await backend.http.get(path)
        reply = await backend.http.get(HEALTH)
        status, health = reply.status_code, reply.json()

    assert (live.status_code, live.json()["tiers"].keys()) == (200, {"backend"})
    assert int(reply.headers["Retry-After"]) > 0
    assert (status, health["tiers"]["vllm"]["status"]) == (503, "unreachable")
    assert "start_vllm.sh" in health["tiers"]["vllm"]["fix"]


async def test_an_engine_that_refuses_the_key_is_named(backend: Backend, engine: ScriptedVllm) -> None:
    engine.api_key = "another"

    tier = await tier_becomes(backend, "unauthorized")

    assert "VLLM_API_KEY" in tier["fix"]


async def test_an_engine_that_dies_is_noticed_at_once(backend: Backend, engine: ScriptedVllm) -> None:
    assert (await told(backend))[0] == 200
    engine.healthy = False  # its core is gone, its door still gives the list of models
    dying, health = await told(backend)
    engine.healthy = True
    assert (await told(backend))[0] == 200
    await engine.stop()
    gone, later = await told(backend)

    assert (dying, health["tiers"]["vllm"]["status"]) == (503, "failed")
    assert (gone, later["tiers"]["vllm"]["status"]) == (503, "unreachable")


async def test_an_engine_that_answers_nonsense_has_failed(live_settings: Settings) -> None:
    nonsense = live_settings.model_copy(
        update={"vllm_api_base_url": [live_settings.vllm_api_base_url[0].replace("/v1", "/nothing/v1")]}
    )
    async with serving(nonsense) as backend:
        status, health = await told(backend)

    assert (status, health["tiers"]["vllm"]["status"]) == (503, "failed")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{"state": "loading", "model": "Qwen3-0.6B", "detail": "", "note": "small"}', "loading"),
        ('{"state": "failed", "model": "Qwen3-0.6B", "detail": ""}', "unreachable"),
        ("{", "unreachable"),
    ],
)
async def test_an_engine_that_loads_is_told_from_one_that_is_away(
    live_settings: Settings, tmp_path: Path, written: str, expected: str
) -> None:
    file = tmp_path / "engine-status.json"
    file.write_text(written, encoding="utf-8")
    settings = away(live_settings).model_copy(update={"engine_status_file": file})
    async with serving(settings) as backend:
        _, health = await told(backend)
        served = (await backend.http.get(MODELS)).json()

    assert health["tiers"]["vllm"]["status"] == expected
    assert [(item["id"], item["status"], item["note"]) for item in served["items"]] == (
        [("Qwen3-0.6B", "loading", "small")] if expected == "loading" else []
    )


@pytest.mark.parametrize(
    ("detail", "share"),
    [("downloading Qwen/Qwen3-0.6B: 302 of 1510 MB", 0.2), ("downloading Qwen/Qwen3-0.6B: 302 MB", None)],
)
async def test_a_model_that_is_downloaded_says_how_much_of_it_is_here(
    live_settings: Settings, tmp_path: Path, detail: str, share: float | None
) -> None:
    file = tmp_path / "engine-status.json"
    told = {"state": "preparing", "model": "Qwen3-0.6B", "detail": detail, "note": None}
    file.write_text(json.dumps(told), encoding="utf-8")
    settings = away(live_settings).model_copy(update={"engine_status_file": file})
    async with serving(settings) as backend:
        state = (await backend.http.get("/api/models/Qwen3-0.6B/status")).json()

    assert state == {"status": "loading", "progress": share, "detail": detail}


async def test_models_of_the_engine_and_of_the_folder_are_one_list(
    backend: Backend, live_settings: Settings
) -> None:
    for name, config, files in (
        ("plain", {"max_position_embeddings": 512}, {}),
        ("org/quantised", {"quantization_config": {}}, {"model.safetensors": "x" * 100}),
        ("scripted", {}, {"chat_template.jinja": "x"}),
    ):
        folder = live_settings.models_dir / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")

    items = {item["name"]: item for item in (await backend.http.get("/api/models")).json()["items"]}

    assert {name: (item["type"], item["status"]) for name, item in items.items()} == {
        "plain": ("base", "unloaded"),
        "org/quantised": ("quantized", "unloaded"),
        "scripted": ("chat", "ready"),
    }
    assert items["plain"]["max_model_len"] == 512
    assert items["org/quantised"]["size_bytes"] > 100


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/models/scripted/status", (200, "ready")),
        ("POST", "/api/models/scripted/load", (202, "ready")),
        ("POST", "/api/models/scripted/unload", (409, "model_unavailable")),
        ("GET", "/api/models/org/none/status", (404, "model_not_found")),
        ("POST", "/api/models/..%2f..%2fetc%2fpasswd/load", (404, "model_not_found")),
        ("GET", f"/api/models/{'x' * 5000}/status", (404, "model_not_found")),
    ],
)
async def test_a_model_says_how_far_it_is(
    backend: Backend, method: str, path: str, expected: tuple[int, str]
) -> None:
    reply = await backend.http.request(method, path)

    assert (reply.status_code, reply.json().get("code") or reply.json()["status"]) == expected


async def test_another_model_is_seen_without_being_asked_for(backend: Backend, engine: ScriptedVllm) -> None:
    assert (await backend.http.get(MODELS)).json()["default"] == "scripted"
    engine.models = ["another"]

    async with asyncio.timeout(WITHIN_S):
        while "another" not in backend.running.services.vllm._catalogue._engines.all[0].models:
            await asyncio.wait({asyncio.current_task()}, timeout=0.05)

    assert (await backend.http.get(MODELS)).json()["default"] == "another"


async def test_prometheus_reads_what_happened(backend: Backend, engine: ScriptedVllm) -> None:
    engine.script(Answer(content=["a", "b"], reasoning="c"))
    engine.script(Answer(status=400, body={"error": {"message": "no"}}))
    for _ in range(2):
        started = await backend.send(await backend.new_chat())
        await backend.events(started["run"]["id"])

    reply = await backend.http.get("/metrics")
    values = dict(re.findall(r"^(vllm_chat_\S+) (\S+)$", reply.text, re.MULTILINE))

    assert reply.headers["content-type"].startswith("text/plain")
    assert values['vllm_chat_runs_ended_total{outcome="completed"}'] == "1.0"
    assert values['vllm_chat_runs_ended_total{outcome="failed"}'] == "1.0"
    assert values['vllm_chat_engine_failures_total{code="invalid_request"}'] == "1.0"
    assert values["vllm_chat_first_token_seconds_count"] == "1.0"
    assert float(values["vllm_chat_deltas_total"]) >= 2
    assert float(values["vllm_chat_commit_seconds_count"]) >= 2
    assert 0 < float(values["vllm_chat_commit_seconds_sum"]) < WITHIN_S
    assert values["vllm_chat_runs_running"] == "0.0"
    assert values["vllm_chat_sockets"] == "0.0"


def away(settings: Settings) -> Settings:
    return settings.model_copy(update={"vllm_api_base_url": ["http://127.0.0.1:9/v1"]})


async def tier_becomes(backend: Backend, status: str) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN_S):
        while True:
            _, health = await told(backend)
            tier: dict[str, Any] = health["tiers"]["vllm"]
            if tier["status"] == status:
                return tier
