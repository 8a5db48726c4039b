"""Words that all studies of the lab share: progress, cancelling, what every study dict holds.

A study is a plain dict (JSON-able, floats rounded to what is known) with the keys `study`, `title`,
`version`, `made_by`, `data`, `pre_registration`, `sentences`, `tables` and `charts`; what a study
has beyond that stands beside them. What was fixed before the data were looked at is hashed: two
runs with the same hash were the same plan, and a plan that was changed afterwards shows.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from basisdesk import __version__
from basisdesk.errors import UserError
from basisdesk.lab.series import PairSeries
from basisdesk.lab.stamp import utc_text

Progress = Callable[[int, int, str], bool]  # (done, total, what) -> False: cancel
EXACT = 17  # digits that tell every float from every other
HASH_SHOWN = 12  # digits of a hash that a person is shown
CAUTION = "Data: "  # how a note begins that stands before every finding
LOOKS_LINE = "looks at these data before this one"  # beside a plan, and not of its hash
HOLDS_LINE = "hash holds"  # so too


class Cancelled(UserError):
    """The person asked a study to stop. What it says is what was kept."""


def no_progress(_done: int, _total: int, _what: str) -> bool:
    """Nobody looks; nobody cancels."""
    return True


def told(progress: Progress, done: int, total: int, what: str) -> None:
    """Tell how far a study is. Raises Cancelled where the answer is to stop."""
    if not progress(done, total, what):
        raise Cancelled(f"Cancelled after {done:,} of {total:,} {what}.")


# --- plain values ---------------------------------------------------------------------------------


def plain(value: Any, digits: int = 6) -> Any:
    """The value as JSON can hold it: numpy gone, floats to so many digits, NaN to None.

    Infinite floats become the texts "inf" and "-inf", since JSON has no word for them.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(each, digits) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), digits)
    if isinstance(value, (list, tuple)):
        return [plain(each, digits) for each in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return _float(float(value), digits)
    return str(value) if isinstance(value, Path) else value


def _float(value: float, digits: int) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0.0 else "-inf"
    return float(f"{value:.{digits}g}") + 0.0  # no minus zero


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: keys sorted, no blanks, floats in their shortest exact form."""
    return msgspec.json.encode(plain(value, EXACT), order="sorted")


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON text, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


# --- parts of a study -----------------------------------------------------------------------------


def made_by(command: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What would make the study again: the command and every option with its value."""
    return {"command": command, "options": plain(options), "basisdesk": __version__}


def pre_registration(
    hypothesis: str,
    parameters: Mapping[str, Any],
    trials: int,
    dates: Mapping[str, Any],
    costs: Mapping[str, Any],
) -> dict[str, Any]:
    """What is fixed before a result is seen, with the hash over all of it.

    parameters: what is searched or set, with ranges and units. trials: configurations that will be
    evaluated. dates: spans for training, testing and what stays sealed. costs: as charged.
    """
    fixed = {
        "hypothesis": hypothesis,
        "parameters": plain(parameters, EXACT),
        "trials": int(trials),
        "dates": plain(dates),
        "costs": plain(costs, EXACT),
    }
    return {**fixed, "hash": digest(fixed)}


def registered(block: Mapping[str, Any]) -> bool:
    """Whether a pre-registration block still matches its hash."""
    beside = ("hash", LOOKS_LINE, HOLDS_LINE)
    fixed = {key: value for key, value in block.items() if key not in beside}
    return bool(block.get("hash") == digest(fixed))


def checked(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pre-registration block with whether its hash holds, for a reader."""
    return {**block, HOLDS_LINE: registered(block)} if block.get("hash") else block


def fingerprint(series: PairSeries) -> str:
    """SHA-256 over every column of a series: what a study, and a log's trials, were run on."""
    found = hashlib.sha256(repr((series.name, series.spot, series.perp, series.terms)).encode())
    columns = [series.t_ns, series.spot_bid, series.spot_ask, series.perp_bid, series.perp_ask]
    for column in (*columns, series.mark, *series.settled):
        found.update(np.ascontiguousarray(column).tobytes())
    for name in ("halted", "mark_high", "mark_low"):
        if (known := getattr(series, name)) is not None:
            found.update(name.encode() + np.ascontiguousarray(known).tobytes())
    return found.hexdigest()


def data_row(series: PairSeries) -> dict[str, Any]:
    """What of a span a series holds, as a study tells it."""
    size, coverage = len(series.t_ns), series.coverage
    return {
        "name": series.name,
        "spot": series.spot,
        "perp": series.perp,
        "kind": "close-to-close proxy" if series.kind == "bars" else "recorded quotes",
        "step_s": series.step_s,
        "rows": size,
        "from": utc_text(int(series.t_ns[0])) if size else None,
        "to": utc_text(int(series.t_ns[-1])) if size else None,
        "settlements": len(series.settled.t_ns),
        "missing": coverage.missing,
        "longest_gap_s": plain(coverage.longest_gap_s),
        "left_out": dict(coverage.left_out),
        "files": len(coverage.files),
        "cautions": cautions(series),
        "digest": fingerprint(series),
    }


def cautions(series: PairSeries) -> list[str]:
    """Notes of a series that a person reads before any result; see lab/series_files.py."""
    return [note for note in series.coverage.notes if note.startswith(CAUTION)]


def table(
    title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], note: str = ""
) -> dict[str, Any]:
    """A table of a study. columns: name and unit of each."""
    return {
        "title": title,
        "columns": [{"name": name, "unit": unit} for name, unit in columns],
        "rows": plain(rows),
        "note": note,
    }


def chart(
    kind: str,
    title: str,
    titles: tuple[str, str],
    x: Sequence[Any],
    lines: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """A chart of a study as data. kind: line, bars, heat or points; titles: of x and y.

    lines: each with `name`, `y` and, where there is an interval, `low` and `high`. Of a heat map
    each line is one row of it.
    """
    return {
        "kind": kind,
        "title": title,
        "x_title": titles[0],
        "y_title": titles[1],
        "x": plain(x),
        "lines": plain(lines),
    }
