"""Hourly archives of Binance as bars: spot, perpetual, premium index and settled funding by month.

Reads the monthly zip files that data.binance.vision publishes, from a folder laid out as
<kind>/<symbol>/<symbol>-...-<year>-<month>.zip with kinds spot_klines, futures_klines,
premium_index_klines and funding_rate. Some files have a header and some have none; times are
milliseconds, microseconds in spot files since 2025. Nothing is filled in: an hour that one of the
legs lacks is no bar.

There is no bid and ask in candles, so a price here is a last trade: results are close-to-close
proxies, charged with a half-spread a side. What is decided at a close is entered at the next
hour's opening trade, a second later at the soonest.
"""

import csv
import io
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.forecast_bars import (
    HOUR_NS,
    MS_NS,
    NS,
    PUBLISH_DELAY_NS,
    Bars,
    Floats,
    Ints,
    Settled,
)

CLAMP = 0.0005
INTEREST_8H = 0.0001
LATENCY_NS = NS
FILE_BYTES_MAX = 64 * 1024 * 1024
FILES_MAX = 1_200
STAMP_ROUND_NS = 60 * NS  # a settlement is noted some milliseconds after its minute
MILLI_MAX = 100_000_000_000_000  # a stamp beyond it is in microseconds
HOURS_FULL = 8

OPEN, CLOSE, VOLUME, TRADES, TAKER = 1, 4, 5, 8, 9  # columns of a candle


class Listed(NamedTuple):
    """One symbol. spread_bp: effective spread of (spot, perp); cap: most that a rate may be."""

    symbol: str
    spread_bp: tuple[float, float]
    cap: float


# Median effective spreads of the perpetuals as reported for 2020-2025 by secondary readings of He,
# Manela, Ross, von Wachter (2022); spot is taken to be the same. Caps: 0.75 x maintenance margin.
LISTED = {
    "BTC": Listed("BTCUSDT", (0.11, 0.11), 0.003),
    "ETH": Listed("ETHUSDT", (0.18, 0.18), 0.00375),
}


def found(folder: Path) -> bool:
    """Whether the folder holds such archives."""
    return all(
        (folder / kind / listed.symbol).is_dir()
        for kind in ("spot_klines", "futures_klines", "premium_index_klines", "funding_rate")
        for listed in LISTED.values()
    )


def read(folder: Path, coin: str) -> Bars:
    """All hours of one coin, oldest first. Raises UserError where a file cannot be read."""
    listed = LISTED[coin]
    spot = candles(folder / "spot_klines" / listed.symbol)
    perp = candles(folder / "futures_klines" / listed.symbol)
    premium = candles(folder / "premium_index_klines" / listed.symbol)
    settled = settlements(folder / "funding_rate" / listed.symbol)
    opens = np.intersect1d(spot[0], perp[0], assume_unique=True)
    s, f = _rows(spot, opens), _rows(perp, opens)
    t_ns = opens + HOUR_NS - MS_NS  # the last millisecond of the hour: before a settlement on it
    after = np.searchsorted(opens, opens + HOUR_NS)  # the bar whose opening trade one gets
    after = np.minimum(after, len(opens) - 1)
    there = opens[after] == opens + HOUR_NS
    rate = indicative(t_ns, *premium, cap=listed.cap)
    size = len(opens)
    return Bars(
        name=f"Binance {listed.symbol} 1h",
        t_ns=t_ns,
        spot=s[:, CLOSE],
        perp=f[:, CLOSE],
        enter_ns=t_ns + LATENCY_NS,
        enter_spot=np.where(there, s[after, OPEN], math.nan),
        enter_perp=np.where(there, f[after, OPEN], math.nan),
        half_spot_bp=np.full(size, listed.spread_bp[0] / 2.0),
        half_perp_bp=np.full(size, listed.spread_bp[1] / 2.0),
        f_ind=rate,
        settled=settled,
        interval_h=8.0,
        interest_8h=INTEREST_8H,
        cap=listed.cap,
        more={
            **_trades("spot", s),
            **_trades("perp", f),
        },
    )


def indicative(t_ns: Ints, opens: Ints, rows: Floats, cap: float) -> Floats:
    """Rate as it floats at each time, from hourly closes of the premium index, by rising weights.

    A proxy of the venue's own sum, which samples every 5 seconds with weights 1, 2, ...: here each
    hour that is over counts with the mean weight of its samples, 1, 3, 5, ... for hours of an
    interval of 8. NaN where no hour of the running interval is known.
    """
    hour = {int(o): float(v) for o, v in zip(opens, rows[:, CLOSE], strict=True)}
    out = np.full(len(t_ns), math.nan)
    for i, now in enumerate(t_ns.tolist()):
        first = now // (HOURS_FULL * HOUR_NS) * HOURS_FULL * HOUR_NS
        top = weights = 0.0
        for k in range(HOURS_FULL):
            opened = first + k * HOUR_NS
            value = hour.get(opened, math.nan) if opened + HOUR_NS - MS_NS <= now else math.nan
            if math.isfinite(value):
                top += (2 * k + 1) * value
                weights += 2 * k + 1
        if weights:
            mean = top / weights
            rate = mean + min(max(INTEREST_8H - mean, -CLAMP), CLAMP)
            out[i] = min(max(rate, -cap), cap)
    return out


def settlements(folder: Path) -> Settled:
    """All settlements of a symbol: to the minute they are for, used a minute after it."""
    rows = sorted({(_ns(row[0]), float(row[1]), float(row[2])) for row in _lines(folder)})
    stamp = np.array([r[0] for r in rows], dtype=np.int64)
    stamp = (stamp + STAMP_ROUND_NS // 2) // STAMP_ROUND_NS * STAMP_ROUND_NS
    hours = np.array([r[1] for r in rows])
    return Settled(stamp, np.array([r[2] for r in rows]), hours, stamp + PUBLISH_DELAY_NS)


def candles(folder: Path) -> tuple[Ints, Floats]:
    """(opening times ns, rows of eleven columns) of a symbol, oldest first, none twice."""
    rows = {_ns(row[0]): [float(cell or "nan") for cell in row[:11]] for row in _lines(folder)}
    opens = sorted(rows)
    return np.array(opens, dtype=np.int64), np.array([rows[o] for o in opens])


def _lines(folder: Path) -> Iterator[list[str]]:
    files = sorted(folder.glob("*.zip"))
    if not files or len(files) > FILES_MAX:
        raise UserError(f"{folder} holds {len(files)} archives; 1 to {FILES_MAX} can be read.")
    for file in files:
        try:
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    yield from _table(archive, name, file)
        except (OSError, zipfile.BadZipFile, UnicodeDecodeError, csv.Error) as exc:
            raise UserError(f"{file} cannot be read: {exc}.") from exc


def _table(archive: zipfile.ZipFile, name: str, file: Path) -> Iterator[list[str]]:
    if archive.getinfo(name).file_size > FILE_BYTES_MAX:
        raise UserError(f"{file} is larger than a month of candles can be.")
    with archive.open(name) as raw:
        for row in csv.reader(io.TextIOWrapper(raw, "utf-8")):
            if row and row[0].isdigit():  # the header is not
                yield row


def _ns(cell: str) -> int:
    stamp = int(cell)
    return stamp * (1_000 if stamp > MILLI_MAX else 1_000_000)


def _rows(table: tuple[Ints, Floats], opens: Ints) -> Floats:
    return np.asarray(table[1][np.searchsorted(table[0], opens)])


def _trades(leg: str, rows: Floats) -> dict[str, Floats]:
    return {
        f"{leg}_trades": rows[:, TRADES],
        f"{leg}_volume": rows[:, VOLUME],
        f"{leg}_signed": 2.0 * rows[:, TAKER] - rows[:, VOLUME],
    }
