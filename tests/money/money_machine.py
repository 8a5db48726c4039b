"""A machine of dice that drives the real engine: markets, orders, failures, restarts.

The engine gets frames and commands as it would live; only the dialect is shorter: a frame names an
event that the machine holds. After every step the machine asserts what must hold of money, by
arithmetic of its own (`Shadow`), not by the desk's. Every third seed trades in two currencies, and
in every second one all free cash goes into margin now and then, so that costs find none.

Alone: python tests/money/money_machine.py FIRST_SEED SEEDS STEPS
"""

import decimal
import random
import sys
from collections import Counter

import msgspec
from money_world import (
    CENT,
    FOREIGN,
    HOME,
    HOUR,
    PAIRS,
    PAIRS_K,
    PERP_K,
    RULES,
    SPOT,
    START,
    T0,
    USDT_USD,
    D,
    Kept,
    S,
    Told,
    instruments,
    rates,
    settings,
    shown,
    venue_of,
)
from shadow import Shadow

from basisdesk.engine import Engine
from basisdesk.events import (
    COMMAND,
    LINK,
    AddMargin,
    CancelOrder,
    ClosePair,
    Drill,
    Execution,
    ExitPlan,
    Flatten,
    FlipPair,
    Frame,
    Halt,
    LinkChange,
    OpenPair,
    Rebalance,
    Resume,
    SessionStarted,
    SetPlan,
    SetValue,
    WithdrawMargin,
)

# What a run of 10,000 steps has to have met, and how often at least.
REACH = {
    "PairOpened": 31, "PairAdded": 5, "PairReduced": 31, "LegRejected": 5, "PairReduced unwind": 1,
    "liquidation": 1, "adl": 1, "FundingSettled": 10, "late": 1, "BorrowCharged": 1,
    "MarginMoved": 1, "Ordered": 20, "maker": 1, "restart": 20, "restart unhedged": 1,
    "restart working": 3,
}  # fmt: skip
REACH_POOR = {"from_margin": 1}


class Machine:
    """One seeded run. `step` rolls the dice once and then asserts everything."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.settings = settings(self.rng)
        self.events = {}
        foreign = seed % 3 == 2
        self.legs = HOME + FOREIGN if foreign else HOME
        self.tradable = [leg for leg in self.legs if leg != USDT_USD]
        self.known = PAIRS + PAIRS_K if foreign else PAIRS
        self.poor = seed % 2 == 1
        names = dict.fromkeys(venue_of(leg) for leg in self.legs)
        self.venues = {name: Told(name, self.events) for name in names}
        self.journal = Kept()
        self.shadow = Shadow(START)
        self.now = T0
        self.mids = dict.fromkeys(self.tradable, 0.36)
        self.dollar = 0.9997  # USDT in dollars
        self.interval_h = {leg: 1 if leg == PERP_K else 8 for leg in self.legs if ":perp:" in leg}
        self.seq = 0
        self.down = set()
        self.silent = set()
        self.counts = Counter()
        self.engine = self._boot()
        self.engine.start_session(SessionStarted(T0, "s", "demo", "0", "USDT", START))
        self._market()
        self._check()

    # --- one step --------------------------------------------------------------------------------

    def step(self):
        """Something happens; then time passes a little and everything must still add up."""
        roll = self.rng.random()
        if roll < 0.45:
            self._market()
        elif roll < 0.60:
            self._pass(self.rng.choice([S // 10, S // 4, S, 2 * S]))
        elif roll < 0.61:
            self._weather()
        elif roll < 0.625:
            self._pass(self.rng.choice([HOUR // 4, HOUR, 3 * HOUR, 9 * HOUR]))
            self._market()
        elif roll < 0.628 or self._in_the_middle():
            self.restart()
        else:
            if self.rng.random() < 0.9:
                self._market()
            self._command(self._wish())
        self._check()

    def _in_the_middle(self):
        """Now and then the program dies while a leg is missing or an order works."""
        live = self.engine.open_pairs()
        odds = 0.15 * any(pair.state == "unhedged" for pair in live)
        odds += 0.01 * any(pair.work is not None for pair in live)
        return self.rng.random() < odds

    def restart(self):
        """The program dies and starts again from its journal; orders on their way are gone."""
        before, live = self.state(), self.engine.open_pairs()
        self.counts["restart"] += 1
        self.counts["restart unhedged"] += any(pair.state == "unhedged" for pair in live)
        self.counts["restart working"] += any(pair.work is not None for pair in live)
        self.counts["restart in flight"] += bool(self.engine.desk.pending)
        self.engine = self._boot()
        self.engine.restore(self.journal.entries)
        assert self.state() == before
        assert self.engine.audit() == []
        self.shadow.look_again()
        self.now += self.rng.choice([0, 0, S, HOUR // 60, 9 * HOUR])
        self.engine.now_ns = max(self.engine.now_ns, self.now)
        self.engine.start_session(SessionStarted(self.now, "s", "demo", "0", "USDT", START))
        self._market()

    def state(self):
        """What a restart must bring back: pairs, plans, margins, risk, balances."""
        pairs = {
            p.pair: (p.state, p.plan, p.long.qty, p.short.qty, p.collateral, p.funding, p.work,
                     [(leg.margin, leg.added) for leg in p.legs],
                     p.long_done, p.short_done, p.unhedged_ns, p.adverse)
            for p in self.engine.open_pairs()
        }  # fmt: skip
        return pairs, self.engine.desk.risk, self.engine.books.balances()

    # --- the market ------------------------------------------------------------------------------

    def _boot(self):
        engine = Engine(self.settings, self.venues, self.journal)
        engine.now_ns = self.now
        frames = [self._frame(f"{row.venue}.rest", row) for row in instruments(self.legs)]
        for venue in self.venues:
            frames += [self._link(venue, "up"), self._asked(venue)]
        looks = [pair for pair in self.known if ":perp:" in pair[1]]
        looks = [msgspec.json.encode(SetValue("pair", " ".join(pair))) for pair in looks[:2]]
        frames += [Frame(COMMAND, look, self.now) for look in looks]
        engine.advance(frames)
        return engine

    def _asked(self, venue):
        topics = (f"{what}:{leg}" for leg in self.legs if venue_of(leg) == venue for what in RULES)
        return self._link(venue, "asked", tuple(topics))

    def _link(self, venue, state, topics=()):
        change = LinkChange(f"{venue}.ws", state, req_id="1" if topics else "", topics=topics)
        return Frame(LINK, msgspec.json.encode(change), self.now)

    def _frame(self, conn, *events):
        self.seq += 1
        self.events[self.seq] = events
        return Frame(conn, str(self.seq).encode(), self.now)

    def _market(self):
        """The coin moves, mostly a little; each leg shows a new book around its price."""
        rng = self.rng
        shock = rng.choice([0.75, 0.85, 1.25, 1.25]) if rng.random() < 0.008 else 1.0
        move = shock * (1 + rng.gauss(0, 0.004))
        self.now += S // 20
        if self.silent and rng.random() < 0.02:
            self.silent.clear()
        frames = []
        if USDT_USD in self.legs:
            self.dollar = min(1.01, max(0.99, self.dollar * (1 + rng.gauss(0, 0.00002))))
            if not {USDT_USD, "kraken"} & (self.silent | self.down):
                frames.append(self._said(USDT_USD, self.dollar))
        for key in self.tradable:
            self.mids[key] = min(5.0, max(0.02, self.mids[key] * move))
            basis = rng.gauss(0, 0.0015)
            if key in self.silent or venue_of(key) in self.down:
                continue
            unit = self.dollar if venue_of(key) == "kraken" else 1.0
            frames.append(self._said(key, self.mids[key] * (1 + basis) * unit))
        base = sum(self.mids.values()) / len(self.mids)
        self.mids = {key: mid + 0.2 * (base - mid) for key, mid in self.mids.items()}
        self.engine.advance(frames)
        self.events.clear()

    def _said(self, key, mid):
        """One frame of a leg: its books, and of a perpetual now and then its rates."""
        self.seq += 1
        said = shown(self.rng, key, mid, self.now, self.seq)
        if key in self.interval_h and self.rng.random() < 0.5:
            if key != PERP_K and self.rng.random() < 0.01:
                self.interval_h[key] = self.rng.choice([1, 4, 8])
            said += rates(self.rng, key, mid, self.now, self.interval_h[key])
        return self._frame(f"{venue_of(key)}.ws", *said)

    def _weather(self):
        """A leg falls silent or speaks again; a venue goes down or comes back."""
        rng = self.rng
        if rng.random() < 0.6:
            self.silent ^= {rng.choice(self.legs)}
        else:
            venue = rng.choice(list(self.venues))
            back = venue in self.down
            self.down ^= {venue}
            frames = [self._link(venue, "up" if back else "down")]
            self.engine.advance(frames + [self._asked(venue)] * back)
        if len(self.silent) > 1 or rng.random() < 0.4:
            self.silent.clear()

    def _pass(self, ns):
        """Time passes by beats, as the supervisor's heartbeat makes it pass."""
        self.now += ns
        self.engine.advance([Frame("desk.beat", b"", self.now)])

    # --- wishes ----------------------------------------------------------------------------------

    def _command(self, command):
        self.counts[type(command).__name__] += 1
        self.engine.advance([Frame(COMMAND, msgspec.json.encode(command), self.now)])

    def _wish(self):
        rng = self.rng
        if self.engine.desk.risk.state != "active" and rng.random() < 0.3:
            return Resume("dice")
        live = [p.pair for p in self.engine.open_pairs()]
        if not live and rng.random() < 0.8:
            return self._entry()
        pair = rng.choice(live) if live and rng.random() < 0.97 else rng.randint(1, 99)
        if self.poor and self.engine.books.balance("assets:cash") < 50 and rng.random() < 0.4:
            part = D(rng.choice(["0.5", "0.333", "0.9"]))
            owing = [p.pair for p in self.engine.open_pairs() if p.borrowed and p.short.qty]
            if owing and rng.random() < 0.7:  # what a risen coin costs to be repaid, cash must add
                return ClosePair(rng.choice(owing), part, 0, "short")
            return ClosePair(pair, part, 0, rng.choice(["both", "long", "short"]))
        roll = rng.random()
        if roll < 0.40:
            return self._entry()
        if roll < 0.60:
            fraction = D(rng.choice(["1", "1", "0.5", "0.333", "0.01", "2"]))
            leg = rng.choice(["both", "both", "both", "long", "short"])
            return ClosePair(pair, fraction, 0, leg, self._how())
        if roll < 0.88:
            return self._care(pair)
        return self._rare(pair)

    def _entry(self):
        rng = self.rng
        borrows = [pair for pair in self.known if ":spot:" in pair[1]] * self.poor
        long, short = rng.choice([*(*self.known, *borrows) * 4, (SPOT, SPOT)])
        usual = ["100", "1000", "5000", "330", "2000", "700"]
        qty = D(rng.choice([*usual * 3, "20000", "0", "NaN", "1e9", "77.777"]))
        leverage = D(rng.choice(["1", "2", "3", "5", "5"] * 4 + ["5.01", "20"]))
        plan = self._plan(":spot:" in short)
        return OpenPair(long, short, qty, leverage, plan, 0, self._how())

    def _plan(self, reverse):
        rng = self.rng
        sign = -1 if reverse else 1
        target = rng.choice([None, D(-900 * sign), D(-900 * sign), D(-40 * sign)])
        stop = rng.choice([None, *[D(900 * sign)] * 9, D(120 * sign)])
        net = rng.choice([None, D("0.5"), D(50)])
        hold = rng.choice([None, D("0.5"), D(72)])
        return ExitPlan(target, stop, hold, net, rng.choice([None, D(1)]), rng.random() < 0.1)

    def _how(self):
        rng = self.rng
        style = rng.choice(["market", "market", "market", "limit", "passive"])
        policy = rng.choice(["hedge", "retry", "unwind"])
        limit = D(rng.randint(-60, 60)) if style == "limit" else None
        slices = rng.choice([1, 1, 1, 3, 7])
        gap = D(rng.choice([0, 1, 1, 2, 2])) if slices > 1 else D(1)
        return Execution(style, policy, limit, rng.choice(["long", "short"]), rng.randint(0, 8),
                         slices, gap, D(rng.choice([2, 20, 600])))  # fmt: skip

    def _care(self, pair):
        rng = self.rng
        amount = D(rng.choice(["10", "500", "0.00000001", "1e-9", "-5", "1000000"]))
        if self.poor and rng.random() < 0.2:
            free = self.engine.funds().free.quantize(CENT, "ROUND_DOWN")
            return AddMargin(pair, free) if free > 50 else WithdrawMargin(pair, D(5_000))
        return rng.choice([
            AddMargin(pair, amount), WithdrawMargin(pair, amount), CancelOrder(pair),
            Rebalance(pair), SetPlan(pair, self._plan(rng.random() < 0.3)),
            *[Drill(rng.choice(["reject", "half", "late", "reject", "half", "late", "adl", "off"]),
                    rng.choice(["long", "short"]), pair, D(rng.choice([1, 5])))] * 2,
        ])  # fmt: skip

    def _rare(self, pair):
        rng = self.rng
        against = rng.choice(["for", "against", ""])
        return rng.choice([
            *[FlipPair(pair, self._plan(rng.random() < 0.5))] * 4, Halt(), Flatten(),
            *[SetValue("sector.ADA", against)] * 2, *[Resume("dice")] * 6,
        ])  # fmt: skip

    # --- what must hold --------------------------------------------------------------------------

    def _check(self):
        with decimal.localcontext(prec=64):
            self.shadow.take(self.journal.entries)
            self.shadow.meets(self.engine)

    def met(self):
        """How often each thing happened."""
        return self.counts + self.shadow.counts

    def missed(self):
        """What a run of 10,000 steps should have met and did not, in words."""
        met, reach = self.met(), REACH | (REACH_POOR if self.poor else {})
        return [f"{what}: {met[what]} of {least}" for what, least in reach.items()
                if met[what] < least]  # fmt: skip


def main(first, seeds, steps):
    """Run some seeds and print what they met."""
    total = Counter()
    for seed in range(first, first + seeds):
        machine, done = Machine(seed), 0
        try:
            while done < steps:
                machine.step()
                done += 1
        except BaseException:
            print(f"seed {seed} fails in step {done}", flush=True)
            raise
        total += machine.met()
        print(f"seed {seed}: {steps} steps, missed {machine.missed() or 'nothing'}", flush=True)
    print(*(f"{what} {count}" for what, count in total.most_common()), sep="\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
