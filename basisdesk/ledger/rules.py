"""The rules of booking: one outcome of the desk -> the transactions it means.

Chart of accounts. N is the pair's number, COIN the base coin of a spot leg, MONEY the account
currency. Debits are positive: assets and expenses grow upwards, the rest downwards.

    assets:cash                  MONEY  free to spend
    assets:pair:N:spot           COIN   coins owned by the long spot leg
    assets:pair:N:margin         MONEY  isolated margin of the pair's perpetuals
    assets:pair:N:collateral     MONEY  locked proceeds of borrowed coins, and cash put beside them
    liabilities:pair:N:borrow    COIN   coins owed by the short spot leg
    income:funding               MONEY  funding received (a debit: paid)
    income:perp                  MONEY  realised profit of perpetuals, FIFO at fill prices
    expenses:fees                any    trading fees: in MONEY, or in the COIN they were taken in
    expenses:dust                COIN   coins below the lot, written off with their fill
    expenses:borrow              MONEY  interest on borrowed coins
    expenses:liquidation_fee     MONEY  the fees of forced fills
    equity:opening               MONEY  the first session's deposit
    equity:conversion            any    where money becomes coins and back; its two sides, valued,
                                        are the profit of spot trading
    equity:venue_loss            MONEY  a loss beyond the margin, which the venue absorbs

How things are booked:
* Spot bought to own: what arrives is qty - fee in coins - dust, paid from cash.
* Spot sold short: the coins sold become a debt, the proceeds are locked as collateral. The buy-back
  repays the debt with what arrives; the locked proceeds of the coins repaid (FIFO) pay for it, and
  what they leave goes to cash, or cash adds what they lack.
* Perpetuals move no coins. A reduction realises FIFO profit to cash; `margin` returns beside it.
* The account holds MONEY only. A leg quoted in another currency is paid, and pays, at its fill's
  `fx`: a spot leg its whole price, a perpetual its profit, both their fees. Its margin is MONEY.
* A liquidation costs its leg's own margin (`Liquidated.margin`); the other perpetual's stays.
* A closed pair leaves nothing on its accounts. Everything still there goes to cash.
* Cash cannot go below zero. An entry that would do so breaks a rule. A cost that cannot be refused
  (funding, interest, a losing exit) takes what is missing from the pair's margin, then from the
  venue, as in a bankruptcy. covering.py has such an outcome say so itself. A forced close takes
  nothing from the margin of the other perpetual.

Every answer is proved before it is given: booked on copies, cash is not negative, the attribution
meets the postings, and a closed pair is empty.
"""

import decimal
from collections.abc import Iterable
from decimal import Decimal

from basisdesk.errors import RuleError
from basisdesk.events import (
    MONEY,
    BorrowCharged,
    Fill,
    FundingSettled,
    LegRejected,
    Liquidated,
    MarginMoved,
    Ordered,
    OrderEnded,
    Outcome,
    PairAdded,
    PairOpened,
    PairReduced,
    PlanChanged,
    SessionStarted,
)
from basisdesk.ledger.attribution import VENUE_LOSS, ZERO, LegLots, PairLots
from basisdesk.ledger.books import CASH, Books
from basisdesk.ledger.posting import Posting, Transaction
from basisdesk.ledger.valuation import Worth

OPENING = "equity:opening"
CONVERSION = "equity:conversion"
FUNDING = "income:funding"
PERP = "income:perp"
FEES = "expenses:fees"
DUST = "expenses:dust"
BORROW = "expenses:borrow"
LIQUIDATION_FEE = "expenses:liquidation_fee"

# A settlement before the exit may be heard of after it.
_AFTER_CLOSE = (FundingSettled, BorrowCharged, PlanChanged)
# Nothing is held by an order, and a refusal books nothing.
_NO_MONEY = (Ordered, OrderEnded, LegRejected)


def transactions(outcome: Outcome, books: Books) -> tuple[Transaction, ...]:
    """The balanced transactions of one outcome, in order; books is read, not changed.

    A leg may stand alone: its fills are booked like any others. Raises RuleError when the outcome
    contradicts the books: an unknown pair, more closed than held, an entry beyond cash, a closed
    pair that is not empty, margin that secures nothing.
    """
    with decimal.localcontext(MONEY):
        if isinstance(outcome, SessionStarted):
            return _opening(outcome, books)
        number = getattr(outcome, "pair", None)
        if number is None or isinstance(outcome, _NO_MONEY) or _plan_of_an_order(outcome, books):
            return ()
        pair = _trial(outcome, books)
        txns = _booked(outcome, pair, books)
        txns += _shortfall(outcome, txns, books)
        _prove(outcome, txns, pair, books)
        return txns


def account(pair: int, name: str) -> str:
    """The full name of a pair's account: "margin", "collateral", "spot" or "borrow"."""
    side = "liabilities" if name == "borrow" else "assets"
    return f"{side}:pair:{pair}:{name}"


def _plan_of_an_order(outcome: Outcome, books: Books) -> bool:
    return isinstance(outcome, PlanChanged) and outcome.pair in books.ordered


class _Draft:
    """Postings being gathered: one line an account and currency, in order of first mention."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Decimal] = {}

    def add(self, account: str, currency: str, amount: Decimal) -> None:
        """Debit (positive) or credit (negative) an account."""
        key = (account, currency)
        self._lines[key] = self._lines.get(key, ZERO) + amount

    def move(self, source: str, target: str, currency: str, amount: Decimal) -> None:
        """Credit the source, debit the target."""
        self.add(source, currency, -amount)
        self.add(target, currency, amount)

    def done(self, ts_ns: int, cause: str) -> tuple[Transaction, ...]:
        """The transaction, or none where nothing moved."""
        postings = tuple(Posting(*key, amount) for key, amount in self._lines.items() if amount)
        return (Transaction(ts_ns, cause, postings),) if postings else ()


def _opening(outcome: SessionStarted, books: Books) -> tuple[Transaction, ...]:
    if books.sessions:
        return ()
    if outcome.start < 0:
        raise RuleError(f"a desk cannot start with {outcome.start} {outcome.currency}")
    draft = _Draft()
    draft.move(OPENING, CASH, outcome.currency, outcome.start)
    return draft.done(outcome.ts_ns, "opening")


def _trial(outcome: Outcome, books: Books) -> PairLots:
    """A copy of the outcome's pair as it stands before, made anew for an opening."""
    number = getattr(outcome, "pair", 0)
    if number in books.pairs:
        pair = books.pairs[number].copy()
        if pair.closed_ns is not None and not isinstance(outcome, _AFTER_CLOSE):
            raise RuleError(f"pair {number} is closed: nothing more can happen to it")
        if isinstance(outcome, PairOpened):
            raise RuleError(f"pair {number} was opened before")
        return pair
    if not isinstance(outcome, PairOpened):
        raise RuleError(f"pair {number} was never opened")
    return PairLots(outcome, books.currency)


def _booked(outcome: Outcome, pair: PairLots, books: Books) -> tuple[Transaction, ...]:
    match outcome:
        case PairOpened() | PairAdded():
            return _entered(outcome, pair, books)
        case PairReduced():
            return _reduced(outcome, pair, books)
        case Liquidated():
            if outcome.cause == "adl":
                return _deleveraged(outcome, pair, books)
            return _liquidated(outcome, pair, books)
        case FundingSettled():
            draft = _Draft()
            draft.move(FUNDING, CASH, books.currency, outcome.amount)
            return _paid(outcome, draft, f"funding:{outcome.settle_ms}", books)
        case BorrowCharged():
            draft = _Draft()
            draft.move(CASH, BORROW, books.currency, outcome.amount)
            return _paid(outcome, draft, "borrow", books)
        case MarginMoved():
            return _margin_moved(outcome, books)
        case _:
            return ()


def _paid(
    outcome: FundingSettled | BorrowCharged, draft: _Draft, what: str, books: Books
) -> tuple[Transaction, ...]:
    """A payment from or into cash; of one that cash does not cover, a part comes from margin."""
    cost = outcome.amount if isinstance(outcome, BorrowCharged) else -outcome.amount
    margin = account(outcome.pair, "margin")
    lent, there = outcome.from_margin, books.balance(margin)
    if lent and not 0 < lent <= min(cost, there):
        raise RuleError(
            f"pair {outcome.pair}: {lent} from a margin of {there} cannot pay for {cost}"
        )
    draft.move(margin, CASH, books.currency, lent)
    return draft.done(outcome.ts_ns, f"pair:{outcome.pair}:{what}")


def _margin_moved(outcome: MarginMoved, books: Books) -> tuple[Transaction, ...]:
    margin, amount = account(outcome.pair, "margin"), outcome.amount
    there = books.balance(margin)
    if not amount or -amount > there:
        raise RuleError(f"pair {outcome.pair}: {amount} is no margin to move, {there} is there")
    draft = _Draft()
    draft.move(CASH, margin, books.currency, amount)
    return draft.done(outcome.ts_ns, f"pair:{outcome.pair}:margin")


def _entered(
    outcome: PairOpened | PairAdded, pair: PairLots, books: Books
) -> tuple[Transaction, ...]:
    """Entry fills of both legs or of one, and what secures them."""
    if min(outcome.margin, outcome.collateral) < 0:
        raise RuleError(f"pair {outcome.pair}: margin and collateral cannot be negative")
    verb = "open" if isinstance(outcome, PairOpened) else "add"
    txns = _fills(outcome, verb, _legs(pair), books.currency)
    draft = _Draft()
    draft.move(CASH, account(outcome.pair, "margin"), books.currency, outcome.margin)
    draft.move(CASH, account(outcome.pair, "collateral"), books.currency, outcome.collateral)
    return txns + draft.done(outcome.ts_ns, f"pair:{outcome.pair}:secure")


def _reduced(outcome: PairReduced, pair: PairLots, books: Books) -> tuple[Transaction, ...]:
    legs = _legs(pair)
    txns = _fills(outcome, "close", legs, books.currency)
    draft = _Draft()
    for name, asked in (("margin", outcome.margin), ("collateral", outcome.collateral)):
        source = account(outcome.pair, name)
        there = _after(source, txns, books)
        if name == "collateral" and not outcome.closed:
            there -= _locked(legs["short"])
        released = there if outcome.closed else max(ZERO, min(asked, there))
        draft.move(source, CASH, books.currency, released)
    return txns + draft.done(outcome.ts_ns, f"pair:{outcome.pair}:release")


def _locked(short: LegLots) -> Decimal:
    """Proceeds of the coins still owed: locked until they are repaid."""
    return short.entry_value if short.spot else ZERO


def _liquidated(outcome: Liquidated, pair: PairLots, books: Books) -> tuple[Transaction, ...]:
    """The margin takes loss and fee; what is left returns to cash, what is missing is the venue's.

    The leg dies whole. The margin of another perpetual is not touched, and returns once nothing of
    the pair is left.
    """
    margin = account(outcome.pair, "margin")
    draft = _Draft()
    left = there = books.balance(margin)
    if outcome.margin is not None:
        left = max(ZERO, min(outcome.margin, there))
    others = ZERO if not outcome.closed else there - left
    legs = _legs(pair)
    for fill in outcome.fills:
        profit, fee = _forced(fill, outcome, legs), fill.fee * fill.fx
        draft.move(PERP, margin, books.currency, profit)
        draft.move(margin, LIQUIDATION_FEE, books.currency, fee)
        left += profit - fee
    if any(leg.qty for leg in legs.values() if leg.key == outcome.instrument):
        raise RuleError(f"pair {outcome.pair}: a part of {outcome.instrument} would survive")
    draft.move(margin, CASH, books.currency, others)
    if left < 0:
        draft.move(VENUE_LOSS, margin, books.currency, -left)
    else:
        draft.move(margin, CASH, books.currency, left)
    return draft.done(outcome.ts_ns, f"pair:{outcome.pair}:liquidation")


def _deleveraged(outcome: Liquidated, pair: PairLots, books: Books) -> tuple[Transaction, ...]:
    """The venue closed a winning leg (ADL): no fee, the margin returns with the profit."""
    margin, legs = account(outcome.pair, "margin"), _legs(pair)
    there = books.balance(margin)
    back = there if outcome.margin is None or outcome.closed else min(outcome.margin, there)
    draft = _Draft()
    for fill in outcome.fills:
        if fill.fee or fill.dust:
            raise RuleError(f"pair {outcome.pair}: a leg is deleveraged without a fee")
        draft.move(PERP, CASH, books.currency, _forced(fill, outcome, legs))
    draft.move(margin, CASH, books.currency, back)
    return draft.done(outcome.ts_ns, f"pair:{outcome.pair}:adl")


def _forced(fill: Fill, outcome: Liquidated, legs: dict[str, LegLots]) -> Decimal:
    """The profit of one forced fill; `legs` move on."""
    leg = _checked_leg(fill, legs)
    if leg.spot or leg.opens(fill) or leg.key != outcome.instrument:
        raise RuleError(f"pair {outcome.pair}: {fill.instrument} cannot be liquidated so")
    _, profit = leg.take(fill.qty, Worth(fill.price, fill.fx))
    return profit


def _fills(
    outcome: PairOpened | PairAdded | PairReduced,
    verb: str,
    legs: dict[str, LegLots],
    currency: str,
) -> tuple[Transaction, ...]:
    """One transaction a fill; `legs` move on with them."""
    if not outcome.fills:
        raise RuleError(f"pair {outcome.pair}: nothing was filled to {verb}")
    txns: tuple[Transaction, ...] = ()
    for number, fill in enumerate(outcome.fills, 1):
        leg = _checked_leg(fill, legs)
        if leg.opens(fill) == isinstance(outcome, PairReduced):
            raise RuleError(f"pair {outcome.pair}: a {fill.side} of the {fill.leg} leg to {verb}")
        draft = _Draft()
        if not leg.spot:
            _perp_fill(draft, fill, leg, currency)
        elif leg.sign > 0:
            _owned_fill(draft, fill, leg, account(outcome.pair, "spot"), currency)
        else:
            _borrowed_fill(draft, fill, leg, outcome.pair, currency)
        _costs(draft, fill, leg, currency)
        cause = f"pair:{outcome.pair}:{verb}:{fill.leg}:{number}"
        txns += draft.done(fill.ts_ns, cause)
    return txns


def _legs(pair: PairLots) -> dict[str, LegLots]:
    return {name: leg.copy() for name, leg in pair.legs.items()}


def _checked_leg(fill: Fill, legs: dict[str, LegLots]) -> LegLots:
    """The leg of a fill, once the fill makes sense for it."""
    leg = legs.get(fill.leg)
    if leg is None or leg.key != fill.instrument or fill.side not in ("buy", "sell"):
        raise RuleError(f"a {fill.side} of {fill.instrument} is no fill of leg {fill.leg!r}")
    if fill.qty <= 0 or fill.price <= 0 or fill.dust < 0 or fill.fx <= 0:
        raise RuleError(f"{leg.key}: {fill.qty} at {fill.price} is no fill")
    coins = fill.fee_currency != leg.quote
    if coins and (not leg.spot or fill.side == "sell" or fill.fee_currency != leg.coin):
        raise RuleError(f"{leg.key}: a {fill.side} cannot pay its fee in {fill.fee_currency}")
    if fill.dust and (not leg.spot or (leg.sign < 0 and leg.opens(fill))):
        raise RuleError(f"{leg.key}: only coins that are owned or bought back leave dust")
    return leg


def _perp_fill(draft: _Draft, fill: Fill, leg: LegLots, currency: str) -> None:
    """A perpetual moves no coins: only its realised profit is money."""
    if leg.opens(fill):
        leg.add(fill.qty, Worth(fill.price, fill.fx))
    else:
        _, profit = leg.take(fill.qty, Worth(fill.price, fill.fx))
        draft.move(PERP, CASH, currency, profit)


def _owned_fill(draft: _Draft, fill: Fill, leg: LegLots, coins: str, currency: str) -> None:
    """Coins bought to own, or sold again, against cash."""
    price = Worth(fill.price, fill.fx)
    qty, cost = leg.moved(fill), fill.qty * price.value
    if leg.opens(fill):
        leg.add(qty, price)
        draft.move(CASH, CONVERSION, currency, cost)
        draft.move(CONVERSION, coins, leg.coin, qty)
    else:
        leg.take(qty, price)
        draft.move(CONVERSION, CASH, currency, cost)
        draft.move(coins, CONVERSION, leg.coin, qty)


def _borrowed_fill(draft: _Draft, fill: Fill, leg: LegLots, pair: int, currency: str) -> None:
    """Borrowed coins sold against collateral, or bought back out of it and repaid."""
    price = Worth(fill.price, fill.fx)
    qty, cost = leg.moved(fill), fill.qty * price.value
    owed, locked = account(pair, "borrow"), account(pair, "collateral")
    if leg.opens(fill):
        leg.add(qty, price)
        draft.move(owed, CONVERSION, leg.coin, qty)
        draft.move(CONVERSION, locked, currency, cost)
    else:
        proceeds, _ = leg.take(qty, price)
        draft.move(locked, CONVERSION, currency, cost)
        draft.move(CONVERSION, owed, leg.coin, qty)
        draft.move(locked, CASH, currency, proceeds - cost)


def _costs(draft: _Draft, fill: Fill, leg: LegLots, currency: str) -> None:
    """The fee, in money from cash or in coins out of what was bought; and the dust."""
    if fill.fee_currency == leg.quote:
        draft.move(CASH, FEES, currency, fill.fee * fill.fx)
    else:
        draft.move(CONVERSION, FEES, leg.coin, fill.fee)
    if fill.dust:
        draft.move(CONVERSION, DUST, leg.coin, fill.dust)


def _after(name: str, txns: Iterable[Transaction], books: Books) -> Decimal:
    """Balance of a money account once these transactions are posted."""
    moved = (
        posting.amount
        for txn in txns
        for posting in txn.postings
        if posting.account == name and posting.currency == books.currency
    )
    return sum(moved, books.balance(name))


def _shortfall(
    outcome: Outcome, txns: tuple[Transaction, ...], books: Books
) -> tuple[Transaction, ...]:
    """What covers a cash balance below zero, or a broken rule where it could have been refused."""
    missing = -_after(CASH, txns, books)
    if missing <= 0:
        return ()
    number = getattr(outcome, "pair", 0)
    if isinstance(outcome, PairOpened | PairAdded | MarginMoved):
        raise RuleError(f"pair {number}: cash would fall {missing} {books.currency} below zero")
    margin = account(number, "margin")
    there = ZERO if isinstance(outcome, Liquidated) else _after(margin, txns, books)
    from_margin = max(ZERO, min(missing, there))
    draft = _Draft()
    draft.move(margin, CASH, books.currency, from_margin)
    draft.move(VENUE_LOSS, CASH, books.currency, missing - from_margin)
    return draft.done(outcome.ts_ns, f"pair:{number}:shortfall")


def _prove(outcome: Outcome, txns: tuple[Transaction, ...], pair: PairLots, books: Books) -> None:
    """Book on the copy and look: the terms meet the truth, closed means empty, nothing idles.

    What is told and what is posted must agree for each leg and for what secures it; margin
    stands for a perpetual and collateral for borrowed coins, or is back in cash.
    """
    if not isinstance(outcome, PlanChanged):
        pair.fold(outcome, txns)
    pair.attribution()  # raises where the terms miss the postings
    if pair.empty != (pair.closed_ns is not None):
        raise RuleError(f"pair {pair.pair}: closed and empty must come together")
    if said := pair.contradictions():
        raise RuleError(f"pair {pair.pair}: {said[0]}")
    perps = any(leg.qty for leg in pair.legs.values() if not leg.spot)
    owed = any(leg.qty for leg in pair.legs.values() if leg.spot and leg.sign < 0)
    for name, needed in (("margin", perps), ("collateral", owed)):
        if not needed and (left := _after(account(pair.pair, name), txns, books)):
            raise RuleError(f"pair {pair.pair}: {left} {books.currency} of {name} secure nothing")
