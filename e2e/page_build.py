"""The static build of the page, made anew when a source is younger than it.

Does not install what the build needs: `npm ci` does.
"""

import fcntl
import functools
import os
import subprocess
from pathlib import Path

from e2e.processes import REPOSITORY

FRONTEND = REPOSITORY / "frontend"
BUILD = FRONTEND / "build"
_SOURCES = ("src", "static", "package-lock.json", "svelte.config.js", "vite.config.ts")


@functools.cache
def fresh_build() -> Path:
    """Return the folder of the build, made anew where it is missing or stale. Looked at once a test run.

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
    return BUILD


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
