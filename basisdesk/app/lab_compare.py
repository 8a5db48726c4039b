"""`basisdesk lab compare RUN RUN` and `basisdesk lab sessions LOG LOG`: side by side."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from basisdesk.errors import UserError

if TYPE_CHECKING:
    from basisdesk.app.lab_commands import Ends
    from basisdesk.lab.runs import Runs

LINES_MAX = 40  # of one table on a terminal; --out and --json have them all
Found = Callable[[argparse.Namespace, "Ends"], dict[str, Any]]


def add_compare(studies: Any, ends: "Ends", add_ends: Callable[..., None]) -> None:
    """Add both commands beside the studies. add_ends: gives a command the options of all."""
    runs = studies.add_parser("compare", help="two to four runs side by side")
    runs.add_argument("runs", nargs="+", metavar="RUN", help="name of a run, or its folder")
    logs = studies.add_parser("sessions", help="two saved session logs side by side")
    logs.add_argument("logs", nargs=2, type=Path, metavar="LOG", help="folder or session.json")
    for parser, found in ((runs, _runs), (logs, _sessions)):
        add_ends(parser)
        parser.set_defaults(run=partial(_show, found, ends))


def _runs(arguments: argparse.Namespace, ends: "Ends") -> dict[str, Any]:
    from basisdesk.lab.compare import compare_runs
    from basisdesk.lab.runs import Runs

    kept = Runs(ends.profile(arguments) / "lab")
    return compare_runs([(name, _study(kept, name)) for name in arguments.runs])


def _study(kept: "Runs", name: str) -> dict[str, Any]:
    """A run of the profile by its name, or a study anywhere by its folder. Raises UserError."""
    place = Path(name)
    if not place.is_dir():
        return kept.study(name)
    try:
        found = msgspec.json.decode((place / "study.json").read_bytes())
    except OSError as exc:
        raise UserError(f"Cannot read {place / 'study.json'}: {exc.strerror}.") from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise UserError(f"{place / 'study.json'} is damaged ({exc}).") from exc
    if not isinstance(found, dict):
        raise UserError(f"{place / 'study.json'} is no study.")
    return found


def _sessions(arguments: argparse.Namespace, ends: "Ends") -> dict[str, Any]:  # noqa: ARG001
    from basisdesk.lab.compare_sessions import compare_sessions, read_session

    return compare_sessions([(str(path), read_session(path)) for path in arguments.logs])


def _show(found: Found, ends: "Ends", arguments: argparse.Namespace) -> int:
    made = found(arguments, ends)
    lines = [*made["sentences"]]
    for table in made["tables"]:
        if table["rows"]:
            lines += ["", table["title"], *_lines(table)]
    if arguments.out is not None:
        from basisdesk.lab.pages import write_study

        lines += ["", f"Page: {write_study(made, arguments.out)[0]}"]
    return ends.show(made, lines, as_json=arguments.json)


def _lines(table: dict[str, Any]) -> list[str]:
    names = [column if isinstance(column, str) else column["name"] for column in table["columns"]]
    rows = [" | ".join(_cell(cell) for cell in row) for row in table["rows"][:LINES_MAX]]
    more = len(table["rows"]) - LINES_MAX
    return [" | ".join(names), *rows, *([f"... {more:,} rows more"] if more > 0 else [])]


def _cell(value: Any) -> str:
    if value is None:
        return "n/a"
    return f"{value:,.8g}" if isinstance(value, float) else str(value)
