"""The walk of the kernel: one rule over the columns of one series, trade by trade, compiled.

It says in floats what the desk does in decimals (trading/, ledger/): the same fills, settlements,
interest, margin, liquidation and cash. Two ways lead from an entry to its exit. `_jump` asks each
condition for its first row by block maxima and passes over all it can prove uneventful. `_step`
looks at every row, and does what only a poor account needs: payments that free cash does not cover
come out of the margin, which brings the liquidation nearer. `_jump` is taken wherever cash is
enough whatever happens, and then both give the same exit (a test says so).

Directions: d = +1 long spot and short perpetual, -1 the reverse. All money in quote currency.
Without numba this is plain Python, to read and to debug.
"""

import math

import numpy as np

from basisdesk.lab.jit import compiled
from basisdesk.lab.kernel_columns import (
    BLOCK_BITS,
    CLOSE,
    END,
    FALLEN,
    HIGH_NS,
    JUDGED,
    LIQUIDATED,
    LOW_NS,
    N_BEAT,
    N_FIRST,
    N_HOUR,
    N_TIME,
    N_UNDER,
    N_UPTO,
    NARROWER,
    NET,
    OPEN,
    P_DRAIN_DOWN,
    P_DRAIN_UP,
    R_BEFORE,
    R_HIGH,
    R_LOW,
    R_MARK,
    R_PERP_ASK,
    R_PERP_BID,
    R_SPOT_ASK,
    R_SPOT_BID,
    R_SPOT_MID,
    RISEN,
    S_REFUSED,
    S_TRADES,
    SPOT,
    STOP,
    SUPER_BITS,
    TARGET,
    TIME,
    TRADE_FIELDS,
    WIDER,
    Columns,
    Held,
    Left,
    Levels,
    Money,
)
from basisdesk.lab.kernel_money import (
    accrue,
    add,
    borne,
    by_day,
    forced,
    interest,
    liquidation,
    marked,
    reset,
    settle_up,
)
from basisdesk.lab.series import Floats, Ints

HOUR_NS = 3_600_000_000_000


@compiled
def first_at_least(line: int, cols: Columns, start: int, end: int, level: float) -> int:
    """The first row of start..end-1 where a signal is at or above the level; `end` where none."""
    signal, block, blocks = cols.signal[line], cols.block[line], cols.blocks[line]
    in_block, in_super = 1 << BLOCK_BITS, 1 << SUPER_BITS
    row = start
    while row < end:
        if row & (in_super - 1) == 0 and blocks[row >> SUPER_BITS] < level:
            row += in_super
            continue
        if row & (in_block - 1) == 0 and block[row >> BLOCK_BITS] < level:
            row += in_block
            continue
        stop = min(end, (row | (in_block - 1)) + 1)
        while row < stop:
            if signal[row] >= level:
                return row
            row += 1
    return end


@compiled
def row_at(cols: Columns, moment: int) -> int:
    """The first row at or after a moment; the number of rows where none is."""
    low, high = 0, cols.numbers.shape[1]
    while low < high:
        middle = (low + high) >> 1
        if cols.numbers[N_TIME, middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _jump(cols: Columns, held: Held, levels: Levels, money: Money) -> tuple[int, int]:
    """(row, why) of the exit, where cash is enough for whatever comes."""
    up = held.d > 0
    start, last = held.row + 1, cols.numbers.shape[1] - 1
    row, why = last, END
    timed = cols.numbers.shape[1]
    if levels.hold_ns >= 0:
        timed = row_at(cols, cols.numbers[N_TIME, held.row] + levels.hold_ns)
    if timed <= last:
        row, why = timed, TIME
    out = -levels.up_out if up else levels.down_out
    at = first_at_least(CLOSE if up else OPEN, cols, start, row + 1, out)
    if at <= row:
        row, why = at, TARGET
    mid = cols.signal[WIDER if up else NARROWER, held.row]
    at = first_at_least(WIDER if up else NARROWER, cols, start, row + 1, mid + levels.stop_bp)
    if at <= row:
        row, why = at, STOP
    level = liquidation(held, money, 0.0)
    at = first_at_least(RISEN if up else FALLEN, cols, start, row + 1, level)
    if at <= row:
        row, why = at, LIQUIDATED
    return row, why


@compiled
def _wanted(cols: Columns, held: Held, levels: Levels, row: int) -> int:
    """Why the rule leaves in this row; -1 to stay."""
    up = held.d > 0
    wider = WIDER if up else NARROWER
    if cols.signal[wider, row] >= cols.signal[wider, held.row] + levels.stop_bp:
        return STOP
    out = -levels.up_out if up else levels.down_out
    if cols.signal[CLOSE if up else OPEN, row] >= out:
        return TARGET
    if (
        levels.hold_ns >= 0
        and cols.numbers[N_TIME, row] - cols.numbers[N_TIME, held.row] >= levels.hold_ns
    ):
        return TIME
    return END if row == cols.numbers.shape[1] - 1 else -1


@compiled
def _ruined(
    cols: Columns,
    held: Held,
    money: Money,
    purse: Floats,
    done: Ints,
    at: tuple[int, bool, int, float],
) -> Left:
    """A liquidation, and what the venue bears with a loan's hours until the row that ends it.

    The perpetual is gone: no settlement is paid any more, and no margin stands in for cash.
    at: the row, whether before its own frames, settlements that have passed, the mark.
    """
    row, early, passed, mark = at
    rest = forced(held, money, purse[2], mark)[1]
    owes = np.array([purse[0] + max(rest, 0.0), 0.0, 0.0, purse[3]])
    for stamp in range(passed, cols.numbers[N_UPTO, row]):
        if cols.stamps[1, stamp]:
            hour = cols.stamps[0, stamp] // HOUR_NS
            accrue(cols, held, money, owes, done, (done[0], hour, cols.rows[R_SPOT_MID, row - 1]))
    hour = cols.numbers[N_HOUR, row]
    if cols.numbers[N_BEAT, row]:
        known = row if cols.numbers[N_FIRST, row] == SPOT else row - 1
        accrue(cols, held, money, owes, done, (done[0], hour, cols.rows[R_SPOT_MID, known]))
    accrue(cols, held, money, owes, done, (done[0], hour, cols.rows[R_SPOT_MID, row]))
    return Left(row, LIQUIDATED, early, passed, mark, purse[2], owes[3])


@compiled
def _looked(
    cols: Columns,
    held: Held,
    money: Money,
    purse: Floats,
    done: Ints,
    now: tuple[int, int, float, float],
) -> bool:
    """Pay what is due at a look; whether its mark then liquidates. now: see accrue, and the mark.

    The desk liquidates nothing in a look that drew on the margin.
    """
    drawn = accrue(cols, held, money, purse, done, (now[0], now[1], now[2]))
    return bool(not drawn and held.d * now[3] >= liquidation(held, money, purse[2]))


@compiled
def _looked_before(
    cols: Columns, held: Held, money: Money, purse: Floats, done: Ints, row: int
) -> tuple[bool, int, float]:
    """Looks between a row's frames and those of the row before, at settlements and extremes.

    Returns whether one of them liquidates, settlements that have passed by then, and its mark.
    """
    price = cols.rows[R_SPOT_MID, row - 1]
    for at in range(cols.numbers[N_UPTO, row - 1], cols.numbers[N_UPTO, row]):
        if cols.stamps[1, at]:
            now = (at + 1, cols.stamps[0, at] // HOUR_NS, price, cols.rows[R_MARK, row - 1])
            if _looked(cols, held, money, purse, done, now):
                return True, at + 1, now[3]
    under = cols.numbers[N_UNDER, row]
    for line, ago_ns in ((R_HIGH, HIGH_NS), (R_LOW, LOW_NS)):
        mark = cols.rows[line, row]
        if not math.isnan(mark):
            now = (under, (cols.numbers[N_TIME, row] - ago_ns) // HOUR_NS, price, mark)
            if _looked(cols, held, money, purse, done, now):
                return True, under, mark
    return False, under, 0.0


@compiled
def _step(cols: Columns, held: Held, levels: Levels, money: Money) -> Left:
    """The exit, looked for row by row, with what payments take from the margin."""
    margin = held.qty * held.perp_in / held.leverage
    purse = np.array([held.free, margin, 0.0, 0.0])
    done = np.array([cols.numbers[N_UPTO, held.row], cols.numbers[N_HOUR, held.row] - 1])
    for row in range(held.row + 1, cols.numbers.shape[1]):
        gone, passed, mark = _looked_before(cols, held, money, purse, done, row)
        if gone:
            return _ruined(cols, held, money, purse, done, (row, True, passed, mark))
        passed, hour = cols.numbers[N_UPTO, row], cols.numbers[N_HOUR, row]
        if cols.numbers[N_BEAT, row]:
            known = row if cols.numbers[N_FIRST, row] == SPOT else row - 1
            mark = cols.rows[R_MARK, row]
            now = (passed, hour, cols.rows[R_SPOT_MID, known], mark)
            gone = _looked(cols, held, money, purse, done, now)
            if gone and cols.numbers[N_BEAT, row] == JUDGED:
                return _ruined(cols, held, money, purse, done, (row, False, passed, mark))
        why = _wanted(cols, held, levels, row)
        if why >= 0:
            accrue(cols, held, money, purse, done, (passed, hour, cols.rows[R_SPOT_MID, row]))
            return Left(row, why, False, passed, 0.0, purse[2], purse[3])
    return Left(
        cols.numbers.shape[1] - 1, END, False, cols.numbers[N_UPTO, -1], 0.0, purse[2], purse[3]
    )


@compiled
def _which(cols: Columns, row: int, d: int, level: float) -> tuple[bool, int, float]:
    """(before the row's frames, settlements passed, mark) of a liquidation in a row."""
    if d * cols.rows[R_BEFORE, row] >= level:
        passed = cols.numbers[N_UPTO, row - 1] + 1
        while not cols.stamps[1, passed - 1]:
            passed += 1
        return True, passed, cols.rows[R_MARK, row - 1]
    for line in (R_HIGH, R_LOW):
        if d * cols.rows[line, row] >= level:
            return True, cols.numbers[N_UNDER, row], cols.rows[line, row]
    return False, cols.numbers[N_UPTO, row], cols.rows[R_MARK, row]


@compiled
def leave(cols: Columns, held: Held, levels: Levels, money: Money) -> Left:
    """The exit of a position, by jumps unless cash might run short."""
    if not levels.stepwise:
        row, why = _jump(cols, held, levels, money)
        early, settled, mark = False, cols.numbers[N_UPTO, row], 0.0
        if why == LIQUIDATED:
            early, settled, mark = _which(cols, row, held.d, liquidation(held, money, 0.0))
        drain = P_DRAIN_UP if held.d > 0 else P_DRAIN_DOWN
        before = cols.settled[drain, cols.numbers[N_UPTO, held.row]]
        due = held.qty * (cols.settled[drain, settled] - before)
        if held.d < 0:
            due += held.qty * money.borrow_hourly * interest(cols, held.row, row, True)
        if due <= held.free:
            return Left(row, why, early, settled, mark, 0.0, 0.0)
    return _step(cols, held, levels, money)


@compiled
def enter(
    cols: Columns, start: int, levels: Levels, money: Money, cash: float
) -> tuple[Held, bool]:
    """The next position from a row on, and whether the account could pay it.

    Its row is the last one where nothing is entered any more.
    """
    last = cols.numbers.shape[1] - 1
    row = first_at_least(OPEN, cols, start, last, levels.up_in)
    other = first_at_least(CLOSE, cols, start, row, -levels.down_in)
    d = -1 if other < row else 1
    row = min(row, other)
    spot = cols.rows[R_SPOT_ASK, row] if d > 0 else cols.rows[R_SPOT_BID, row]
    perp = cols.rows[R_PERP_BID, row] if d > 0 else cols.rows[R_PERP_ASK, row]
    qty = math.floor(money.notional / spot / money.lot + 1e-9) * money.lot
    need = qty * (spot * money.spot_taker + perp * money.perp_taker)
    need += qty * (spot if d > 0 else spot / levels.leverage)
    need += qty * perp / levels.leverage
    held = Held(d, row, qty, spot, perp, levels.leverage, cash - need)
    return held, qty > 0.0 and need <= cash


@compiled
def _marks_until(row: int, mark: int, marks: tuple[Ints, Floats, Ints], cash: float) -> int:
    """Mark the rows before a row, where nothing is held; the next mark."""
    at_rows, equity, _ = marks
    while mark < len(at_rows) and at_rows[mark] < row:
        equity[mark] = cash
        mark += 1
    return mark


@compiled
def _marks_while(
    cols: Columns,
    held: Held,
    row: int,
    mark: int,
    marks: tuple[Ints, Floats, Ints],
    account: tuple[Money, float],
) -> int:
    """Count the entry, and mark the rows before the exit's; the next mark. account: money, cash."""
    at_rows, equity, entries = marks
    money, cash = account
    if mark < len(at_rows):
        entries[mark] += 1
    while mark < len(at_rows) and at_rows[mark] < row:
        equity[mark] = cash + marked(cols, held, money, at_rows[mark])
        mark += 1
    return mark


@compiled
def trial(
    cols: Columns,
    levels: Levels,
    money: Money,
    trades: Floats,
    sums: Floats,
    marks: tuple[Ints, Floats, Ints],
) -> None:
    """All trades of one rule. trades: filled as far as it reaches; sums: over all of them.

    marks: (rows, equity at each, entries in the rows after the mark before up to each): filled.
    """
    last = cols.numbers.shape[1] - 1
    start = cols.numbers[N_UPTO, 0] * 0  # an int64: a plain 0 would be compiled apart
    cash, one, mark = money.capital, np.empty(TRADE_FIELDS), 0
    reset(sums, marks[2])
    while start < last:
        held, paid = enter(cols, start, levels, money, cash)
        if held.row >= last:
            break
        if not paid:
            sums[S_REFUSED] = 1.0
            break
        left = leave(cols, held, levels, money)
        settle_up(cols, held, left, money, one)
        borne(one, cash)
        mark = _marks_until(held.row, mark, marks, cash)
        mark = _marks_while(cols, held, left.row, mark, marks, (money, cash))
        count = int(sums[S_TRADES])
        if count < len(trades):
            for at in range(TRADE_FIELDS):
                trades[count, at] = one[at]
        add(sums, one, cols.numbers[N_TIME, left.row] - cols.numbers[N_TIME, held.row])
        cash += one[NET]
        start = left.row + 1
    _marks_until(last + 1, mark, marks, cash)


@compiled
def many(
    cols: Columns,
    rules: tuple[Floats, Ints, bool],
    money: Money,
    marks: tuple[Ints, Ints],
    out: tuple[Floats, Floats, Ints],
) -> None:
    """A trial for each line of rules: (lines, stop and leverage; hold_ns of each; stepwise).

    marks: (rows, which of them end a day). out: (sums, equity, entries), a line a trial.
    """
    at_rows, days = marks
    levels_of, holds, stepwise = rules
    sums, equity, entries = out
    none = np.empty((0, TRADE_FIELDS))
    for at in range(len(levels_of)):
        r = levels_of[at]
        levels = Levels(r[0], r[1], r[2], r[3], r[4], holds[at], r[5], stepwise)
        trial(cols, levels, money, none, sums[at], (at_rows, equity[at], entries[at]))
        by_day(equity[at], days, money.capital, sums[at])
