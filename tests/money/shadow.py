"""A second bookkeeper: folds the journal by arithmetic of its own and compares with the desk.

It knows fills, payments and postings, and nothing of the desk's folds, lots or attribution.
"""

from collections import defaultdict
from decimal import Decimal

from basisdesk.events import (
    BorrowCharged,
    FundingSettled,
    Liquidated,
    PairOpened,
    SessionStarted,
    Traded,
)

ZERO = Decimal(0)
MONEY_ACCOUNTS = ("assets:", "liabilities:", "income:", "expenses:", "equity:")
AFTER = {
    "working": {"working", "open", "unhedged", "naked", "closed"},
    "open": {"open", "unhedged", "naked", "closed"},
    "unhedged": {"open", "unhedged", "naked", "closed"},
    "naked": {"naked", "closed"},
    "closed": {"closed"},
}


class PairShadow:
    """One pair: what its fills moved. held: signed base by leg; flow: money by trades and costs."""

    def __init__(self):
        self.held = {"long": ZERO, "short": ZERO}
        self.flow = ZERO
        self.absorbed = ZERO  # by the venue, of a loss beyond the margin
        self.paid = set()

    def fill(self, fill):
        """Fold one fill: coins on one side, money on the other, the fee where it was taken."""
        coins = fill.fee if fill.fee_currency != "USDT" else ZERO
        money = fill.fee if fill.fee_currency == "USDT" else ZERO
        sign = 1 if fill.side == "buy" else -1
        self.held[fill.leg] += sign * fill.qty - coins - fill.dust
        self.flow -= sign * fill.qty * fill.price + money


class Shadow:
    """All pairs and all accounts, from the journal's entries; each entry is read once."""

    def __init__(self, start):
        self.start = start
        self.pairs = {}
        self.accounts = defaultdict(lambda: ZERO)
        self.states = {}
        self.totals = {}  # of closed pairs
        self.seen = 0
        self.counts = defaultdict(int)

    def take(self, entries):
        """Fold the entries that are new. The caller's context has digits enough."""
        for _, outcome, txns in entries[self.seen :]:
            self.counts[type(outcome).__name__] += 1
            self._outcome(outcome)
            for txn in txns:
                self._transaction(txn)
        self.seen = len(entries)

    def _outcome(self, outcome):
        if isinstance(outcome, SessionStarted):
            return
        pair = self.pairs.setdefault(getattr(outcome, "pair", None), PairShadow())
        self.totals.pop(getattr(outcome, "pair", None), None)
        if isinstance(outcome, Traded):
            assert outcome.fills, "an outcome of trading without a fill"
            for fill in outcome.fills:
                assert fill.qty > 0
                assert fill.price > 0
                assert fill.grade in "ABCD"
                assert fill.grade_reason
                pair.fill(fill)
        if isinstance(outcome, PairOpened):
            plan = outcome.plan
            assert plan.stop_bp is not None
            assert plan.target_bp is not None or plan.net_target is not None
            assert 1 <= outcome.leverage <= 5
        if isinstance(outcome, FundingSettled):
            key = outcome.instrument, outcome.settle_ms
            assert key not in pair.paid, "a settlement was paid twice"
            pair.paid.add(key)
            pair.flow += outcome.amount
        if isinstance(outcome, BorrowCharged):
            pair.flow -= outcome.amount
        if isinstance(outcome, Liquidated):
            self.counts[outcome.cause] += 1

    def _transaction(self, txn):
        sums = defaultdict(lambda: ZERO)
        for line in txn.postings:
            assert line.account.startswith(MONEY_ACCOUNTS), line.account
            sums[line.currency] += line.amount
            self.accounts[line.account, line.currency] += line.amount
            if line.account == "equity:venue_loss":
                self.pairs[int(txn.cause.split(":")[1])].absorbed -= line.amount
        assert not any(sums.values()), txn.cause

    # --- the comparison --------------------------------------------------------------------------

    def meets(self, engine):
        """Assert everything that must hold between this bookkeeping and the desk's."""
        assert self.accounts["equity:opening", "USDT"] == -self.start
        assert self.accounts["assets:cash", "USDT"] >= 0
        assert self.accounts["assets:cash", "USDT"] == engine.books.balance("assets:cash")
        earned = sum(self.totals.values(), ZERO)
        for number, position in engine.desk.pairs.items():
            self._meets_pair(number, position, engine)
            if number not in self.pairs or number not in engine.books.pairs:
                continue  # an order works, nothing is filled
            if position.state != "closed":
                earned += self._truth(engine, number)
            elif number not in self.totals:
                self.totals[number] = self._closed(engine, number)
                earned += self.totals[number]
        assert engine.funds().equity == self.start + earned

    def _meets_pair(self, number, position, engine):
        old = self.states.get(number, "working")
        assert position.state in AFTER[old], f"pair {number}: {old} to {position.state}"
        self.states[number] = position.state
        held = self.pairs[number].held if number in self.pairs else {"long": ZERO, "short": ZERO}
        assert (position.long.qty, position.short.qty) == (held["long"], held["short"])
        assert held["long"] >= 0 >= held["short"]
        margin = self.accounts[f"assets:pair:{number}:margin", "USDT"]
        assert margin == position.margin >= 0
        assert self.accounts[f"assets:pair:{number}:collateral", "USDT"] >= 0
        for leg, account in ((position.long, "assets:pair:{}:spot"),
                             (position.short, "liabilities:pair:{}:borrow")):  # fmt: skip
            coins = self.accounts[account.format(number), "ADA"]
            assert coins == (leg.qty if leg.market == "spot" else 0)
        if position.state == "closed":
            assert position.long.qty == position.short.qty == margin == 0
        if position.state == "open":
            assert position.hedged

    def _truth(self, engine, number):
        a = engine.attribution(number)
        terms = a.basis + a.funding + a.fees + a.slippage + a.borrow + a.residual
        assert terms == a.total == a.truth
        return a.total

    def _closed(self, engine, number):
        """A closed pair's result is what its fills and payments moved, and nothing else."""
        total, pair = self._truth(engine, number), self.pairs[number]
        assert total == pair.flow + pair.absorbed, f"pair {number}"
        return total
