"""The reliability scorecard: each line with its threshold and the figure measured here.

    .venv/bin/python packaging/scorecard.py --lines 9,11,13 --long --json card.json
    .venv/bin/python packaging/scorecard.py --load --soak soak/soak.json --long --seconds 600

scorecard.toml says what measures a line. Without --lines it goes over all. Without --long the tests
run as short as in the suite, and a line whose trial is too small for its threshold is "in part".
Lines 1, 2, 3 and 7 need a quiet machine and --load; line 6 the JSON of soak_desk.py. A line that
nothing here measured is said to be so, with the reason. Ends with 1 where a line is not met.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["Line", "Result", "judged", "lines_of", "measure"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TIMEOUT_S = 7_200  # of one line
NODE = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED|XFAIL) (\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)
COVERAGE = "[run]\nbranch = True\nsource_pkgs = basisdesk.feed,basisdesk.engine,basisdesk.ledger\n"
Line = Mapping[str, Any]


@dataclass
class Result:
    """What came of one line. state: "met", "in part", "not met" or "not measured"."""

    number: int
    name: str
    threshold: str
    state: str = "not measured"
    figures: dict[str, float] = field(default_factory=dict)
    why: str = ""
    command: str = ""


class Sources:
    """Where figures come from besides tests: measured once for all lines that ask.

    load: run the load measurement, for so many seconds. soak: the JSON of a long run, or None.
    """

    def __init__(self, seconds: float, soak: Path | None) -> None:
        self._seconds = seconds
        self._soak = soak
        self._load: dict[str, float] | None = None

    def load(self) -> dict[str, float] | None:
        """The figures of scorecard_load.py; None where it was not asked for."""
        if self._load is None and self._seconds:
            command = [sys.executable, str(HERE / "scorecard_load.py")]
            ran = _run([*command, "--seconds", f"{self._seconds:g}"], {})
            self._load = json.loads(ran[1]) if ran[0] == 0 else {}
        return self._load

    def soak(self) -> dict[str, float] | None:
        """The figures of a soak, what is left over among them; None where there is none."""
        if self._soak is None:
            return None
        told = json.loads(self._soak.read_text("utf-8"))
        more = {
            f"more.{name}": count - told["warm"].get(name, 0)
            for name, count in told.get("end", {}).items()
        }
        return {**{k: v for k, v in told.items() if isinstance(v, int | float)}, **more}


def lines_of(path: Path = HERE / "scorecard.toml") -> list[Line]:
    """The lines as scorecard.toml has them."""
    return list(tomllib.loads(path.read_text("utf-8"))["line"])


def measure(line: Line, sources: Sources, *, long: bool) -> Result:
    """Run what measures one line, and judge it."""
    result = Result(line["number"], line["name"], line["threshold"])
    if line.get("load"):
        result.command = "packaging/scorecard_load.py --seconds 600"
        return _of_numbers(line, result, sources.load(), "it needs a quiet machine: --load")
    if line.get("soak"):
        result.command = "packaging/soak_desk.py --minutes 60 --out soak"
        return _of_numbers(line, result, sources.soak(), "it needs a long run: --soak FILE.json")
    environment = line.get("env", {}) if long else {}
    tests = _faults_tests() if line.get("faults") else line["tests"]
    command = _pytest(line, tests)
    if command is None:
        result.why = "coverage is not installed here; `pip install coverage` into this environment"
        return result
    said = " ".join(f"{k}={v}" for k, v in environment.items())
    named = "the tests of tests/faults.toml" if line.get("faults") else " ".join(tests)
    result.command = f"{said} pytest {named}".strip()
    code, output = _run(command, environment)
    if code:
        kept = _build() / f"scorecard-{line['number']}.log"
        kept.write_text(output, "utf-8")
        print(f"{line['number']:2} what the tests said: {kept}", flush=True)
    if line.get("faults"):
        output += f"\nfaults green: {_faults_green(output)}\n"
    if line.get("coverage"):
        output += _run([sys.executable, "-m", "coverage", "report", "-m", "--precision=1"], {})[1]
    if other := line.get("command"):
        result.command += f"; {' '.join(other)}"
        code = code or _run([sys.executable, *other], environment)[0]
    return judged(line, result, code, output)


def judged(line: Line, result: Result, code: int, output: str) -> Result:
    """The verdict on the output of tests. code: what they ended with."""
    passed = re.search(r"(\d+) passed", output)
    if code and not line.get("faults"):
        failed = [name for state, name in NODE.findall(output) if state in ("FAILED", "ERROR")]
        result.state, result.why = "not met", f"failed: {', '.join(failed) or f'ended with {code}'}"
    elif passed is None:
        result.why = "no test ran; its long form may need --long"
        return result
    found = {each["name"]: _read(each, output) for each in line["figures"]}
    return _verdict(line, result, found)


def _of_numbers(line: Line, result: Result, told: Mapping[str, float] | None, why: str) -> Result:
    if told is None:
        result.why = why
        return result
    return _verdict(
        line, result, {each["name"]: told.get(each["read"]) for each in line["figures"]}
    )


def _verdict(line: Line, result: Result, found: Mapping[str, float | None]) -> Result:
    result.figures = {name: value for name, value in found.items() if value is not None}
    wrong: list[str] = []
    small: list[str] = []
    for each in line["figures"]:
        value = found[each["name"]]
        if value is None:
            small.append(f"{each['name']} was not read")
        elif problem := _problem(each, value, found):
            (small if each.get("scale") else wrong).append(problem)
    if wrong or result.state == "not met":
        result.state = "not met"
        result.why = "; ".join(filter(None, [result.why, *wrong]))
        return result
    lacks = line.get("lacks", "")
    result.state = "in part" if small or lacks else "met"
    result.why = ". ".join(filter(None, ["; ".join(small), lacks]))
    return result


def _problem(each: Mapping[str, Any], value: float, found: Mapping[str, float | None]) -> str:
    name, said = each["name"], f"{value:g}"
    if "least" in each and value < each["least"]:
        return f"{name} {said} of {each['least']:,}"
    if "most" in each and value > each["most"]:
        return f"{name} {said}, at most {each['most']:g}"
    if "is" in each and value != each["is"]:
        return f"{name} {said} instead of {each['is']:g}"
    if "equals" in each and value != found[each["equals"]]:
        return f"{name} {said} of {found[each['equals']]:g}"
    return ""


def _read(each: Mapping[str, Any], output: str) -> float | None:
    values = [float(text) for text in re.findall(each["read"], output)]
    if not values:
        return None
    fold = each.get("fold", "last")
    if fold == "count":
        return float(len(values))
    if fold == "sum":
        return sum(values)
    return max(values) if fold == "most" else values[-1]


def _faults() -> list[Mapping[str, Any]]:
    return list(tomllib.loads((ROOT / "tests/faults.toml").read_text("utf-8"))["fault"])


def _faults_tests() -> list[str]:
    return sorted({node for fault in _faults() for node in fault["tests"]})


def _faults_green(output: str) -> int:
    states: dict[str, set[str]] = {}
    for state, node in NODE.findall(output):
        states.setdefault(node, set()).add(state)
    return sum(
        all(states.get(node) == {"PASSED"} for node in fault["tests"]) for fault in _faults()
    )


def _pytest(line: Line, tests: Sequence[str]) -> list[str] | None:
    run = ["-m", "pytest", "-q", "-p", "no:randomly", f"--timeout={TIMEOUT_S}"]
    run.append("-rA" if line.get("faults") else "-s")
    if not line.get("coverage"):
        return [sys.executable, *run, *tests]
    if find_spec("coverage") is None:
        return None
    settings = _build() / "coverage.ini"
    settings.write_text(f"{COVERAGE}data_file = {settings.with_suffix('.data')}\n", "utf-8")
    os.environ["COVERAGE_RCFILE"] = str(settings)
    return [sys.executable, "-m", "coverage", "run", *run, *tests]


def _build() -> Path:
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    return folder


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if "pytest" in command else None,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


def table(results: Sequence[Result]) -> str:
    """The lines as a table of Markdown."""
    rows = ["| # | Line | Threshold | Measured | State |", "|---|---|---|---|---|"]
    for each in results:
        figures = ", ".join(f"{name} {value:,.10g}" for name, value in each.figures.items())
        state = f"{each.state}: {each.why}" if each.why else each.state
        rows.append(
            f"| {each.number} | {each.name} | {each.threshold} | {figures or '-'} | {state} |"
        )
    return "\n".join(rows)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", default="", metavar="9,11", help="only these")
    parser.add_argument("--long", action="store_true", help="the long form of the tests")
    parser.add_argument("--load", action="store_true", help="lines 1, 2, 3 and 7, now")
    parser.add_argument("--seconds", type=float, default=600.0, help="of the load")
    parser.add_argument("--soak", type=Path, metavar="FILE.json", help="of soak_desk.py")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    given = parser.parse_args()
    wanted = {int(text) for text in given.lines.split(",") if text}
    sources = Sources(given.seconds if given.load else 0.0, given.soak)
    results = []
    for line in lines_of():
        if not wanted or line["number"] in wanted:
            result = measure(line, sources, long=given.long)
            print(f"{result.number:2} {result.state}: {result.figures} {result.why}", flush=True)
            results.append(result)
    print(f"\n{table(results)}")
    if given.json:
        text = json.dumps([asdict(each) for each in results], indent=1)
        given.json.write_text(text + "\n", "utf-8")
    return 1 if any(each.state == "not met" for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
