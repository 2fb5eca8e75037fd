"""Randomised fault rounds: `python bench/faults/rounds.py --rounds 2000 --seed 1 --processes 4`.

Each lane is a process with an engine of its own and a backend that is killed; the same seed draws the same faults.
Prints what was lost (nothing), and how many answers had to go on. Holds no fault and no law: those are in
`backend/tests/faults/`.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "backend"))

from tests.fakes.postgresql import cluster  # noqa: E402 (its place has to be known before)
from tests.faults.faults import FAULTS  # noqa: E402
from tests.faults.lane import lane  # noqa: E402
from tests.faults.rounds import Rounds, Tally  # noqa: E402

EVERY_S = 10.0


async def play(options: argparse.Namespace) -> None:
    """Play one lane's rounds and write a line of JSON for each."""
    settings = {"database_url": options.database_url} if options.database_url else {}
    async with lane(options.folder, options.seed, **settings) as made:
        rounds = Rounds(made)
        for _ in range(options.rounds):
            print(json.dumps(vars(await rounds.play(options.fault))), flush=True)


def line(tally: Tally, began: float) -> str:
    """Return what is known so far."""
    seconds = time.monotonic() - began
    return (
        f"{tally.rounds} rounds ({tally.rounds / seconds:.1f}/s), {tally.runs} answers, {tally.characters} characters, "
        f"{tally.continued} times gone on, {dict(tally.outcomes)}, {len(tally.problems)} broken promises"
    )


def start(options: argparse.Namespace, index: int, folder: Path, url: str | None) -> subprocess.Popen[str]:
    """Start a lane."""
    rounds = options.rounds // options.processes + (index < options.rounds % options.processes)
    command = [sys.executable, __file__, "--rounds", str(rounds), "--seed", str(options.seed * 1000 + index)]
    command += ["--folder", str(folder)]
    command += ["--fault", options.fault] if options.fault else []
    command += ["--database-url", url] if url else []
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def collect(lanes: list[subprocess.Popen[str]], began: float) -> Tally:
    """Add up what the lanes say, and print it now and then."""
    import selectors  # noqa: PLC0415 (only the process that collects needs it)

    total, shown = Tally(), began
    waiting = selectors.DefaultSelector()
    for each in lanes:
        if each.stdout is not None:
            waiting.register(each.stdout, selectors.EVENT_READ)
    while waiting.get_map():
        for key, _ in waiting.select():
            said = key.fileobj.readline()  # type: ignore[union-attr]
            if not said:
                waiting.unregister(key.fileobj)
                continue
            value = json.loads(said)
            value["faults"], value["outcomes"] = Counter(value["faults"]), Counter(value["outcomes"])
            one = Tally(**value)
            for problem in one.problems:
                print(f"BROKEN: {problem}", flush=True)
            total.add(one)
        if time.monotonic() - shown > EVERY_S:
            shown = time.monotonic()
            print(line(total, began), flush=True)
    return total


def main() -> int:
    """Play all rounds; the exit code says whether every promise was kept."""
    parser = argparse.ArgumentParser(description="randomised fault rounds")
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=4, help="lanes at a time")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="this one alone")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--database-url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder is not None:
        asyncio.run(play(options))
        return 0
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rounds-")))
        made = stack.enter_context(cluster()) if options.database == "postgresql" else None
        urls = [made.create(f"lane{index}") if made else None for index in range(options.processes)]
        lanes = [start(options, index, folder / f"lane{index}", url) for index, url in enumerate(urls)]
        total = collect(lanes, began)
        codes = [each.wait() for each in lanes]
    print(f"faults: {dict(total.faults.most_common())}")
    print(line(total, began))
    return 1 if total.problems or any(codes) or total.rounds != options.rounds else 0


if __name__ == "__main__":
    sys.exit(main())
