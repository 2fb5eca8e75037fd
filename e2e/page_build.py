"""The static build of the page, made anew when a source is younger than it, and a copy of it for one test run.

Does not install what the build needs: `npm ci` does.
"""

import atexit
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from e2e.processes import REPOSITORY

FRONTEND = REPOSITORY / "frontend"
BUILD = FRONTEND / "build"
_SOURCES = ("src", "static", "package-lock.json", "svelte.config.js", "vite.config.ts")


@functools.cache
def fresh_build() -> Path:
    """Return a copy of the build, made anew where it is missing or stale. Looked at once a test run.

    A copy, so that a build made meanwhile does not change the page under a running test.

    Raises:
        AssertionError: the build failed; carries its output.
    """
    with (FRONTEND / "node_modules" / ".page-build.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if _stale():
            environment = {**os.environ, "VITE_API_BASE_URL": ""}
            done = subprocess.run(
                ["npm", "run", "build"],
                cwd=FRONTEND, env=environment, capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip
            assert done.returncode == 0, f"npm run build failed\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        copy = Path(tempfile.mkdtemp(prefix="page-build-"))
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        return shutil.copytree(BUILD, copy, dirs_exist_ok=True)


def _stale() -> bool:
    index = BUILD / "index.html"
    if not index.exists():
        return True
    built = index.stat().st_mtime
    return any(path.stat().st_mtime > built for path in _source_files())


def _source_files() -> list[Path]:
    found = []
    for name in _SOURCES:
        path = FRONTEND / name
        found += [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
    return found
