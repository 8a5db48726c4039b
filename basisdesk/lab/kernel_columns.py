"""What the kernel's walk reads and writes: columns, levels, positions, and the fields by number.

Arrays have few names and many lines, and the lines have numbers here, because numba compiles a few
arrays much faster than many.
"""

from typing import NamedTuple

from basisdesk.lab.series import Floats, Ints

BLOCK_BITS, SUPER_BITS = 6, 12  # rows of a block and of a block of blocks, as powers of two
TARGET, STOP, TIME, LIQUIDATED, END = range(5)
OPEN, CLOSE, WIDER, NARROWER, RISEN, FALLEN = range(6)  # rows of `Columns.signal`
PERP, SPOT = 1, 2  # of N_FIRST; 0 is the ticker
# When a bar's extremes of the mark are looked at, before its close: over a beat apart from all.
HIGH_NS, LOW_NS = 300_000_000, 150_000_000
JUDGED = 2  # of N_BEAT
(
    R_SPOT_BID, R_SPOT_ASK, R_PERP_BID, R_PERP_ASK, R_MARK, R_SPOT_MID, R_PERP_MID,
    R_BEFORE, R_CHARGED, R_NEXT_PRICE, R_NEXT_CHARGED, R_HIGH, R_LOW,
) = range(13)  # fmt: skip
(
    N_TIME, N_FIRST, N_BEAT, N_UPTO, N_HOUR, N_CHARGED_HOUR, N_NEXT_ROW, N_NEXT_HOUR, N_UNDER,
) = range(9)  # fmt: skip
P_PAID, P_FLOW, P_DRAIN_UP, P_DRAIN_DOWN = range(4)

# One trade as a row of floats, and the sums over a trial's trades.
ENTRY, EXIT, DIRECTION, WHY, QTY, SPOT_IN, PERP_IN, SPOT_OUT, PERP_OUT = range(9)
BASIS, FUNDING, FEES, SLIPPAGE, BORROW, RESIDUAL, NET = range(9, 16)
TRADE_FIELDS = 16
(
    S_TRADES, S_WINS, S_TARGET, S_STOP, S_TIME, S_LIQUIDATED, S_END, S_REFUSED,
    S_NET, S_UP, S_DOWN, S_BASIS, S_FUNDING, S_FEES, S_SLIPPAGE, S_BORROW, S_RESIDUAL,
    S_SQUARE, S_BEST, S_WORST, S_NS, S_DRAWDOWN, S_DAYS, S_DAY, S_DAY2, S_DAY3, S_DAY4,
) = range(27)  # fmt: skip
SUM_FIELDS = 27


class Columns(NamedTuple):
    """A series as the walk reads it: few arrays of many lines, which compile fast.

    rows: float64[R_*, n]. R_BEFORE: mark that the engine looks at between the row before and this
    one, NaN for none. R_CHARGED: coin price times hours of interest charged until a row, for who
    always owes. R_NEXT_PRICE, R_NEXT_CHARGED: price of the first look after a row at which interest
    is charged, and the sum with it. R_HIGH, R_LOW: extremes of the mark, looked at one after the
    other shortly before the row, NaN for none.
    numbers: int64[N_*, n]. N_FIRST: which frame of a row comes first. N_BEAT: 0 where the engine
    does not look at time in this row, JUDGED where it liquidates too, else 1. N_UPTO: settlements
    up to and with this row. N_HOUR: clock hours since 1970; N_CHARGED_HOUR: the last one in
    R_CHARGED. N_NEXT_ROW, N_NEXT_HOUR: of that next look. N_UNDER: settlements before this
    row's own stamp.
    settled: float64[P_*, m + 1]. P_PAID: rate times mark of each settlement, what one coin short
    receives; P_FLOW: its sum before each; P_DRAIN_UP, P_DRAIN_DOWN: of what +1 and -1 pay.
    stamps: int64[2, m]. Their times, ns, and whether the engine looks at time at that very stamp.
    signal: float64[6, n]. What conditions look at, one line each, so that every one of them reads
    "at or above": open line, close line negated, mid basis, mid basis negated, mark, mark negated
    (the last two the worst that is judged in a row or before it, -inf for none). block, blocks: its
    maxima over 2**BLOCK_BITS and 2**SUPER_BITS rows.
    """

    rows: Floats
    numbers: Ints
    settled: Floats
    stamps: Ints
    signal: Floats
    block: Floats
    blocks: Floats


class Money(NamedTuple):
    """Costs and sizes, see rule.Costs and rule.Size. tick: of the perpetual."""

    spot_taker: float
    perp_taker: float
    borrow_hourly: float
    mmr: float
    liq_fee: float
    capital: float
    notional: float
    lot: float
    tick: float


class Levels(NamedTuple):
    """One rule as levels, see rule.Lines. hold_ns: of the time stop, -1 for none.

    stepwise: look at every row, never by jumps.
    """

    up_in: float
    up_out: float
    down_in: float
    down_out: float
    stop_bp: float
    hold_ns: int
    leverage: float
    stepwise: bool


class Held(NamedTuple):
    """A position from its entry. need: cash it took; free: cash that was left."""

    d: int
    row: int
    qty: float
    spot_in: float
    perp_in: float
    leverage: float
    free: float


class Left(NamedTuple):
    """Its end. early: liquidated before the row's own frames. settled: settlements that it paid.

    mark: that liquidated it. added: what payments took of the margin (<= 0). lost: what the venue
    had to bear of them.
    """

    row: int
    why: int
    early: bool
    settled: int
    mark: float
    added: float
    lost: float
