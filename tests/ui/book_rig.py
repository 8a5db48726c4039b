"""Pairs in every state, made of outcomes: what a journal would hold, without the desk's orders."""

from decimal import Decimal

from ui_rig import PERP, SPOT, Rig

from basisdesk.events import (
    ENTRY,
    Execution,
    ExitPlan,
    Fill,
    FundingSettled,
    Liquidated,
    OpenPair,
    Ordered,
    PairAdded,
    PairOpened,
    PairReduced,
    Work,
)

D = Decimal
PLAN = ExitPlan(D(3), D(120), D(72))
SPOT_ASK, SPOT_BID, PERP_ASK, PERP_BID = D("0.3640"), D("0.3639"), D("0.3665"), D("0.3664")
SPOT_MID, PERP_MID = D("0.36395"), D("0.36645")
COIN_FEE, PERP_FEE = D("0.001"), D("0.00055")


def fill(rig, leg, side, qty, price, at=None):
    """One taker fill of the pair's long spot or short perp leg."""
    spot = leg == "long"
    coins = spot and side == "buy"
    fee = qty * COIN_FEE if coins else qty * price * (COIN_FEE if spot else PERP_FEE)
    return Fill(
        at or rig.engine.now_ns,
        leg,
        SPOT if spot else PERP,
        side,
        qty,
        price,
        fee,
        "ADA" if coins else "USDT",
        grade_reason="top level",
    )


def book(rig, outcome):
    """Fold one outcome in as the journal would bring it back."""
    rig.frame(ENTRY, outcome)
    return rig


def opened(rig, long_qty="4000", short_qty="3996", how=Execution(), plan=PLAN, pair=1):  # noqa: B008
    """A pair whose legs filled so far; an empty quantity leaves a leg out."""
    fills = []
    if long_qty:
        fills.append(fill(rig, "long", "buy", D(long_qty), SPOT_ASK))
    if short_qty:
        fills.append(fill(rig, "short", "sell", D(short_qty), PERP_BID))
    margin = (D(short_qty or 0) * PERP_BID / 2).quantize(D("0.00000001"))
    return book(
        rig,
        PairOpened(
            rig.engine.now_ns, pair, SPOT, PERP, D(long_qty or short_qty), D(2), plan, "user",
            tuple(fills), SPOT_MID, PERP_MID, margin, D(0), how=how, step=D(1),
        ),
    )  # fmt: skip


def ordered(rig, how, qty="10000", kind="open", pair=1, reason="user"):
    """A working order of a pair; an entry when the pair is new."""
    now_ns = rig.engine.now_ns
    request = OpenPair(SPOT, PERP, D(qty), D(2), PLAN, how=how) if kind == "open" else None
    work = Work(kind, reason, how, D(qty), D(qty), now_ns, now_ns + 600 * 10**9, request)
    return book(rig, Ordered(now_ns, pair, work))


def added(rig, long_qty="", short_qty="", reason="slice", pair=1):
    """More fills of an open pair."""
    fills = []
    if long_qty:
        fills.append(fill(rig, "long", "buy", D(long_qty), SPOT_ASK))
    if short_qty:
        fills.append(fill(rig, "short", "sell", D(short_qty), PERP_BID))
    margin = (D(short_qty or 0) * PERP_BID / 2).quantize(D("0.00000001"))
    return book(
        rig,
        PairAdded(rig.engine.now_ns, pair, reason, tuple(fills), SPOT_MID, PERP_MID, margin, D(0)),
    )


def reduced(rig, long_qty="3996", short_qty="3996", closed=True, alone=False, pair=1):
    """Exit fills of a pair; all of it where `closed`."""
    position = rig.engine.desk.pairs[pair]
    fills = []
    if long_qty:
        fills.append(fill(rig, "long", "sell", D(long_qty), SPOT_BID))
    if short_qty:
        fills.append(fill(rig, "short", "buy", D(short_qty), PERP_ASK))
    part = D(short_qty or 0) / max(D(1), abs(position.short.qty))
    margin = (position.margin * part).quantize(D("0.00000001"))
    return book(
        rig,
        PairReduced(
            rig.engine.now_ns, pair, D(1), "user", tuple(fills), SPOT_MID, PERP_MID,
            position.margin if closed else margin, D(0), closed, alone=alone,
        ),
    )  # fmt: skip


def liquidated(rig, cause="liquidation", pair=1):
    """The short perpetual is closed by force; the spot leg stands alone."""
    held = abs(rig.engine.desk.pairs[pair].short.qty)
    price = D("0.54") if cause == "liquidation" else PERP_MID
    one = fill(rig, "short", "buy", held, price)
    if cause == "adl":
        one = Fill(one.ts_ns, "short", PERP, "buy", held, price, D(0), "USDT")
    return book(
        rig,
        Liquidated(
            rig.engine.now_ns, pair, PERP, D("0.54"), D("0.54"), (one,), SPOT_MID, PERP_MID,
            False, cause=cause, margin=None,
        ),
    )  # fmt: skip


def settled(rig, amount="0.7325", pair=1):
    """One funding payment received."""
    return book(
        rig,
        FundingSettled(
            rig.engine.now_ns, pair, PERP, rig.engine.now_ns // 1_000_000, D("0.0005"),
            D("0.36645"), D(-3996), D(amount),
        ),
    )  # fmt: skip


def later(rig, seconds):
    """Time goes by and the desk does nothing: its own remedies are other tests' subject."""
    rig.engine.now_ns += int(seconds * 10**9)
    return rig


def begun(settings=None):
    """A rig with quotes around the prices that the fills here are made at."""
    return Rig(settings).begin()
