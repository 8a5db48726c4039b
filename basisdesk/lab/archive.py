"""Candles and settled funding out of Binance's archives, as they come.

Zipped or bare CSV, with and without a header, milliseconds or microseconds (spot files since 2025),
monthly or daily, any interval from 1m to 1d. Nothing is filled in: a bar that the venue did not
publish is not there and is counted. A file that is empty, damaged, out of order, or not what its
name says is a UserError that names file and line; exact duplicates are counted and left out.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.archive_files import (
    NS,
    STEPS_S,
    ArchiveFile,
    ArchiveKind,
    archives,
    chosen,
    one_series,
)
from basisdesk.lab.archive_rows import MILLI_MAX, Layout, Rows, rows_of
from basisdesk.lab.series import Coverage, Floats, Ints, Settlements
from basisdesk.lab.stamp import utc_text

CANDLE_COLUMNS = 12
COLUMNS = {"open": 1, "high": 2, "low": 3, "close": 4, "volume": 5, "trades": 8, "taker_volume": 9}
PRICES = ("open", "high", "low", "close")
RANGE = ("low", "close", "high")  # read of every file: a close lies between the other two
ALL = tuple(COLUMNS)
BARS: tuple[ArchiveKind, ...] = ("spot", "perp", "mark", "premium", "index", "candles")
CLOSE_TIME = 6
FUNDING = Layout(3, (0, 1, 2), 3)
MINUTE_NS = 60 * NS  # a settlement is noted some milliseconds beside its minute
RATE_ABS_MAX = 0.16  # fraction per interval; beyond it the file is wrong
HOURS_MAX = 24.0


class Candles(NamedTuple):
    """Candles of one symbol, oldest first, none twice. open_ns: when each opened, UTC ns.

    columns: those that were asked for, by name: prices in quote currency, volumes in base coin.
    """

    symbol: str
    step_ns: int
    open_ns: Ints
    columns: dict[str, Floats]
    coverage: Coverage


def candles(
    folder: Path, symbol: str = "", interval: str = "", wanted: Sequence[str] = ALL
) -> Candles:
    """Candles of a folder of one kind. symbol, interval: "" where it holds but one.

    Raises UserError naming file and line.
    """
    files = archives(folder)
    files = chosen(files, BARS) or files  # settlements alone: the file says what is wrong
    fit = chosen(files, (*BARS, "funding"), symbol, interval)
    return candles_of(one_series(folder, fit), wanted)


def candles_of(files: Sequence[ArchiveFile], wanted: Sequence[str] = ALL) -> Candles:
    """Candles of these files, which are of one series, in the order of their spans."""
    order = sorted({COLUMNS[name] for name in (*wanted, *RANGE)} | {CLOSE_TIME})
    layout = Layout(CANDLE_COLUMNS, (0, *order), COLUMNS["close"] + 1)
    place = {column: i for i, column in enumerate(layout.read)}
    parts = [rows_of(file, layout) for file in files]
    step_ns = _step_ns(parts)
    positive = files[0].kind != "premium"
    prices = [place[COLUMNS[name]] for name in PRICES if name in wanted]
    span = [place[COLUMNS[name]] for name in RANGE]
    for part in parts:
        _fits_interval(part, step_ns, place[CLOSE_TIME])
        if positive:
            _above_zero(part, prices)
        _within(part, span)
    part = merged(parts)
    columns = {name: np.ascontiguousarray(part.cells[:, place[COLUMNS[name]]]) for name in wanted}
    return Candles(files[0].symbol, step_ns, part.t_ns, columns, _coverage(parts, part, step_ns))


def funding(folder: Path, symbol: str = "") -> tuple[Settlements, Coverage]:
    """Settled funding of a folder of one symbol, to the minute each settlement is for."""
    files = archives(folder)
    fit = chosen(files, ("funding",), symbol) or chosen(files, ("candles",), symbol)
    return funding_of(one_series(folder, fit))


def funding_of(files: Sequence[ArchiveFile]) -> tuple[Settlements, Coverage]:
    """Settled funding of these files, in the order of their spans."""
    parts = [rows_of(file, FUNDING) for file in files]
    for part in parts:
        _fits_funding(part)
    part = merged(parts)
    stamp = (part.t_ns + MINUTE_NS // 2) // MINUTE_NS * MINUTE_NS
    hours, rate = part.cells[:, 1].copy(), part.cells[:, 2].copy()
    if len(stamp) > 1 and not (np.diff(stamp) > 0).all():
        at = int(np.argmax(np.diff(stamp) <= 0)) + 1
        raise UserError(
            f"{part.file.path.parent} has two settlements of {utc_text(int(stamp[at]))}. "
            "Remove the file that is there twice."
        )
    gaps = np.diff(stamp) / 3.6e12 / hours[1:]
    missing = int(np.maximum(np.rint(gaps) - 1, 0).sum())
    longest = float(np.diff(stamp).max(initial=0)) / NS
    coverage = _counted(parts, len(stamp), missing, longest)
    return Settlements(stamp, rate, np.full(len(stamp), np.nan), hours), coverage


# --- several files --------------------------------------------------------------------------------


def merged(parts: Sequence[Rows]) -> Rows:
    """All rows of one series in order. Files may overlap where they say the same."""
    t_ns = np.concatenate([part.t_ns for part in parts])
    cells = np.concatenate([part.cells for part in parts])
    lines = np.concatenate([part.lines for part in parts])
    doubles = sum(part.doubles for part in parts)
    if len(t_ns) > 1 and not (np.diff(t_ns) > 0).all():
        owner = np.repeat(np.arange(len(parts)), [len(part.t_ns) for part in parts])
        order = np.argsort(t_ns, kind="stable")
        t_ns, cells, lines, owner = t_ns[order], cells[order], lines[order], owner[order]
        again = np.flatnonzero(np.diff(t_ns) == 0) + 1
        for at in again.tolist():
            if not np.array_equal(cells[at], cells[at - 1], equal_nan=True):
                one, other = parts[owner[at - 1]].file.path, parts[owner[at]].file.path
                raise UserError(
                    f"{other} line {lines[at]} has the time of {one} line {lines[at - 1]}, "
                    f"{utc_text(int(t_ns[at]))}, and other content. Remove the wrong file."
                )
        keep = np.ones(len(t_ns), dtype=np.bool_)
        keep[again] = False
        doubles += len(again)
        t_ns, cells, lines = t_ns[keep], cells[keep], lines[keep]
    micro = any(part.micro for part in parts)
    return Rows(parts[0].file, t_ns, cells, lines, doubles, micro)


def _coverage(parts: Sequence[Rows], part: Rows, step_ns: int) -> Coverage:
    t_ns = part.t_ns
    missing = int((t_ns[-1] - t_ns[0]) // step_ns) + 1 - len(t_ns)
    longest = float(np.diff(t_ns).max(initial=0)) / NS
    return _counted(parts, len(t_ns), missing, longest)


def _counted(parts: Sequence[Rows], rows: int, missing: int, longest_s: float) -> Coverage:
    double = sum(part.doubles for part in parts) + _overlap(parts, rows)
    left_out = {"exact duplicates": double} if double else {}
    micro = sum(part.micro for part in parts)
    units = [(len(parts) - micro, "milliseconds"), (micro, "microseconds")]
    said = " and ".join(f"{unit} in {n} files" for n, unit in units if n)
    files = tuple(str(part.file.path) for part in parts)
    return Coverage(rows, left_out, missing, longest_s, files, (f"times are {said}",))


def _overlap(parts: Sequence[Rows], rows: int) -> int:
    return sum(len(part.t_ns) for part in parts) - rows


# --- what a name promises -------------------------------------------------------------------------


def _step_ns(parts: Sequence[Rows]) -> int:
    """Length of a bar: by the name, else by the least time between two rows."""
    for part in parts:
        if part.file.interval:
            return STEPS_S[part.file.interval] * NS
    least = min((int(np.diff(p.t_ns).min()) for p in parts if len(p.t_ns) > 1), default=0)
    if least // NS not in STEPS_S.values():
        raise UserError(
            f"{parts[0].file.path} does not say its interval, and its rows are {least / NS:g} s "
            "apart. Name it like BTCUSDT-1h-2024-01."
        )
    return least


def _fits_interval(part: Rows, step_ns: int, close_time: int) -> None:
    """Refuse a file whose bars are longer or shorter than its name says."""
    path, t_ns = part.file.path, part.t_ns
    said = next(name for name, s in STEPS_S.items() if s * NS == step_ns)
    closes = part.cells[:, close_time]
    closes = closes * np.where(closes >= MILLI_MAX, 1_000, 1_000_000)
    odd = (t_ns % step_ns != 0) | (closes - t_ns > step_ns)
    if odd.any():
        at = int(np.argmax(odd))
        raise UserError(
            f"{path} line {part.lines[at]} is mislabelled: a bar from {utc_text(int(t_ns[at]))} "
            f"is no candle of {said}. Give the file the name of its interval."
        )
    apart = int(np.diff(t_ns).min()) if len(t_ns) > 2 else step_ns
    if apart != step_ns:
        raise UserError(
            f"{path} line {part.lines[1]} is mislabelled: rows are {apart / NS:g} s apart, the "
            f"name says {said}. Give the file the name of its interval."
        )


def _above_zero(part: Rows, prices: Sequence[int]) -> None:
    bad = ~(part.cells[:, prices] > 0.0).all(axis=1)
    if bad.any():
        line = part.lines[int(np.argmax(bad))]
        raise UserError(
            f"{part.file.path} line {line} has a price that is not above zero. Is this the premium "
            "index? Move it to its own folder, or download the file again."
        )


def _within(part: Rows, span: Sequence[int]) -> None:
    low, close, high = (part.cells[:, column] for column in span)
    bad = ~((low <= close) & (close <= high))
    if bad.any():
        at = int(np.argmax(bad))
        raise UserError(
            f"{part.file.path} line {part.lines[at]} has a close of {close[at]:.12g} outside its "
            f"low and high, {low[at]:.12g} and {high[at]:.12g}. Download the file again."
        )


def _fits_funding(part: Rows) -> None:
    hours, rate = part.cells[:, 1], part.cells[:, 2]
    for bad, why in (
        (~((hours > 0.0) & (hours <= HOURS_MAX)), "an interval of {} h"),
        (~(np.abs(rate) <= RATE_ABS_MAX), "a rate of {} an interval"),
    ):
        if bad.any():
            at = int(np.argmax(bad))
            value = hours[at] if "interval of" in why else rate[at]
            raise UserError(
                f"{part.file.path} line {part.lines[at]} has {why.format(f'{value:g}')}, which "
                "cannot be. Download the file again."
            )
