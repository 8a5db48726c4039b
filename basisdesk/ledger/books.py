"""The balances: what every posting so far adds up to, and what the account is worth.

Books is the one mutable owner of the ledger's state. It is filled live and from the journal by the
same call, `apply`. It decides nothing and knows no rule of booking (rules.py) and no file.
"""

import decimal
import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal

from basisdesk.errors import RuleError
from basisdesk.events import MONEY, Funds, Outcome, PairOpened, SessionStarted
from basisdesk.ledger.attribution import ZERO, Attribution, PairLots
from basisdesk.ledger.posting import Transaction, canonical
from basisdesk.ledger.valuation import Price

CASH = "assets:cash"
RECENT_MAX = 2_000  # transactions kept for the ledger panel


class Books:
    """Balances per account and currency, the pairs with their lots, and a running digest."""

    def __init__(self, currency: str = "USDT") -> None:
        self.currency = currency  # of the account; the first SessionStarted says
        self.sessions = 0
        self.posted = 0  # transactions
        self.recent: deque[tuple[int, Transaction]] = deque(maxlen=RECENT_MAX)
        self.pairs: dict[int, PairLots] = {}
        self.start = ZERO
        self._open: dict[int, PairLots] = {}
        self._balances: dict[tuple[str, str], Decimal] = {}
        self._assets = ZERO  # all assets in the account currency together
        self._hash = hashlib.sha256()

    def apply(self, outcome: Outcome, txns: Iterable[Transaction]) -> None:
        """Take in one outcome with the transactions made of it, as written to the journal."""
        if isinstance(outcome, SessionStarted):
            if not self.sessions:
                self.currency, self.start = outcome.currency, outcome.start
            self.sessions += 1
        txns = tuple(txns)
        for txn in txns:
            self.post(txn)
        number = getattr(outcome, "pair", None)
        if number is None:
            return
        if isinstance(outcome, PairOpened) and number not in self.pairs:
            self.pairs[number] = PairLots(outcome, self.currency)
        pair = self.pairs[number]
        pair.fold(outcome, txns)
        if pair.closed_ns is None:
            self._open[number] = pair
        else:
            self._open.pop(number, None)

    def post(self, txn: Transaction) -> None:
        """Add one transaction to the balances."""
        with decimal.localcontext(MONEY):
            for posting in txn.postings:
                key = (posting.account, posting.currency)
                self._balances[key] = self._balances.get(key, ZERO) + posting.amount
                if posting.currency == self.currency and posting.account.startswith("assets:"):
                    self._assets += posting.amount
        self.posted += 1
        self.recent.append((self.posted, txn))
        self._hash.update(canonical(txn).encode())

    def balance(self, account: str, currency: str | None = None) -> Decimal:
        """Balance of an account, debit positive; in the account currency unless told."""
        return self._balances.get((account, currency or self.currency), ZERO)

    def balances(self) -> dict[tuple[str, str], Decimal]:
        """(account, currency) -> balance of everything that is not zero, by name."""
        return {key: amount for key, amount in sorted(self._balances.items()) if amount}

    def funds(self, mids: Mapping[str, Price]) -> Funds:
        """Free cash and equity, account currency.

        mids: instrument key -> mid and cross rate. A leg without one is valued at the mid of its
        pair's last outcome. When nothing is open, equity is the sum of all money balances.
        """
        with decimal.localcontext(MONEY):
            equity = self._assets
            for pair in self._open.values():
                long, short = pair.legs["long"].key, pair.legs["short"].key
                equity += pair.value(mids.get(long, pair.long_mid), mids.get(short, pair.short_mid))
        return Funds(self.balance(CASH), equity)

    def attribution(
        self, pair: int, long_mid: Price | None = None, short_mid: Price | None = None
    ) -> Attribution:
        """The attribution of one pair; see PairLots.attribution, which also takes exit prices."""
        return self.lots(pair).attribution(long_mid, short_mid)

    def lots(self, pair: int) -> PairLots:
        """The lots of one pair. Raises RuleError for a number never opened."""
        if pair not in self.pairs:
            raise RuleError(f"pair {pair} was never opened")
        return self.pairs[pair]

    def digest(self) -> str:
        """SHA-256 over every transaction so far, in order; the same session gives the same one."""
        return self._hash.hexdigest()
