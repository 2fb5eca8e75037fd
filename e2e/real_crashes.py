"""Crash rounds on a real vLLM: `python -m e2e.real_crashes --rounds 20 --victim backend --seed 1`.

One round: an endless answer, an endless thought and a short answer of the tiny Qwen3 at once, all of them in the middle
when something is killed (kill -9). All must complete, with every event that was shown unchanged and every text the same
before the seam. In "any order" backend, engine core and API process are killed two to four times in one round.
"""

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from e2e.crash_reader import GONE, Reader, Tally, tally_of
from e2e.deadline import eventually
from e2e.engine.real_vllm import RealVllm
from e2e.rest import ENDED, Json, Rest
from e2e.tiers import Tiers

PARTS = ("backend", "engine core", "API process")
VICTIMS = (*PARTS, "all of it", "any order")
# Endless ones go on until their limit, so that they are in the middle at any kill; the tiny model writes halves of
# characters into the long one by itself.
LONG, PONDER = "long story", "please ponder"
SHORT = ("please explain the garden", "please emoji show", "please 中文 show", "please code")
WITHIN_S = 700.0  # vLLM takes a minute to come back, many where others work
MAX_TOKENS = 900
KILLS = (2, 4)  # in any order


class Asked:
    """One question, and who reads its answer."""

    def __init__(self, api: Rest, url: str, question: str) -> None:
        options = {"thinking": True, "max_tokens": MAX_TOKENS, "temperature": 0}
        self.question = question
        self.chat = api.new_chat()
        self.run: Json = api.start(self.chat["id"], question, options=options)["run"]
        self.reader = Reader(url, self.run["id"])
        self.was_hit = False

    def until(self, tokens: int) -> None:
        """Wait until so many tokens were told, or the end."""
        eventually(
            lambda: self.reader.tokens() >= tokens or self.reader.ended,
            WITHIN_S,
            f"{tokens} tokens of {self.question}",
        )


class CrashRounds:
    """Plays rounds on one vLLM and one backend, both of which are killed and come back."""

    def __init__(self, vllm: RealVllm, tiers: Tiers, dice: random.Random) -> None:
        self._vllm = vllm
        self._tiers = tiers
        self._dice = dice
        self._vllm_lives = True

    def play(self, victim: str) -> Tally:
        """Play one round: everything is running before and afterwards."""
        api, url = Rest(self._tiers.backend_url), self._tiers.backend_url
        asked = [Asked(api, url, question) for question in (LONG, PONDER)]
        for each in asked:
            each.until(self._dice.randint(1, 40))
        asked.append(Asked(api, url, self._dice.choice(SHORT)))
        asked[-1].until(self._dice.randint(1, 6))
        if victim == "any order":
            self._kill_in_any_order(asked)
        else:
            self._kill(victim, asked)
        self._bring_back()
        tally = Tally()
        for each in asked:
            tally.add(self._checked(api, each))
        api.close()
        return tally

    def _kill_in_any_order(self, asked: list[Asked]) -> None:
        """Kill part after part: now at once, now when all is back and the answers go on."""
        for _ in range(self._dice.randint(*KILLS)):
            self._kill(self._dice.choice(PARTS), asked)
            if self._dice.random() < 0.5:
                continue
            self._bring_back()
            for each in asked:
                if not each.reader.ended:
                    each.until(each.reader.tokens() + self._dice.randint(1, 25))

    def _kill(self, victim: str, asked: list[Asked]) -> None:
        for each in asked:
            each.was_hit = each.was_hit or not each.reader.ended
        if victim in {"backend", "all of it"} and self._tiers.backend is not None:
            self._tiers.kill_backend()
        if victim == "backend" or not self._vllm_lives:
            return
        self._vllm_lives = False
        if victim == "engine core":
            self._vllm.kill_process("EngineCore")
            self._vllm.wait_until_gone()  # its API process sees it, says so in the streams, and ends
        elif victim == "API process":
            self._vllm.kill_process("api")
        else:
            self._vllm.kill()

    def _bring_back(self) -> None:
        """Start what is dead: the engine before or after the backend."""
        engine_first = self._dice.random() < 0.5
        if not self._vllm_lives and engine_first:
            self._start_vllm()
        if self._tiers.backend is None:
            self._tiers.start_backend()
        if not self._vllm_lives:
            self._start_vllm()

    def _start_vllm(self) -> None:
        self._vllm.kill()  # what is left of it
        self._vllm.start()
        self._vllm_lives = True

    def _checked(self, api: Rest, asked: Asked) -> Tally:
        run, reader = asked.run, asked.reader
        ended = self._until_ended(api, run["id"])
        stored = api.message(run["chat_id"], run["message_id"])
        eventually(lambda: reader.ended or reader.is_over, 60, "the reader to hear of the end")
        reader.close()
        tally = tally_of(reader, _events(api, run["id"]), stored)
        tally.in_flight = int(asked.was_hit)
        found = tally.problems
        if ended["status"] != "completed":
            found.append(f"it came out {ended['status']}: {stored['metadata'].get('error')}")
        if asked.question in SHORT and "\ufffd" in stored["content"] + stored["reasoning"]:
            found.append("a character was broken")
        if not stored["reasoning"]:
            found.append("no thought")
        tokens = stored["metadata"].get("usage", {}).get("completion_tokens", 0)
        if tokens > MAX_TOKENS or (
            stored["metadata"].get("finish_reason") == "length" and tokens != MAX_TOKENS
        ):
            found.append(f"{tokens} tokens, of {MAX_TOKENS}")
        tally.problems = [f"{asked.question}, run {run['id']}: {problem}" for problem in found]
        return tally

    def _until_ended(self, api: Rest, run_id: str) -> Json:
        def end() -> Json | None:
            try:
                run: Json = api.run(run_id)["run"]
            except httpx2.TransportError:
                return None
            return run if run["status"] in ENDED else None

        return eventually(end, WITHIN_S, f"run {run_id} to end") or {}


def _events(api: Rest, run_id: str) -> list[Json] | None:
    """Return a run's events; None where they are not known any longer: then the stored message is the truth."""
    if api.client.get(f"/api/runs/{run_id}/events").status_code == GONE:
        return None
    return list(api.events(run_id))


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
    total = Tally()
    with (
        tempfile.TemporaryDirectory(prefix="crashes-") as folder,
        crash_rounds(Path(folder), options.seed) as rounds,
    ):
        for number in range(options.rounds):
            victim = victims[number % len(victims)]
            tally = rounds.play(victim)
            total.add(tally)
            print(
                f"round {number + 1}, {victim}: {tally.answers} answers, {tally.in_flight} hit, "
                f"{tally.continued} times gone on {tally.problems}",
                flush=True,
            )
    print(total.line(options.rounds))
    return 1 if total.problems else 0


if __name__ == "__main__":
    sys.exit(main())
