"""The kernel's money: liquidation, payments, interest, and one trade settled up, compiled.

It says in floats what trading/ and ledger/ do in decimals; the formulas and their sources stand
there. Quote currency throughout.
"""

import math

from basisdesk.lab.jit import compiled
from basisdesk.lab.kernel_columns import (
    BASIS,
    BORROW,
    DIRECTION,
    ENTRY,
    EXIT,
    FEES,
    FUNDING,
    LIQUIDATED,
    N_CHARGED_HOUR,
    N_FIRST,
    N_HOUR,
    N_NEXT_HOUR,
    N_NEXT_ROW,
    N_UPTO,
    NET,
    P_FLOW,
    P_PAID,
    PERP,
    PERP_IN,
    PERP_OUT,
    QTY,
    R_CHARGED,
    R_NEXT_CHARGED,
    R_NEXT_PRICE,
    R_PERP_ASK,
    R_PERP_BID,
    R_PERP_MID,
    R_SPOT_ASK,
    R_SPOT_BID,
    R_SPOT_MID,
    RESIDUAL,
    S_BASIS,
    S_BEST,
    S_DAY,
    S_DAY2,
    S_DAY3,
    S_DAY4,
    S_DAYS,
    S_DOWN,
    S_DRAWDOWN,
    S_NET,
    S_NS,
    S_SQUARE,
    S_TARGET,
    S_TRADES,
    S_UP,
    S_WINS,
    S_WORST,
    SLIPPAGE,
    SPOT,
    SPOT_IN,
    SPOT_OUT,
    WHY,
    Columns,
    Held,
    Left,
    Money,
)
from basisdesk.lab.series import Floats, Ints


@compiled
def liquidation(held: Held, money: Money, added: float) -> float:
    """The mark that liquidates (Bybit's rule, trading/margin_rules.py); d times it for a search."""
    share = held.d / held.leverage
    price = held.perp_in * (1.0 + share) + held.d * added / held.qty
    return held.d * price / (1.0 + held.d * money.mmr)


@compiled
def forced(held: Held, money: Money, added: float, mark: float) -> tuple[float, float]:
    """(price, what is left of the margin) of a liquidation at a mark; < 0: the venue lacks it."""
    d, q = held.d, held.qty
    margin = q * held.perp_in / held.leverage + added
    ruin = held.perp_in + d * margin / q
    worst = d * max(d * ruin, d * mark)
    price = max(d * math.ceil(d * worst / money.tick - 1e-6) * money.tick, money.tick)
    return price, margin + d * q * (held.perp_in - price) - q * price * money.liq_fee


@compiled
def _pay(amount: float, purse: Floats) -> bool:
    """A payment to (> 0) or by the account; whether the margin paid a part of it.

    purse: free cash, margin left, margin taken (<= 0), lost beyond both.
    """
    if amount >= 0.0:
        purse[0] += amount
        return False
    due = -amount
    if due <= purse[0]:
        purse[0] -= due
        return False
    from_margin = min(due - max(purse[0], 0.0), max(purse[1], 0.0))
    purse[0] -= due - from_margin
    purse[1] -= from_margin
    purse[2] -= from_margin
    if purse[0] < 0.0:
        purse[3] -= purse[0]
        purse[0] = 0.0
    return bool(from_margin > 0.0)


@compiled
def accrue(
    cols: Columns, held: Held, money: Money, purse: Floats, done: Ints, now: tuple[int, int, float]
) -> bool:
    """Pay what is due at a look; whether the margin paid a part. done: settlements, hour so far.

    now: settlements that have passed, clock hour, middle of the spot as known.
    """
    passed, hour, price = now
    drawn = False
    while done[0] < passed:
        drawn |= _pay(held.d * held.qty * cols.settled[P_PAID, done[0]], purse)
        done[0] += 1
    if held.d < 0 and hour > done[1]:
        hours = hour - done[1]
        drawn |= _pay(-held.qty * price * money.borrow_hourly * hours, purse)
        done[1] = hour
    return drawn


@compiled
def interest(cols: Columns, entry: int, row: int, leaves: bool) -> float:
    """Coin price times started hours that a loan from one row to another was charged for.

    leaves: with the last hours, which the exit itself settles.
    """
    if cols.numbers[N_NEXT_ROW, entry] > row:
        hours = cols.numbers[N_HOUR, row] - cols.numbers[N_HOUR, entry] + 1
        return cols.rows[R_SPOT_MID, row] * hours if leaves else 0.0
    total = cols.rows[R_NEXT_PRICE, entry] * (
        cols.numbers[N_NEXT_HOUR, entry] - cols.numbers[N_HOUR, entry] + 1
    )
    total += cols.rows[R_CHARGED, row] - cols.rows[R_NEXT_CHARGED, entry]
    if leaves:
        total += cols.rows[R_SPOT_MID, row] * (
            cols.numbers[N_HOUR, row] - cols.numbers[N_CHARGED_HOUR, row]
        )
    return float(total)


@compiled
def settle_up(cols: Columns, held: Held, left: Left, money: Money, one: Floats) -> None:
    """Fill one trade's row. The terms are those of ledger/attribution.py, costs > 0."""
    d, q, e, x = held.d, held.qty, held.row, left.row
    up = d > 0
    spot_out = cols.rows[R_SPOT_BID, x] if up else cols.rows[R_SPOT_ASK, x]
    perp_out = cols.rows[R_PERP_ASK, x] if up else cols.rows[R_PERP_BID, x]
    spot_on, perp_on = (
        cols.rows[R_SPOT_MID, x],
        cols.rows[R_PERP_MID, x],
    )  # middles when the perpetual was closed
    out_fee, lost = money.perp_taker, left.lost
    slip = (
        d * q * (cols.rows[R_SPOT_MID, e] - held.spot_in + held.perp_in - cols.rows[R_PERP_MID, e])
    )
    if left.why == LIQUIDATED:
        first = cols.numbers[N_FIRST, x]
        spot_on = cols.rows[R_SPOT_MID, x if first == SPOT and not left.early else x - 1]
        perp_on = cols.rows[R_PERP_MID, x if first == PERP and not left.early else x - 1]
        out_fee = money.liq_fee
        perp_out, rest = forced(held, money, left.added, left.mark)
        lost += max(0.0, -rest)
    slip += d * q * (spot_out - cols.rows[R_SPOT_MID, x]) + d * q * (perp_on - perp_out)
    basis = d * q * (spot_on - cols.rows[R_SPOT_MID, e] - perp_on + cols.rows[R_PERP_MID, e])
    residual = d * q * (cols.rows[R_SPOT_MID, x] - spot_on)
    funding = (
        d * q * (cols.settled[P_FLOW, left.settled] - cols.settled[P_FLOW, cols.numbers[N_UPTO, e]])
    )
    fees = q * (held.spot_in + spot_out) * money.spot_taker
    fees += q * (held.perp_in * money.perp_taker + perp_out * out_fee)
    borrow = 0.0 if up else q * money.borrow_hourly * interest(cols, e, x, True)
    slip += lost
    net = basis + residual + slip + funding - fees - borrow
    one[ENTRY], one[EXIT], one[DIRECTION], one[WHY], one[QTY] = e, x, d, left.why, q
    one[SPOT_IN], one[PERP_IN] = held.spot_in, held.perp_in
    one[SPOT_OUT], one[PERP_OUT] = spot_out, perp_out
    one[BASIS], one[FUNDING], one[FEES], one[SLIPPAGE] = basis, funding, fees, slip
    one[BORROW], one[RESIDUAL], one[NET] = borrow, residual, net


@compiled
def marked(cols: Columns, held: Held, money: Money, row: int) -> float:
    """What an open position has earned by a row, at the middles of both legs."""
    d, q, e = held.d, held.qty, held.row
    earned = (
        d
        * q
        * (cols.rows[R_SPOT_MID, row] - held.spot_in - cols.rows[R_PERP_MID, row] + held.perp_in)
    )
    earned += (
        d
        * q
        * (
            cols.settled[P_FLOW, cols.numbers[N_UPTO, row]]
            - cols.settled[P_FLOW, cols.numbers[N_UPTO, e]]
        )
    )
    earned -= q * (held.spot_in * money.spot_taker + held.perp_in * money.perp_taker)
    if d < 0:
        earned -= q * money.borrow_hourly * interest(cols, e, row, False)
    return float(earned)


@compiled
def borne(one: Floats, cash: float) -> None:
    """The venue bears what the account has not, see ledger/rules.py."""
    lacking = -(cash + one[NET])
    if lacking > 0.0:
        one[SLIPPAGE] += lacking
        one[NET] = -cash


@compiled
def add(sums: Floats, one: Floats, held_ns: int) -> None:
    """Count a trade in."""
    net = one[NET]
    sums[S_TRADES] += 1.0
    sums[S_WINS] += 1.0 if net > 0.0 else 0.0
    sums[S_TARGET + int(one[WHY])] += 1.0
    sums[S_NET] += net
    sums[S_UP if net > 0.0 else S_DOWN] += net
    for term in range(BASIS, NET):
        sums[S_BASIS + term - BASIS] += one[term]
    sums[S_SQUARE] += net * net
    sums[S_BEST] = max(sums[S_BEST], net)
    sums[S_WORST] = min(sums[S_WORST], net)
    sums[S_NS] += held_ns


@compiled
def by_day(equity: Floats, days: Ints, capital: float, sums: Floats) -> None:
    """Drawdown and powers of daily returns. days: which marks end a day, in order."""
    before = peak = capital
    for at in days:
        now = equity[at]
        change = (now - before) / capital
        sums[S_DAYS] += 1.0
        sums[S_DAY] += change
        sums[S_DAY2] += change * change
        sums[S_DAY3] += change**3
        sums[S_DAY4] += change**4
        peak = max(peak, now)
        sums[S_DRAWDOWN] = max(sums[S_DRAWDOWN], peak - now)
        before = now


@compiled
def reset(sums: Floats, entries: Ints) -> None:
    """Begin to count. By the element: numba compiles an assignment to a slice for seconds."""
    for at in range(len(sums)):
        sums[at] = 0.0
    for at in range(len(entries)):
        entries[at] = 0
    sums[S_BEST], sums[S_WORST] = -math.inf, math.inf
