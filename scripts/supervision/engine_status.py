"""What the backend and the page may tell about the engine while it is not there: a small file beside the database.

    {"state": "preparing|loading|ready|restarting|stopped", "detail": "...", "model": "..." or null, "note": "..." or null}

It does not watch the engine: the supervisor writes it, the backend reads it (ENGINE_STATUS_FILE).
"""

import json
from pathlib import Path


class EngineStatus:
    """The file, replaced whole at every change."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "engine.json"
        self.model_file = folder / "model.json"
        self.model_file.unlink(missing_ok=True)
        self._written = ""

    def write(self, state: str, detail: str) -> None:
        """Says it; the model and the note about it are what start_vllm.sh found."""
        text = json.dumps({"state": state, "detail": detail, **self.model()}, ensure_ascii=False)
        if text == self._written:
            return
        partial = self.path.with_name(".engine.json.partial")
        try:
            partial.write_text(text + "\n", encoding="utf-8")
            partial.replace(self.path)
        except OSError:
            return
        self._written = text

    def model(self) -> dict[str, str | None]:
        """Name of the model and what people ought to know about it."""
        try:
            found = json.loads(self.model_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        return {"model": found.get("model"), "note": found.get("note") or None}
