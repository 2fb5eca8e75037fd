"""What start_vllm.sh does on a machine with a GPU, with stand-ins for nvidia-smi, uv and the interpreter that uv would make.

That the real vLLM starts on a real GPU is not shown here.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

START = Path(__file__).resolve().parents[1] / "start_vllm.sh"
NVIDIA_SMI = '#!/bin/sh\necho "GPU 0: NVIDIA A10 (UUID: GPU-0)"\n'
UV = """#!/bin/bash
echo "$*" >>"$RECORD/uv"
if [ "$1" = venv ]; then
  mkdir -p "${@: -1}/bin"
  cp "$RECORD/python" "${@: -1}/bin/python"
fi
"""
PYTHON = '#!/bin/bash\necho "$*" >"$RECORD/served"\nenv >"$RECORD/environment"\n'
CONFIG = {
    "model_type": "qwen3",
    "max_position_embeddings": 40960,
    "quantization_config": {"quant_method": "gptq", "bits": 8},
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for path, text in (("bin/nvidia-smi", NVIDIA_SMI), ("bin/uv", UV), ("python", PYTHON)):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    model = tmp_path / "models" / "Qwen3-0.6B-GPTQ-Int8"
    model.mkdir(parents=True)
    (model / "config.json").write_text(json.dumps(CONFIG))
    (model / "tokenizer_config.json").write_text('{"chat_template": "<think>"}')
    (model / "model.safetensors").write_bytes(b"x" * 4096)
    return tmp_path


def started(machine: Path, **settings: str) -> str:
    """Starts vLLM as the stand-ins would have it; returns what was said."""
    environment = {
        **os.environ,
        "PATH": f"{machine / 'bin'}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(machine / "cache"),
        "MODELS_DIR": str(machine / "models"),
        "RECORD": str(machine),
        "ENV_FILE": os.devnull,
        "ENGINE_DEVICE": "auto",
        "VLLM_API_BASE_URL": "http://127.0.0.1:18765/v1",
        "VLLM_API_KEY": "",
        "DEFAULT_MODEL": "",
        **settings,
    }
    done = subprocess.run(
        ["bash", str(START)], env=environment, cwd="/", capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_build_for_gpus_is_installed_and_may_run_what_needs_one(machine: Path) -> None:
    said = started(machine)

    assert "==> installing vLLM for the GPU (vllm==" in said
    install = (machine / "uv").read_text().splitlines()[1]
    assert " vllm==" in install
    assert "cpu" not in install.replace(str(machine), "")
    served = (machine / "served").read_text()
    assert "--served-model-name Qwen3-0.6B-GPTQ-Int8 " in served
    assert "--reasoning-parser qwen3" in served
    assert "--enforce-eager" not in served


def test_a_second_start_installs_nothing(machine: Path) -> None:
    started(machine)
    (machine / "uv").unlink()

    assert "installing" not in started(machine)
    assert not (machine / "uv").exists()


def test_vllm_is_not_given_what_was_meant_for_the_scripts(machine: Path) -> None:
    started(machine, VLLM_USE_MODELSCOPE="true", VLLM_CPU_KVCACHE_SPACE="", VLLM_EXTRA_ARGS='--x "a b"')

    names = {line.split("=")[0] for line in (machine / "environment").read_text().splitlines()}
    # vLLM wants ModelScope's client with the first even for a model that is here, and a number in the second.
    assert names.isdisjoint(
        {"VLLM_USE_MODELSCOPE", "VLLM_CPU_KVCACHE_SPACE", "VLLM_EXTRA_ARGS", "VLLM_API_KEY"}
    )
    assert (machine / "served").read_text().endswith("--x a b\n")
