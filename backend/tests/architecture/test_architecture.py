"""Rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy.orm import configure_mappers

from app import errors
from app.config import REPOSITORY
from app.models import Row
from app.schemas.problem import ErrorCode

APP = REPOSITORY / "backend/app"
CODES = frozenset(get_args(ErrorCode))
# where a code stands in a call: the error's own, or a helper's that makes one
MAKERS = {name for name, kind in vars(errors).items() if isinstance(kind, type)} - {
    "FieldProblem",
    "StartError",
}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted([*APP.rglob("*.py"), REPOSITORY / "backend/main.py"]):
        yield path, ast.parse(path.read_text())


def raised() -> Iterator[tuple[Path, str]]:
    """Give each literal code with which the application makes an error."""
    for path, tree in modules():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            first = node.args[0]
            if node.func.id in MAKERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield path, first.value


def test_every_code_that_is_raised_is_in_the_closed_set() -> None:
    found = list(raised())

    assert len({code for _, code in found}) > 10
    assert [(path.name, code) for path, code in found if code not in CODES] == []


def test_every_error_has_a_status_of_its_own() -> None:
    for name in MAKERS - {"AppError"}:
        assert 400 <= getattr(errors, name).status <= 599, name
        assert getattr(errors, name).status != 500, f"{name} would be an unforeseen error"


def test_the_tree_in_the_docstring_names_every_error() -> None:
    drawn = errors.__doc__ or ""

    assert [name for name in MAKERS - {"AppError"} if name not in drawn] == []


def test_no_relation_loads_by_itself() -> None:
    configure_mappers()
    mappers = list(Row.registry.mappers)
    relations = [relation for mapper in mappers for relation in mapper.relationships]

    assert len(mappers) >= 3
    assert [str(relation) for relation in relations if relation.lazy not in ("raise", "raise_on_sql")] == []


def test_every_module_says_what_it_owns() -> None:
    assert [str(path) for path, tree in modules() if not ast.get_docstring(tree)] == []


@pytest.mark.parametrize("word", ["helpers", "common", "misc", "manager"])
def test_no_file_has_a_name_without_a_meaning(word: str) -> None:
    assert [str(path) for path, _ in modules() if word in path.stem] == []


def test_the_product_does_not_know_its_tests() -> None:
    for path, tree in modules():
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"testing", "TESTING", "is_testing", "pytest"}, path
