"""Openings as CSV by RFC 4180: every digit, and no text that a spreadsheet would run. Pure."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from basisdesk.scan.words import FRESH, STALE, Ints, Openings
from basisdesk.ui.scanner_columns import Field, ScanColumn, Terms, scan_columns

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def csv_text(columns: Sequence[ScanColumn], o: Openings, rows: Ints, currency: str = "USDT") -> str:
    """All columns of these rows as RFC 4180 says it: CRLF, quotes doubled, a header line.

    Every file has the same fields in the same order, each with its unit in its name, whatever is on
    the screen; columns: those that are, in case one knows a field that the table does not.
    Figures are plain, with a point and every digit; what is not known is empty. A text that a
    spreadsheet would run as a formula gets an apostrophe before it.
    """
    fields = csv_fields(columns, currency)
    lines = [",".join(name for name, _ in fields)]
    lines += [",".join(csv_cell(read(o, i)) for _, read in fields) for i in rows.tolist()]
    return "\r\n".join(lines) + "\r\n"


def csv_fields(columns: Sequence[ScanColumn], currency: str) -> tuple[Field, ...]:
    """What a file holds of an opening, in order."""
    money = currency.lower()
    whole = scan_columns(Terms(currency=currency))
    known = {name: read for column in (*whole, *columns) for name, read in column.fields}
    known |= {
        "state": _state_word,
        f"size_{money}": lambda o, _i: float(o.size),
        "hold_h": lambda o, _i: float(o.hold_h),
        "exported_utc": lambda o, _i: utc_text(o.now_ns),
    }
    return tuple(known.items())


def utc_text(now_ns: int) -> str:
    """A moment as ISO 8601 has it, to the millisecond: "2026-09-18T09:14:22.000Z"."""
    moment = _EPOCH + timedelta(milliseconds=now_ns // 1_000_000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


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
