"""Outcomes of one pair, made by hand, and a position folded from them."""

from decimal import Decimal

from basisdesk.events import (
    Execution,
    ExitPlan,
    Fill,
    Liquidated,
    OpenPair,
    Ordered,
    OrderEnded,
    PairAdded,
    PairOpened,
    PairReduced,
    Work,
)
from basisdesk.trading.positions import Positions

D = Decimal
SPOT, PERP, PERP_B = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT", "okx:perp:ADA-USDT-SWAP"
PLAN = ExitPlan(D(3), D(150))
MID = D("0.6")


class Told:
    """The one pair, looked at through its positions."""

    def __init__(self):
        self.all = Positions("USDT")
        self.kept = None

    def __getattr__(self, name):
        return getattr(self.all.pairs.get(1), name)


def of(outcome, told=None):
    """Fold one more outcome in."""
    told = told or Told()
    told.all.apply(outcome)
    return told


def fill(leg, side, qty, price=MID, legs=(SPOT, PERP), ts_ns=5):
    key = legs[leg == "short"]
    return Fill(ts_ns, leg, key, side, D(qty), D(price), D(0), "USDT")


def entry(long, short, prices=(MID, MID), legs=(SPOT, PERP)):
    """Entry fills of both legs, or of the one that is not 0."""
    made = [fill("long", "buy", long, prices[0], legs)] if D(long) else []
    return (*made, *([fill("short", "sell", short, prices[1], legs)] if D(short) else []))


def leaving(long, short, prices=(MID, MID), legs=(SPOT, PERP)):
    made = [fill("long", "sell", long, prices[0], legs)] if D(long) else []
    return (*made, *([fill("short", "buy", short, prices[1], legs)] if D(short) else []))


def opened(fills, *, legs=(SPOT, PERP), margin="0", step="1", ts_ns=5, how=None):
    return PairOpened(
        ts_ns, 1, *legs, D(1000), D(2), PLAN, "user", fills, MID, MID, D(margin), D(0),
        how=how or Execution(), step=D(step),
    )  # fmt: skip


def added(fills, *, margin="0", reason="hedge", ts_ns=6):
    return PairAdded(ts_ns, 1, reason, fills, MID, MID, D(margin), D(0))


def reduced(
    long, short, *, margin="0", closed=False, reason="user", ts_ns=8, legs=(SPOT, PERP)
):  # fmt: skip
    fills = leaving(long, short, legs=legs)
    return PairReduced(ts_ns, 1, D("0.5"), reason, fills, MID, MID, D(margin), D(0), closed)


def alone(long, short, *, margin="0"):
    fills = leaving(long, short)
    return PairReduced(
        8, 1, D("0.5"), "user", fills, MID, MID, D(margin), D(0), False, alone=True
    )  # fmt: skip


def liquidated(qty, *, cause="liquidation", margin=None, closed=False, key=PERP, legs=(SPOT, PERP)):
    leg = "long" if key == legs[0] else "short"
    one = fill(leg, "sell" if leg == "long" else "buy", qty, legs=legs)
    return Liquidated(
        8, 1, key, MID, MID, (one,), MID, MID, closed, margin=margin, cause=cause
    )  # fmt: skip


def ordered(qty, *, kind="open", how=None, ts_ns=4):
    how = how or Execution("limit")
    request = OpenPair(SPOT, PERP, D(qty), D(2), PLAN, ts_ns, how) if kind == "open" else None
    work = Work(kind, "user", how, D(qty), D(qty), ts_ns, ts_ns + 600, request)
    return Ordered(ts_ns, 1, work)


def ended(why):
    return OrderEnded(9, 1, why)
