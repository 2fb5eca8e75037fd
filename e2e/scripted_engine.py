"""The scripted engine as a process of its own, and its remote control.

What it answers, and in which bytes, is in `backend/tests/fakes/`.
"""

import sys
from pathlib import Path
from typing import Any, Self

import httpx2

from e2e.deadline import eventually
from e2e.ports import free_port
from e2e.processes import Process

Json = dict[str, Any]
START_S = 20


class ScriptedEngine:
    """Running from entering to leaving. Without a script it gives a Markdown answer, as fast as it can."""

    def __init__(
        self, folder: Path, *, port: int | None = None, rate: float | None = None, model: str = "scripted"
    ) -> None:
        self._folder = folder
        self._port = port or free_port()
        self._rate = rate
        self._model = model
        self.url = f"http://127.0.0.1:{self._port}/v1"
        self._control = httpx2.Client(base_url=f"http://127.0.0.1:{self._port}", trust_env=False)
        self._process: Process | None = None

    def __enter__(self) -> Self:
        program = "backend/tests/fakes/scripted_vllm.py"
        command = [sys.executable, program, "--port", str(self._port)]
        self._process = Process("scripted engine", command, log=self._folder / "engine.log")
        eventually(self._answers, START_S, "the scripted engine to answer")
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        assert self._process is not None
        self._process.end()

    def reset(self) -> None:
        """Forget scripts and requests, and be in good health again."""
        self._call("POST", "/scripted/reset")
        self.set(rate=self._rate, healthy=True, metrics_frozen=False, is_plain=False, models=[self._model])

    def set(self, **settings: Any) -> None:
        """Change the engine as a whole."""
        self._call("POST", "/scripted/settings", settings)

    def answer(self, **script: Any) -> "ScriptedAnswer":
        """Put an answer in line; the fields are those of `fakes/answers.py`."""
        return ScriptedAnswer(self, self._call("POST", "/scripted/answers", script)["id"])

    def refuse_context(self) -> None:
        """Refuse the next request as vLLM refuses a prompt that does not fit."""
        message = (
            "This model's maximum context length is 4096 tokens. However, your prompt contains at least 5000 "
            "input tokens, which exceeds this limit even without any output tokens. Please reduce the length of "
            "the input prompt. (parameter=input_tokens, value=5000)"
        )
        error = {"message": message, "type": "BadRequestError", "param": "input_tokens", "code": 400}
        self.answer(status=400, body={"error": error}, times=None)

    def requests(self) -> list[Json]:
        """Return every request for an answer: its body, its script, how far it got, how it ended."""
        return self._call("GET", "/scripted/requests")

    def generations(self) -> list[Json]:
        """Return the bodies of the requests."""
        return [request["body"] for request in self.requests()]

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self._process.tail()
        try:
            return self._control.get("/health").is_success
        except httpx2.TransportError:
            return False

    def _call(self, method: str, path: str, body: Json | None = None) -> Any:
        answer = self._control.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()


class ScriptedAnswer:
    """One scripted answer: whether it has been asked for, and the gate of its tokens.

    Its tokens are those of the thought, one for the end of the thought, and those of the answer.
    """

    def __init__(self, engine: ScriptedEngine, number: int) -> None:
        self._engine = engine
        self._number = number

    def step(self, tokens: int = 1) -> None:
        """Let so many more tokens go."""
        self._engine._call("POST", f"/scripted/answers/{self._number}/step", {"tokens": tokens})  # noqa: SLF001

    def open(self) -> None:
        """Let all tokens go."""
        self._engine._call("POST", f"/scripted/answers/{self._number}/open")  # noqa: SLF001

    def until_asked(self) -> Json:
        """Return the request for it, when there is one."""
        return eventually(self._request, 10, f"the engine to be asked for answer {self._number}") or {}

    def until_left(self) -> None:
        """Wait until whoever asked has hung up before the end."""
        eventually(
            lambda: (self._request() or {}).get("state") == "hung_up",
            10,
            f"the client of answer {self._number} to hang up",
        )

    def _request(self) -> Json | None:
        asked = [request for request in self._engine.requests() if request["script"] == self._number]
        return asked[-1] if asked else None
