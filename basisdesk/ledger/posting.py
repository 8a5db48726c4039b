"""Posting, Transaction, residual: what cannot exist unbalanced.

Amounts are debits when positive, credits when negative, so assets and expenses grow upwards and
income, liabilities and equity grow downwards. Nothing here knows an account by name.
"""

import decimal
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from basisdesk.errors import RuleError, Unbalanced
from basisdesk.events import MONEY


class Posting(msgspec.Struct, frozen=True, gc=False):
    """One amount moved on one account, in one currency. Never a float, never NaN."""

    account: str
    currency: str
    amount: Decimal

    def __post_init__(self) -> None:
        """Refuse what is not money."""
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise RuleError(f"{self.account}: {self.amount!r} is not an amount of money")


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """Why money moved and how. One that does not balance cannot be constructed.

    cause: "pair:3:open:long:1", "pair:3:funding:1735718400000"; the same session gives the same
    causes.
    """

    ts_ns: int
    cause: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        """Refuse what does not sum to zero in every currency."""
        if left := residual(self.postings):
            raise Unbalanced(f"{self.cause}: {left}")


def residual(postings: Iterable[Posting]) -> dict[str, Decimal]:
    """What is left over per currency; empty when balanced. Exact: no tolerance, no rounding."""
    sums: dict[str, Decimal] = {}
    with decimal.localcontext(MONEY):
        for posting in postings:
            sums[posting.currency] = sums.get(posting.currency, Decimal(0)) + posting.amount
    return {currency: left for currency, left in sums.items() if left}


def money_text(amount: Decimal) -> str:
    """One text for one value: 1.0, 1.00 and 1E+0 are all "1"; exact, no exponent, no "-0"."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def canonical(txn: Transaction) -> str:
    """The text a digest is taken over: the transaction line, then one line a posting, in order."""
    lines = [f"{txn.ts_ns} {txn.cause}"]
    lines += [f"\t{p.account} {p.currency} {money_text(p.amount)}" for p in txn.postings]
    return "\n".join(lines) + "\n"
