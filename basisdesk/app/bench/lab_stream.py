"""One pair's quotes in a busy market, made by a fixed law: the data of the lab's speed figures.

Two hundred quotes a second, of either leg by chance: Bybit sends a top of book every 10 ms at most,
and of its largest coins nearly as often. Mark once a second; a settlement within the span. The same
numbers on every machine.
"""

import math

import numpy as np

from basisdesk.lab.series import Coverage, Floats, Ints, PairSeries, Settlements, Terms

QUOTES = 1_000_000
MINUTES = 525_600  # a year
SEED = 20_260_301
MS = 1_000_000
HOUR_NS = 3_600_000 * MS
START_NS = 1_772_352_000_000_000_000  # 2026-03-01 08:00 UTC
QUOTE_NS = 5 * MS  # mean time between two quotes
TICK = 0.01
PRICE = 60_000.0


def quote_stream(count: int = QUOTES, seed: int = SEED) -> PairSeries:
    """`count` quotes of both legs together, a row each: the basis reverts within minutes."""
    rng = np.random.default_rng(seed)
    start_ns = START_NS - count * QUOTE_NS // 2
    t_ns = start_ns + np.cumsum(rng.integers(1, 10, count)) * MS
    spot = PRICE * np.exp(np.cumsum(rng.standard_normal(count)) * 2e-6)
    basis_bp = -4.5 + _reverting(rng, count, 12.0, 6_000.0)
    perp = spot * (1.0 + basis_bp * 1e-4)
    is_spot = rng.random(count) < 0.5
    is_spot[0] = True
    spot_ticks = _held(np.rint(spot / TICK), is_spot)
    perp_ticks = _held(np.rint(perp / TICK), ~is_spot)
    second = t_ns // (1_000 * MS)
    new_mark = np.concatenate(([True], np.diff(second) > 0))
    mark = _held(np.rint(perp / TICK), new_mark) / 100.0
    return _series("stream", "quotes", t_ns, (spot_ticks, perp_ticks), mark)


def minute_year(rows: int = MINUTES, seed: int = SEED) -> PairSeries:
    """A year of minutes, closes with half a basis point of spread to either side."""
    rng = np.random.default_rng(seed)
    t_ns = START_NS + np.arange(1, rows + 1, dtype=np.int64) * 60_000 * MS
    spot = PRICE * np.exp(np.cumsum(rng.standard_t(4, rows)) * 5e-4)
    basis_bp = -4.5 + _reverting(rng, rows, 6.0, 240.0)
    perp = spot * (1.0 + basis_bp * 1e-4)
    ticks = np.rint(spot / TICK), np.rint(perp / TICK)
    mark = np.rint(perp / TICK) / 100.0
    return _series("year", "bars", t_ns, ticks, mark, half=300.0)


def _series(
    name: str,
    kind: str,
    t_ns: Ints,
    ticks: tuple[Floats, Floats],
    mark: Floats,
    half: float = 5.0,
) -> PairSeries:
    """ticks: middles of spot and perpetual. half: ticks from there to bid and ask."""
    every = 8 * HOUR_NS
    stamps = (
        np.arange(int(t_ns[0]) // every + 1, int(t_ns[-1]) // every + 1, dtype=np.int64) * every
    )
    rates = 1e-4 * (1.0 + 0.5 * np.sin(np.arange(len(stamps))))
    spot, perp = ticks
    return PairSeries(
        name=name,
        spot="bybit:spot:BTCUSDT",
        perp="bybit:perp:BTCUSDT",
        kind="bars" if kind == "bars" else "quotes",
        step_s=60.0 if kind == "bars" else 0.0,
        t_ns=t_ns,
        spot_bid=(spot - half) / 100.0,
        spot_ask=(spot + half) / 100.0,
        perp_bid=(perp - half) / 100.0,
        perp_ask=(perp + half) / 100.0,
        mark=mark,
        settled=Settlements(stamps, rates, np.full(len(stamps), np.nan), np.full(len(stamps), 8.0)),
        terms=Terms(8.0, 1e-4, 5e-4, 0.003),
        coverage=Coverage(len(t_ns), {}, 0, float(np.diff(t_ns).max()) / 1e9, ()),
    )


def _reverting(rng: np.random.Generator, count: int, sd: float, half_life: float) -> Floats:
    """An Ornstein-Uhlenbeck path; half_life in rows."""
    keep = 0.5 ** (1.0 / half_life)
    shocks = rng.standard_normal(count) * sd * math.sqrt(1.0 - keep * keep)
    out = np.empty(count)
    level = 0.0
    for at, shock in enumerate(shocks.tolist()):
        level = keep * level + shock
        out[at] = level
    return out


def _held(values: Floats, new: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """The last value that was new."""
    at = np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))
    return np.asarray(values[at])
