"""Openings as CSV by RFC 4180: every digit, and no text that a spreadsheet would run. Pure."""

import math
from collections.abc import Sequence

from basisdesk.scan.words import FRESH, STALE, Ints, Openings
from basisdesk.ui.scanner_columns import ScanColumn

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Sequence[ScanColumn], o: Openings, rows: Ints) -> str:
    """These columns of these rows as RFC 4180 says it: CRLF, quotes doubled, a header line.

    Figures are plain, with a point and every digit; what is not known is empty. A text that a
    spreadsheet would run as a formula gets an apostrophe before it.
    """
    fields = [field for column in columns for field in column.fields]
    fields += [("state", _state_word), ("size", lambda o, _i: o.size)]
    lines = [",".join(name for name, _ in fields)]
    lines += [",".join(csv_cell(read(o, i)) for _, read in fields) for i in rows.tolist()]
    return "\r\n".join(lines) + "\r\n"


def _state_word(o: Openings, i: int) -> str:
    if o.state[i] == FRESH:
        return "no depth" if o.capacity[i] < o.size else "fresh"
    return "stale" if o.state[i] == STALE else "missing"


def csv_cell(value: object) -> str:
    """One cell of a CSV file."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else ("inf" if value == math.inf else "")
    text = str(value)
    if text[:1] in FORMULA_STARTS:
        text = f"'{text}"
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
