"""The compiled fast path: the same rule, trades and money as the engine, a thousand times faster.

`prepare` makes columns of a series once; `run` gives every trade of one rule, `run_many` the sums
of many. The walk itself is kernel_walk.py. Numbers are floats: they equal the engine's decimals to
far below a cent, and a rounding of theirs can differ only where a price stands within 1e-15 of a
level.

A settlement is paid on the mark of the last row at or before its stamp, as the desk does; a mark
that the archive tells of it (`Settlements.mark`) is not used.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from basisdesk.errors import UserError
from basisdesk.lab import kernel_columns as of
from basisdesk.lab.kernel_columns import Columns, Money
from basisdesk.lab.rule import (
    PARAMETERS,
    BandRule,
    Costs,
    Size,
    checked,
    fair_bounds_bp,
    lines,
    rule_of,
    rule_row,
)
from basisdesk.lab.series import Floats, Ints, PairSeries
from basisdesk.lab.shown import PERP, SPOT, Shown, shown
from basisdesk.trading.risk import RATIO_LEAST, RATIO_MOST

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
WHYS = ("target", "stop", "time", "liquidated", "end")
MARKS_MAX = 200_000  # days and edges together
TRADES_MAX = 2_000_000  # of one run

# One trade. Rows are those of the series. basis to residual as in the ledger's attribution:
# net = basis + funding - fees + slippage - borrow + residual. mae_bp, mfe_bp: how far the mid basis
# went against and for the trade while it lasted, bp, both >= 0.
TRADE = np.dtype(
    [
        ("entry_row", "i8"), ("exit_row", "i8"), ("entry_ns", "i8"), ("exit_ns", "i8"),
        ("direction", "i8"), ("why", "i8"), ("qty", "f8"),
        ("spot_in", "f8"), ("perp_in", "f8"), ("spot_out", "f8"), ("perp_out", "f8"),
        ("basis", "f8"), ("funding", "f8"), ("fees", "f8"), ("slippage", "f8"), ("borrow", "f8"),
        ("residual", "f8"), ("net", "f8"), ("mae_bp", "f8"), ("mfe_bp", "f8"),
    ]
)  # fmt: skip

# One trial. Counts by why; refused: 1 where the account could not pay an entry, which ended it.
# gross_up, gross_down: winners and losers summed. net_sq: squares of nets. hours: in the market.
# max_drawdown: money, between daily marks. day_sum to day_quad: sums of powers of daily returns on
# capital, marked at the middles of both legs, days in UTC.
SUMMARY = np.dtype(
    [
        ("trades", "i8"), ("wins", "i8"), ("target", "i8"), ("stop", "i8"), ("time", "i8"),
        ("liquidated", "i8"), ("end", "i8"), ("refused", "i8"),
        ("net", "f8"), ("gross_up", "f8"), ("gross_down", "f8"), ("basis", "f8"),
        ("funding", "f8"), ("fees", "f8"), ("slippage", "f8"), ("borrow", "f8"),
        ("residual", "f8"), ("net_sq", "f8"), ("best", "f8"), ("worst", "f8"), ("hours", "f8"),
        ("max_drawdown", "f8"), ("days", "i8"),
        ("day_sum", "f8"), ("day_sq", "f8"), ("day_cube", "f8"), ("day_quad", "f8"),
    ]
)  # fmt: skip

_NAMES = SUMMARY.names or ()


class Table(NamedTuple):
    """A series made ready for one set of costs and one size. Can be pickled.

    view: the columns as they are traded. fair: (lowest, highest) fair basis, bp.
    """

    view: Shown
    columns: Columns
    money: Money
    fair: tuple[float, float]
    costs: Costs
    size: Size


class Summaries(NamedTuple):
    """What run_many gives. rows: SUMMARY of each trial.

    daily: change of equity from the last row before an edge to the last row before the next, money;
    entries: how many were made between them. No columns where no edges were given.
    """

    rows: NDArray[np.void]
    daily: Floats
    entries: Ints


def prepare(series: PairSeries, costs: Costs, size: Size) -> Table:
    """A series as columns of the walk. Raises UserError where it cannot be traded."""
    checked(BandRule(), costs, size)
    view = shown(series, costs, size)
    money = Money(
        costs.spot_taker,
        costs.perp_taker,
        costs.borrow_hourly,
        costs.mmr,
        costs.liq_fee,
        size.capital,
        size.notional,
        view.lot,
        1.0 / 10.0**view.perp_digits,
    )
    fair = fair_bounds_bp(series.terms, costs.money_rate)
    return Table(view, _columns(view), money, fair, costs, size)


def later(table: Table) -> Table:
    """The same, but what is decided on a row is filled at the prices of the next one.

    Stop, target, entry and time see what they saw; only the fills come a row after, settlements
    and interest with them. Liquidation is judged on each row's own mark, and the last row still
    closes all at its own prices. Nothing is decided before the first row.
    """
    columns = table.columns
    signal = columns.signal.copy()
    known = [of.OPEN, of.CLOSE, of.WIDER, of.NARROWER]
    signal[known, 1:] = columns.signal[known, :-1]
    signal[[of.OPEN, of.CLOSE], 0] = -np.inf
    shifted = columns._replace(
        signal=signal, block=_maxima(signal, of.BLOCK_BITS), blocks=_maxima(signal, of.SUPER_BITS)
    )
    return table._replace(columns=shifted)


def run(
    series: PairSeries | Table, rule: BandRule, costs: Costs, size: Size, *, stepwise: bool = False
) -> NDArray[np.void]:
    """Every trade of a rule, a TRADE each, oldest first.

    stepwise: look at every row, as slow as that is; the result is the same.
    """
    from basisdesk.lab import kernel_walk as walk

    checked(rule, costs, size)
    table = _table(series, costs, size)
    levels, holds = _levels(rule_row(rule)[None, :], table)
    up_in, up_out, down_in, down_out, stop, leverage = levels[0].tolist()
    one = of.Levels(
        up_in, up_out, down_in, down_out, stop, int(holds[0]), leverage, stepwise
    )  # fmt: skip
    sums = np.empty(of.SUM_FIELDS)
    room = 1_024
    while True:
        trades = np.empty((room, of.TRADE_FIELDS))
        no_marks = (np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
        walk.trial(table.columns, one, table.money, trades, sums, no_marks)
        count = int(sums[of.S_TRADES])
        if count <= room:
            return _trades(table, trades[:count])
        if count > TRADES_MAX:
            raise UserError(f"The rule trades {count:,} times. Set its entry farther out.")
        room = count


def run_many(
    series: PairSeries | Table,
    params: Floats,
    costs: Costs,
    size: Size,
    edges_ns: Ints | None = None,
    *,
    stepwise: bool = False,
) -> Summaries:
    """The sums of many rules, a line of PARAMETERS each, one after the other in this thread.

    A trial's result depends on its own line alone. edges_ns: rising; adds daily and entries.
    """
    from basisdesk.lab import kernel_walk as walk

    lines_ = np.ascontiguousarray(np.atleast_2d(np.asarray(params, dtype=np.float64)))
    if lines_.shape[1] != len(PARAMETERS):
        raise UserError(f"A trial has {len(PARAMETERS)} parameters: {', '.join(PARAMETERS)}.")
    for line in lines_:
        checked(rule_of(line), costs, size)
    table = _table(series, costs, size)
    levels, holds = _levels(lines_, table)
    rows, days, edges = _marks(table.view.t_ns, edges_ns)
    count = len(lines_)
    sums = np.empty((count, of.SUM_FIELDS))
    equity, entered = np.empty((count, len(rows))), np.empty((count, len(rows)), np.int64)
    rules, out = (levels, holds, stepwise), (sums, equity, entered)
    walk.many(table.columns, rules, table.money, (rows, days), out)
    daily = np.diff(equity[:, edges], axis=1)
    passed = np.concatenate((np.zeros((count, 1), np.int64), np.cumsum(entered, axis=1)), axis=1)
    entries = np.diff(passed[:, edges + 1], axis=1)
    return Summaries(_summaries(sums), daily, entries)


def daily(series: PairSeries | Table, params: Floats, costs: Costs, size: Size) -> Floats:
    """Daily returns of each trial on its capital, days in UTC: float64[trials, days]."""
    table = _table(series, costs, size)
    edges = midnights(table.view.t_ns)
    return run_many(table, params, costs, size, edges).daily / size.capital


def midnights(t_ns: Ints) -> Ints:
    """Midnights UTC from the one at or before the first row to the one after the last."""
    first, last = int(t_ns[0]) // DAY_NS, int(t_ns[-1]) // DAY_NS
    return np.arange(first, last + 2, dtype=np.int64) * DAY_NS


# --- inside ---------------------------------------------------------------------------------------


def _table(series: PairSeries | Table, costs: Costs, size: Size) -> Table:
    if isinstance(series, PairSeries):
        return prepare(series, costs, size)
    if (series.costs, series.size) != (costs, size):
        raise ValueError("the table was prepared for other costs or another size")
    return series


def _levels(params: Floats, table: Table) -> tuple[Floats, Ints]:
    """Each trial's lines, stop and leverage; and its hold, ns, -1 for no end."""
    out = np.empty((len(params), 6))
    for at, row in enumerate(params):
        out[at] = *lines(rule_of(row), table.fair), row[3], row[5]
    holds = np.array([hold_ns(hours) for hours in params[:, 4].tolist()], dtype=np.int64)
    return out, holds


def hold_ns(hours: float) -> int:
    """A hold as nanoseconds; -1 where it has no end."""
    return int(hours * HOUR_NS) if hours < 1e6 else -1


def _marks(t_ns: Ints, edges_ns: Ints | None) -> tuple[Ints, Ints, Ints]:
    """(rows to mark at, which of them end a day, which stand before each edge)."""
    ends = np.searchsorted(t_ns, midnights(t_ns)[1:], "left") - 1
    wanted = np.empty(0, np.int64) if edges_ns is None else np.asarray(edges_ns, np.int64)
    before = np.searchsorted(t_ns, wanted, "left") - 1
    rows = np.unique(np.concatenate((ends, before))).astype(np.int64)
    if len(rows) > MARKS_MAX:
        raise UserError(f"{len(rows):,} marks of equity are too many; {MARKS_MAX:,} are the most.")
    days = np.searchsorted(rows, ends).astype(np.int64)
    return rows, days, np.searchsorted(rows, before).astype(np.int64)


def _summaries(sums: Floats) -> NDArray[np.void]:
    out = np.zeros(len(sums), dtype=SUMMARY)
    for at, name in enumerate(_NAMES):
        out[name] = sums[:, at]
    out["hours"] /= HOUR_NS
    none = sums[:, of.S_TRADES] == 0
    out["best"][none] = out["worst"][none] = 0.0
    return out


def _trades(table: Table, found: Floats) -> NDArray[np.void]:
    out = np.zeros(len(found), dtype=TRADE)
    entry, leave = found[:, 0].astype(np.int64), found[:, 1].astype(np.int64)
    view = table.view
    out["entry_row"], out["exit_row"] = view.rows[entry], view.rows[leave]
    out["entry_ns"], out["exit_ns"] = view.t_ns[entry], view.t_ns[leave]
    names = (TRADE.names or ())[4:18]
    for at, name in enumerate(names, 2):
        out[name] = found[:, at]
    rows = table.columns.rows
    mid = (rows[of.R_PERP_MID] / rows[of.R_SPOT_MID] - 1.0) * 1e4
    for at, (first, last) in enumerate(zip(entry.tolist(), leave.tolist(), strict=True)):
        path = out["direction"][at] * (mid[first : last + 1] - mid[first])
        out["mae_bp"][at], out["mfe_bp"][at] = path.max(), -path.min()
    return out


def _columns(view: Shown) -> Columns:
    spot_mid, perp_mid = (view.spot_bid + view.spot_ask) / 2, (view.perp_bid + view.perp_ask) / 2
    upto = np.searchsorted(view.settle_ns, view.t_ns, "right").astype(np.int64)
    told = np.searchsorted(view.t_ns, view.settle_ns + 1_000_000, "left") - 1
    paid = view.settle_rate * view.mark[told]
    before = _before(view)
    judged = view.beat & _agreeing(view, spot_mid, perp_mid)
    signal = _signal(view, before, judged)
    hours = _interest_columns(view, spot_mid)
    rows = (
        view.spot_bid, view.spot_ask, view.perp_bid, view.perp_ask, view.mark,
        spot_mid, perp_mid, before, *hours[:3], view.high, view.low,
    )  # fmt: skip
    looks = view.beat.astype(np.int64) + judged
    under = np.searchsorted(view.settle_ns, view.t_ns, "left")
    numbers = (view.t_ns, view.first, looks, upto, *hours[3:], under)
    flows = (paid, paid, np.maximum(-paid, 0.0), np.maximum(paid, 0.0))
    settled = np.array([_summed(flow) for flow in flows])
    settled[of.P_PAID, :-1] = paid
    return of.Columns(
        np.array(rows),
        np.array(numbers, dtype=np.int64),
        settled,
        np.array((view.settle_ns, view.settle_beat), dtype=np.int64),
        signal,
        _maxima(signal, of.BLOCK_BITS),
        _maxima(signal, of.SUPER_BITS),
    )


def _agreeing(view: Shown, spot_mid: Floats, perp_mid: Floats) -> NDArray[np.bool_]:
    """Rows whose first frame leaves prices of one coin: on others the desk liquidates nothing."""
    before = np.maximum(np.arange(len(view.t_ns)) - 1, 0)
    perp = np.where(view.first == PERP, perp_mid, perp_mid[before])
    spot = np.where(view.first == SPOT, spot_mid, spot_mid[before])
    return np.asarray((perp / spot >= RATIO_LEAST) & (perp / spot <= RATIO_MOST))


def _signal(view: Shown, before: Floats, judged: NDArray[np.bool_]) -> Floats:
    open_bp = (view.perp_bid / view.spot_ask - 1.0) * 1e4
    close_bp = (view.perp_ask / view.spot_bid - 1.0) * 1e4
    mid_bp = ((view.perp_bid + view.perp_ask) / (view.spot_bid + view.spot_ask) - 1.0) * 1e4
    risen, fallen = (np.where(judged, sign * view.mark, -np.inf) for sign in (1.0, -1.0))
    for looked in (before, view.high, view.low):
        risen, fallen = np.fmax(risen, looked), np.fmax(fallen, -looked)
    return np.ascontiguousarray((open_bp, -close_bp, mid_bp, -mid_bp, risen, fallen))


def _before(view: Shown) -> Floats:
    """The mark that is looked at once more between a row and the one before, at a settlement.

    It matters to a position that was entered in that row before, or where no look was in it.
    """
    out = np.full(len(view.t_ns), np.nan)
    rows = np.searchsorted(view.t_ns, view.settle_ns[view.settle_beat], "left")
    out[rows] = view.mark[rows - 1]
    return out


def _maxima(signal: Floats, bits: int) -> Floats:
    return np.asarray(np.maximum.reduceat(signal, np.arange(0, signal.shape[1], 1 << bits), axis=1))


def _summed(amounts: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(amounts)))


def _interest_columns(
    view: Shown, spot_mid: Floats
) -> tuple[Floats, Floats, Floats, Ints, Ints, Ints, Ints]:
    """R_CHARGED, R_NEXT_PRICE, R_NEXT_CHARGED, N_HOUR, N_CHARGED_HOUR, N_NEXT_ROW, N_NEXT_HOUR."""
    looks = np.flatnonzero(view.beat)
    known = np.where(view.first[looks] == SPOT, looks, np.maximum(looks - 1, 0))
    stamps = view.settle_ns[view.settle_beat]
    rows = np.searchsorted(view.t_ns, stamps, "left")
    t_ns = np.concatenate((view.t_ns[looks], stamps))
    order = np.argsort(t_ns, kind="stable")
    t_ns, row = t_ns[order], np.concatenate((looks, rows))[order]
    price = np.concatenate((spot_mid[known], spot_mid[rows - 1]))[order]
    hour = t_ns // HOUR_NS
    charged = np.cumsum(price * np.diff(hour, prepend=hour[0]))
    at = np.searchsorted(t_ns, view.t_ns, "right")  # the first row is always looked at
    later = np.append(row, len(view.t_ns))
    floats = charged[at - 1], np.append(price, 0.0)[at], np.append(charged, 0.0)[at]
    return *floats, view.t_ns // HOUR_NS, hour[at - 1], later[at], np.append(hour, 0)[at]
