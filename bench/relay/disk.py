"""What the disk itself takes to make a batch safe: an append and fdatasync, the floor of every journal."""

import os
import time
from pathlib import Path

BATCH_BYTES = 12 * 1024  # two hundred short tokens with what names them
COUNT, APART_S = 300, 0.01


def fdatasyncs_ms(folder: Path) -> list[float]:
    """Append to a new file in the folder again and again, and return how long each fdatasync took."""
    path = folder / "fdatasync"
    took = []
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(COUNT):
            os.write(handle, b"x" * BATCH_BYTES)
            begun = time.perf_counter()
            os.fdatasync(handle)
            took.append((time.perf_counter() - begun) * 1000)
            time.sleep(APART_S)
    finally:
        os.close(handle)
        path.unlink()
    return took
