"""What an account that lacks cash pays with: the outcome says so before it is journaled.

A venue takes what free cash does not cover from isolated margin. Positions fold from outcomes and
know no balances, so an outcome has to carry what its pair's margin pays; else a position would
believe in margin that is gone, and its liquidation would stand too far away.
"""

import decimal
from decimal import ROUND_CEILING, Decimal

from msgspec import structs

from basisdesk.events import MONEY, BorrowCharged, FundingSettled, Outcome, PairReduced
from basisdesk.ledger.books import Books
from basisdesk.ledger.posting import Transaction
from basisdesk.ledger.rules import account, transactions

CENT = Decimal("1e-8")  # margins are moved in whole units of this, account currency
_WIDE = decimal.Context(prec=64)


def booked(outcome: Outcome, books: Books) -> tuple[Outcome, tuple[Transaction, ...]]:
    """The outcome as the books can pay for it, and its transactions; books is not changed.

    Of a close the released `margin` grows by what its loss lacks, of a payment `from_margin`: up
    to what the pair's margin holds. What is lacking even then is the venue's, as in a bankruptcy.
    Raises RuleError as `transactions` does.
    """
    txns = transactions(outcome, books)
    if not txns or not txns[-1].cause.endswith(":shortfall"):
        return outcome, txns
    if isinstance(outcome, PairReduced):
        there = _margin_after(outcome.pair, txns, books) + _lent(outcome.pair, txns)
        lent = min(_rounded_up(_lent(outcome.pair, txns)), there)
        outcome = structs.replace(outcome, margin=_sum(outcome.margin, lent))
    elif isinstance(outcome, FundingSettled | BorrowCharged):
        cost = outcome.amount if isinstance(outcome, BorrowCharged) else -outcome.amount
        lent = _sum(outcome.from_margin, _rounded_up(_lent(outcome.pair, txns)))
        lent = min(lent, cost, books.balance(account(outcome.pair, "margin")))
        outcome = structs.replace(outcome, from_margin=lent)
    return outcome, transactions(outcome, books)


def _lent(pair: int, txns: tuple[Transaction, ...]) -> Decimal:
    """What the shortfall at the end takes from the pair's margin."""
    name = account(pair, "margin")
    with decimal.localcontext(MONEY):
        return -sum((each.amount for each in txns[-1].postings if each.account == name), Decimal(0))


def _margin_after(pair: int, txns: tuple[Transaction, ...], books: Books) -> Decimal:
    name = account(pair, "margin")
    rows = (each.amount for txn in txns for each in txn.postings if each.account == name)
    with decimal.localcontext(MONEY):
        return sum(rows, books.balance(name))


def _sum(one: Decimal, other: Decimal) -> Decimal:
    with decimal.localcontext(MONEY):
        return one + other


def _rounded_up(amount: Decimal) -> Decimal:
    with decimal.localcontext(_WIDE):
        return amount.quantize(CENT, ROUND_CEILING)
