"""Outcomes of pairs whose legs come, shrink and go one at a time."""

from decimal import Decimal

from ledger_cases import PERP, SPOT, fill

from basisdesk.events import (
    Execution,
    ExitPlan,
    Liquidated,
    OpenPair,
    Ordered,
    PairAdded,
    PairReduced,
    Work,
)

D = Decimal


def added(pair, fills, mids, *, margin="0", collateral="0", reason="hedge", ts_ns=6):
    return PairAdded(
        ts_ns, pair, reason, tuple(fills), D(mids[0]), D(mids[1]), D(margin), D(collateral)
    )


def shrunk(pair, fills, mids, *, margin="0", collateral="0", closed=False, alone=False):
    return PairReduced(
        8, pair, D("0.5"), "unwind", tuple(fills), D(mids[0]), D(mids[1]), D(margin),
        D(collateral), closed, alone=alone,
    )  # fmt: skip


def deleveraged(pair, fills, mids, *, key=PERP, margin=None, closed=False):
    mark = fills[0].price
    return Liquidated(
        8, pair, key, mark, mark, tuple(fills), D(mids[0]), D(mids[1]), closed,
        margin=None if margin is None else D(margin), cause="adl",
    )  # fmt: skip


def ordered(pair, qty="1000", *, kind="open", ts_ns=4):
    how = Execution("passive")
    request = OpenPair(SPOT, PERP, D(qty), D(2), ExitPlan(D(3), D(150)), ts_ns, how)
    work = Work(kind, "user", how, D(qty), D(qty), ts_ns, ts_ns + 600, request)
    return Ordered(ts_ns, pair, work)


def buy(qty, price, **more):
    return fill("long", SPOT, "buy", qty, price, **{"rate": 0, **more})


def sell(qty, price, **more):
    return fill("long", SPOT, "sell", qty, price, **{"rate": 0, **more})


def short(qty, price, **more):
    return fill("short", PERP, "sell", qty, price, **{"rate": 0, **more})


def cover(qty, price, **more):
    return fill("short", PERP, "buy", qty, price, **{"rate": 0, **more})
