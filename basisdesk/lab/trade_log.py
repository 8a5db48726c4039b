"""The `trade_log.csv` of the founding notes' convergence script: rows, and round trips of them.

The script appends one row an entry and one an exit, over all its runs, with its fill prices (its
mid and 2 bp), both fees of the row, and as "realized_pnl" the perpetual's leg alone. Each line is
read by itself: one that cannot be is a sentence with its number, and the rest stands.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from basisdesk.errors import UserError

COLUMNS = (
    "timestamp_utc",
    "action",
    "basis_pct",
    "spot_price",
    "perp_price",
    "qty",
    "realized_pnl",
    "fees",
    "usdt_balance",
    "base_balance",
    "perp_qty",
    "perp_entry",
    "perp_margin",
    "note",
)
ACTIONS = {"ENTER": True, "EXIT": False}  # whether it enters
FORMAT_SAID = (
    "The user guide, Sessions and reports, lists all columns, both actions and the format of the "
    "times; so does `basisdesk import-trades --help`."
)
BYTES_MAX = 40 * 1024 * 1024
LINES_MAX = 200_000
LINE_CHARS_MAX = 4_000
BAD_MAX = 200  # sentences kept; all are counted
SHOWN_CHARS = 40
VALUE_MAX = Decimal(10) ** 15
CASH_NEAR = Decimal("0.001")  # by which two balances of one run may differ, USDT
QTY_NEAR = Decimal("0.000001")  # so two quantities of one trade, share of it
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_PNL = re.compile(r"pnl=([+-]?\d+(?:\.\d+)?)USDT")
_REASON = re.compile(r"reason=(\S*)")


class Row(NamedTuple):
    """One line of the file. t_s: seconds since 1970, UTC. Prices are fills, money USDT."""

    line: int
    t_s: int
    entry: bool
    basis_pct: Decimal
    spot: Decimal
    perp: Decimal
    qty: Decimal
    realized: Decimal
    fees: Decimal
    cash: Decimal
    perp_qty: Decimal
    margin: Decimal
    note: str


class Trip(NamedTuple):
    """An entry with its exit. direction: 1 long spot and short perpetual, -1 the reverse."""

    entry: Row
    exit: Row
    direction: int

    @property
    def cash_before(self) -> Decimal:
        """What the script had before the entry, by its own booking."""
        return cash_before(self.entry)

    @property
    def told(self) -> Decimal | None:
        """The profit that the exit's note tells; None where it tells none."""
        found = _PNL.search(self.exit.note)
        return Decimal(found[1]) if found else None

    @property
    def reason(self) -> str:
        """Why the script left, as it wrote; "" where it wrote none."""
        found = _REASON.search(self.exit.note)
        return found[1] if found else ""


class TradeLog(NamedTuple):
    """What a file holds. bad: (line, sentence), BAD_MAX at most; bad_count: how many there are.

    lost: entries whose exit never came, and exits without an entry. runs: how often the script
    began again with a fresh account.
    """

    rows: int
    trips: tuple[Trip, ...]
    lost: tuple[Row, ...]
    bad: tuple[tuple[int, str], ...]
    bad_count: int
    runs: int


def read_trade_log(path: Path) -> TradeLog:
    """Read a file of the script. Raises UserError where nothing of it can be read."""
    try:
        size = path.stat().st_size
        if size > BYTES_MAX:
            raise UserError(f"{path} is larger than {BYTES_MAX // 1024 // 1024} MB: no trade log.")
        lines = _lines(path)
    except OSError as exc:
        raise UserError(f"Cannot read {path}: {exc.strerror}.") from exc
    missing = [name for name in COLUMNS if name not in _cells(lines[0] if lines else "")]
    if missing:
        raise UserError(
            f"{path} line 1: the columns are not those of the script's trade_log.csv; missing: "
            f"{', '.join(missing)}. {FORMAT_SAID}"
        )
    log = _log(lines)
    if log.bad and not log.rows:
        raise UserError(
            f"{path}: not one of its {log.bad_count:,} lines could be read. {log.bad[0][1]} "
            f"{FORMAT_SAID}"
        )
    return log


def _lines(path: Path) -> list[str]:
    """The lines without their ends; of one that is too long no more than tells that it is."""
    lines: list[str] = []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        while line := file.readline(LINE_CHARS_MAX + 2):
            if len(lines) >= LINES_MAX:
                raise UserError(
                    f"{path} has more than {LINES_MAX:,} lines: no trade log of the script."
                )
            lines.append(line.rstrip("\n"))
            while line and not line.endswith("\n"):
                line = file.readline(LINE_CHARS_MAX + 2)  # its rest is passed over
    return lines


def cash_before(entry: Row) -> Decimal:
    """The cash before an entry: what is left, and what the script says the entry took."""
    return entry.cash + entry.qty * entry.spot + entry.fees + entry.margin


def _log(lines: Sequence[str]) -> TradeLog:
    bad: list[tuple[int, str]] = []
    count = 0
    rows = []
    for number, found in _rows(lines):
        if isinstance(found, Row):
            rows.append(found)
            continue
        count += 1
        if len(bad) < BAD_MAX:
            bad.append((number, found))
    trips, lost = _paired(rows)
    return TradeLog(len(rows), trips, lost, tuple(bad), count, _runs(rows))


def _rows(lines: Sequence[str]) -> Iterator[tuple[int, Row | str]]:
    """Each line's row, or the sentence of what is wrong with it; empty lines and headers are out.

    A header inside the file is one of several files joined: its columns hold from there on.
    """
    head = _cells(lines[0])
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        if len(line) > LINE_CHARS_MAX:
            yield number, f"Line {number}: longer than {LINE_CHARS_MAX:,} letters."
            continue
        cells = _cells(line)
        if all(name in cells for name in COLUMNS):
            head = cells
            continue
        if len(cells) != len(head):
            yield (
                number,
                f"Line {number}: {len(cells)} cells where {len(head)} stand in the header.",
            )
            continue
        try:
            yield number, _row(number, dict(zip(head, cells, strict=True)))
        except ValueError as exc:
            yield number, f"Line {number}: {exc}."


def _cells(line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line.replace("\0", " ")]), [])]
    except csv.Error:
        return []


def _row(number: int, cells: dict[str, str]) -> Row:
    if cells["action"] not in ACTIONS:
        raise ValueError(f"action {_shown(cells['action'])} is neither ENTER nor EXIT")
    row = Row(
        line=number,
        t_s=_seconds(cells["timestamp_utc"]),
        entry=ACTIONS[cells["action"]],
        basis_pct=_number(cells, "basis_pct"),
        spot=_number(cells, "spot_price"),
        perp=_number(cells, "perp_price"),
        qty=_number(cells, "qty"),
        realized=_number(cells, "realized_pnl"),
        fees=_number(cells, "fees"),
        cash=_number(cells, "usdt_balance"),
        perp_qty=_number(cells, "perp_qty"),
        margin=_number(cells, "perp_margin"),
        note=cells["note"],
    )
    for name, value in (("spot_price", row.spot), ("perp_price", row.perp), ("qty", row.qty)):
        if value <= 0:
            raise ValueError(f"{name} {value} is not above zero")
    if row.entry and abs(abs(row.perp_qty) - row.qty) > QTY_NEAR * row.qty:
        raise ValueError(f"qty {row.qty} and perp_qty {row.perp_qty} are of two sizes")
    return row


def _seconds(said: str) -> int:
    """Seconds since 1970 of a time: the script's own, or one of ISO 8601 with a day and seconds.

    Without a zone it is UTC, as the column's name says; with one it is that moment in UTC.
    """
    try:
        at = datetime.fromisoformat(said if _TIME.fullmatch(said) else "")
        return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise ValueError(
            f"timestamp_utc {_shown(said)} is no time like 2026-01-31 09:14:22 or "
            "2026-01-31T09:14:22Z"
        ) from None


def _number(cells: dict[str, str], name: str) -> Decimal:
    try:
        value = Decimal(cells[name])
    except InvalidOperation:
        raise ValueError(f"{name} {_shown(cells[name])} is no number") from None
    if not value.is_finite() or abs(value) > VALUE_MAX:
        raise ValueError(f"{name} {_shown(cells[name])} is no amount")
    return value


def _shown(cell: str) -> str:
    clean = "".join(char if char.isprintable() else "?" for char in cell[:SHOWN_CHARS])
    return f"'{clean}'"


def _paired(rows: Sequence[Row]) -> tuple[tuple[Trip, ...], tuple[Row, ...]]:
    """Entries with the exits that follow them, and rows that stay alone."""
    trips, lost = [], []
    held: Row | None = None
    for row in rows:
        if row.entry:
            if held is not None:
                lost.append(held)
            held = row
        elif held is None or abs(row.qty - held.qty) > QTY_NEAR * held.qty or row.t_s < held.t_s:
            lost.append(row)
        else:
            trips.append(Trip(held, row, 1 if held.perp_qty < 0 else -1))
            held = None
    if held is not None:
        lost.append(held)
    return tuple(trips), tuple(lost)


def _runs(rows: Sequence[Row]) -> int:
    """How many accounts these rows are of: the cash of each entry must follow the row before."""
    runs, before = 0, None
    for row in rows:
        if row.entry and (before is None or abs(cash_before(row) - before) > CASH_NEAR):
            runs += 1
        before = row.cash
    return runs or int(bool(rows))
