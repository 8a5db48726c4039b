"""What a backtest has to beat: luck with the same hand, and the same hand with funding shuffled.

Both redraw one thing and keep the rest. "Random entries" keeps how many trades of each direction
there were and how long each lasted, and moves them anywhere in the data. "Shuffled funding" keeps
every trade and deals the settled rates out anew. Neither stops, targets or liquidates: a drawn
trade is held for its time. "Always-on carry" is no draw but a rule, see `always_on`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from basisdesk.lab.kernel import Table
from basisdesk.lab.kernel_columns import N_HOUR, N_UPTO, P_FLOW
from basisdesk.lab.rule import BandRule
from basisdesk.lab.series import Floats, Ints

DRAWS = 1_000


def always_on(leverage: float) -> BandRule:
    """Long spot, short perpetual, from the first row to the last."""
    return BandRule(1, -math.inf, -math.inf, math.inf, math.inf, leverage)


def random_entries(table: Table, trades: NDArray[np.void], seed: int, draws: int = DRAWS) -> Floats:
    """Net of all trades together, account currency, for each draw of their entries."""
    t_ns = table.view.t_ns
    last = len(t_ns) - 1
    rng = np.random.default_rng(seed)
    held_ns = trades["exit_ns"] - trades["entry_ns"]
    latest = np.searchsorted(t_ns, t_ns[-1] - held_ns, "right") - 1
    totals = np.empty(draws)
    for draw in range(draws):
        entry = (rng.random(len(trades)) * (latest + 1)).astype(np.int64)
        leave = np.minimum(np.searchsorted(t_ns, t_ns[entry] + held_ns), last).astype(np.int64)
        totals[draw] = nets(table, trades["direction"], (entry, leave)).sum()
    return totals


def shuffled_funding(
    table: Table, trades: NDArray[np.void], seed: int, draws: int = DRAWS
) -> Floats:
    """Net of all trades together, account currency, for each deal of the settled rates."""
    view, rates = table.view, table.view.settle_rate
    marks = view.mark[np.searchsorted(view.t_ns, view.settle_ns, "right") - 1]
    first, last = (table.columns.numbers[N_UPTO, each] for each in _rows(table, trades))
    coins = trades["direction"] * trades["qty"]
    rng = np.random.default_rng(seed)
    others = float((trades["net"] - trades["funding"]).sum())
    totals = np.empty(draws)
    for draw in range(draws):
        flow = np.concatenate(([0.0], np.cumsum(rng.permutation(rates) * marks)))
        totals[draw] = others + float((coins * (flow[last] - flow[first])).sum())
    return totals


def nets(table: Table, direction: Ints, rows: tuple[Ints, Ints]) -> Floats:
    """Net of trades from one row to another, nothing happening between but funding and interest."""
    view, money, columns = table.view, table.money, table.columns
    entry, leave = rows
    up = direction > 0
    spot_in = np.where(up, view.spot_ask[entry], view.spot_bid[entry])
    perp_in = np.where(up, view.perp_bid[entry], view.perp_ask[entry])
    spot_out = np.where(up, view.spot_bid[leave], view.spot_ask[leave])
    perp_out = np.where(up, view.perp_ask[leave], view.perp_bid[leave])
    coins = np.floor(money.notional / spot_in / money.lot + 1e-9) * money.lot
    upto = columns.numbers[N_UPTO]
    flow = columns.settled[P_FLOW, upto[leave]] - columns.settled[P_FLOW, upto[entry]]
    moved = direction * (spot_out - spot_in + perp_in - perp_out + flow)
    fees = (spot_in + spot_out) * money.spot_taker + (perp_in + perp_out) * money.perp_taker
    hours = columns.numbers[N_HOUR, leave] - columns.numbers[N_HOUR, entry] + 1
    borrow = np.where(up, 0.0, spot_in * hours * money.borrow_hourly)
    return np.asarray(coins * (moved - fees - borrow))


def luck(actual: float, drawn: Floats) -> float:
    """Share of draws at or above what was made, the made one counted in: a one-sided p-value.

    Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.2.5.
    """
    return (1 + int(np.count_nonzero(drawn >= actual))) / (1 + len(drawn))


def _rows(table: Table, trades: NDArray[np.void]) -> tuple[Ints, Ints]:
    t_ns = table.view.t_ns
    entry = np.searchsorted(t_ns, trades["entry_ns"]).astype(np.int64)
    return entry, np.searchsorted(t_ns, trades["exit_ns"]).astype(np.int64)
