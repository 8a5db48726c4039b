"""Where a money figure comes from: the rows behind it, and its formula with the figures in.

Rows are made from the pair's own outcomes and transactions, folded once more, so their sum is the
figure to the last digit. What is no posting (a move of prices) says so in its account.
"""

import decimal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from basisdesk.events import (
    MONEY,
    BorrowCharged,
    Fill,
    FundingSettled,
    Liquidated,
    Outcome,
    PairAdded,
    PairOpened,
    PairReduced,
)
from basisdesk.ledger.attribution import VENUE_LOSS, ZERO, Attribution, PairLots
from basisdesk.ledger.books import CASH, Books
from basisdesk.ledger.posting import Transaction
from basisdesk.ledger.rules import account
from basisdesk.ledger.valuation import Worth
from basisdesk.stories import CLOSED_STORIES, SECURITY, Story, posted

TERMS = ("basis", "funding", "fees", "slippage", "borrow", "residual", "total")
SHOWN_MAX = 6  # amounts written out in a formula

PRICES = "(prices)"  # the account of what no posting moved
NOT_ITEMISED = "not itemised"
MINUS, TIMES = "\N{MINUS SIGN}", " \N{MULTIPLICATION SIGN} "

_FILLED = (PairOpened, PairAdded, PairReduced, Liquidated)


class Row(msgspec.Struct, frozen=True):
    """One amount behind a figure, as it acts on the figure: costs are negative.

    cause: of the transaction; "now" for what is valued at present prices, "earlier" for what is no
    longer in memory one by one. account: of the ledger, or PRICES. note: the arithmetic, in words.
    """

    ts_ns: int
    cause: str
    account: str
    amount: Decimal
    currency: str
    note: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """A figure, the formula with figures in, and rows that sum to it exactly.

    limit: "" or the sentence that says which rows are no longer in memory.
    """

    term: str
    figure: Decimal
    currency: str
    formula: str
    rows: tuple[Row, ...]
    limit: str = ""


# --- a pair --------------------------------------------------------------------------------------


class _Moment:
    """A pair between two outcomes, valued at the mids of the last one. Made before lots move on."""

    def __init__(self, lots: PairLots, terms: Attribution | None = None) -> None:
        self.terms = terms or lots.attribution()
        self.long, self.short = lots.legs["long"].qty, lots.legs["short"].qty
        self.long_mid, self.short_mid = lots.long_mid, lots.short_mid


class _Now(msgspec.Struct, frozen=True):
    """A pair at present prices."""

    terms: Attribution
    long: Worth
    short: Worth
    currency: str
    ns: int


class _Step(msgspec.Struct, frozen=True):
    """One outcome of a pair and what it changed."""

    outcome: Outcome
    txns: tuple[Transaction, ...]
    lots: PairLots
    before: _Moment
    after: _Moment
    currency: str

    def row(self, account: str, amount: Decimal, note: str, leg: str = "") -> Row:
        """A row of this outcome; leg: "long:1", to find the transaction of a fill."""
        causes = [txn.cause for txn in self.txns]
        cause = next((each for each in causes if leg and each.endswith(f":{leg}")), "")
        cause = cause or (causes[0] if causes else f"pair:{self.lots.pair}")
        return Row(self.outcome.ts_ns, cause, account, amount, self.currency, note)


def explain_pair(story: Story, term: str, worths: Mapping[str, Worth], now_ns: int) -> Explanation:
    """A term of one pair's attribution, or its "margin" or "collateral"; worths: of its legs now.

    Raises KeyError for a term that does not exist.
    """
    with decimal.localcontext(MONEY):
        if term in SECURITY:
            return _secured(story, term)
        rows_of, lots, rows = _ROWS[term], story.base.copy(), list[Row]()
        before = _Moment(lots)
        for outcome, txns in story.entries():
            lots.fold(outcome, txns)
            after = _Moment(lots)
            step = _Step(outcome, txns, lots, before, after, story.currency)
            rows += _whole(rows_of(step), step, term)
            before = after
        keys = lots.legs["long"].key, lots.legs["short"].key
        long, short = worths.get(keys[0], lots.long_mid), worths.get(keys[1], lots.short_mid)
        now = _Now(lots.attribution(long, short), long, short, story.currency, now_ns)
        rows += _rows_now(term, before, now, lots)
        figure: Decimal = getattr(now.terms, term)
        rows = _with_earlier(rows, figure, story.dropped, story.currency)
        formula = _formula(term, figure, now.terms, rows, story.currency)
        limit = _limit(story.dropped)
        return Explanation(term, figure, story.currency, formula, tuple(rows), limit)


def forgotten(pair: int, term: str, figure: Decimal, currency: str, now_ns: int) -> Explanation:
    """A pair that closed so long ago that only its figure is in memory."""
    limit = (
        f"Rows are kept of the {CLOSED_STORIES} pairs closed last. Those of pair {pair} are in the "
        "journal: save the session log to see them."
    )
    row = Row(now_ns, "earlier", "", figure, currency, "all rows of the pair")
    formula = f"{_NAMES.get(term, term)} = {_signed(figure)} {currency}"
    return Explanation(term, figure, currency, formula, (row,), limit)


def _basis(step: _Step) -> list[Row]:
    if not isinstance(step.outcome, _FILLED):
        return []
    amount = step.after.terms.basis - step.before.terms.basis
    note = _basis_note(step.before, step.after.long_mid, step.after.short_mid)
    return [step.row(PRICES, amount, note)]


def _residual(step: _Step) -> list[Row]:
    if not isinstance(step.outcome, _FILLED):
        return []
    amount = step.after.terms.residual - step.before.terms.residual
    note = _residual_note(step.before, step.after.long_mid, step.after.short_mid)
    return [step.row(PRICES, amount, note)]


def _funding(step: _Step) -> list[Row]:
    paid = step.outcome
    if not isinstance(paid, FundingSettled):
        return []
    parts = [_plain(-paid.qty), f"mark {_plain(paid.mark)}", f"rate {_plain(paid.rate)}"]
    parts += [f"{_plain(paid.share)} of the interval"] if paid.share != 1 else []
    parts += [f"{_plain(paid.fx)} {step.currency}"] if paid.fx != 1 else []
    late = ", settled late" if paid.late else ""
    return [step.row("income:funding", paid.amount, TIMES.join(parts) + late)]


def _borrow(step: _Step) -> list[Row]:
    paid = step.outcome
    if not isinstance(paid, BorrowCharged):
        return []
    parts = [f"{paid.hours} h", f"rate {_plain(paid.hourly_rate)}", f"{_plain(paid.qty)} coins"]
    parts += [f"mid {_plain(paid.price)}"]
    parts += [f"{_plain(paid.fx)} {step.currency}"] if paid.fx != 1 else []
    return [step.row("expenses:borrow", -paid.amount, TIMES.join(parts))]


def _fees(step: _Step) -> list[Row]:
    rows = []
    for fill, place in _fills(step.outcome):
        leg, value = step.lots.legs[fill.leg], fill.price * fill.fx
        coins = leg.in_coins(fill)
        name = "expenses:fees"
        if isinstance(step.outcome, Liquidated):
            name = "expenses:liquidation_fee"
        if coins:
            note = f"{_plain(coins)} {leg.coin} at {_plain(value)}"
            rows.append(step.row(name, -coins * value, note, place))
        elif fill.fee:
            note = f"{fill.liquidity} fee of {_plain(fill.qty)} at {_plain(fill.price)}"
            note += f"{TIMES}{_plain(fill.fx)} {step.currency}" if fill.fx != 1 else ""
            rows.append(step.row(name, -fill.fee * fill.fx, note, place))
        if fill.dust:
            note = f"{_plain(fill.dust)} {leg.coin} below the lot at {_plain(value)}"
            rows.append(step.row("expenses:dust", -fill.dust * value, note, place))
    return rows


def _slippage(step: _Step) -> list[Row]:
    rows = []
    for fill, place in _fills(step.outcome):
        mid = step.after.long_mid if fill.leg == "long" else step.after.short_mid
        qty, price = step.lots.legs[fill.leg].moved(fill), fill.price * fill.fx
        better = mid.value - price if fill.side == "buy" else price - mid.value
        first, last = (mid.value, price) if fill.side == "buy" else (price, mid.value)
        note = f"{_plain(qty)}{TIMES}({_plain(first)} {MINUS} {_plain(last)})"
        rows.append(step.row(PRICES, qty * better, f"{fill.side}: {note}", place))
    for txn in step.txns:
        rows += [
            Row(txn.ts_ns, txn.cause, VENUE_LOSS, -posting.amount, step.currency, "venue's loss")
            for posting in txn.postings
            if posting.account == VENUE_LOSS and posting.currency == step.currency
        ]
    return rows


def _total(step: _Step) -> list[Row]:
    return list(_posted(step.txns, "assets:", step.currency))


_ROWS: dict[str, Callable[[_Step], list[Row]]] = {
    "basis": _basis,
    "funding": _funding,
    "fees": _fees,
    "slippage": _slippage,
    "borrow": _borrow,
    "residual": _residual,
    "total": _total,
}


def _fills(outcome: Outcome) -> Iterator[tuple[Fill, str]]:
    """(fill, where its transaction's cause ends)."""
    if isinstance(outcome, _FILLED):
        for number, fill in enumerate(outcome.fills, 1):
            yield fill, f"{fill.leg}:{number}"


def _posted(txns: Iterable[Transaction], start: str, currency: str) -> Iterator[Row]:
    for txn, posting in posted(txns, start, currency):
        yield Row(txn.ts_ns, txn.cause, posting.account, posting.amount, currency)


def _whole(rows: list[Row], step: _Step, term: str) -> list[Row]:
    """The rows without empty ones; and what they do not itemise, so that nothing is hidden."""
    if term != "total":
        moved = getattr(step.after.terms, term) - getattr(step.before.terms, term)
        if rest := moved - sum((row.amount for row in rows), ZERO):
            rows.append(step.row("", rest, NOT_ITEMISED))
    return [row for row in rows if row.amount]


def _rows_now(term: str, last: _Moment, now: _Now, lots: PairLots) -> list[Row]:
    """What present prices add to the terms that move with them."""
    if term == "total":
        return _held_now(lots, (now.long, now.short), now.currency, now.ns)
    amount = getattr(now.terms, term) - getattr(last.terms, term)
    note = ""
    if term in ("basis", "residual"):
        note = (_basis_note if term == "basis" else _residual_note)(last, now.long, now.short)
    return [Row(now.ns, "now", PRICES, amount, now.currency, note)] if amount else []


def _held_now(lots: PairLots, worths: tuple[Worth, Worth], currency: str, now_ns: int) -> list[Row]:
    """What is still held, leg by leg: coins in full, a perpetual's profit not realised yet."""
    rows = []
    for leg, worth in zip(lots.legs.values(), worths, strict=True):
        amount = leg.sign * leg.qty * worth.value if leg.spot else leg.unrealised(worth)
        what = leg.coin if leg.spot else f"{leg.coin} perpetual, not realised"
        note = f"{_plain(leg.sign * leg.qty)} {what} at {_plain(worth.price)}"
        rows.append(Row(now_ns, "now", PRICES, amount, currency, note))
    return [row for row in rows if row.amount]


def _secured(story: Story, term: str) -> Explanation:
    name, rows = account(story.base.pair, term), list[Row]()
    for _, txns in story.entries():
        rows += _posted(txns, name, story.currency)
    figure = story.pledged[term] + sum((row.amount for row in rows), ZERO)
    rows = _with_earlier(rows, figure, story.dropped, story.currency)
    formula = _formula(term, figure, None, rows, story.currency)
    limit = _limit(story.dropped)
    return Explanation(term, figure, story.currency, formula, tuple(rows), limit)


# --- the account ---------------------------------------------------------------------------------


def explain_cash(books: Books, now_ns: int) -> Explanation:
    """Free cash: every posting on the cash account that is in memory, and what was before."""
    with decimal.localcontext(MONEY):
        figure = books.balance(CASH)
        rows = list(_posted((txn for _, txn in books.recent), CASH, books.currency))
        gone = books.posted - len(books.recent)
        rows = _with_earlier(rows, figure, gone, books.currency, now_ns)
        formula = _formula("cash", figure, None, rows, books.currency)
        return Explanation("cash", figure, books.currency, formula, tuple(rows), _limit(gone))


def explain_equity(books: Books, worths: Mapping[str, Worth], now_ns: int) -> Explanation:
    """Equity: what stands on each money account, and what is held valued at present prices."""
    currency = books.currency
    with decimal.localcontext(MONEY):
        rows = [
            Row(now_ns, "balance", name, amount, currency)
            for (name, unit), amount in books.balances().items()
            if unit == currency and name.startswith("assets:")
        ]
        money = sum((row.amount for row in rows), ZERO)
        for lots in books.open_pairs.values():
            long, short = lots.legs["long"].key, lots.legs["short"].key
            at = worths.get(long, lots.long_mid), worths.get(short, lots.short_mid)
            rows += [
                msgspec.structs.replace(row, note=f"pair {lots.pair}: {row.note}")
                for row in _held_now(lots, at, currency, now_ns)
            ]
        figure = sum((row.amount for row in rows), ZERO)
        formula = (
            f"Equity = money {_signed(money)} and what is held {_signed(figure - money)} = "
            f"{_signed(figure)} {currency}"
        )
        return Explanation("equity", figure, currency, formula, tuple(rows))


# --- words ---------------------------------------------------------------------------------------

_NAMES = {
    "basis": "Basis: hedged coins x (move of the long mid - move of the short mid)",
    "funding": "Funding: coins x mark x rate at each settlement",
    "fees": "Fees: of every fill, dust and liquidation fees included",
    "slippage": "Slippage: coins x distance of each fill to its decision mid",
    "borrow": "Borrow interest: hours x rate x coins x mid",
    "residual": "Unhedged delta: coins that the other leg does not hedge x move of their mid",
    "total": "Total",
    "margin": "Margin: moved in less moved out",
    "collateral": "Collateral: proceeds and cash locked for borrowed coins",
    "cash": "Free cash: what came in less what went out",
}


def _formula(
    term: str, figure: Decimal, terms: Attribution | None, rows: Sequence[Row], currency: str
) -> str:
    if term == "total" and terms is not None:
        parts = [f"{each} {_signed(getattr(terms, each))}" for each in TERMS if each != "total"]
        return f"Total = {', '.join(parts)} = {_signed(figure)} {currency}"
    amounts = [row.amount for row in rows]
    shown = [_signed(amount) for amount in amounts[:SHOWN_MAX]]
    if rest := amounts[SHOWN_MAX:]:
        shown.append(f"{len(rest)} more {_signed(sum(rest, ZERO))}")
    name = _NAMES[term].replace(" x ", TIMES).replace(" - ", f" {MINUS} ")
    return f"{name} = {', '.join(shown) or '0'} = {_signed(figure)} {currency}"


def _basis_note(last: _Moment, long: Worth, short: Worth) -> str:
    hedged = min(last.long, last.short)
    up_long = f"({_plain(long.value)} {MINUS} {_plain(last.long_mid.value)})"
    up_short = f"({_plain(short.value)} {MINUS} {_plain(last.short_mid.value)})"
    return f"{_plain(hedged)} hedged{TIMES}({up_long} {MINUS} {up_short})"


def _residual_note(last: _Moment, long: Worth, short: Worth) -> str:
    hedged, parts = min(last.long, last.short), []
    if last.long > hedged:
        move = f"({_plain(long.value)} {MINUS} {_plain(last.long_mid.value)})"
        parts.append(f"{_plain(last.long - hedged)} long alone{TIMES}{move}")
    if last.short > hedged:
        move = f"({_plain(last.short_mid.value)} {MINUS} {_plain(short.value)})"
        parts.append(f"{_plain(last.short - hedged)} short alone{TIMES}{move}")
    if long.fx != last.long_mid.fx or short.fx != last.short_mid.fx:
        parts.append("a perpetual's own currency")
    return "; ".join(parts)


def _with_earlier(
    rows: list[Row], figure: Decimal, gone: int, currency: str, now_ns: int = 0
) -> list[Row]:
    """In front, what is no longer in memory one by one, so that the rows sum to the figure."""
    if not gone:
        return rows
    left = figure - sum((row.amount for row in rows), ZERO)
    if not left:
        return rows
    at_ns = rows[0].ts_ns if rows else now_ns
    return [Row(at_ns, "earlier", "", left, currency, f"{gone:,} earlier entries"), *rows]


def _limit(gone: int) -> str:
    if not gone:
        return ""
    return (
        f"{gone:,} earlier entries are no longer in memory one by one; their sum stands in the "
        "first row. The journal has them: save the session log to see them."
    )


def _plain(value: Decimal) -> str:
    """An exact figure: thousands separated, no trailing zeros, the true minus."""
    text = f"{value:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "0") else text.replace("-", MINUS)


def _signed(value: Decimal) -> str:
    text = _plain(value)
    return f"+{text}" if value > 0 else text
