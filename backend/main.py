"""The composition root: builds adapters and services and runs the server. The only place that wires.

`python backend/main.py` serves; `python backend/main.py openapi` prints the contract.
"""

import sys

from app.api.app import create_app
from app.api.contract import document_text


def main(arguments: list[str]) -> int:
    """Run a command and return the exit code of the process."""
    if arguments == ["openapi"]:
        sys.stdout.write(document_text(create_app(None)))
        return 0
    sys.stderr.write("usage: main.py [openapi]\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
