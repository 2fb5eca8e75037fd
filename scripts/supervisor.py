"""Starts vLLM, the backend and the page, each in its own process group, and ends all of them together.

It does not set anything up: each part's own script does. The rule for a part that ends is in `start_all.sh --help`.
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from pathlib import Path

from supervision.engine_status import EngineStatus
from supervision.guard import Guard
from supervision.part import Part

ROOT = Path(__file__).resolve().parents[1]
RESTART_DELAYS_S = (1, 2, 4, 8)
HOPELESS = {
    2,
    3,
    78,
}  # wrong settings, a database that cannot be opened, a set-up that says trying again cannot help
PROBE_EVERY_S = 1.0
PROGRESS_EVERY_S = 15.0
ENGINE_GRACE_S = 15.0
DRAIN_S = 10.0  # the backend's default
EXTRA_DRAIN_S = 5.0


def say(line: str) -> None:
    """Prints a line; a terminal that has gone away is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


class Supervisor:
    """The parts, the rule that keeps them up, and the order in which they end."""

    def __init__(self, options: argparse.Namespace) -> None:
        data = Path(os.environ["DATA_DIR"])
        logs = data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        logs.chmod(0o700)
        self.options = options
        self.logs = logs
        self.status = EngineStatus(data)
        self.ending = asyncio.Event()
        self.hurry = asyncio.Event()
        self.code = 0
        self.environment = {
            **os.environ,
            "ENGINE_STATUS_FILE": str(self.status.path),
            "MODEL_STATUS_FILE": str(self.status.model_file),
            # New at every start, and nowhere but in the environment of the two that share it.
            "VLLM_API_KEY": os.environ.get("VLLM_API_KEY") or secrets.token_urlsafe(32),
        }
        self.page_host = _reachable("FRONTEND_HOST")
        live = (_reachable("BACKEND_HOST"), options.backend_port, "/api/chat/health?live")
        self.backend = self._part("backend", ["start_backend.sh"], live)
        self.page = self._part("page", ["start_frontend.sh"], (self.page_host, options.page_port, "/"))
        self.engine = None
        if options.engine:
            command = ["start_vllm.sh", options.model, str(options.vllm_port)]
            self.engine = self._part("vllm", command, ("127.0.0.1", options.vllm_port, "/health"))
        self.parts = [part for part in (self.backend, self.page, self.engine) if part is not None]

    def _part(self, name: str, command: list[str], probe: tuple[str, int, str]) -> Part:
        script, *arguments = command
        # On two cores a model that loads or answers must not keep the page waiting.
        whole = [
            *(["nice", "-n", "5"] if name == "vllm" else []),
            "bash",
            str(ROOT / "scripts" / script),
            *arguments,
        ]
        return Part(name, whole, probe, self.logs, say, verbose=self.options.verbose)

    async def run(self) -> int:
        """Runs until it is told to end or a part cannot be kept up; returns the exit code."""
        guard = Guard()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup it stays when the terminal goes.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._asked_to_end)
        what = f"vLLM ({self.options.vllm_port}), " if self.engine else ""
        say(
            f"Starting {what}the backend ({self.options.backend_port}) and the page ({self.options.page_port}). Logs: {self.logs}. Ctrl+C ends everything."
        )
        keepers = [asyncio.create_task(self._keep(part, guard)) for part in self.parts]
        telling = asyncio.create_task(self._tell())
        await self.ending.wait()
        telling.cancel()
        await self._end()
        await asyncio.gather(*keepers)
        self.status.write("stopped", "")
        guard.close()
        return self.code

    def _asked_to_end(self) -> None:
        if self.ending.is_set():
            self.hurry.set()
            return
        say("Ending everything (Ctrl+C again: at once) ...")
        self.ending.set()

    async def _keep(self, part: Part, guard: Guard) -> None:
        """Starts a part, and again by the rule, until everything ends."""
        ends = 0
        while not self.ending.is_set():
            ready_before = time.monotonic()
            code = await part.run(self.environment, guard)
            if self.ending.is_set():
                return
            ends = 1 if part.was_steady else ends + 1
            say(
                f"{part.name} ended by itself with code {code} after {time.monotonic() - ready_before:.0f} s; the end of {part.log.path}:"
            )
            for line in part.log.tail:
                say(f"    {line}")
            if code in HOPELESS or ends > len(RESTART_DELAYS_S):
                why = "trying again cannot help" if code in HOPELESS else f"it has now ended {ends} times"
                say(f"{part.name} is not started again: {why}. Ending everything.")
                self.code = 1
                self.ending.set()
                return
            delay = RESTART_DELAYS_S[ends - 1]
            say(f"{part.name} is started again in {delay} s ({ends} of {len(RESTART_DELAYS_S)} times).")
            if part is self.engine:
                self.status.write("restarting", f"vLLM ended with code {code}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), delay)

    async def _tell(self) -> None:
        """Says when the page can be used and when the model answers, and that something goes on meanwhile."""
        host = f"[{self.page_host}]" if ":" in self.page_host else self.page_host
        url = f"http://{host}:{self.options.page_port}"
        began = spoke = time.monotonic()
        page_was_ready = engine_was_ready = False
        while True:
            ready = {part.name: await part.answers() for part in self.parts}
            page_ready = ready["page"] and ready["backend"]
            engine_ready = ready.get("vllm", True)
            if page_ready and not page_was_ready:
                later = (
                    "" if engine_ready else "  (page and history can be used; the model is still on its way)"
                )
                say(f"\n    VLLM Chat: {url}{later}\n")
                spoke = time.monotonic()
            if self.engine is not None:
                self._engine_news(self.engine, engine_ready, engine_was_ready, time.monotonic() - began)
            if page_ready and engine_ready:
                began = spoke = time.monotonic()
            elif time.monotonic() - spoke >= PROGRESS_EVERY_S:
                spoke = time.monotonic()
                waiting = ", ".join(
                    f"{part.name}: {part.last_step}" for part in self.parts if not ready[part.name]
                )
                say(f"    ... {spoke - began:.0f} s: {waiting}")
            page_was_ready, engine_was_ready = page_ready, engine_ready
            await asyncio.sleep(PROBE_EVERY_S)

    def _engine_news(self, engine: Part, ready: bool, was_ready: bool, waited_s: float) -> None:
        if ready:
            self.status.write("ready", "")
            if not was_ready:
                say(
                    f"\n    {self.status.model()['model']} is ready after {waited_s:.0f} s. Ctrl+C ends everything. Logs: {self.logs}\n"
                )
        elif engine.lives:
            state = "loading" if engine.last_step.startswith("loading ") else "preparing"
            self.status.write(state, engine.last_step)

    async def _end(self) -> None:
        """Page and backend first, so that answers can still be finished; then vLLM; what does not go is killed."""
        await self._end_parts([self.page, self.backend], _drain_s() + EXTRA_DRAIN_S)
        if self.engine is not None:
            await self._end_parts([self.engine], ENGINE_GRACE_S)

    async def _end_parts(self, parts: list[Part], grace_s: float) -> None:
        for part in parts:
            part.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while any(part.lives for part in parts) and time.monotonic() < deadline and not self.hurry.is_set():  # noqa: ASYNC110 (groups end without telling anybody)
            await asyncio.sleep(0.05)
        for part in parts:
            part.signal(signal.SIGKILL)


def _reachable(setting: str) -> str:
    """The address at which this machine reaches what listens on the one of the setting."""
    host = os.environ.get(setting) or "127.0.0.1"
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (not bound to)


def _drain_s() -> float:
    """DRAIN_S, or its default where it is no number: the backend says so, and is not running then."""
    try:
        return float(os.environ.get("DRAIN_S") or DRAIN_S)
    except ValueError:
        return DRAIN_S


def main() -> int:
    """Reads what start_all.sh has checked, and runs."""
    parser = argparse.ArgumentParser(description="keeps the parts of VLLM Chat up; started by start_all.sh")
    parser.add_argument("--model", default="")
    parser.add_argument("--vllm-port", type=int, required=True)
    parser.add_argument("--backend-port", type=int, required=True)
    parser.add_argument("--page-port", type=int, required=True)
    parser.add_argument("--no-engine", dest="engine", action="store_false", help="vLLM runs elsewhere")
    parser.add_argument("--verbose", action="store_true")
    return asyncio.run(Supervisor(parser.parse_args()).run())


if __name__ == "__main__":
    sys.exit(main())
