"""One leg refused, filled in part, late, without a book, or the desk killed between the legs: each
ends hedged, flat, or declared as alone, and the ledger balances at every step.

The long run of 500 cases: BASISDESK_ONE_LEG=500.
"""

import os
import random
from collections import Counter

import msgspec
import pytest
from cross_rig import OKX_PERP, CrossRig, venue_settings
from trading_rig import FREE, PERP, SPOT, D, S, order

from basisdesk.config import Paper
from basisdesk.events import ClosePair, Drill, Execution, LegRejected
from basisdesk.ledger.audit import Held, audit
from basisdesk.trading.desk import Desk
from basisdesk.trading.sentences import describe

CASES = int(os.environ.get("BASISDESK_ONE_LEG", "25"))
TROUBLES = ("reject", "half", "late", "no book", "no depth", "killed")
PAIRS = ((SPOT, PERP), (SPOT, OKX_PERP), (PERP, OKX_PERP))


class Case:
    """A pair of two venues or one, on books that are deep unless the trouble says otherwise."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        latency = rng.choice([{}, {"okx": 900}, {"bybit": 0}])
        paper = Paper(rng.choice([20, 80, 300]), 0, True, latency)
        conf = msgspec.structs.replace(venue_settings(), paper=paper)
        self.rig = CrossRig(100_000, conf)
        self.pair = rng.choice(PAIRS)
        self.trouble = rng.choice(TROUBLES)
        self.leg = rng.choice(["long", "short"])

    def key(self):
        return self.pair[0 if self.leg == "long" else 1]

    def do(self, command):
        return self.rig.do(command)

    def beats(self, seconds):
        """Time passes; after each step the books are those of the positions, to the last digit."""
        rig = self.rig
        for _ in range(round(seconds * 5)):
            made = rig.later(S // 5)
            assert all(describe(each) for each in made)
        held = {
            one.pair: Held(one.long.qty, one.short.qty, one.margin, one.collateral)
            for one in rig.desk.pairs.values()
            if one.state != "closed"
        }
        assert audit(rig.books, held) == []

    def killed(self):
        """The desk died: it knows only what was journaled."""
        self.rig.desk = Desk(self.rig.settings)
        for outcome in self.rig.log:
            self.rig.desk.apply(outcome)

    def hurt(self):
        """Let the trouble begin."""
        if self.trouble in ("reject", "half", "late"):
            self.do(Drill(self.trouble, self.leg, 0, D(self.rng.choice([1, 5, 40]))))
        elif self.trouble == "no book":
            self.rig.market.leg(self.key()).book.clear("gap")
        elif self.trouble == "no depth":
            self.calm({self.key(): 40.0})

    def calm(self, sizes=None):
        """Books as they were; sizes: coins on either side of some of them."""
        for key in self.pair:
            leg, size = self.rig.market.leg(key), (sizes or {}).get(key, 1e6)
            self.rig.show(key, [(leg.bid, size)], [(leg.ask, size)])

    def how(self):
        policy = self.rng.choice(["hedge", "retry", "unwind"])
        return Execution(policy=policy, pay_up=self.rng.choice([0, 5]))

    def suffer(self):
        """From the order until the trouble is over."""
        rng, rig = self.rng, self.rig
        at_entry = rng.random() < 0.6
        entry = msgspec.structs.replace(order("1000", *self.pair, plan=FREE), how=self.how())
        if at_entry:
            self.do(entry)
            rig.later(rng.choice([S // 100, S // 50]))
            self.hurt_on_the_way()
        else:
            self.do(entry)
            self.beats(3)
            self.do(ClosePair(1, D(rng.choice(["1", "0.5"])), how=self.how()))
            self.hurt_on_the_way()
        self.beats(rng.choice([0.4, 1, 3]))

    def hurt_on_the_way(self):
        self.hurt()
        if self.trouble == "killed":
            self.rig.later(self.rng.choice([S // 50, S // 10, S // 4]))
            self.killed()


def lived(seed):
    """How one case ended: "hedged", "flat", or "declared"; and whether a leg was ever alone."""
    case = Case(seed)
    if case.rng.random() < 0.5 and case.trouble in ("reject", "half", "late"):
        case.hurt()  # before the order
    case.suffer()
    alone = [p for p in case.rig.desk.pairs.values() if p.state == "unhedged"]
    for position in alone:  # said, and since when
        assert position.unhedged_ns is not None
        assert case.rig.desk.unhedged_s(position.pair, case.rig.now) >= 0
    case.do(Drill("off"))
    case.calm()
    case.beats(60)
    rig = case.rig
    legged = bool(alone) or any(isinstance(each, LegRejected) for each in rig.log)
    legged |= case.trouble == "killed"
    ends = {position.state for position in rig.desk.pairs.values()}
    if not ends or ends == {"closed"}:
        return "flat", legged
    if ends == {"open"}:
        (position,) = rig.desk.pairs.values()
        assert abs(position.delta) <= position.tolerance
        return "hedged", legged
    return ("declared" if ends == {"unhedged"} else f"{ends}"), legged


@pytest.mark.timeout(60 + CASES)
def test_whatever_befalls_one_leg_the_pair_ends_hedged_or_flat():
    ends, legged = Counter(), 0
    for seed in range(CASES):
        end, alone = lived(seed)
        ends[end] += 1
        legged += alone
    print(f"{CASES} cases, {legged} with a leg in trouble: {dict(sorted(ends.items()))}")
    assert set(ends) <= {"flat", "hedged"}
    assert legged >= CASES // 4
