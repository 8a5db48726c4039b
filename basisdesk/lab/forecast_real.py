"""Hourly archives of Binance as bars: spot, perpetual, premium index and settled funding by month.

Reads the monthly archives that data.binance.vision publishes (lab/archive.py), from a folder laid
out as <kind>/<symbol>/<symbol>-...-<year>-<month>.zip with kinds spot_klines, futures_klines,
premium_index_klines and funding_rate. Nothing is filled in: an hour that one of the legs lacks is
no bar.

There is no bid and ask in candles, so a price here is a last trade: results are close-to-close
proxies, charged with a half-spread a side. What is decided at a close is entered at the next
hour's opening trade, a second later at the soonest.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from basisdesk.lab import archive
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
HOURS_FULL = 8

OPEN, CLOSE, VOLUME, TRADES, TAKER = (
    archive.COLUMNS[name] for name in ("open", "close", "volume", "trades", "taker_volume")
)


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
    settled, _ = archive.funding(folder)
    return Settled(settled.t_ns, settled.rate, settled.interval_h, settled.t_ns + PUBLISH_DELAY_NS)


def candles(folder: Path) -> tuple[Ints, Floats]:
    """(opening times ns, rows of ten columns) of a symbol, oldest first, none twice.

    Columns stand where the archive has them; those that nobody here reads are NaN.
    """
    found = archive.candles(folder)
    rows = np.full((len(found.open_ns), TAKER + 1), math.nan)
    for name, column in found.columns.items():
        rows[:, archive.COLUMNS[name]] = column
    return found.open_ns, rows


def _rows(table: tuple[Ints, Floats], opens: Ints) -> Floats:
    return np.asarray(table[1][np.searchsorted(table[0], opens)])


def _trades(leg: str, rows: Floats) -> dict[str, Floats]:
    return {
        f"{leg}_trades": rows[:, TRADES],
        f"{leg}_volume": rows[:, VOLUME],
        f"{leg}_signed": 2.0 * rows[:, TAKER] - rows[:, VOLUME],
    }
