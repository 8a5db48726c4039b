"""What happened to each pair, kept at hand so that its figures can be explained row by row.

Open pairs are kept from their first fill, closed ones for a while; both are bounded. The journal
has everything.
"""

import decimal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from basisdesk.events import (
    MONEY,
    BorrowCharged,
    FundingSettled,
    Liquidated,
    MarginMoved,
    Outcome,
    PairAdded,
    PairOpened,
    PairReduced,
)
from basisdesk.ledger.attribution import ZERO, PairLots
from basisdesk.ledger.posting import Posting, Transaction
from basisdesk.ledger.rules import account

SECURITY = ("margin", "collateral")
CLOSED_STORIES = 50  # closed pairs whose rows stay in memory
STORY_MAX = 500  # entries of one pair kept one by one; beyond twice that the older half is summed


class Story:
    """What happened to one pair, in order. base: the pair as it stood before the first entry."""

    def __init__(self, opened: PairOpened, currency: str) -> None:
        self.currency = currency
        self.base = PairLots(opened, currency)
        self.dropped = 0
        self.pledged = dict.fromkeys(SECURITY, ZERO)  # what the dropped entries left there
        self.closed = False
        self._entries: deque[tuple[Outcome, tuple[Transaction, ...]]] = deque()

    def add(self, outcome: Outcome, txns: Sequence[Transaction]) -> None:
        """One more outcome of the pair, with its transactions."""
        self._entries.append((outcome, tuple(txns)))
        self.closed |= getattr(outcome, "closed", False)
        if len(self._entries) > 2 * STORY_MAX:
            for _ in range(STORY_MAX):
                self._drop(*self._entries.popleft())

    def _drop(self, outcome: Outcome, txns: tuple[Transaction, ...]) -> None:
        self.base.fold(outcome, txns)
        self.dropped += 1
        for name in SECURITY:
            moved = posted(txns, account(self.base.pair, name), self.currency)
            with decimal.localcontext(MONEY):
                self.pledged[name] += sum((posting.amount for _, posting in moved), ZERO)

    def entries(self) -> Iterator[tuple[Outcome, tuple[Transaction, ...]]]:
        """(outcome, transactions) of what is in memory one by one, oldest first."""
        return iter(self._entries)


class Stories:
    """Stories of open pairs and of the pairs closed last; filled by the fold, live and restored."""

    def __init__(self) -> None:
        self._of: dict[int, Story] = {}

    def fold(self, outcome: Outcome, txns: Sequence[Transaction], currency: str) -> None:
        """Take one outcome in."""
        if not isinstance(
            outcome,
            PairOpened
            | PairAdded
            | PairReduced
            | Liquidated
            | FundingSettled
            | BorrowCharged
            | MarginMoved,
        ):
            return
        story = self._of.get(outcome.pair)
        if story is None:
            if not isinstance(outcome, PairOpened):
                return
            story = self._of[outcome.pair] = Story(outcome, currency)
        story.add(outcome, txns)
        if story.closed:
            closed = [pair for pair, each in self._of.items() if each.closed]
            for pair in closed[:-CLOSED_STORIES]:
                del self._of[pair]

    def of(self, pair: int) -> Story | None:
        """The story of a pair; None where it is not in memory."""
        return self._of.get(pair)


def posted(
    txns: Iterable[Transaction], start: str, currency: str
) -> Iterator[tuple[Transaction, Posting]]:
    """The postings in this currency on accounts whose name starts so, with their transaction."""
    for txn in txns:
        for posting in txn.postings:
            if posting.account.startswith(start) and posting.currency == currency:
                yield txn, posting
