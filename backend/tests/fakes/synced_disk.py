"""A disk that loses the power: the files as they are when only what was synced has reached it.

Watches a program's system calls with strace. Knows files that are written with offsets, as SQLite writes.
"""

import re
import shutil
import subprocess
from pathlib import Path

TRACED = "openat,pwrite64,ftruncate,fsync,fdatasync,close,unlink"
MAX_BYTES = 1_000_000
_OPENED = re.compile(r'openat\([^"]*"(?P<path>(?:\\x[0-9a-f]{2})+)".*\) = (?P<fd>\d+)$')
_WRITTEN = re.compile(r'pwrite64\((?P<fd>\d+), "(?P<data>(?:\\x[0-9a-f]{2})*)", \d+, (?P<offset>\d+)\)')
_CUT = re.compile(r"ftruncate\((?P<fd>\d+), (?P<size>\d+)\)")
_SYNCED = re.compile(r"f(?:data)?sync\((?P<fd>\d+)\)")
_REMOVED = re.compile(r'unlink\("(?P<path>(?:\\x[0-9a-f]{2})+)"\)')
_CLOSED = re.compile(r"close\((?P<fd>\d+)\)")

STRACE = shutil.which("strace")


def synced_image(command: list[str], folder: Path, image: Path) -> str:
    """Run a program that writes below `folder`, and leave in `image` what a power cut at its end would leave.

    Returns what the program has printed.
    """
    trace = image.with_suffix(".trace")
    assert STRACE is not None
    done = subprocess.run(
        [STRACE, "-f", "-xx", "-s", str(MAX_BYTES), "-e", f"trace={TRACED}", "-o", str(trace), *command],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    image.mkdir()
    for path, content in _synced(trace, folder).items():
        (image / path.name).write_bytes(content)
    return done.stdout


def _synced(trace: Path, folder: Path) -> dict[Path, bytes]:
    opened: dict[str, Path] = {}
    written: dict[Path, bytearray] = {}
    synced: dict[Path, bytes] = {}
    for line in trace.read_text().splitlines():
        call = line.split(" ", 1)[1].strip()
        if match := _OPENED.match(call):
            path = Path(_plain(match["path"]).decode())
            opened[match["fd"]] = path
            if path.parent == folder:
                written.setdefault(path, bytearray())
        elif (match := _WRITTEN.match(call)) and (content := written.get(opened[match["fd"]])) is not None:
            data, offset = _plain(match["data"]), int(match["offset"])
            content.extend(bytes(max(0, offset + len(data) - len(content))))
            content[offset : offset + len(data)] = data
        elif (match := _CUT.match(call)) and (content := written.get(opened[match["fd"]])) is not None:
            del content[int(match["size"]) :]
        elif (match := _SYNCED.match(call)) and opened.get(match["fd"]) in written:
            synced[opened[match["fd"]]] = bytes(written[opened[match["fd"]]])
        elif match := _REMOVED.match(call):
            synced.pop(Path(_plain(match["path"]).decode()), None)
        elif match := _CLOSED.match(call):
            opened.pop(match["fd"], None)
    return synced


def _plain(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))
