"""Random trading against the real ledger: both directions, partial closes, forced exits."""

import decimal
import random

import pytest
from trading_rig import FREE, PERP, SPOT, D, Rig, S, mirrored, order, settings

from basisdesk.events import (
    ClosePair,
    ExitPlan,
    Funds,
    Liquidated,
    PairOpened,
    PairReduced,
    SessionStarted,
)
from basisdesk.ledger.books import Books
from basisdesk.ledger.rules import transactions

PLANS = (FREE, ExitPlan(D(-40), D(60), D(1)))


class Booked(Rig):
    """A rig whose funds come from the ledger."""

    def __init__(self, conf, start):
        super().__init__(conf, Funds(start, start))
        self.books = Books()
        self.liquidated = set()
        self._book(SessionStarted(self.now, "s", "demo", "0", "USDT", start))

    def _take(self, outcomes):
        for outcome in outcomes:
            self._book(outcome)
            if isinstance(outcome, Liquidated):
                self.liquidated.add(outcome.pair)
        super()._take(outcomes)
        self.funds = self.books.funds({})
        return outcomes

    def _book(self, outcome):
        with decimal.localcontext(prec=64):
            self.books.apply(outcome, transactions(outcome, self.books))


def random_book(rng, mid):
    step = 0.0001
    top = round(mid / step)
    bids = [((top - 1 - i) * step, rng.uniform(50, 5000)) for i in range(8)]
    asks = [((top + 1 + i) * step, rng.uniform(50, 5000)) for i in range(8)]
    return bids, asks


def act(rig, rng):
    known = list(rig.desk.pairs)
    pick = rng.random()
    if pick < 0.3:
        make = rng.choice([order, mirrored])
        qty, leverage = str(rng.randint(1, 9000)), str(rng.randint(1, 5))
        return rig.do(
            make(qty, leverage=leverage, plan=rng.choice(PLANS[: (make is order and 2) or 1]))
        )
    if pick < 0.6 and known:
        fraction = rng.choice(["1", "0.5", "0.333", "0.01"])
        return rig.do(ClosePair(rng.choice(known), D(fraction)))
    return rig.later(rng.choice([S // 10, 3600 * S]))


def check_state(rig):
    for position in rig.desk.pairs.values():
        sizes = [leg.qty for leg in position.legs]
        if position.state == "open":
            assert sizes[0] > 0 > sizes[1]
            assert abs(position.delta) <= 1
        elif position.state == "closed":
            assert sizes == [0, 0]
            assert position.margin == position.collateral == 0
        lots = rig.books.lots(position.pair).legs
        assert [lots["long"].qty, -lots["short"].qty] == sizes
        assert rig.books.balance(f"assets:pair:{position.pair}:margin") == position.margin


@pytest.mark.parametrize("seed", range(8))
def test_no_sequence_leaves_a_leg_alone_or_breaks_the_ledger(seed):
    rng = random.Random(seed)
    counts = {}
    for _ in range(4):
        conf = settings(rng.choice(["base", "quote"]), latency_ms=rng.choice([0, 80]))
        rig = Booked(conf, D(100_000))
        mid = 0.36
        for _ in range(90):
            mid *= 1 + rng.gauss(0, 0.03)
            rig.now += S // 5
            for key in (SPOT, PERP):
                rig.show(key, *random_book(rng, mid * (1 + rng.gauss(0, 0.001))))
            rig.ticker(PERP, mid, rng.gauss(0, 0.0003), (rig.now // (3600 * S) + 1) * 3_600_000)
            for outcome in act(rig, rng):
                name = type(outcome).__name__
                counts[name] = counts.get(name, 0) + 1
                if isinstance(outcome, PairOpened) or (
                    isinstance(outcome, PairReduced) and outcome.pair not in rig.liquidated
                ):
                    assert {fill.leg for fill in outcome.fills} == {"long", "short"}
            check_state(rig)
    assert counts["PairOpened"] > 20
    assert counts["PairReduced"] > 20
    assert counts["FundingSettled"] > 5
    assert counts["BorrowCharged"] > 5
