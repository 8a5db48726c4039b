"""The reliability scorecard: its 32 lines name tests that exist; nothing unseen is called met."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def card(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return importlib.import_module("scorecard")


def functions(path):
    return {n.name for n in ast.walk(ast.parse(path.read_text("utf-8"))) if hasattr(n, "name")}


def test_the_lines_are_32_and_each_says_what_measures_it(card):
    lines = card.lines_of()
    assert [line["number"] for line in lines] == list(range(1, 33))
    for line in lines:
        ways = [way for way in ("tests", "load", "soak", "faults") if line.get(way)]
        assert len(ways) == 1, line["number"]
        assert line["figures"]
        for figure in line["figures"]:
            if ways[0] in ("tests", "faults"):
                assert re.compile(figure["read"]).groups == 1
        for node in line.get("tests", ()):
            file, _, name = node.partition("::")
            assert (ROOT / file).exists(), node
            assert not name or name in functions(ROOT / file), node


LINE = {
    "number": 1,
    "name": "x",
    "threshold": "9 and none",
    "figures": [
        {"name": "wrong", "read": r"(\d+) wrong", "fold": "sum", "is": 0},
        {"name": "tries", "read": r"(\d+) tries", "fold": "sum", "least": 9, "scale": True},
    ],
}


@pytest.mark.parametrize(
    ("code", "output", "state"),
    [
        (0, "5 tries, 0 wrong\n4 tries, 0 wrong\n2 passed in 1 s", "met"),
        (0, "5 tries, 0 wrong\n1 passed in 1 s", "in part"),
        (0, "9 tries, 1 wrong\n1 passed in 1 s", "not met"),
        (1, "9 tries, 0 wrong\nFAILED tests/a.py::b\n1 failed, 1 passed", "not met"),
        (0, "9 tries\n1 passed in 1 s", "in part"),
        (0, "2 skipped in 1 s", "not measured"),
        (5, "no tests ran in 1 s", "not met"),
    ],
)
def test_a_line_is_met_only_where_all_of_it_was_measured(card, code, output, state):
    result = card.judged(LINE, card.Result(1, "x", "9 and none"), code, output)
    assert result.state == state
    assert bool(result.why) == (state != "met")


def test_what_a_line_lacks_makes_it_part_of_one(card):
    line = {**LINE, "lacks": "TLS."}
    output = "9 tries, 0 wrong\n1 passed"
    result = card.judged(line, card.Result(1, "x", ""), 0, output)
    assert (result.state, result.why) == ("in part", "TLS.")


def test_a_line_without_its_source_is_not_measured(card):
    sources = card.Sources(0.0, None)
    for line in card.lines_of():
        if line.get("load") or line.get("soak"):
            result = card.measure(line, sources, long=False)
            assert result.state == "not measured"
            assert result.why
