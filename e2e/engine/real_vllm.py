"""A real vLLM on this machine's CPU for the tests, serving the tiny Qwen3, started as `scripts/start_vllm.sh` starts it.

It does not decide what is tested. Where it cannot start, it raises: the tests fail, they are not skipped.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

sys.path.insert(0, str(Path(__file__).parent))

from tiny_model import NAME, tiny_model

ROOT = Path(__file__).resolve().parents[2]
START_S = 600.0  # a minute on two idle cores
INSTALL_S = 1800.0
END_S = 30.0


def engine_python() -> Path:
    """The interpreter that has vLLM for this machine, installed first where it is not.

    Raises:
        RuntimeError: it could not be installed; carries the output.
    """
    script = f'set -euo pipefail; . "{ROOT}/scripts/lib/engine.sh"; engine_environment >&2; printf "%s" "$ENGINE_PYTHON"'
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=INSTALL_S
    )
    if done.returncode != 0:
        raise RuntimeError(f"vLLM could not be installed\n{done.stderr[-4000:]}")
    return Path(done.stdout)


class RealVllm:
    """`with RealVllm(folder) as vllm:` starts it and waits until it answers; can be killed and started again on its port.

    Args:
        folder: where its log is kept (`vllm.log`).
        model: a model folder; the tiny Qwen3 when left out.
        api_key: what clients must send.
        arguments: more arguments for vLLM, as VLLM_EXTRA_ARGS.
    """

    def __init__(
        self, folder: Path, *, model: Path | None = None, api_key: str = "none", arguments: str = ""
    ) -> None:
        self.log = folder / "vllm.log"
        self.api_key = api_key
        self.folder = model or tiny_model(engine_python())
        self.model = NAME if model is None else model.name
        self.port = _free_port()
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/v1"
        self.version = ""
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def launch(self) -> None:
        """Starts it and returns at once."""
        environment = {
            **os.environ,
            "VLLM_API_KEY": self.api_key,
            "VLLM_EXTRA_ARGS": f"--served-model-name {self.model} {self._arguments}".strip(),
            "ENGINE_DEVICE": "cpu",
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "ENV_FILE": os.devnull,  # a developer's .env is not the tests' business
            "DEFAULT_MODEL": "",
        }
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                ["bash", str(ROOT / "scripts" / "start_vllm.sh"), str(self.folder), str(self.port)],
                env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def start(self) -> None:
        """Starts it and waits until it answers.

        Raises:
            RuntimeError: it ended, or did not answer in START_S; carries the end of its log.
        """
        self.launch()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Waits for `/health`; raises as `start` does."""
        assert self._process is not None
        began = time.monotonic()
        while not self.healthy():
            waited = time.monotonic() - began
            if self._process.poll() is not None or waited > START_S:
                raise RuntimeError(f"vLLM did not start ({waited:.0f} s)\n{self.tail()}")
            time.sleep(0.25)
        self.version = self._get("/version").partition('"version":"')[2].partition('"')[0]
        print(f"==> vLLM {self.version} answers after {time.monotonic() - began:.0f} s", flush=True)

    def healthy(self) -> bool:
        """Whether it answers."""
        try:
            self._get("/health")
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Ends it as a person would; what does not go is killed."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        self.kill()

    def wait_until_gone(self, within_s: float = END_S) -> None:
        """Waits until it has ended by itself; what is left then is for `kill`."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)

    def kill(self) -> None:
        """Kill -9 for all of its processes."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def kill_process(self, name: str) -> None:
        """Kill -9 for one of its processes: `api`, or a part of the title that vLLM gives the others (`EngineCore`, `Worker`)."""
        assert self._process is not None
        pids = (
            [self._process.pid]
            if name == "api"
            else [pid for pid, title in self.processes() if name in title]
        )
        if not pids:
            raise RuntimeError(f"vLLM has no process called {name}: {self.processes()}")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def processes(self) -> list[tuple[int, str]]:
        """Pid and title of every living process of its group."""
        assert self._process is not None
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if os.getpgid(int(folder.name)) == self._process.pid:
                    title = (
                        (folder / "cmdline")
                        .read_bytes()
                        .replace(b"\0", b" ")
                        .decode(errors="replace")
                        .strip()
                    )
                    found.append((int(folder.name), title))
        return found

    def running(self) -> int:
        """Requests it works on now, by its own metrics."""
        return int(self.metric("vllm:num_requests_running"))

    def aborted(self) -> int:
        """Requests it has dropped since it started because their client left."""
        return int(self.metric("vllm:request_success_total", 'finished_reason="abort"'))

    def metric(self, name: str, label: str = "") -> float:
        """Sum of a metric's samples that carry `label`."""
        lines = [
            line
            for line in self._get("/metrics").splitlines()
            if re.match(rf"{name}[{{ ]", line) and label in line
        ]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self.root + path, timeout=5) as answer:  # noqa: S310 (its own address)
            return str(answer.read().decode())

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
