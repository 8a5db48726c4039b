"""The shared words: what comes in, what is true, what was decided, what changed.

Three kinds of struct, all frozen.
* Market events: what a venue said. Prices and sizes are float64, sizes in base coin.
* Commands: what a person asked for. Amounts are Decimal, written as text in files.
* Outcomes: what the desk did. Money is Decimal. They are the journal: positions, balances and
  risk state are folded from them, live and at restart alike.

Times ending in `_ns` are our own stamps (UTC nanoseconds) and the one order of events. Times ending
in `_ms` are a venue's clock and are only compared with that venue's other times.
"""

import decimal
import enum
from decimal import Decimal

import msgspec

# Money arithmetic that may not lose a digit runs in `with decimal.localcontext(MONEY):`, where a
# rounded result is an error and not a cent. Rounding on purpose (a margin) stays outside.
MONEY = decimal.Context(
    prec=64,
    traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)

# Connections that are ours, not a venue's. They travel in frames like any other.
BEAT = "desk.beat"  # empty payload: time passes
COMMAND = "desk.command"  # payload: one Command as JSON
LINK = "desk.link"  # payload: one LinkChange as JSON
ENTRY = "desk.entry"  # payload: one Outcome as JSON; only on tapes: what the journal held before


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Raw bytes as they came off the wire: the only thing that crosses into the engine.

    conn: "bybit.spot", "bybit.linear", "bybit.rest", or one of BEAT, COMMAND, LINK.
    A REST answer's payload is JSON: {"path": "/v5/...?query", "data": "<body text>"}.
    """

    conn: str
    payload: bytes
    t_ns: int


class Changed(enum.Flag):
    """What moved since the last repaint. Panels say what they care about in the same words."""

    NOTHING = 0
    QUOTES = enum.auto()
    BASIS = enum.auto()  # a new point in the series, ten a second at most
    FUNDING = enum.auto()
    POSITIONS = enum.auto()
    LEDGER = enum.auto()
    RISK = enum.auto()
    FEEDS = enum.auto()
    LOG = enum.auto()


# --- market events -------------------------------------------------------------------------------


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of one instrument, from an order book channel, never from a ticker."""

    instrument: str
    stream: str  # "bybit.spot/orderbook.1.BTCUSDT"
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    venue_ms: int
    seq: int


class BookUpdate(msgspec.Struct, frozen=True, gc=False):
    """A snapshot or a delta of a depth book. Sizes are absolute; size 0.0 deletes the level.

    stream: "" for a snapshot that came over HTTP: the instrument's own depth stream takes it.
    seq: the book's update id after this message. prev: the id it builds on (deltas), whatever the
    venue calls it: Bybit u - 1, Binance spot U - 1, USD-M pu, OKX prevSeqId, Kraken Futures
    seq - 1. A delta applies where prev is the book's id; right after a snapshot also where
    prev < id < seq; seq <= id was applied before; anything else is a gap.
    """

    instrument: str
    stream: str
    snapshot: bool
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    seq: int
    venue_ms: int
    prev: int = -1


class BookLost(msgspec.Struct, frozen=True, gc=False):
    """The codec cannot vouch for a book any more (a checksum that does not match)."""

    instrument: str
    stream: str
    reason: str


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One public trade. `taker_buy`: the aggressor bought."""

    instrument: str
    stream: str
    price: float
    size: float
    taker_buy: bool
    venue_ms: int


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """What a venue said of a perpetual: mark, index, funding. NaN or 0: not said here, keep.

    rate: fraction per interval, floating until settlement; positive: longs pay shorts.
    open_interest: base coin. interval_h, next_ms, cap: as the venue last said; 0 when unknown.
    """

    instrument: str
    stream: str
    mark: float
    index: float
    open_interest: float
    rate: float
    interval_h: float
    next_ms: int
    cap: float
    venue_ms: int


class ComboQuote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of a venue's own combination of two legs: perp price minus spot price.

    In quote currency per base coin; may be zero or negative. Sizes in base coin. NaN: no such side.
    """

    spot: str
    perp: str
    stream: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    venue_ms: int


class FundingInfo(msgspec.Struct, frozen=True, gc=False):
    """Funding intervals and caps from HTTP: rows of (leg key, hours, cap; 0 where not said).

    default_h: hours of every perpetual of the venue that is not listed; 0: says nothing of them.
    """

    venue: str
    rows: tuple[tuple[str, float, float], ...]
    default_h: float = 0.0


class Notice(msgspec.Struct, frozen=True, gc=False):
    """The venue said something about a connection. `closing`: it will be closed soon; renew it."""

    conn: str
    text: str
    closing: bool = False


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A valid message that moved nothing we keep (a spot ticker, an unchanged delta)."""

    stream: str
    venue_ms: int


class Ack(msgspec.Struct, frozen=True, gc=False):
    """The venue's answer to a subscribe or unsubscribe.

    topics: those it answers, where the venue names them; else all that were asked under req_id.
    """

    conn: str
    req_id: str
    ok: bool
    text: str
    topics: tuple[str, ...] = ()


class Pong(msgspec.Struct, frozen=True, gc=False):
    """The venue's answer to our application ping, or a heartbeat of its own."""

    conn: str


class VenueTime(msgspec.Struct, frozen=True, gc=False):
    """Server time from REST, with our stamps around the call."""

    venue: str
    venue_ms: int


class Candles(msgspec.Struct, frozen=True, gc=False):
    """One-minute candles for backfill, oldest first: rows of (open time ms, close price)."""

    instrument: str
    rows: list[tuple[int, float]]


class FundingHistory(msgspec.Struct, frozen=True, gc=False):
    """Settled funding, oldest first: rows of (settlement ms, rate as the venue's text)."""

    instrument: str
    rows: list[tuple[int, str]]


class LinkChange(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a connection did, said by the supervisor through the inbox so that replay sees it too.

    state: "connecting", "up", "down", "overflow", "asked" (a subscribe was sent), "dropped" (the
    topics are not wanted any more: their streams and prices go), "renewed" (a second socket took
    over without a pause: what was merged starts afresh, prices stay).
    """

    conn: str
    state: str
    reason: str = ""
    req_id: str = ""
    topics: tuple[str, ...] = ()


# --- commands ------------------------------------------------------------------------------------


class ExitPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """When to leave, set before entry. None switches a rule off.

    target_bp, stop_bp: on the executable close basis, for a long spot / short perp pair at or
    below the target, at or above the stop; mirrored for the reverse pair.
    max_hold_h: hours after the entry fill.
    """

    target_bp: Decimal | None = None
    stop_bp: Decimal | None = None
    max_hold_h: Decimal | None = None


class OpenPair(msgspec.Struct, frozen=True, tag_field="do", tag="open_pair", omit_defaults=True):
    """Buy the long leg, sell the short leg, at market. `qty` in base of the long leg."""

    long: str
    short: str
    qty: Decimal
    leverage: Decimal = Decimal(1)
    exit: ExitPlan = ExitPlan()
    t_ns: int = 0


class ClosePair(msgspec.Struct, frozen=True, tag_field="do", tag="close_pair", omit_defaults=True):
    """Close this fraction of what is left of a pair, at market."""

    pair: int
    fraction: Decimal = Decimal(1)
    t_ns: int = 0


class AddMargin(msgspec.Struct, frozen=True, tag_field="do", tag="add_margin", omit_defaults=True):
    """Move cash into the isolated margin of a pair's perpetual."""

    pair: int
    amount: Decimal
    t_ns: int = 0


class Halt(msgspec.Struct, frozen=True, tag_field="do", tag="halt", omit_defaults=True):
    """No new entries until resumed. Closing stays possible."""

    reason: str = "by hand"
    t_ns: int = 0


class Resume(msgspec.Struct, frozen=True, tag_field="do", tag="resume", omit_defaults=True):
    """Allow entries again."""

    reason: str = ""
    t_ns: int = 0


class Flatten(msgspec.Struct, frozen=True, tag_field="do", tag="flatten", omit_defaults=True):
    """Close every open pair at market."""

    t_ns: int = 0


class SetPlan(msgspec.Struct, frozen=True, tag_field="do", tag="set_plan", omit_defaults=True):
    """Replace the exit plan of an open pair (a dragged line, an edited field)."""

    pair: int
    exit: ExitPlan
    t_ns: int = 0


class SetValue(msgspec.Struct, frozen=True, tag_field="do", tag="set", omit_defaults=True):
    """Change one setting of the running engine, e.g. key "ticket.qty", value "10000"."""

    key: str
    value: str
    t_ns: int = 0


Command = OpenPair | ClosePair | AddMargin | Halt | Resume | Flatten | SetPlan | SetValue

# --- outcomes ------------------------------------------------------------------------------------


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
