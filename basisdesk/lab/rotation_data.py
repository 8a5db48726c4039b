"""Funding and prices of many coins from files, on the settlements of the rotation study.

Funding: a folder of CSV files, one a symbol (timestamp ms, symbol, funding_rate), a Parquet table
(timestamp, venue, coin, funding_rate), or a folder of monthly archives by symbol. Prices: hourly
candles as a Parquet table (timestamp of the opening, venue, coin, c, v) or monthly archives by
symbol. A coin's funding is the median over its perpetuals, its price that of the perpetual with
most hours. Nothing is filled in.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from basisdesk.errors import UserError, extra_from
from basisdesk.lab import archive
from basisdesk.lab.rotation_panel import Maps, Panel, Plan, dated, grid, month_turnover
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.words import Progress, told
from basisdesk.market.funding import RATE_ABS_MAX
from basisdesk.scan import sector_series as series
from basisdesk.scan.sector_map import BYTES_MAX, parse_sectors
from basisdesk.scan.sector_series import HOUR_MS, STEP_MS, Floats, Ints
from basisdesk.venues.instrument import split_symbol

FILES_MAX = 5_000
FILE_BYTES_MAX = 64 * 1024 * 1024
ROWS_MAX = 20_000_000
MS_MIN, MS_MAX = 1_230_768_000_000, 4_102_444_800_000  # 2009 to 2100
HEAD = ["timestamp", "symbol", "funding_rate"]
HOURS_A_STEP = 8
MS_NS = 1_000_000


class Rates(NamedTuple):
    """Settled funding of one perpetual, oldest first. rate: fraction of its own interval."""

    coin: str
    leg: str
    ms: Ints
    rate: Floats


class Candles(NamedTuple):
    """Hourly closes of one perpetual, oldest first. ms: of the close; turnover: quote."""

    coin: str
    leg: str
    ms: Ints
    close: Floats
    turnover: Floats


def read_panel(
    funding: Sequence[Path], prices: Sequence[Path], plan: Plan, progress: Progress
) -> Panel:
    """The panel that the files hold, over all settlements that their funding spans.

    Raises UserError with one sentence: which file and line, what is wrong, what to do.
    """
    rates = [each for path in funding for each in read_rates(path, progress)]
    if not rates:
        raise UserError("No funding to study. Name files or folders of it with --funding.")
    priced = _longest([each for path in prices for each in _candles(path, progress)])
    first = min(int(each.ms[0]) for each in rates)
    stamps = grid(first, max(int(each.ms[-1]) for each in rates) + series.MINUTE_MS)
    coins = tuple(sorted({each.coin for each in rates}))
    if len(stamps) < 2:
        raise UserError("The funding spans less than two settlements. Name longer histories.")
    rate = np.stack([_of_coin(rates, coin, stamps) for coin in coins], axis=1)
    log_price, turnover = _prices(priced, coins, stamps, plan)
    return Panel(
        name=", ".join(path.name for path in funding),
        simulated=False,
        stamps_ms=stamps,
        coins=coins,
        rate=rate,
        log_price=log_price,
        turnover=turnover,
        sources=tuple(_sources(funding, prices, rates, priced)),
        notes=tuple(_notes(coins, log_price, turnover, plan)),
    )


def read_maps(files: Sequence[Path]) -> Maps:
    """Dated sector maps. Raises UserError, SettingsError of a file that cannot be used."""
    found = []
    for file in files:
        try:
            data = file.read_bytes() if file.stat().st_size <= BYTES_MAX else b" " * (BYTES_MAX + 1)
        except OSError as exc:
            raise UserError(f"Cannot read the sector map {file}: {exc.strerror or exc}.") from exc
        found.append(parse_sectors(data, str(file)))
    try:
        return dated(found)
    except ValueError as exc:
        raise UserError(f"--sectors: {exc}.") from None


# --- funding --------------------------------------------------------------------------------------


def read_rates(path: Path, progress: Progress) -> Iterator[Rates]:
    """Settled funding of each perpetual in a file or folder. Raises UserError."""
    if path.suffix == ".parquet":
        for (venue, coin), (ms, rate, _) in _legs(path, "funding_rate", None):
            if np.abs(rate).max() > RATE_ABS_MAX:
                raise UserError(_wild(f"{path}: {venue} {coin}", float(np.abs(rate).max())))
            yield Rates(coin, f"{venue}:{coin}", ms, rate)
        return
    files = [path] if path.suffix == ".csv" else sorted(path.glob("*.csv"))
    folders = _archives(path) if not files else []
    if not files and not folders:
        raise UserError(f"No funding in {path}. Name CSV files, a Parquet file or archives.")
    if len(files) > FILES_MAX:
        raise UserError(f"{path} holds {len(files):,} files; at most {FILES_MAX:,} are read.")
    for done, file in enumerate(files):
        told(progress, done, len(files), "funding files")
        yield read_csv(file)
    for done, folder in enumerate(folders):
        told(progress, done, len(folders), "funding archives")
        settled, _ = archive.funding(folder)
        yield Rates(_coin(folder.name, folder), folder.name, settled.t_ns // MS_NS, settled.rate)


def read_csv(file: Path) -> Rates:
    """Settled funding of one symbol: a header, then timestamp ms, symbol and rate, oldest first.

    The file is named for its symbol. Raises UserError that names the line.
    """
    ms: list[int] = []
    rate: list[float] = []
    for number, row in _table(file):
        at, paid = _row(row, f"{file}, line {number}", file.stem)
        if ms and at <= ms[-1]:
            how = "stands there twice" if at == ms[-1] else "is older than the one before it"
            raise UserError(
                f"{file}, line {number}: the settlement of {utc_text(at * MS_NS)} {how}. "
                "Sort the file by time and keep each settlement once."
            )
        ms.append(at)
        rate.append(paid)
    if not ms:
        raise UserError(f"{file}, line 1: no settlement follows the header. Leave the file out.")
    return Rates(_coin(file.stem, file), file.stem, np.array(ms, dtype=np.int64), np.array(rate))


def _table(file: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise UserError(
                f"{file} is larger than {FILE_BYTES_MAX >> 20} MiB. Split it by symbol."
            )
        with file.open(encoding="utf-8", newline="") as text:
            rows = csv.reader(text)
            head = next(rows, [])
            if not head:
                raise UserError(f"{file}, line 1: the file is empty. Leave it out.")
            if [cell.strip() for cell in head] != HEAD:
                raise UserError(
                    f"{file}, line 1: the header is {','.join(head)[:60]!r}; "
                    f"{','.join(HEAD)!r} is needed."
                )
            for row in rows:
                if row:
                    yield rows.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise UserError(f"{file} cannot be read: {exc}.") from exc


def _row(row: list[str], where: str, symbol: str) -> tuple[int, float]:
    try:
        at, name, rate = int(row[0]), row[1], float(row[2])
    except (ValueError, IndexError):
        said = ",".join(row)[:60]
        raise UserError(f"{where}: {said!r} is no timestamp in ms, symbol and rate.") from None
    if name != symbol:
        raise UserError(
            f"{where}: it is of {name[:30]!r}, but the file is named for {symbol}. "
            "Rename the file or correct the row."
        )
    if not MS_MIN <= at < MS_MAX:
        raise UserError(f"{where}: the timestamp {at} is no time in milliseconds.")
    if not math.isfinite(rate) or abs(rate) > RATE_ABS_MAX:
        raise UserError(_wild(where, rate))
    return at, rate


def _wild(where: str, rate: float) -> str:
    return (
        f"{where}: the rate {rate:g} is beyond {RATE_ABS_MAX:g} of notional, more than any venue "
        "settles. Rates are fractions: 0.0001 is 1 bp."
    )


def _coin(symbol: str, where: Path) -> str:
    try:
        return split_symbol(f"binance:perp:{symbol}")[0]
    except ValueError:
        raise UserError(
            f"{where}: {symbol!r} names no quote currency. Name files by symbol, like BTCUSDT."
        ) from None


def _of_coin(rates: list[Rates], coin: str, stamps: Ints) -> Floats:
    lines = [series.on_grid(each.ms, each.rate, stamps) for each in rates if each.coin == coin]
    return lines[0] if len(lines) == 1 else series.median_of(np.stack(lines, axis=1))


# --- prices ---------------------------------------------------------------------------------------


def _candles(path: Path, progress: Progress) -> Iterator[Candles]:
    if path.suffix == ".parquet":
        for (venue, coin), (ms, close, volume) in _legs(path, "c", "v"):
            if not close.min() > 0.0:
                raise UserError(f"{path}: {venue} {coin} has a price that is not above zero.")
            yield Candles(coin, f"{venue}:{coin}", ms + HOUR_MS, close, close * volume)
        return
    folders = _archives(path)
    if not folders:
        raise UserError(f"No prices in {path}. Name a Parquet file or hourly archives by symbol.")
    for done, folder in enumerate(folders):
        told(progress, done, len(folders), "price archives")
        found = archive.candles(folder, wanted=("close", "volume"))
        if found.step_ns != HOUR_MS * MS_NS:
            raise UserError(f"{folder} holds no hourly candles. Name the archives of 1h.")
        coin, ms = _coin(folder.name, folder), found.open_ns // MS_NS + HOUR_MS
        close, volume = found.columns["close"], found.columns["volume"]
        yield Candles(coin, folder.name, ms, close, close * volume)


def _longest(found: Iterable[Candles]) -> dict[str, Candles]:
    """By coin the perpetual with most hours, the first by name of two alike."""
    best: dict[str, Candles] = {}
    for each in sorted(found, key=lambda one: (-len(one.ms), one.leg)):
        best.setdefault(each.coin, each)
    return best


def _prices(
    priced: dict[str, Candles], coins: tuple[str, ...], stamps: Ints, plan: Plan
) -> tuple[Floats, Floats]:
    log_price = np.full((len(stamps), len(coins)), np.nan)
    step = np.full_like(log_price, np.nan)
    for column, coin in enumerate(coins):
        found = priced.get(coin)
        if found is None:
            continue
        place = np.searchsorted(found.ms, stamps)
        there = found.ms[np.minimum(place, len(found.ms) - 1)] == stamps
        log_price[there, column] = np.log(found.close[place[there]])
        row = (found.ms - int(stamps[0]) + STEP_MS - 1) // STEP_MS
        inside = (row >= 0) & (row < len(stamps))
        hours = np.bincount(row[inside], minlength=len(stamps))
        paid = np.bincount(row[inside], found.turnover[inside], len(stamps))
        full = hours == HOURS_A_STEP
        step[full, column] = paid[full]
    return log_price, month_turnover(step, plan.volume_days)


# --- files ----------------------------------------------------------------------------------------


def _archives(path: Path) -> list[Path]:
    if not path.is_dir():
        raise UserError(f"No folder or file {path}. Check the name.")
    found = sorted(each for each in path.iterdir() if each.is_dir() and any(each.glob("*.zip")))
    if len(found) > FILES_MAX:
        raise UserError(f"{path} holds {len(found):,} symbols; at most {FILES_MAX:,} are read.")
    return found


Leg = tuple[tuple[str, str], tuple[Ints, Floats, Floats]]


def _legs(path: Path, value: str, volume: str | None) -> Iterator[Leg]:
    """((venue, coin), (ms, values, volumes)) of a Parquet table, rows by time."""
    columns = ["timestamp", "venue", "coin", value, *([volume] if volume else [])]
    table = _parquet(path, columns)
    ms = np.asarray(table["timestamp"].to_numpy().astype("datetime64[ms]").astype(np.int64))
    values = np.asarray(table[value].to_numpy(), dtype=np.float64)
    more = np.asarray(table[volume].to_numpy(), dtype=np.float64) if volume else values
    if len(bad := np.flatnonzero(~np.isfinite(values) | ~np.isfinite(more))):
        raise UserError(f"{path}, row {bad[0] + 1}: {value!r} is no number. Correct the table.")
    names = list(zip(table["venue"].to_pylist(), table["coin"].to_pylist(), strict=True))
    rows: dict[tuple[str, str], list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    for name in sorted(rows):
        own = np.array(rows[name])
        own = own[np.argsort(ms[own], kind="stable")]
        if len(twice := np.flatnonzero(np.diff(ms[own]) == 0)):
            raise UserError(
                f"{path}, row {own[twice[0] + 1] + 1}: {name[0]} {name[1]} has this time twice. "
                "Keep each row once."
            )
        yield name, (ms[own], values[own], more[own])


def _parquet(path: Path, columns: list[str]) -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise UserError(f"{path} needs pyarrow: {extra_from('lab')}. Or name CSV files.") from exc
    try:
        names = pq.read_schema(path).names
        if lacking := [name for name in columns if name not in names]:
            raise UserError(
                f"{path} has no column {lacking[0]!r}; it has {', '.join(names)[:120]}."
            )
        table = pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException) as exc:
        raise UserError(f"{path} cannot be read as Parquet: {str(exc)[:120]}.") from exc
    if not 0 < table.num_rows <= ROWS_MAX:
        raise UserError(f"{path} has {table.num_rows:,} rows; 1 to {ROWS_MAX:,} can be read.")
    if table["timestamp"].null_count or not pa.types.is_timestamp(table["timestamp"].type):
        raise UserError(f"{path}: the column 'timestamp' must hold a time in every row.")
    return table


# --- what was read --------------------------------------------------------------------------------


def _sources(
    funding: Sequence[Path],
    prices: Sequence[Path],
    rates: list[Rates],
    priced: dict[str, Candles],
) -> Iterator[dict[str, Any]]:
    yield {
        "name": "settled funding",
        "files": [path.name for path in funding],
        "perpetuals": len(rates),
        "rows": sum(len(each.ms) for each in rates),
        "from": day_of(min(int(each.ms[0]) for each in rates)),
        "to": day_of(max(int(each.ms[-1]) for each in rates)),
    }
    if priced:
        yield {
            "name": "hourly closes",
            "files": [path.name for path in prices],
            "perpetuals": len(priced),
            "rows": sum(len(each.ms) for each in priced.values()),
            "from": day_of(min(int(each.ms[0]) for each in priced.values())),
            "to": day_of(max(int(each.ms[-1]) for each in priced.values())),
        }


def _notes(
    coins: tuple[str, ...], log_price: Floats, turnover: Floats, plan: Plan
) -> Iterator[str]:
    both = int(np.isfinite(log_price).any(axis=0).sum())
    if not both:
        yield "There are no prices in these data, so no outcome is known: funding is told alone."
    elif both < len(coins):
        yield f"{both} of {len(coins)} coins have prices; the others take no part in the universe."
    if not np.isfinite(turnover).any():
        yield (
            f"Turnover is not known, so the universe is all {len(coins)} coins with funding and "
            f"not the {plan.universe} most traded."
        )


def day_of(ms: int) -> str:
    """2026-11-21, UTC."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}"
