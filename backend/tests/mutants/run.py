"""Applies each sabotage to a copy of the backend and sees its test turn red: `python backend/tests/mutants/run.py`.

`--count N --seed S` draws some of them, `--only TEXT` takes those with the text in their name, `--list` names them. First all
their tests must be green without sabotage. The copy lies in a temporary folder; the checkout is only read.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "backend"))

from tests.mutants.patches import PATCHES, Patch  # noqa: E402 (its place has to be known before)

COPIED = ("backend", "migrations", "contract", "pyproject.toml", ".env.example")
IGNORED = shutil.ignore_patterns("__pycache__", ".pytest_cache", ".hypothesis", "*.db")
GREEN, RED = 0, 1  # pytest's exit codes; every other one means that it could not be tested
WITHIN_S = 180


def copied(folder: Path) -> Path:
    """Copy what the tests need and return where it is."""
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=IGNORED)
        elif source.exists():
            shutil.copy(source, folder / name)
    return folder


def pytest(folder: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests of a copy; returns the exit code and what was said."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, *(f"backend/tests/{test}" for test in tests)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=WITHIN_S * max(1, len(tests)),
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def sabotaged(folder: Path, patch: Patch) -> tuple[str, str]:
    """Apply a sabotage, run its test and take it back.

    Returns:
        `red`, `hung` (the test did not come to an end, which a starved machine does too) or `WRONG`, and what to say.
    """
    file = folder / "backend" / patch.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(patch.old) != 1:
        said = f"{patch.file} has what is replaced {whole.count(patch.old)} times: the patch needs mending"
        return "WRONG", said
    file.write_text(whole.replace(patch.old, patch.new), encoding="utf-8")
    try:
        code, said = pytest(folder, [patch.test])
    except subprocess.TimeoutExpired:
        return "hung", patch.test
    finally:
        file.write_text(whole, encoding="utf-8")
    if code == RED and " failed" in said:
        return "red", patch.test
    return "WRONG", f"{patch.test} ended with {code}, not red\n{said[-1500:]}"


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 0 when every sabotage was noticed."""
    parser = argparse.ArgumentParser(description="sabotage, each of which a named test must notice")
    parser.add_argument("--count", type=int, help="draw so many of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="those whose name contains this")
    parser.add_argument("--list", action="store_true", help="name them, run nothing")
    options = parser.parse_args(arguments)
    chosen = [patch for patch in PATCHES if options.only in patch.name]
    if options.count is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.count, len(chosen)))  # noqa: S311
    if options.list:
        for patch in chosen:
            print(f"{patch.name}: {patch.test}")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = copied(Path(name))
        code, said = pytest(folder, sorted({patch.test for patch in chosen}))
        if code != GREEN:
            print(f"not green without sabotage:\n{said[-3000:]}")
            return 1
        failures = 0
        for patch in chosen:
            came_to, said = sabotaged(folder, patch)
            failures += came_to == "WRONG"
            print(f"{came_to:5} {patch.name}: {said}", flush=True)
    print(f"{len(chosen) - failures} of {len(chosen)} noticed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
