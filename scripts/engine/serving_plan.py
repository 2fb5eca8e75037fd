"""Works out how vLLM should serve one model folder on this machine: its arguments, one a line, and its memory for the cache.

It does not start vLLM. Standard library only: it runs before anything is installed.
"""

import argparse
import json
from pathlib import Path

# With less free memory the context shrinks first: a short context is seen at once, a machine that swaps is not.
# (GiB available, GiB for the key-value cache, longest context)
CPU_STEPS = ((12, 4, 16384), (6, 2, 8192), (0, 1, 4096))
GPU_CONTEXT = 32768
CPU_SEQUENCES = 32  # MAX_CONCURRENT_RUNS: the backend never asks for more at once
KEEP_ALIVE_S = 10  # below the backend's IDLE_TIMEOUT_S


def available_gib() -> float:
    """Memory that can be had without swapping, in GiB; 8 where the system does not tell."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 2**20
    except OSError:
        pass
    return 8.0


def context_of(config: dict[str, object]) -> int | None:
    """Longest context the model was made for, in tokens."""
    text = config.get("text_config")
    inner = text if isinstance(text, dict) else config
    length = inner.get("max_position_embeddings")
    return length if isinstance(length, int) else None


def thinks_like_qwen3(folder: Path, config: dict[str, object]) -> bool:
    """Whether the chat template of a Qwen3-shaped model knows `<think>`."""
    if not str(config.get("model_type", "")).startswith("qwen3"):
        return False
    templates = (folder / "chat_template.jinja", folder / "tokenizer_config.json")
    return any("<think>" in file.read_text(encoding="utf-8") for file in templates if file.is_file())


def plan(folder: Path, device: str) -> tuple[int, list[str]]:
    """GiB for the CPU's key-value cache (0 on a GPU, which measures for itself) and vLLM's arguments."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    arguments = ["--enable-prompt-tokens-details", "--enable-per-request-metrics", "--enable-prefix-caching"]
    arguments += ["--sse-keep-alive-interval", str(KEEP_ALIVE_S), "--generation-config", "auto"]
    if thinks_like_qwen3(folder, config):
        arguments += ["--reasoning-parser", "qwen3"]
    longest = context_of(config)
    cache_gib = 0
    limit = GPU_CONTEXT
    if device == "cpu":
        free = available_gib()
        cache_gib, limit = next((gib, length) for least, gib, length in CPU_STEPS if free >= least)
        # Compiling the graph takes a minute and gains little without a GPU.
        arguments += ["--enforce-eager", "--max-num-seqs", str(CPU_SEQUENCES)]
    arguments += ["--max-model-len", str(min(longest or limit, limit))]
    return cache_gib, arguments


def main() -> None:
    """Prints the plan."""
    parser = argparse.ArgumentParser(description="how to serve a model folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("device", choices=("cpu", "gpu"))
    options = parser.parse_args()
    cache_gib, arguments = plan(options.folder, options.device)
    print(cache_gib, *arguments, sep="\n")


if __name__ == "__main__":
    main()
