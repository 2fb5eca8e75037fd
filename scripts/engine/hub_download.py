"""Fetches a model from a hub into a folder: Hugging Face or a mirror (HF_ENDPOINT), ModelScope (VLLM_USE_MODELSCOPE).

It does not choose the model. Exit codes: 0 there is a folder, 3 no hub answers, 4 the hub has no such model, 1 the download broke.
"""

import argparse
import os
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

PROBE_S = 6.0  # a hub that is there answers within a second or two; a blocked one must not hold the start
ATTEMPTS = 3
NO_HUB, NO_MODEL = 3, 4
WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]


def uses_modelscope() -> bool:
    """Whether the user wants ModelScope instead of Hugging Face."""
    return os.environ.get("VLLM_USE_MODELSCOPE", "").lower() in {"1", "true", "yes"}


def model_page(name: str) -> str:
    """The address that says whether the hub is there and has the model."""
    if uses_modelscope():
        return f"https://{os.environ.get('MODELSCOPE_DOMAIN', 'modelscope.cn')}/api/v1/models/{name}"
    return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/api/models/{name}"


def probe(url: str) -> int:
    """HTTP status of `url`, or 0 when nothing answers in PROBE_S. Name resolution has no time limit of its own, so it runs apart."""
    status = [0]

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=PROBE_S) as answer:
                status[0] = answer.status
        except urllib.error.HTTPError as error:
            status[0] = error.code
        except (OSError, ValueError):
            status[0] = 0

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(PROBE_S + 1)
    return status[0]


def fetch_function() -> Callable[[str, Path], None]:
    """The hub's own way to fetch a whole model into a folder."""
    if uses_modelscope():
        from modelscope import snapshot_download as from_modelscope  # noqa: PLC0415 (installed only where it is wanted)

        return lambda name, folder: from_modelscope(name, local_dir=str(folder), allow_patterns=WANTED)
    from huggingface_hub import snapshot_download as from_hub  # noqa: PLC0415 (takes a second; not needed where no hub answers)

    return lambda name, folder: from_hub(name, local_dir=folder, allow_patterns=WANTED)


def download(name: str, folder: Path) -> None:
    """Puts the whole model at `folder`; what a broken download left is gone on with."""
    partial = folder.with_name(f".{folder.name}.partial")
    fetch = fetch_function()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            fetch(name, partial)
            break
        except Exception as error:  # each hub has its own tree of errors; all mean the same here
            print(f"  ! download broke ({attempt}/{ATTEMPTS}): {str(error).splitlines()[0]}", flush=True)
            if attempt == ATTEMPTS:
                raise SystemExit(1) from error
    partial.rename(folder)


def main() -> None:
    """Probes, then downloads."""
    parser = argparse.ArgumentParser(description="model hub to model folder")
    parser.add_argument("name", help="organisation/model")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    status = probe(model_page(arguments.name))
    # 5xx, 407 and the like come from whatever stands in the way, not from a hub that knows the model.
    if status in {401, 403, 404}:
        sys.exit(NO_MODEL)
    if status not in range(200, 400):
        sys.exit(NO_HUB)
    print(f"==> downloading {arguments.name} to {arguments.folder}", flush=True)
    download(arguments.name, arguments.folder)


if __name__ == "__main__":
    main()
