"""The OpenAPI document: REST, the problems, and the events among the components.

Describes the routes; adds none.
"""

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from app.api.errors import PROBLEM_JSON
from app.schemas.base import Wire
from app.schemas.events import Event
from app.schemas.problem import Problem

REFERENCE = "#/components/schemas/{model}"
FIRST_PROBLEM_STATUS = 400
# as FastAPI describes a route that can end with a problem, and every route that takes something
PROBLEM_CONTENT = {"application/json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
INVALID_CONTENT = {"application/json": {"schema": {"$ref": REFERENCE.format(model="HTTPValidationError")}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that can end with these problems, besides those every route can."""
    return {status: {"model": Problem} for status in statuses}


def same_again(model: type[Wire]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that answers 200 to a request it has answered with 201 before."""
    return {200: {"model": model, "description": "The same request as before: the present state"}}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the document, always the same for the same code."""
    found = get_openapi(
        title=app.title, version=app.version, routes=app.routes, separate_input_output_schemas=False
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for adapter in (TypeAdapter(Event), TypeAdapter(Problem)):
        described = adapter.json_schema(ref_template=REFERENCE, mode="serialization")
        for name, schema in described.pop("$defs", {}).items():
            schemas.setdefault(name, schema)
            if name.endswith("Event"):
                schema["required"] = list(schema["properties"])  # what is sent is sent whole
        schemas["Event" if "anyOf" in described else "Problem"] = described
    for path in found["paths"].values():
        for operation in path.values():
            _describe_problems(operation)
    return found


def document_text(app: FastAPI) -> str:
    """Return the document as it is checked in."""
    return json.dumps(document(app), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _describe_problems(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    problem = {"content": {PROBLEM_JSON: {"schema": {"$ref": REFERENCE.format(model="Problem")}}}}
    for status, response in responses.items():
        is_problem = response.get("content", PROBLEM_CONTENT) in (PROBLEM_CONTENT, INVALID_CONTENT)
        if status.isdecimal() and int(status) >= FIRST_PROBLEM_STATUS and is_problem:
            response.update(problem)
    responses["default"] = {"description": "Any other problem", **problem}
    if "openai" in operation.get("tags", ()):
        responses["default"] = {
            "description": "An error as OpenAI gives it",
            "content": {"application/json": {}},
        }
