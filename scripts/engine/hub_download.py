"""Fetches a model from a hub into a folder: Hugging Face or a mirror (HF_ENDPOINT), ModelScope (VLLM_USE_MODELSCOPE).

It does not choose the model. Exit codes: 0 there is a folder, 3 no hub answers, 4 the hub has no such model, 1 the download broke.
"""

import argparse
import json
import os
import shutil
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

PROBE_S = 6.0  # a hub that is there answers within a second or two; a blocked one must not hold the start
MOST_ABOUT_BYTES = 4 * 2**20  # what a hub says of one model
ATTEMPTS = 3
TELL_EVERY_S = 5.0
MB = 10**6
NO_HUB, NO_MODEL = 3, 4
YES = {"1", "true", "yes", "on"}
WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]


def setting(name: str, default: str) -> str:
    """A setting of the hub's; an empty one is not set, for the hub's own client neither."""
    if not os.environ.get(name):
        os.environ.pop(name, None)
    return os.environ.get(name, default)


def uses_modelscope() -> bool:
    """Whether the user wants ModelScope instead of Hugging Face."""
    return os.environ.get("VLLM_USE_MODELSCOPE", "").lower() in YES


def model_page(name: str) -> str:
    """The address that says whether the hub is there and has the model."""
    if uses_modelscope():
        return f"https://{setting('MODELSCOPE_DOMAIN', 'modelscope.cn')}/api/v1/models/{name}"
    return f"{setting('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/api/models/{name}?blobs=true"


def probe(url: str) -> tuple[int, bytes]:
    """HTTP status and body of `url`; 0 when nothing answers in PROBE_S. Name resolution has no time limit of its own, so it runs apart."""
    found: list[tuple[int, bytes]] = [(0, b"")]

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=PROBE_S) as answer:
                found[0] = answer.status, answer.read(MOST_ABOUT_BYTES)
        except urllib.error.HTTPError as error:
            found[0] = error.code, b""
        except (OSError, ValueError):
            found[0] = 0, b""

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(PROBE_S + 1)
    return found[0]


def whole_size(about: bytes) -> int:
    """Bytes of the wanted files, as Hugging Face tells them; 0 where the hub does not."""
    try:
        files = json.loads(about)["siblings"]
        return sum(
            file.get("size") or 0
            for file in files
            if any(fnmatch(file["rfilename"], wanted) for wanted in WANTED)
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return 0


def size_of(folder: Path) -> int:
    """Bytes that have arrived, those of files on their way too."""
    found = 0
    for file in folder.rglob("*"):
        try:
            found += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue  # moved to its place just now
    return found


@contextmanager
def told(name: str, partial: Path, whole: int) -> Iterator[None]:
    """Says how much has arrived while the download runs, for the terminal and, through the supervisor, for the page."""
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(TELL_EVERY_S):
            of = f" of {whole // MB}" if whole else ""
            print(f"... downloading {name}: {size_of(partial) // MB}{of} MB", flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def tell_page(name: str) -> None:
    """Names the model that is on its way, to whoever asked for it by MODEL_STATUS_FILE."""
    if file := os.environ.get("MODEL_STATUS_FILE"):
        Path(file).write_text(json.dumps({"model": name.rsplit("/", 1)[-1], "note": ""}), encoding="utf-8")


def fetch_function() -> Callable[[str, Path], None]:
    """The hub's own way to fetch a whole model into a folder."""
    # Its bars are for a terminal; here lines are read.
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    if uses_modelscope():
        from modelscope import snapshot_download as from_modelscope  # noqa: PLC0415 (installed only where it is wanted)

        return lambda name, folder: from_modelscope(name, local_dir=str(folder), allow_patterns=WANTED)
    from huggingface_hub import snapshot_download as from_hub  # noqa: PLC0415 (takes a second; not needed where no hub answers)

    return lambda name, folder: from_hub(name, local_dir=folder, allow_patterns=WANTED)


def download(name: str, folder: Path, whole: int) -> None:
    """Puts the whole model at `folder`; what a broken download left is gone on with."""
    partial = folder.with_name(f".{folder.name}.partial")
    fetch = fetch_function()
    with told(name, partial, whole):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                fetch(name, partial)
                break
            except Exception as error:  # each hub has its own tree of errors; all mean the same here
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                print(f"  ! download broke ({attempt}/{ATTEMPTS}): {reason}", flush=True)
                if attempt == ATTEMPTS:
                    raise SystemExit(1) from error
    if folder.exists():
        # Some of it was there, but no model.
        shutil.copytree(partial, folder, copy_function=shutil.move, dirs_exist_ok=True)
        shutil.rmtree(partial)
    else:
        partial.rename(folder)


def main() -> None:
    """Probes, then downloads."""
    parser = argparse.ArgumentParser(description="model hub to model folder")
    parser.add_argument("name", help="organisation/model")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in YES:
        sys.exit(NO_HUB)
    status, about = probe(model_page(arguments.name))
    # 5xx, 407 and the like come from whatever stands in the way, not from a hub that knows the model.
    if status in {401, 403, 404}:
        sys.exit(NO_MODEL)
    if status not in range(200, 400):
        sys.exit(NO_HUB)
    print(f"==> downloading {arguments.name} to {arguments.folder}", flush=True)
    tell_page(arguments.name)
    download(arguments.name, arguments.folder, whole_size(about))


if __name__ == "__main__":
    main()
