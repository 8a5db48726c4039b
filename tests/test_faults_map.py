"""The fault catalogue: each of its 59 faults names the tests that prove it harmless."""

import ast
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FAULTS = {row["number"]: row for row in tomllib.loads((HERE / "faults.toml").read_text())["fault"]}
NUMBERS = range(1, 60)


def named_in(path):
    """Names of the test functions of one file."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    functions = (n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return {f.name for f in functions if f.name.startswith("test_")}


def test_every_fault_of_the_catalogue_is_there_once():
    rows = tomllib.loads((HERE / "faults.toml").read_text())["fault"]
    assert [row["number"] for row in rows] == list(NUMBERS)
    assert all(set(row) <= {"number", "name", "tests", "reason"} for row in rows)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_fault_has_tests_or_a_reason_for_having_none(number):
    fault = FAULTS[number]
    assert fault["tests"] or len(fault.get("reason", "")) > 20, f"{number} {fault['name']}"
    for node in fault["tests"]:
        file, _, name = node.partition("::")
        path = HERE.parent / file
        assert path.is_file(), f"{number}: no file {file}"
        assert name in named_in(path), f"{number}: no test {name} in {file}"
