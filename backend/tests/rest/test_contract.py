"""The contract: what the document says is what the application does, for every route and whatever is sent."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.api.app import create_app
from app.api.contract import document_text
from app.config import REPOSITORY
from app.schemas.problem import ErrorCode
from tests.served.started import backend

DOCUMENT: dict[str, Any] = json.loads((REPOSITORY / "contract/openapi.json").read_text())
EVENTS = ("run.queued", "run.started", "run.delta", "run.ended")
USER_EVENTS = ("chat.changed", "chat.deleted", "message.changed", "message.deleted")
EXAMPLES = 20
# no engine runs here: what needs one says so
ENGINE_CODES = {"engine_unavailable", "model_unavailable"}


def test_the_checked_in_contract_is_what_the_code_says() -> None:
    assert document_text(create_app(None)) == (REPOSITORY / "contract/openapi.json").read_text()


def test_the_contract_holds_every_event_with_its_type() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    types = {
        schemas[each["$ref"].rsplit("/", 1)[1]]["properties"]["type"]["const"]
        for each in schemas["Event"]["anyOf"]
    }

    assert types == {*EVENTS, *USER_EVENTS}
    assert all(
        "type" in schema["required"]
        for name, schema in schemas.items()
        if name != "Event" and name.endswith("Event")
    )


def test_the_contract_holds_the_closed_set_of_codes() -> None:
    code = DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]

    assert set(code["enum"]) == set(get_args(ErrorCode))


def test_every_operation_ends_with_a_problem_or_as_it_says() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert operation["operationId"], f"{method} {path}"
            if "openai" not in operation["tags"]:
                default = operation["responses"]["default"]["content"]
                assert set(default) == {"application/problem+json"}, f"{method} {path}"


def test_the_script_sees_a_contract_that_is_out_of_date(tmp_path: Path) -> None:
    for folder in ("backend", "migrations"):
        (tmp_path / folder).symlink_to(REPOSITORY / folder)
    (tmp_path / "contract").mkdir()
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts/contract.sh"
    script.write_bytes((REPOSITORY / "scripts/contract.sh").read_bytes())

    def run(*arguments: str) -> int:
        command = ["bash", str(script), *arguments]
        done = subprocess.run(
            command, check=False, env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"}, capture_output=True
        )
        return done.returncode

    (tmp_path / "contract/openapi.json").write_text("{}\n")
    assert run("--check") == 1
    assert run() == 0
    assert run("--check") == 0


LOGS: list[Path] = []  # for saying what the backend said about a failure
HEALTH = "/api/chat/health"  # says 503 about the engine, in words of its own


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A program that talks to a backend in a process of its own."""
    folder = tmp_path_factory.mktemp("served")
    with (
        backend(folder, ENGINE_WAIT_S="0", MAX_NEW_TOKENS="64") as (process, url),
        httpx2.Client(base_url=url, timeout=30) as client,
    ):
        LOGS.append(folder / "backend.log")
        yield client
        assert process.poll() is None, "the backend ended"


def real_ids(client: httpx2.Client) -> dict[str, str]:
    """Make a chat with a message, and return what names them in a path."""
    chat_id, message_id = str(uuid4()), str(uuid4())
    client.post("/api/chats/", json={"id": chat_id}).raise_for_status()
    message = {"id": message_id, "role": "user", "content": "hello"}
    client.post(f"/api/chats/{chat_id}/messages", json=message).raise_for_status()
    return {"chat_id": chat_id, "message_id": message_id}


def check(case: schemathesis.Case, client: httpx2.Client) -> None:
    """Send a case; whatever it holds, the answer is one of the contract."""
    reply = case.call(base_url=str(client.base_url))
    if reply.status_code >= 500 and case.path != HEALTH:
        found = reply.json()
        said = f"{reply.text}\n{LOGS[0].read_text()}"
        assert found.get("error", found)["code"] in ENGINE_CODES, said
    case.validate_response(
        reply, checks=[content_type_conformance, response_schema_conformance, status_code_conformance]
    )


schema = schemathesis.openapi.from_dict(DOCUMENT)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_route_answers_as_the_contract_says(case: schemathesis.Case, served: httpx2.Client) -> None:
    check(case, served)
    known = real_ids(served)
    if set(case.path_parameters or ()) & set(known):
        case.path_parameters = {**case.path_parameters, **known}
        check(case, served)
