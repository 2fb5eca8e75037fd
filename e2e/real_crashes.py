"""Crash rounds on a real vLLM: `python -m e2e.real_crashes --rounds 20 --victim backend --seed 1`.

One round: three answers of the tiny Qwen3 at once, thinking on, one of them long enough to be hit; one kill -9 at a drawn
moment; all must complete, with every event that was shown unchanged and every text the same before the seam.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from e2e.deadline import eventually
from e2e.engine.real_vllm import RealVllm
from e2e.rest import ENDED, Json, Rest, server_sent
from e2e.tiers import Tiers

VICTIMS = ("backend", "engine core", "API process", "all of it")
LONG = "long story"  # goes on until its limit; the tiny model writes halves of characters into it by itself
QUESTIONS = ("please explain the garden", "please emoji show", "please 中文 show", "please code")
WITHIN_S = 700.0  # vLLM takes a minute to come back, many where others work
MAX_TOKENS = 700
RETRY_S = 0.2


class Reader:
    """Follows one run by SSE from where it was, however often the connection breaks; keeps every event it was sent."""

    def __init__(self, url: str, run_id: str) -> None:
        self.run_id = run_id
        self.events: dict[int, Json] = {}
        self.problems: list[str] = []
        self.left = False
        self.over = (
            False  # nothing more is to be told: ended before, and the backend that knew the events is dead
        )
        self._url = url
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the end was told."""
        return any(event["type"] == "run.ended" for event in list(self.events.values()))

    def tokens(self) -> int:
        """Return how many deltas were told."""
        return sum(event["type"] == "run.delta" for event in list(self.events.values()))

    def close(self) -> None:
        """Read no longer."""
        self.left = True
        self._thread.join(10)

    def _read(self) -> None:
        with httpx2.Client(base_url=self._url, timeout=httpx2.Timeout(5, read=5), trust_env=False) as client:
            while not self.left and not self.ended:
                try:
                    path = f"/api/runs/{self.run_id}/events?after_seq={max(self.events, default=0)}"
                    with client.stream("GET", path) as answer:
                        if answer.status_code in {204, 410}:
                            self.over = True
                            return
                        for event in server_sent(answer.iter_lines()):
                            self._take(event)
                except httpx2.TransportError:
                    pass
                time.sleep(RETRY_S)

    def _take(self, event: Json) -> None:
        if event["seq"] != max(self.events, default=0) + 1:
            self.problems.append(f"event {event['seq']} after {max(self.events, default=0)}")
        self.events[event["seq"]] = event


@dataclass
class Played:
    """What a round came to."""

    continued: int = 0
    problems: list[str] = field(default_factory=list)


class CrashRounds:
    """Plays rounds on one vLLM and one backend, both of which are killed and come back."""

    def __init__(self, vllm: RealVllm, tiers: Tiers, dice: random.Random) -> None:
        self._vllm = vllm
        self._tiers = tiers
        self._dice = dice

    def play(self, victim: str) -> Played:
        """Play one round: everything is running before and afterwards."""
        played = Played()
        api = Rest(self._tiers.backend_url)
        asked: list[tuple[Json, Reader]] = []  # the long one last
        for question in (*self._dice.sample(QUESTIONS, 2), LONG):
            options = {"thinking": True, "max_tokens": MAX_TOKENS, "temperature": 0}
            chat = api.new_chat()
            run = api.start(chat["id"], question, options=options)["run"]
            asked.append((run, Reader(self._tiers.backend_url, run["id"])))
        moment = self._dice.randint(1, 40)
        eventually(lambda: asked[-1][1].tokens() >= moment or asked[-1][1].ended, 120, "some tokens")
        self._kill(victim)
        for run, reader in asked:
            self._check(api, run, reader, played, is_long=reader is asked[-1][1])
        api.close()
        return played

    def _kill(self, victim: str) -> None:
        if victim in {"backend", "all of it"}:
            self._tiers.kill_backend()
        if victim == "engine core":
            self._vllm.kill_process("EngineCore")
            self._vllm.wait_until_gone()  # its API process sees it, says so in the streams, and ends
        if victim == "API process":
            self._vllm.kill_process("api")
        if victim != "backend":
            self._vllm.kill()
        if self._tiers.backend is None:
            self._tiers.start_backend()
        if victim != "backend":
            self._vllm.start()

    def _check(self, api: Rest, run: Json, reader: Reader, played: Played, *, is_long: bool) -> None:
        ended = self._until_ended(api, run["id"])
        stored = api.message(run["chat_id"], run["message_id"])
        eventually(lambda: reader.ended or reader.over, 60, "the reader to hear of the end")
        reader.close()
        played.continued += stored["metadata"].get("continued", 0)
        whole = dict(sorted(reader.events.items()))
        found = list(reader.problems)
        if ended["status"] != "completed":
            found.append(f"it came out {ended['status']}: {stored['metadata'].get('error')}")
        if reader.ended:
            found += [
                f"shown was {whole.get(event['seq'])}, it is {event}"
                for event in _events(api, run["id"])
                if whole.get(event["seq"]) != event
            ]
        for channel in ("reasoning", "content"):
            told = "".join(
                event["text"]
                for event in whole.values()
                if event["type"] == "run.delta" and event["channel"] == channel
            )
            if told != stored[channel] if reader.ended else not stored[channel].startswith(told):
                found.append(f"{channel} told was {told!r}, stored is {stored[channel]!r}")
        if not is_long and "\ufffd" in stored["content"] + stored["reasoning"]:
            found.append("a character was broken")
        if not stored["reasoning"]:
            found.append("no thought")
        if stored["metadata"].get("usage", {}).get("completion_tokens", 0) > MAX_TOKENS:
            found.append("more than max_tokens")
        played.problems += [f"run {run['id']}: {problem}" for problem in found]

    def _until_ended(self, api: Rest, run_id: str) -> Json:
        def end() -> Json | None:
            try:
                run: Json = api.run(run_id)["run"]
            except httpx2.TransportError:
                return None
            return run if run["status"] in ENDED else None

        return eventually(end, WITHIN_S, f"run {run_id} to end") or {}


def _events(api: Rest, run_id: str) -> list[Json]:
    """Return a run's events; none where the backend that knew them is dead: then the snapshot is the truth."""
    gone = api.client.get(f"/api/runs/{run_id}/events").status_code == 410
    return [] if gone else list(api.events(run_id))


@contextmanager
def crash_rounds(folder: Path, seed: int, **settings: Any) -> Iterator[CrashRounds]:
    """Give rounds on a vLLM and a backend that have been started for them."""
    with RealVllm(folder) as vllm:
        tiers = Tiers(
            folder, vllm.url, {"IDLE_TIMEOUT_S": "20", "DRAIN_S": "0", "ENGINE_WAIT_S": "680", **settings}
        )
        try:
            tiers.start_backend()
            yield CrashRounds(vllm, tiers, random.Random(seed))  # noqa: S311
        finally:
            tiers.end()


def main() -> int:
    """Play rounds; the exit code says whether every promise was kept."""
    parser = argparse.ArgumentParser(description="kill -9 rounds on a real vLLM")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--victim", choices=VICTIMS, action="append", help="in turn; all where none is named")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    victims = options.victim or list(VICTIMS)
    broken = continued = 0
    with (
        tempfile.TemporaryDirectory(prefix="crashes-") as folder,
        crash_rounds(Path(folder), options.seed) as rounds,
    ):
        for number in range(options.rounds):
            victim = victims[number % len(victims)]
            played = rounds.play(victim)
            broken += bool(played.problems)
            continued += played.continued
            print(
                f"round {number + 1}, {victim}: gone on {played.continued} times {played.problems}",
                flush=True,
            )
    print(f"{options.rounds} rounds, {continued} times gone on, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
