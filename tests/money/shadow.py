"""A second bookkeeper: folds the journal by arithmetic of its own and compares with the desk.

It knows fills, payments and postings, and nothing of the desk's folds, lots or attribution.
"""

from collections import Counter, defaultdict, deque
from decimal import Decimal

from basisdesk.events import (
    BorrowCharged,
    FundingSettled,
    Liquidated,
    PairOpened,
    PairReduced,
    SessionStarted,
    Traded,
)

ZERO, CENT = Decimal(0), Decimal("1e-8")
MONEY_ACCOUNTS = ("assets:", "liabilities:", "income:", "expenses:", "equity:")
AFTER = {
    "working": {"working", "open", "unhedged", "naked", "closed"},
    "open": {"open", "unhedged", "naked", "closed"},
    "unhedged": {"open", "unhedged", "naked", "closed"},
    "naked": {"naked", "closed"},
    "closed": {"closed"},
}


class PairShadow:
    """One pair: what its fills moved. held: signed base by leg; flow: USDT by trades and costs."""

    def __init__(self):
        self.held = {"long": ZERO, "short": ZERO}
        self.flow = ZERO
        self.absorbed = ZERO  # by the venue, of a loss beyond the margin
        self.paid = {}  # (instrument, stamp) -> time of payment and size paid for
        self._lots = {"long": deque(), "short": deque()}  # of perpetuals: (base, price)

    def fill(self, fill):
        """Fold one fill: coins on one side, money on the other, the fee where it was taken."""
        in_coins = fill.fee_currency == "ADA"
        sign = 1 if fill.side == "buy" else -1
        self.held[fill.leg] += sign * fill.qty - (fill.fee if in_coins else ZERO) - fill.dust
        if not in_coins:
            self.flow -= fill.fee * fill.fx
        if ":spot:" in fill.instrument:
            self.flow -= sign * fill.qty * fill.price * fill.fx
        elif (fill.side == "buy") == (fill.leg == "long"):
            self._lots[fill.leg].append((fill.qty, fill.price))
        else:
            self.flow += self._profit(fill, -sign) * fill.fx

    def _profit(self, fill, sign):
        """Of a perpetual that gets smaller: oldest lots first, in its own currency."""
        lots, left, profit = self._lots[fill.leg], fill.qty, ZERO
        while left:
            qty, price = lots.popleft()
            part = min(qty, left)
            profit += sign * part * (fill.price - price)
            left -= part
            if part < qty:
                lots.appendleft((qty - part, price))
        return profit


class Shadow:
    """All pairs and all accounts, from the journal's entries; each entry is read once.

    totals: of the pairs that are closed and were found right since their last outcome.
    """

    def __init__(self, start):
        self.start = start
        self.pairs = {}
        self.accounts = defaultdict(lambda: ZERO)
        self.states = {}
        self.totals = {}
        self.earned = ZERO  # all of `totals`
        self.unsure = set()  # closed pairs that are looked at again
        self.seen = 0
        self.counts = Counter()

    def take(self, entries):
        """Fold the entries that are new. The caller's context has digits enough."""
        for _, outcome, txns in entries[self.seen :]:
            self.counts[type(outcome).__name__] += 1
            self._outcome(outcome)
            for txn in txns:
                self._transaction(txn)
            if isinstance(outcome, PairReduced) and self.accounts["assets:cash", "USDT"] < CENT:
                self.counts["close beyond cash"] += 1
        self.seen = len(entries)

    def look_again(self):
        """Compare closed pairs too at the next look, as after a restart."""
        self.unsure = set(self.totals)

    def _outcome(self, outcome):
        number = getattr(outcome, "pair", None)
        if isinstance(outcome, SessionStarted) or number is None:
            return
        pair = self.pairs.setdefault(number, PairShadow())
        self.earned -= self.totals.pop(number, ZERO)
        if isinstance(outcome, Traded):
            self._traded(outcome, pair)
        if isinstance(outcome, FundingSettled):
            self._once(outcome, pair)
            pair.flow += outcome.amount
            self.counts["late"] += outcome.late
            self.counts["from_margin"] += outcome.from_margin > 0
        if isinstance(outcome, BorrowCharged):
            pair.flow -= outcome.amount
            self.counts["from_margin"] += outcome.from_margin > 0

    def _traded(self, outcome, pair):
        assert outcome.fills, "an outcome of trading without a fill"
        for fill in outcome.fills:
            assert fill.qty > 0
            assert fill.price > 0
            assert fill.grade in "ABCD"
            assert fill.grade_reason
            self.counts[fill.liquidity] += 1
            pair.fill(fill)
        if isinstance(outcome, PairOpened):
            plan = outcome.plan
            assert plan.stop_bp is not None
            assert plan.target_bp is not None or plan.net_target is not None
            assert 1 <= outcome.leverage <= 5
        if isinstance(outcome, PairReduced):
            self.counts[f"PairReduced {outcome.reason}"] += 1
        if isinstance(outcome, Liquidated):
            self.counts[outcome.cause] += 1

    def _once(self, outcome, pair):
        """A stamp is paid once; where funding accrues, once for each size held."""
        key = outcome.instrument, outcome.settle_ms
        before = pair.paid.get(key)
        if before is not None:
            assert outcome.share < 1, "a settlement was paid twice"
            assert before[0] == outcome.ts_ns, "a settlement was paid twice"
        share = outcome.share + (before[1] if before else ZERO)
        assert share <= 1, "more than an hour was paid"
        pair.paid[key] = outcome.ts_ns, share

    def _transaction(self, txn):
        sums = defaultdict(lambda: ZERO)
        for line in txn.postings:
            assert line.account.startswith(MONEY_ACCOUNTS), line.account
            sums[line.currency] += line.amount
            self.accounts[line.account, line.currency] += line.amount
            if line.account == "equity:venue_loss":
                self.pairs[int(txn.cause.split(":")[1])].absorbed -= line.amount
        assert not any(sums.values()), txn.cause
        self.counts["shortfall"] += txn.cause.endswith(":shortfall")

    # --- the comparison --------------------------------------------------------------------------

    def meets(self, engine):
        """Assert everything that must hold between this bookkeeping and the desk's."""
        assert self.accounts["equity:opening", "USDT"] == -self.start
        assert self.accounts["assets:cash", "USDT"] >= 0
        assert self.accounts["assets:cash", "USDT"] == engine.books.balance("assets:cash")
        earned, worths = ZERO, engine.worths()
        for number, position in engine.desk.pairs.items():
            if number in self.totals and number not in self.unsure:
                continue
            self._meets_pair(number, position)
            if number not in self.pairs or number not in engine.books.pairs:
                continue  # an order works, nothing is filled
            total = self._truth(engine.books, position, worths)
            if position.state != "closed":
                earned += total
                continue
            pair = self.pairs[number]  # its result is what its fills and payments moved, only that
            assert total == pair.flow + pair.absorbed, f"pair {number}"
            self.earned += total - self.totals.get(number, ZERO)
            self.totals[number] = total
            self.unsure.discard(number)
        assert engine.funds().equity == self.start + earned + self.earned

    def _meets_pair(self, number, position):
        old = self.states.get(number, "working")
        assert position.state in AFTER[old], f"pair {number}: {old} to {position.state}"
        self.states[number] = position.state
        held = self.pairs[number].held if number in self.pairs else {"long": ZERO, "short": ZERO}
        assert (position.long.qty, position.short.qty) == (held["long"], held["short"])
        assert held["long"] >= 0 >= held["short"]
        margin = self.accounts[f"assets:pair:{number}:margin", "USDT"]
        assert margin == position.margin >= 0
        assert all(leg.margin >= 0 for leg in position.legs)
        assert all(leg.qty or not leg.margin for leg in position.legs)
        assert self.accounts[f"assets:pair:{number}:collateral", "USDT"] >= 0
        for leg, account in ((position.long, "assets:pair:{}:spot"),
                             (position.short, "liabilities:pair:{}:borrow")):  # fmt: skip
            coins = self.accounts[account.format(number), "ADA"]
            assert coins == (leg.qty if leg.market == "spot" else 0)
        if position.state == "closed":
            assert position.long.qty == position.short.qty == margin == 0
        if position.state == "open":
            assert position.hedged

    def _truth(self, books, position, worths):
        long, short = (worths.get(leg.instrument) for leg in position.legs)
        a = books.attribution(position.pair, long, short)
        terms = a.basis + a.funding + a.fees + a.slippage + a.borrow + a.residual
        assert terms == a.total == a.truth
        return a.total
