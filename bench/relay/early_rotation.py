"""The backend with a journal that rotates early, so that a short load sees it: `early_rotation.py BYTES`. Changes nothing else."""

import runpy
import sys
from pathlib import Path

BACKEND = Path(__file__).resolve().parents[2] / "backend"

if __name__ == "__main__":
    sys.path.insert(0, str(BACKEND))
    from app.repositories import group_commit

    group_commit.ROTATE_BYTES = int(sys.argv.pop(1))
    runpy.run_path(str(BACKEND / "main.py"), run_name="__main__")
