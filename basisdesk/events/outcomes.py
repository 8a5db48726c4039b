"""Outcomes: what the desk did. Money is Decimal; positions, balances and risk fold from them."""

import decimal
from decimal import Decimal

import msgspec

from basisdesk.events.commands import ExitPlan

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


class PairOpened(msgspec.Struct, frozen=True, tag_field="kind", tag="pair_opened"):
    """Both legs filled: all fills of both legs stand in this one outcome, so no leg is ever alone.

    long_mid, short_mid: decision mids of the two legs, quote currency.
    margin: isolated margin moved from cash for the perpetual legs; collateral: cash moved to
    secure a borrowed spot leg (d = -1), 0 otherwise; both in account currency.
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


class PairReduced(msgspec.Struct, frozen=True, tag_field="kind", tag="pair_reduced"):
    """Both legs reduced together. `closed`: nothing is left of the pair.

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


class Liquidated(msgspec.Struct, frozen=True, tag_field="kind", tag="liquidated"):
    """The perpetual leg was force-closed at `fills` prices; the spot leg is left naked.

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


class FundingSettled(msgspec.Struct, frozen=True, tag_field="kind", tag="funding"):
    """One funding payment of one pair. amount > 0: received. qty is signed: negative when short.

    amount is in account currency: -qty * mark * rate * share * fx. mark: the price it is paid on
    (the index where the venue says so). share: part of the interval held, where a venue accrues.
    source: "ticker", "history" or "close": realised because the position changed at ts_ns.
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


class BorrowCharged(msgspec.Struct, frozen=True, tag_field="kind", tag="borrow"):
    """Interest on the borrowed coin of a spot short, at the spot mid.

    price: in quote currency. amount: account currency, hours * hourly_rate * qty * price * fx.
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


class MarginMoved(msgspec.Struct, frozen=True, tag_field="kind", tag="margin"):
    """Cash moved into a pair's isolated margin by hand."""

    ts_ns: int
    pair: int
    amount: Decimal


class PlanChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="plan"):
    """A pair's exit plan was replaced."""

    ts_ns: int
    pair: int
    plan: ExitPlan


class RiskChanged(msgspec.Struct, frozen=True, tag_field="kind", tag="risk"):
    """The risk state moved. state: "active" or "halted"."""

    ts_ns: int
    state: str
    reason: str


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


Outcome = (
    SessionStarted
    | PairOpened
    | PairReduced
    | Liquidated
    | FundingSettled
    | BorrowCharged
    | MarginMoved
    | PlanChanged
    | RiskChanged
    | Refused
)


class Funds(msgspec.Struct, frozen=True):
    """What the account can spend and what it is worth, account currency. From the ledger."""

    free: Decimal
    equity: Decimal
