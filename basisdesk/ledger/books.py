"""The balances: what every posting so far adds up to, and what the account is worth.

Books is the one mutable owner of the ledger's state. It is filled live and from the journal by the
same call, `apply`. It decides nothing and knows no rule of booking (rules.py) and no file.
"""

import decimal
import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType

from basisdesk.errors import RuleError
from basisdesk.events import (
    MONEY,
    Funds,
    LegRejected,
    Ordered,
    OrderEnded,
    Outcome,
    PairOpened,
    Result,
    SessionStarted,
)
from basisdesk.ledger.attribution import ZERO, Attribution, PairLots
from basisdesk.ledger.posting import Transaction, canonical
from basisdesk.ledger.valuation import Price

CASH = "assets:cash"
RECENT_MAX = 2_000  # transactions kept for the ledger panel
RESULTS_MAX = 200  # closed pairs whose results are kept at hand


class Books:
    """Balances per account and currency, the pairs with their lots, and a running digest.

    ordered: pairs whose order works and has filled nothing yet. results: what the pairs closed last
    earned, oldest close first; a settlement heard of later is counted in.
    """

    def __init__(self, currency: str = "USDT") -> None:
        self.currency = currency  # of the account; the first SessionStarted says
        self.sessions = 0
        self.posted = 0  # transactions
        self.recent: deque[tuple[int, Transaction]] = deque(maxlen=RECENT_MAX)
        self.pairs: dict[int, PairLots] = {}
        self.ordered: set[int] = set()
        self.results: deque[Result] = deque(maxlen=RESULTS_MAX)
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
        if number is not None and not self._of_an_order(outcome, number):
            self._fold(outcome, txns, number)

    def _of_an_order(self, outcome: Outcome, pair: int) -> bool:
        """Keep track of orders; whether the outcome is of one and holds nothing."""
        match outcome:
            case Ordered():
                if pair not in self.pairs:
                    self.ordered.add(pair)
                return True
            case OrderEnded():
                self.ordered.discard(pair)
                return True
            case LegRejected():
                return True
            case PairOpened():
                self.ordered.discard(pair)
        return pair in self.ordered

    def _fold(self, outcome: Outcome, txns: Iterable[Transaction], number: int) -> None:
        if isinstance(outcome, PairOpened) and number not in self.pairs:
            self.pairs[number] = PairLots(outcome, self.currency)
        pair = self.pairs[number]
        pair.fold(outcome, txns)
        if pair.closed_ns is None:
            self._open[number] = pair
        elif self._open.pop(number, None) is not None:
            self.results.append(Result(number, pair.closed_ns, pair.earned))
        else:
            self._correct(pair)

    def _correct(self, pair: PairLots) -> None:
        """A closed pair earned something later: its result says so, where it is still kept."""
        for place in range(len(self.results) - 1, -1, -1):
            one = self.results[place]
            if one.pair == pair.pair:
                self.results[place] = Result(one.pair, one.closed_ns, pair.earned)
                return

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
        """Free cash, equity, account currency, and the results of the pairs closed last.

        mids: instrument key -> mid and cross rate. A leg without one is valued at the mid of its
        pair's last outcome. When nothing is open, equity is the sum of all money balances.
        """
        with decimal.localcontext(MONEY):
            equity = self._assets
            for pair in self._open.values():
                long, short = pair.legs["long"].key, pair.legs["short"].key
                equity += pair.value(mids.get(long, pair.long_mid), mids.get(short, pair.short_mid))
        return Funds(self.balance(CASH), equity, tuple(self.results), start=self.start)

    @property
    def open_pairs(self) -> Mapping[int, PairLots]:
        """The pairs that hold something, by number."""
        return MappingProxyType(self._open)

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
