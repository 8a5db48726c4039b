"""Outcomes: what the desk did. Money is Decimal; positions, balances and risk fold from them."""

import decimal
from decimal import Decimal
from typing import Literal

import msgspec

from basisdesk.events.commands import Execution, ExitPlan, OpenPair

# Money arithmetic that may not lose a digit runs in `with decimal.localcontext(MONEY):`, where a
# rounded result is an error and not a cent. Rounding on purpose (a margin) stays outside.
MONEY = decimal.Context(
    prec=64,
    traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)


class Fill(msgspec.Struct, frozen=True, omit_defaults=True):
    """One price level taken by one leg of a pair order. Every fill stands at a displayed price.

    fee is in fee_currency: the base coin for a spot buy where the venue charges it so.
    dust: base coin left below the lot by that fee; written off with the fee, at entry.
    grade: realism A-D of the fill; grade_reason says why.
    fx: account currency paid or received per unit of the instrument's quote currency; 1 where the
    two are one. price and fee stay in the venue's own currency.
    """

    ts_ns: int
    leg: str  # "long" or "short": the pair's leg, not the side
    instrument: str
    side: str  # "buy" or "sell"
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: str = "taker"
    grade: str = "A"
    grade_reason: str = ""
    dust: Decimal = Decimal(0)
    fx: Decimal = Decimal(1)


class Work(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pair order that works for a while: limit, passive or sliced. Kept, so a restart resumes it.

    long_qty, short_qty: base coin that each leg shall trade in all; what is done of it is folded
    from the fills since. reason: of an exit, its code; "user" for an entry. request: of an entry.
    leg: "both", or the one leg that is closed. give_up_ns: when what is left is withdrawn.
    by: of an exit, who asked for it where no person did, as in ClosePair.
    """

    kind: Literal["open", "close"]
    reason: str
    how: Execution
    long_qty: Decimal
    short_qty: Decimal
    asked_ns: int
    give_up_ns: int
    request: OpenPair | None = None
    fraction: Decimal = Decimal(1)
    leg: Literal["both", "long", "short"] = "both"
    by: str = ""


class Ordered(msgspec.Struct, frozen=True, tag_field="kind", tag="ordered"):
    """A working order was accepted. A new pair number means an entry; nothing is held by it yet."""

    ts_ns: int
    pair: int
    work: Work


class OrderEnded(msgspec.Struct, frozen=True, tag_field="kind", tag="order_ended"):
    """A working order works no more. why: "filled", "withdrawn", "expired", "halted", "refused"."""

    ts_ns: int
    pair: int
    why: str
    text: str = ""


class LegRejected(msgspec.Struct, frozen=True, tag_field="kind", tag="leg_rejected"):
    """A venue refused one leg of an order: the pair may stand unhedged now.

    leg: "long" or "short". limit: the rule, as in Refused; `text` is the sentence the user reads.
    """

    ts_ns: int
    pair: int
    leg: str
    instrument: str
    limit: str
    text: str


class PairOpened(msgspec.Struct, frozen=True, tag_field="kind", tag="pair_opened"):
    """The first fills of a pair, of both legs or of one: a leg may come late, short or never.

    how: as ordered; its policy says what becomes of what is left unhedged. step: base coin, the
    larger lot of the two legs; a difference up to it is no exposure.
    long_mid, short_mid: decision mids of the two legs, quote currency.
    margin: isolated margin moved from cash for the perpetual legs; collateral: cash moved to
    secure a borrowed spot leg (d = -1), 0 otherwise; both in account currency.
    by: who asked and why where no person did, as in OpenPair.
    """

    ts_ns: int
    pair: int
    long: str
    short: str
    qty: Decimal  # as asked
    leverage: Decimal
    plan: ExitPlan
    reason: str
    fills: tuple[Fill, ...]
    long_mid: Decimal
    short_mid: Decimal
    margin: Decimal
    collateral: Decimal
    long_fx: Decimal = Decimal(1)  # account currency per quote currency at the middle, of each leg
    short_fx: Decimal = Decimal(1)
    how: Execution = Execution()
    step: Decimal = Decimal(0)
    by: str = ""


class PairAdded(msgspec.Struct, frozen=True, tag_field="kind", tag="pair_added"):
    """More fills that add to a pair: the missing leg, the next slice, a rebalance.

    reason: "user", "hedge" (the missing leg), "slice" or "rebalance". margin, collateral: moved
    from cash for what was added, account currency.
    """

    ts_ns: int
    pair: int
    reason: str
    fills: tuple[Fill, ...]
    long_mid: Decimal
    short_mid: Decimal
    margin: Decimal
    collateral: Decimal
    long_fx: Decimal = Decimal(1)
    short_fx: Decimal = Decimal(1)


class PairReduced(msgspec.Struct, frozen=True, tag_field="kind", tag="pair_reduced"):
    """Both legs reduced together, or one of them. `closed`: nothing is left of the pair.

    reason: why, a code of orders.Reason. alone: only one leg was meant, by a person; what is left
    of the other is no failure to mend. by: who asked and why where no person did, as in ClosePair.
    margin, collateral: moved back to cash (before realised profit, which the ledger works out).
    """

    ts_ns: int
    pair: int
    fraction: Decimal
    reason: str
    fills: tuple[Fill, ...]
    long_mid: Decimal
    short_mid: Decimal
    margin: Decimal
    collateral: Decimal
    closed: bool
    long_fx: Decimal = Decimal(1)
    short_fx: Decimal = Decimal(1)
    alone: bool = False
    by: str = ""


class Liquidated(msgspec.Struct, frozen=True, tag_field="kind", tag="liquidated"):
    """The perpetual leg was force-closed at `fills` prices; the spot leg is left naked.

    cause: "liquidation", or "adl": the venue closed a winning leg at its mark to balance another
    trader's bankruptcy; no fee then, and the margin returns with the profit.

    mark: the mark price that reached `liq_price`. The leg's whole isolated margin is lost to the
    loss and the liquidation fee; what is left, if anything, returns to cash.
    margin: the leg's share of the pair's margin, account currency; None: all of it (a pair with
    one perpetual).
    """

    ts_ns: int
    pair: int
    instrument: str
    mark: Decimal
    liq_price: Decimal
    fills: tuple[Fill, ...]
    long_mid: Decimal
    short_mid: Decimal
    closed: bool
    long_fx: Decimal = Decimal(1)
    short_fx: Decimal = Decimal(1)
    margin: Decimal | None = None
    cause: str = "liquidation"


class FundingSettled(msgspec.Struct, frozen=True, tag_field="kind", tag="funding"):
    """One funding payment of one pair. amount > 0: received. qty is signed: negative when short.

    amount is in account currency: -qty * mark * rate * share * fx. mark: the price it is paid on
    (the index where the venue says so). share: part of the interval held, where a venue accrues.
    source: "ticker", "history" or "close": realised because the position changed at ts_ns.
    from_margin: the part of a payment that free cash did not cover and the leg's margin paid.
    """

    ts_ns: int
    pair: int
    instrument: str
    settle_ms: int
    rate: Decimal
    mark: Decimal
    qty: Decimal
    amount: Decimal
    late: bool = False
    source: str = "ticker"
    fx: Decimal = Decimal(1)
    share: Decimal = Decimal(1)
    from_margin: Decimal = Decimal(0)


class BorrowCharged(msgspec.Struct, frozen=True, tag_field="kind", tag="borrow"):
    """Interest on the borrowed coin of a spot short, at the spot mid.

    price: in quote currency. amount: account currency, hours * hourly_rate * qty * price * fx.
    from_margin: the part of it that free cash did not cover and the perpetual's margin paid.
    """

    ts_ns: int
    pair: int
    instrument: str
    hours: int
    hourly_rate: Decimal
    qty: Decimal
    price: Decimal
    amount: Decimal
    fx: Decimal = Decimal(1)
    from_margin: Decimal = Decimal(0)


class MarginMoved(msgspec.Struct, frozen=True, tag_field="kind", tag="margin"):
    """Cash moved into a pair's isolated margin by hand; amount < 0: taken out again."""

    ts_ns: int
    pair: int
    amount: Decimal


class PlanChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="plan"):
    """A pair's exit plan was replaced."""

    ts_ns: int
    pair: int
    plan: ExitPlan


class RiskChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="risk", omit_defaults=True):
    """The risk state moved.

    state: "active"; "reducing": no new pairs, plans and hedges run; "halted": no new pairs, working
    entries are withdrawn, a person has to resume. cause: code of the trigger, "user" or "crash".
    scope: what it covers ("desk"). resume: in words, what ends it.
    """

    ts_ns: int
    state: str
    reason: str
    cause: str = "user"
    scope: str = "desk"
    resume: str = ""


class EquityMarked(msgspec.Struct, frozen=True, tag_field="kind", tag="equity"):
    """What the account was worth at a moment, at mids: the curve, the peak and the day's start.

    exposure: gross notional of the legs held; unhedged: notional that no other leg cancels. All in
    account currency. No money moves.
    """

    ts_ns: int
    equity: Decimal
    free: Decimal
    exposure: Decimal = Decimal(0)
    unhedged: Decimal = Decimal(0)


class Refused(msgspec.Struct, frozen=True, tag_field="kind", tag="refused", omit_defaults=True):
    """The desk said no. `text` is the sentence the user reads; `limit` names the rule."""

    ts_ns: int
    limit: str
    asked: str
    allowed: str
    text: str
    command: str = ""


class SessionStarted(msgspec.Struct, frozen=True, tag_field="kind", tag="session"):
    """A desk opened this journal. The first one of a journal deposits `start` into cash.

    source: "demo", "live" or "replay"; settings: the settings in force as JSON text.
    equity: what the account was worth then, open pairs at the mids of their last outcome; 0 where
        nobody said. The day's result and the drawdown count on from it after a restart.
    """

    ts_ns: int
    session: str
    source: str
    version: str
    currency: str
    start: Decimal
    settings: str = ""
    equity: Decimal = Decimal(0)


Traded = PairOpened | PairAdded | PairReduced | Liquidated  # the outcomes that have fills

Outcome = (
    SessionStarted
    | Ordered
    | OrderEnded
    | LegRejected
    | PairOpened
    | PairAdded
    | PairReduced
    | Liquidated
    | FundingSettled
    | BorrowCharged
    | MarginMoved
    | PlanChanged
    | RiskChanged
    | EquityMarked
    | Refused
)


class Result(msgspec.Struct, frozen=True):
    """What one closed pair earned, all costs in it, account currency. From the ledger."""

    pair: int
    closed_ns: int
    net: Decimal


class Funds(msgspec.Struct, frozen=True):
    """What the account can spend and what it is worth, account currency. From the ledger.

    results: of the pairs closed last, oldest first. nets: pair -> what an open pair has earned at
    mids, for the pairs whose plan asks for it. judged: equity with both legs of each pair valued at
    one moment, so that a silent leg beside a moving one looks like no loss; None: not known yet.
    start: what the journal's first session deposited; 0 where nobody said.
    """

    free: Decimal
    equity: Decimal
    results: tuple[Result, ...] = ()
    nets: dict[int, Decimal] = {}
    judged: Decimal | None = None
    start: Decimal = Decimal(0)
