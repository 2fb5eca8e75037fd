"""The machine around the engines: the supervisor's word on them, model folders, memory; implements `ports.EngineHost`.

Starts and stops nothing.
"""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from app.ports import Clock, EngineProgress, ModelFolder
from app.schemas.engine import ModelType

GPU_FRESH_S = 10.0  # nvidia-smi takes tens of milliseconds and wakes the driver
GPU_TIMEOUT_S = 5.0
MEBIBYTE = 1024 * 1024
KIBIBYTE = 1024
MAX_DEPTH = 2  # models/NAME and models/ORGANISATION/NAME


class EngineHost:
    """Reads what this machine says.

    Args:
        status_file: written by the supervisor; None when the engine is started elsewhere.
        models_dir: the folder of models; it need not exist.
        clock: for the age of what the GPU said.
    """

    def __init__(self, status_file: Path | None, models_dir: Path, clock: Clock) -> None:
        self._status_file = status_file
        self._models_dir = models_dir
        self._clock = clock
        self._gpu: tuple[float, list[dict[str, Any]]] | None = None
        self._nvidia_smi = shutil.which("nvidia-smi")

    def progress(self) -> EngineProgress | None:
        """Return the supervisor's word. See the port."""
        if self._status_file is None:
            return None
        try:
            return msgspec.json.decode(self._status_file.read_bytes(), type=EngineProgress)
        except (OSError, msgspec.DecodeError):
            return None

    def folders(self) -> Sequence[ModelFolder]:
        """Return the models on the disk. See the port."""
        configs = [
            config
            for depth in range(1, MAX_DEPTH + 1)
            for config in sorted(self._models_dir.glob("/".join(["*"] * depth) + "/*config.json"))
            if config.name in ("config.json", "adapter_config.json")
        ]
        return [folder for config in configs if (folder := _folder(self._models_dir, config)) is not None]

    async def memory(self) -> dict[str, Any]:
        """Return memory in bytes. See the port."""
        told: dict[str, Any] = _machine_memory()
        gpus = await self._gpu_memory()
        return {**told, "gpus": gpus} if gpus else told

    async def _gpu_memory(self) -> list[dict[str, Any]]:
        if self._nvidia_smi is None:
            return []
        now = self._clock.monotonic()
        if self._gpu is None or now - self._gpu[0] > GPU_FRESH_S:
            self._gpu = (now, await _ask_nvidia(self._nvidia_smi))
        return self._gpu[1]


def _folder(models_dir: Path, config: Path) -> ModelFolder | None:
    folder = config.parent
    try:
        about = msgspec.json.decode(config.read_bytes(), type=dict[str, Any])
        files = [file.stat() for file in folder.iterdir() if file.is_file()]
    except (OSError, msgspec.DecodeError):
        return None
    length = about.get("max_position_embeddings")
    return ModelFolder(
        name=folder.relative_to(models_dir).as_posix(),
        type=_type(config, about),
        size_bytes=sum(file.st_size for file in files),
        modified_at=datetime.fromtimestamp(max(file.st_mtime for file in files), UTC),
        max_model_len=length if isinstance(length, int) else None,
    )


def _type(config: Path, about: dict[str, Any]) -> ModelType:
    if config.name == "adapter_config.json":
        return "adapter"
    if "quantization_config" in about:
        return "quantized"
    folder = config.parent
    if (folder / "chat_template.jinja").exists():
        return "chat"
    try:
        has_template = b'"chat_template"' in (folder / "tokenizer_config.json").read_bytes()
    except OSError:
        has_template = False
    return "chat" if has_template else "base"


def _machine_memory() -> dict[str, Any]:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        own = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return {}
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    kibibytes = {
        name: int(values[name].split()[0]) for name in ("MemTotal", "MemAvailable") if name in values
    }
    return {
        "machine_total_bytes": kibibytes.get("MemTotal", 0) * KIBIBYTE,
        "machine_available_bytes": kibibytes.get("MemAvailable", 0) * KIBIBYTE,
        "backend_bytes": int(own[1]) * 4 * KIBIBYTE,
    }


async def _ask_nvidia(program: str) -> list[dict[str, Any]]:
    query = ("--query-gpu=name,memory.total,memory.used", "--format=csv,noheader,nounits")
    try:
        process = await asyncio.create_subprocess_exec(
            program, *query, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await asyncio.wait_for(process.communicate(), GPU_TIMEOUT_S)
    except (OSError, TimeoutError):
        return []
    gpus = []
    for line in output.decode(errors="replace").splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 3 and fields[1].isdigit() and fields[2].isdigit():  # noqa: PLR2004 (as asked for)
            gpus.append(
                {
                    "name": fields[0],
                    "total_bytes": int(fields[1]) * MEBIBYTE,
                    "used_bytes": int(fields[2]) * MEBIBYTE,
                }
            )
    return gpus
