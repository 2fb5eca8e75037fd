"""The backend and the page's server as real processes, on free ports and a data directory of their own.

Does not start an engine: it is told where one is.
"""

from dataclasses import dataclass
from pathlib import Path

import httpx2

from e2e.deadline import eventually
from e2e.page_build import fresh_build
from e2e.ports import free_port
from e2e.processes import Process

START_S = 120  # two seconds on an idle machine


@dataclass
class Served:
    """A system that somebody else has started."""

    url: str


class Tiers:
    """Backend and page server on one data directory. Both can be ended and started again on their ports.

    Args:
        folder: holds the data and the logs.
        engine: the OpenAI base URL of the engine.
        settings: further settings of the backend, by their names in the environment.
    """

    def __init__(self, folder: Path, engine: str, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.backend_port, self.page_port = free_port(), free_port()
        self.backend_url = f"http://127.0.0.1:{self.backend_port}"
        self.url = f"http://127.0.0.1:{self.page_port}"
        (folder / "models").mkdir(parents=True, exist_ok=True)
        # Each is set, so that a developer's `.env` changes nothing here.
        self.settings = {
            "VLLM_API_BASE_URL": engine,
            "VLLM_API_KEY": "none",
            "DATABASE_URL": f"sqlite:///{folder / 'chat.db'}",
            "MODELS_DIR": str(folder / "models"),
            "BACKEND_HOST": "127.0.0.1",
            "BACKEND_PORT": str(self.backend_port),
            "FRONTEND_HOST": "127.0.0.1",
            "FRONTEND_PORT": str(self.page_port),
            "CORS_ORIGINS": f"{self.url},{self.backend_url}",
            "AUTH_MODE": "none",
            "LOG_LEVEL": "INFO",
            **(settings or {}),
        }
        self.backend: Process | None = None
        self.page_server: Process | None = None

    def start(self) -> None:
        """Start both; returns when both answer."""
        self.start_page_server()
        self.start_backend()

    def start_backend(self) -> None:
        """Start the backend as people do; returns when it answers."""
        self.backend = self._process("backend", ["bash", "scripts/start_backend.sh"])
        self._until_ok(self.backend, f"{self.backend_url}/api/chat/health?live")

    def start_page_server(self) -> None:
        """Serve the built page; returns when it answers."""
        command = ["node", "frontend/server/index.js", str(fresh_build())]
        self.page_server = self._process("page server", command)
        self._until_ok(self.page_server, f"{self.url}/")

    def end_backend(self) -> int:
        """End the backend in good order and return its exit code."""
        assert self.backend is not None
        code = self.backend.end()
        self.backend = None
        return code

    def kill_backend(self) -> None:
        """End the backend as a crash would."""
        assert self.backend is not None
        self.backend.kill()
        self.backend = None

    def end(self) -> None:
        """End whatever still runs."""
        for process in (self.backend, self.page_server):
            if process is not None:
                process.end()
        self.backend = self.page_server = None

    def logs(self) -> str:
        """Return the ends of all logs, for a failed test."""
        tails = []
        for log in sorted(self.folder.glob("*.log")):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            tails.append(f"--- {log.name}\n" + "\n".join(lines[-60:]))
        return "\n".join(tails)

    def _process(self, name: str, command: list[str]) -> Process:
        log = self.folder / f"{name.replace(' ', '_')}.log"
        return Process(name, command, log=log, env=self.settings)

    def _until_ok(self, process: Process, url: str) -> None:
        def answers() -> bool:
            if process.returncode is not None:
                raise AssertionError(f"{process.name} ended with {process.returncode}\n{process.tail()}")
            try:
                return httpx2.get(url, timeout=5).status_code == 200
            except httpx2.TransportError:
                return False

        try:
            eventually(answers, START_S, f"{url} to answer")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{process.tail()}") from None
