"""The signal journal as a table of the session log: every candidate, taken or not, and its end."""

import math
from collections.abc import Sequence
from pathlib import Path

from basisdesk.errors import UserError
from basisdesk.forecast.signals import SignalBook, read
from basisdesk.forecast.view import Signal
from basisdesk.lab.stamp import utc_text

HEAD = (
    "time_utc",
    "candidate",
    "spot",
    "perp",
    "side",
    "p",
    "raw",
    "decision",
    "override",
    "cost_bp",
    "target_bp",
    "model",
    "features_hash",
    "outcome",
    "net_bp",
    "worst_bp",
    "best_bp",
    "first_barrier_utc",
    "told_utc",
    "regime",
)


def signals_table(paths: Sequence[Path]) -> list[list[str]]:
    """The newest signals of these files (oldest file first), oldest first; the first row names.

    Raises UserError where a file cannot be read.
    """
    book = SignalBook()
    for path in paths:
        try:
            with path.open("rb") as file:
                for row in read(file):
                    book.take(row)
        except OSError as exc:
            raise UserError(f"Cannot read the signal journal {path}: {exc.strerror}.") from exc
    return [list(HEAD), *(_row(signal) for signal in book.all())]


def signals_beside(folder: Path) -> list[list[str]]:
    """The same of every signal journal in a profile's folder, "forecast/MARKET/RULE" each."""
    places = sorted({path.parent for path in folder.glob("forecast/**/signals*.jsonl")})
    found = [list(HEAD)]
    for place in places:
        older = sorted(place.glob("signals-*.jsonl"), reverse=True)
        found += signals_table([*older, *place.glob("signals.jsonl")])[1:]
    return found


def _row(signal: Signal) -> list[str]:
    told, label = signal.candidate, signal.label
    spot, _, perp = told.pair.partition(" ")
    found = [
        utc_text(told.t_ns),
        str(told.id),
        spot,
        perp,
        "long spot, short perp" if told.direction > 0 else "short spot, long perp",
        _number(told.p, 4),
        _number(told.raw, 4),
        told.decision,
        signal.override,
        _number(told.cost_bp),
        _number(told.target_bp),
        told.version,
        told.features_hash,
    ]
    if label is None:
        return [*found, "open", "", "", "", "", "", signal.regime]
    return [
        *found,
        label.how,
        _number(label.net_bp),
        _number(label.mae_bp),
        _number(label.mfe_bp),
        utc_text(label.t_first_ns),
        utc_text(label.released_ns),
        signal.regime,
    ]


def _number(value: float, places: int = 2) -> str:
    return f"{value:.{places}f}" if math.isfinite(value) else ""
