"""Usage: engine_status.py FOLDER COMMAND...

Runs the engine in its container and says in FOLDER how it gets on, as scripts/supervisor.py does where there is no
container; the backend reads it (ENGINE_STATUS_FILE), so that the page says "loading" and not "out of reach".
Restarting it is the container engine's business.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
from supervision.engine_status import EngineStatus

LOOK_EVERY_S = 1.0
USAGE = 2


def main(arguments: list[str]) -> int:
    """Run the command to its end and return its exit code."""
    if len(arguments) < 2:  # noqa: PLR2004 (a folder and a command)
        sys.stderr.write((__doc__ or "").split("\n", 1)[0] + "\n")
        return USAGE
    status = EngineStatus(Path(arguments[0]))
    status.write("preparing", "")
    child = subprocess.Popen(  # noqa: S603 (the command of the image)
        arguments[1:], env=os.environ | {"MODEL_STATUS_FILE": str(status.model_file)}
    )
    stopping: list[int] = []

    def stop(kind: int, _frame: object) -> None:
        stopping.append(kind)
        child.send_signal(kind)

    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, stop)
    while True:
        try:
            code = child.wait(LOOK_EVERY_S)
        except subprocess.TimeoutExpired:
            if status.model()["model"]:
                status.write("loading", "")
        else:
            break
    status.write("stopped" if stopping else "restarting", "" if stopping else f"It ended with code {code}.")
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
