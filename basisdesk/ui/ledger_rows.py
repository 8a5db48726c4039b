"""State to rows: postings, fills and the log, newest first and bounded. Pure, no Qt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from basisdesk.engine import Engine, LogLine
from basisdesk.events import Fill, Liquidated, Outcome, PairAdded, PairOpened, PairReduced
from basisdesk.ledger.posting import Transaction
from basisdesk.ui.figures import number_text, places_of, sign_text, size_text
from basisdesk.ui.leg_words import leg_name
from basisdesk.ui.times import clock_ms_text

ROWS_MAX = 2_000
EXACT_PLACES = 12  # decimals of an amount in the ledger; fewer are shown where they are zero
MARKS = {"info": "\u00b7 info", "warn": "\u25b2 warn", "error": "\u25a0 error"}


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One posting: an amount moved on one account. key: (transaction, place in it)."""

    key: tuple[int, int]
    time: str
    cause: str
    account: str
    currency: str
    amount: str
    sign: int
    value: Decimal
    ts_ns: int


def posting_rows(recent: Iterable[tuple[int, Transaction]], utc: bool) -> list[PostingRow]:
    """The newest postings, newest transaction first, each transaction's in its own order."""
    rows: list[PostingRow] = []
    for seq, txn in reversed(list(recent)):
        time = clock_ms_text(txn.ts_ns, utc)
        for place, posting in enumerate(txn.postings):
            value = posting.amount
            rows.append(
                PostingRow(
                    (seq, place),
                    time,
                    txn.cause,
                    posting.account,
                    posting.currency,
                    exact_text(value),
                    (value > 0) - (value < 0),
                    value,
                    txn.ts_ns,
                )
            )
        if len(rows) >= ROWS_MAX:
            return rows[:ROWS_MAX]
    return rows


def exact_text(value: Decimal) -> str:
    """A signed amount with at least two decimals and as many as it has, up to EXACT_PLACES."""
    exponent = value.normalize().as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 2
    return sign_text(value, min(EXACT_PLACES, max(2, places)))


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill of one leg. key: (pair, place among the pair's fills)."""

    key: tuple[int, int]
    time: str
    pair: int
    leg: str
    instrument: str
    side: str
    qty: str
    price: str
    fee: str
    fee_currency: str
    liquidity: str
    grade: str
    grade_reason: str
    buy: bool
    ts_ns: int
    qty_value: Decimal
    price_value: Decimal
    fee_value: Decimal
    by: str = ""  # who asked and why where no person did


def fill_rows(outcomes: Sequence[Outcome], engine: Engine, utc: bool) -> list[FillRow]:
    """The newest fills, newest first, at most ROWS_MAX."""
    counted: dict[int, int] = {}
    found: list[tuple[Fill, int, int, str]] = []
    for outcome in outcomes:
        if isinstance(outcome, PairOpened | PairAdded | PairReduced | Liquidated):
            for fill in outcome.fills:
                place = counted.get(outcome.pair, 0)
                counted[outcome.pair] = place + 1
                found.append((fill, outcome.pair, place, getattr(outcome, "by", "")))
    shown = found[: -ROWS_MAX - 1 : -1]
    return [
        replace(_fill_row(fill, pair, place, engine, utc), by=by) for fill, pair, place, by in shown
    ]


def _fill_row(fill: Fill, pair: int, place: int, engine: Engine, utc: bool) -> FillRow:
    rule = engine.market.instruments.get(fill.instrument)
    tick = rule.tick if rule is not None else None
    return FillRow(
        key=(pair, place),
        time=clock_ms_text(fill.ts_ns, utc),
        pair=pair,
        leg=fill.leg,
        instrument=leg_name(fill.instrument),
        side=f"\u25b2 {fill.side}" if fill.side == "buy" else f"\u25bc {fill.side}",
        qty=size_text(fill.qty),
        price=number_text(fill.price, places_of(tick, 6)),
        fee=size_text(fill.fee, 12),
        fee_currency=fill.fee_currency,
        liquidity=fill.liquidity,
        grade=fill.grade,
        grade_reason=fill.grade_reason,
        buy=fill.side == "buy",
        ts_ns=fill.ts_ns,
        qty_value=fill.qty,
        price_value=fill.price,
        fee_value=fill.fee,
    )


# --- what explains a row --------------------------------------------------------------------------

_BY_ACCOUNT = {
    "income:funding": "funding",
    "expenses:fees": "fees",
    "expenses:liquidation_fee": "fees",
    "expenses:dust": "fees",
    "expenses:borrow": "borrow",
    "equity:venue_loss": "slippage",
}


def posting_figure(row: PostingRow) -> tuple[str, int]:
    """(figure, pair) that a posting is part of; the account's cash where it is of no pair."""
    words = row.cause.split(":")
    pair = int(words[1]) if words[0] == "pair" and words[1:2] and words[1].isdigit() else 0
    if not pair:
        return "cash", 0
    last = row.account.rpartition(":")[2]
    if last in ("margin", "collateral"):
        return last, pair
    return _BY_ACCOUNT.get(row.account, "total"), pair


def fill_figure(row: FillRow, header: str) -> tuple[str, int]:
    """(figure, pair) that a cell of a fill is part of: its fee, its price, or its leg's profit."""
    return {"Fee": "fees", "Price": "slippage"}.get(header, row.leg), row.pair


def grade_meaning(grade: str) -> str:
    """The colour token of a realism grade: A and B plain, C warns, D is a loss of trust."""
    return {"C": "warn", "D": "loss"}.get(grade, "")


# --- the log --------------------------------------------------------------------------------------

LEVELS = ("info", "warn", "error")


def log_rows(lines: Iterable[LogLine], least: str) -> list[LogLine]:
    """Lines of at least this level, newest first, at most ROWS_MAX."""
    wanted = frozenset(LEVELS[LEVELS.index(least) :])
    kept = [line for line in lines if line.level in wanted]
    return kept[: -ROWS_MAX - 1 : -1]


def level_meaning(level: str) -> str:
    """The colour token of a log level."""
    return {"warn": "warn", "error": "loss"}.get(level, "muted")
