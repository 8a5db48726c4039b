"""What a series shows to whoever trades it: prices on a tick, slippage in them, whole lots, stamps.

Engine and kernel both trade these columns, so they agree on every digit. Two things are made here:

* Prices. Slippage moves the best prices outwards (a bid down, an ask up); what is then off the tick
  is rounded outwards too and counted. The tick is the finest decimal that the prices are written
  in, or one of ten digits where they are no short decimals. Rows that a desk would not trade on are
  left out and counted: no price, a crossed quote, legs that are not of one coin, a bar in which a
  leg was halted (halted.py).
* The order of frames. A row is told in up to three frames with one stamp: ticker (mark), perpetual,
  spot; of quotes only what moved. The engine looks at time after the first frame that comes 100 ms
  or more after its last look, so settlements, interest and liquidation of a row are judged after
  its first frame: by the new mark, and by quotes of which only that first one is new. `first` says
  which; `beat` says which rows are looked at.
* The mark within a bar. Where bars know its extremes they are told, the high HIGH_NS and the low
  LOW_NS before the bar's close: each is looked at by itself, on the quotes of the bar before, so a
  wick liquidates. No settlement is paid on them.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.engine import BEAT_NS
from basisdesk.errors import UserError
from basisdesk.lab.halted import halted_rows
from basisdesk.lab.kernel_columns import HIGH_NS
from basisdesk.lab.rule import Costs, Size
from basisdesk.lab.series import Bools, Floats, Ints, PairSeries
from basisdesk.market.funding import MINUTE_MS, RATE_ABS_MAX, ROLL_EARLY_MS, STEP_MIN_MS
from basisdesk.market.guard import SPREAD_MAX
from basisdesk.trading.risk import RATIO_LEAST, RATIO_MOST

DIGITS = 10  # of a price that is no short decimal
DIGITS_MAX = 12
DIGITS_LEAST = 6  # of the lowest price, where prices span many powers of ten
MINUTE_NS = MINUTE_MS * 1_000_000
NEXT_NS = (STEP_MIN_MS - ROLL_EARLY_MS) * 1_000_000  # least time between two settlements
PRICE_MAX = 1e9  # a venue's codec reads none at or above it
OFF_TICK, OFF_PRICE = 1e-3, 1e-9  # of a tick and of the price: float noise of a decimal
TICKER, PERP, SPOT = 0, 1, 2
HALTED = "in which a leg was halted"
LOTS = 10_000  # that a notional is worth at least, where no lot is given


class Shown(NamedTuple):
    """Columns as they are traded; n rows, m settlements.

    rows: index of each in the series. first: TICKER, PERP or SPOT, the first frame of a row.
    tells_*: which frames a row has. beat: the engine looks at time in this row. settle_beat: it
    looks at a settlement's own stamp, which stands between rows. settle_ns: whole minutes.
    spot_digits, perp_digits, lot_digits: decimals of tick and lot (negative: tens, hundreds).
    high, low: extremes of the mark within a bar, NaN where none is told.
    left_out: rows by reason. off_tick: prices that were moved outwards.
    """

    rows: Ints
    t_ns: Ints
    spot_bid: Floats
    spot_ask: Floats
    perp_bid: Floats
    perp_ask: Floats
    mark: Floats
    first: NDArray[np.int8]
    tells_ticker: Bools
    tells_perp: Bools
    tells_spot: Bools
    beat: Bools
    settle_ns: Ints
    settle_rate: Floats
    settle_beat: Bools
    spot_digits: int
    perp_digits: int
    lot: float
    left_out: dict[str, int]
    off_tick: int
    high: Floats
    low: Floats


def shown(series: PairSeries, costs: Costs, size: Size) -> Shown:
    """A series as it is traded. Raises UserError where fewer than two rows can be."""
    slip = costs.slippage_bp * 1e-4
    keep, left_out = _sane(series)
    rows = np.flatnonzero(keep)
    if len(rows) < 2:
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.items()) or "no rows"
        raise UserError(
            f"{series.name} has no two rows that can be traded ({why}). Give another file or span."
        )
    t_ns = np.ascontiguousarray(series.t_ns[rows])
    if np.any(np.diff(t_ns) <= 0):
        at = int(rows[1 + int(np.argmax(np.diff(t_ns) <= 0))])
        raise UserError(f"{series.name} row {at}: not later than the row before. Sort the rows.")
    (spot_bid, spot_ask), spot_digits, spot_off = _on_tick(
        series.spot_bid[rows], series.spot_ask[rows], slip
    )
    (perp_bid, perp_ask), perp_digits, perp_off = _on_tick(
        series.perp_bid[rows], series.perp_ask[rows], slip
    )
    mark = np.ascontiguousarray(series.mark[rows])
    settle_ns, settle_rate = _settlements(series, int(t_ns[0]), int(t_ns[-1]))
    every = series.kind == "bars"
    tells_ticker = _moved(mark) | every
    tells_perp = _moved(perp_bid) | _moved(perp_ask) | every
    tells_spot = _moved(spot_bid) | _moved(spot_ask) | every
    tells_ticker |= np.isin(t_ns // 1_000_000, settle_ns // 1_000_000)
    tells_spot |= ~(tells_ticker | tells_perp)  # a row is always heard of
    first = np.where(tells_ticker, TICKER, np.where(tells_perp, PERP, SPOT)).astype(np.int8)
    beat, settle_beat = _beats(t_ns, settle_ns)
    return Shown(
        rows, t_ns, spot_bid, spot_ask, perp_bid, perp_ask, mark,
        first, tells_ticker, tells_perp, tells_spot, beat,
        settle_ns, settle_rate, settle_beat,
        spot_digits, perp_digits, lot_of(size, float(spot_ask[0])),
        left_out, spot_off + perp_off, *_extremes(series, rows, t_ns, settle_ns),
    )  # fmt: skip


def lot_of(size: Size, price: float) -> float:
    """The lot, base coin: as given, or the power of ten by which the notional is LOTS or more."""
    if size.lot > 0.0:
        return size.lot
    digits = math.floor(math.log10(size.notional / price / LOTS))
    return 10.0**digits if digits >= 0 else 1.0 / 10.0**-digits


def _sane(series: PairSeries) -> tuple[Bools, dict[str, int]]:
    """Rows that a desk would trade on; how many others, by reason."""
    sb, sa, pb, pa = series.spot_bid, series.spot_ask, series.perp_bid, series.perp_ask
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = (sb, sa, pb, pa, series.mark)
        priced = np.all([(c > 0.0) & (c < PRICE_MAX) for c in columns], axis=0)
        whole = (sb <= sa) & (pb <= pa) & (sa <= SPREAD_MAX * sb) & (pa <= SPREAD_MAX * pb)
        ratio = (pb + pa) / (sb + sa)
        one_coin = (ratio >= RATIO_LEAST) & (ratio <= RATIO_MOST)
    sane = priced & whole & one_coin
    halted = halted_rows(series)
    faults = {
        "without a price": ~priced,
        "with a crossed or absurdly wide quote": priced & ~whole,
        "with legs that are not of one coin": priced & whole & ~one_coin,
        HALTED: sane & halted,
    }
    told = {reason: int(np.count_nonzero(rows)) for reason, rows in faults.items()}
    keep = np.asarray(sane & ~halted, dtype=np.bool_)
    return keep, {reason: count for reason, count in told.items() if count}


def _on_tick(bid: Floats, ask: Floats, slip: float) -> tuple[tuple[Floats, Floats], int, int]:
    """((bid, ask) on the tick, decimals of the tick, how many prices were moved to it)."""
    bid, ask = bid * (1.0 - slip), ask * (1.0 + slip)
    digits = _digits(bid, ask)
    if np.any(bid == ask):  # a venue shows no quote without a spread: it gets the least there is
        digits = max(digits, DIGITS - _whole(ask))
    scale = 10.0**digits
    out, moved = [], 0
    for prices, up in ((bid, False), (ask, True)):
        ticks = prices * scale
        near = np.rint(ticks)
        off = _off(ticks)
        moved += int(np.count_nonzero(off))
        out.append(np.where(off, np.ceil(ticks) if up else np.floor(ticks), near))
    out[1] = np.maximum(out[1], out[0] + 1.0)
    if np.any(lost := ~((out[0] > 0.0) & (out[1] <= SPREAD_MAX * out[0]))):
        at = int(np.argmax(lost))
        raise UserError(
            f"A price of {bid[at]:g} is lost beside one of {float(ask.max()):g}: no tick holds "
            "both. Cut the series where its price has moved so far."
        )
    return (out[0] / scale, out[1] / scale), digits, moved


def _digits(bid: Floats, ask: Floats) -> int:
    """Decimals by which these prices are written exactly, or those of DIGITS digits."""
    whole, low = _whole(ask), math.floor(math.log10(float(bid.min()))) + 1
    most = max(0, DIGITS_MAX - whole)
    for digits in range(most + 1):
        scale = 10.0**digits
        if not any(np.any(_off(prices * scale)) for prices in (bid, ask)):
            return digits
    return max(0, DIGITS - whole, min(most, DIGITS_LEAST - low))


def _off(ticks: Floats) -> Bools:
    """Which prices, counted in ticks, lie between two of them."""
    return np.asarray(np.abs(ticks - np.rint(ticks)) > np.minimum(OFF_TICK, OFF_PRICE * ticks))


def _whole(ask: Floats) -> int:
    """Digits before the point of the largest price; 0 and below of small ones."""
    return math.floor(math.log10(float(ask.max()))) + 1


def _settlements(series: PairSeries, after_ns: int, until_ns: int) -> tuple[Ints, Floats]:
    """Stamps (whole minutes) and rates that a desk would take, after the first row."""
    stamps = (series.settled.t_ns + MINUTE_NS // 2) // MINUTE_NS * MINUTE_NS
    taken_ns, rates, last_ns = [], [], 0
    for stamp, rate in zip(stamps.tolist(), series.settled.rate.tolist(), strict=True):
        known = abs(rate) <= RATE_ABS_MAX  # not NaN either
        if after_ns < stamp <= until_ns and known and stamp - last_ns >= NEXT_NS:
            taken_ns.append(stamp)
            rates.append(rate)
            last_ns = stamp
    return np.array(taken_ns, dtype=np.int64), np.array(rates, dtype=np.float64)


def _extremes(series: PairSeries, rows: Ints, t_ns: Ints, settle_ns: Ints) -> tuple[Floats, Floats]:
    """(high, low) of the mark within each bar; NaN where unknown, or no look is free for it."""
    at = np.searchsorted(settle_ns, t_ns, "left")
    heard_ns = np.concatenate(([0], settle_ns))[at]  # the last settlement before the row's stamp
    heard_ns[1:] = np.maximum(heard_ns[1:], t_ns[:-1])
    free = heard_ns <= t_ns - HIGH_NS - BEAT_NS
    free[0] = False  # nobody holds anything yet
    out = []
    for edge in (series.mark_high, series.mark_low):
        column = np.full(len(rows), np.nan)
        if edge is not None and series.kind == "bars":
            known = free & (edge[rows] > 0.0) & (edge[rows] < PRICE_MAX)
            column[known] = edge[rows][known]
        out.append(column)
    return out[0], out[1]


def _moved(column: Floats) -> Bools:
    return np.concatenate(([True], column[1:] != column[:-1]))


def _beats(t_ns: Ints, settle_ns: Ints) -> tuple[Bools, Bools]:
    """Which rows, and which settlements' own stamps, the engine looks at time in."""
    beat = np.ones(len(t_ns), dtype=np.bool_)
    own = ~np.isin(settle_ns, t_ns)
    stamps = np.concatenate((t_ns, settle_ns[own]))
    order = np.argsort(stamps, kind="stable")
    if np.all(np.diff(stamps[order]) >= BEAT_NS):
        return beat, own
    looked = np.zeros(len(stamps), dtype=np.bool_)
    next_ns = 0
    for at, stamp in zip(order.tolist(), stamps[order].tolist(), strict=True):
        if stamp >= next_ns:
            looked[at] = True
            next_ns = stamp + BEAT_NS
    settle_beat = np.zeros(len(settle_ns), dtype=np.bool_)
    settle_beat[own] = looked[len(t_ns) :]
    return looked[: len(t_ns)], settle_beat
