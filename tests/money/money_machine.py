"""A machine of dice that drives the real engine: markets, orders, failures, restarts.

The engine gets frames and commands as it would live; only the dialect is shorter: a frame names an
event that the machine holds. After every step the machine asserts what must hold of money, by
arithmetic of its own (`Shadow`), not by the desk's.
"""

import decimal
import random
from decimal import Decimal

import msgspec
from shadow import Shadow

from basisdesk.config import Account, Fees, Paper, Risk, Settings
from basisdesk.engine import Engine
from basisdesk.events import (
    COMMAND,
    LINK,
    AddMargin,
    BookUpdate,
    CancelOrder,
    ClosePair,
    Drill,
    Execution,
    ExitPlan,
    Flatten,
    FlipPair,
    Frame,
    FundingHistory,
    Halt,
    LinkChange,
    OpenPair,
    Quote,
    Rebalance,
    Resume,
    SessionStarted,
    SetPlan,
    SetValue,
    Ticker,
    Trade,
    WithdrawMargin,
)
from basisdesk.venues import Limits, TopicRule
from basisdesk.venues.instrument import Instrument, Instruments, Tier

D = Decimal
S = 1_000_000_000
HOUR = 3_600 * S
T0 = 1_735_689_600 * S
START = D(100_000)
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PERP_B = "okx:perp:ADA-USDT-SWAP"
LEGS = (SPOT, PERP, PERP_B)
TICK, LOT = D("0.0001"), {SPOT: D("0.01"), PERP: D(1), PERP_B: D(10)}
TIERS = (
    Tier(D(20_000), D("0.01"), D("0.02"), D(50)),
    Tier(D(2_000_000), D("0.02"), D("0.04"), D(25), D(200)),
)
RULES = {
    "top": TopicRule("top", 1),
    "book": TopicRule("book", 20, stateful=True),
    "trade": TopicRule("trades", awaited=False),
    "mark": TopicRule("ticker"),
}


class Told:
    """A venue whose frames name events that the machine holds."""

    limits = Limits()

    def __init__(self, name, events):
        self.name = name
        self.title = name.capitalize()
        self.endpoints = self.rest_urls = {}
        self._events = events

    def codec(self, conn):
        return self

    def decode(self, payload):
        return self._events[int(payload)]

    def rule(self, conn, topic):
        return RULES.get(topic.partition(":")[0], TopicRule())

    def topics(self, instrument):
        return {f"{self.name}.ws": tuple(f"{what}:{instrument}" for what in RULES)}


class Kept:
    """A journal in a list: what it holds is what a restart finds."""

    def __init__(self):
        self.entries = []

    def append(self, outcome, txns=()):
        self.entries.append((len(self.entries) + 1, outcome, tuple(txns)))
        return len(self.entries)


def instruments():
    """The three legs: a spot market and two perpetuals with different lots and tiers."""
    rows = []
    for key in LEGS:
        venue, market, symbol = key.split(":")
        perp = market == "perp"
        rows.append(
            Instrument(
                key=key, venue=venue, market=market, symbol=symbol, base="ADA", quote="USDT",
                tick=TICK, lot=LOT[key], min_qty=LOT[key], min_notional=D(5), max_qty=D(900_000),
                leverage_max=D(50) if perp else D(1), funding_interval_h=D(8),
                tiers=TIERS if perp else (),
            )
        )  # fmt: skip
    return [Instruments(venue, tuple(r for r in rows if r.venue == venue))
            for venue in ("bybit", "okx")]  # fmt: skip


def settings(rng):
    """Settings of one run: fees in coins or money, latency by venue, jitter, memory."""
    fees = Fees(spot_buy_fee_in=rng.choice(["base", "quote"]))
    late = {"okx": rng.choice([0, 80, 900])}
    paper = Paper(rng.choice([0, 80]), rng.choice([0, 40]), rng.random() < 0.8, late)
    risk = Risk(pairs_max=12, unhedged_s_max=rng.choice([3, 30]))
    return Settings(account=Account(float(START)), paper=paper,
                    fees={"bybit": fees, "okx": fees}, risk=risk)  # fmt: skip


class Machine:
    """One seeded run. `step` rolls the dice once and then asserts everything."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.settings = settings(self.rng)
        self.events = {}
        self.venues = {name: Told(name, self.events) for name in ("bybit", "okx")}
        self.journal = Kept()
        self.shadow = Shadow(START)
        self.now = T0
        self.mids = dict.fromkeys(LEGS, 0.36)
        self.interval_h = dict.fromkeys((PERP, PERP_B), 8)
        self.seq = 0
        self.down = set()
        self.silent = set()
        self.counts = {}
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
        elif roll < 0.635:
            self.restart()
        else:
            if self.rng.random() < 0.9:
                self._market()
            self._command(self._wish())
        self._check()

    def restart(self):
        """The program dies and starts again from its journal; orders on their way are gone."""
        before = self.state()
        self.engine = self._boot()
        with decimal.localcontext(prec=64):
            self.engine.restore(self.journal.entries)
        assert self.state() == before
        self.engine.now_ns = max(self.engine.now_ns, self.now)
        self._market()

    def state(self):
        """What a restart must bring back: pairs, plans, margins, risk, balances."""
        pairs = {
            p.pair: (p.state, p.plan, p.long.qty, p.short.qty, p.margin, p.collateral, p.funding,
                     p.work, p.long_done, p.short_done, p.unhedged_ns, p.adverse)
            for p in self.engine.open_pairs()
        }  # fmt: skip
        return pairs, self.engine.desk.risk, self.engine.books.balances()

    # --- the market ------------------------------------------------------------------------------

    def _boot(self):
        engine = Engine(self.settings, self.venues, self.journal)
        engine.now_ns = self.now
        frames = [self._frame("okx.rest" if row.venue == "okx" else "bybit.rest", row)
                  for row in instruments()]  # fmt: skip
        for venue in ("bybit", "okx"):
            frames.append(self._link(venue, "up"))
            topics = tuple(f"{what}:{key}" for key in LEGS if key.startswith(venue)
                           for what in RULES)  # fmt: skip
            frames.append(self._link(venue, "asked", topics))
        shown = ((SPOT, PERP), (SPOT, PERP_B), (PERP, PERP_B))
        looks = [msgspec.json.encode(SetValue("pair", " ".join(pair))) for pair in shown]
        frames += [Frame(COMMAND, look, self.now) for look in looks]
        engine.advance(frames)
        return engine

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
        shock = rng.choice([0.85, 1.0, 1.0, 1.25]) if rng.random() < 0.01 else 1.0
        move = shock * (1 + rng.gauss(0, 0.004))
        self.now += S // 20
        frames = []
        for key in LEGS:
            basis = rng.gauss(0, 0.0015)
            self.mids[key] = min(5.0, max(0.02, self.mids[key] * move)) * (1 + basis) / (1 + basis)
            if key in self.silent or key.split(":")[0] in self.down:
                continue
            frames += self._shown(key, self.mids[key] * (1 + basis))
        base = sum(self.mids.values()) / len(LEGS)
        self.mids = {key: mid + 0.2 * (base - mid) for key, mid in self.mids.items()}
        self.engine.advance(frames)
        self.events.clear()

    def _shown(self, key, mid):
        """Top, book, sometimes a trade, and for a perpetual its ticker."""
        rng, conn = self.rng, f"{key.split(':')[0]}.ws"
        step = float(TICK)
        top = max(2, round(mid / step))
        thin = rng.random() < 0.15
        sizes = [rng.uniform(10, 300) if thin else rng.uniform(500, 20_000) for _ in range(10)]
        bids = [((top - 1 - i) * step, sizes[i]) for i in range(5) if top - 1 - i > 0]
        asks = [((top + 1 + i) * step, sizes[5 + i]) for i in range(5)]
        ms = self.now // 1_000_000
        self.seq += 1
        said = [
            Quote(key, f"{conn}/top:{key}", *bids[0], *asks[0], ms, self.seq),
            BookUpdate(key, f"{conn}/book:{key}", True, bids, asks, self.seq, ms),
        ]
        if rng.random() < 0.5:
            buys = rng.random() < 0.5
            price = asks[0][0] if buys else bids[0][0]
            said.append(Trade(key, f"{conn}/trade:{key}", price, rng.uniform(1, 9_000), buys, ms))
        if key != SPOT and rng.random() < 0.5:
            if rng.random() < 0.01:
                self.interval_h[key] = rng.choice([1, 4, 8])
            hours = self.interval_h[key]
            step_ms = hours * 3_600_000
            due = (ms // step_ms + 1) * step_ms
            rate = rng.gauss(0, 0.0008)
            said.append(Ticker(key, f"{conn}/mark:{key}", mid, mid, 1e6, rate, float(hours),
                               due, 0.02, ms))  # fmt: skip
            if rng.random() < 0.05:
                rows = [(due - step_ms * n, f"{rng.gauss(0, 0.0005):.6f}") for n in (3, 2, 1)]
                said.append(FundingHistory(key, rows))
        return [self._frame(conn, *said)]

    def _weather(self):
        """A leg falls silent or speaks again; a venue goes down or comes back."""
        rng = self.rng
        if rng.random() < 0.6:
            self.silent ^= {rng.choice(LEGS)}
        else:
            venue = rng.choice(["bybit", "okx"])
            back = venue in self.down
            self.down ^= {venue}
            frames = [self._link(venue, "up" if back else "down")]
            if back:
                topics = tuple(f"{what}:{key}" for key in LEGS if key.startswith(venue)
                               for what in RULES)  # fmt: skip
                frames.append(self._link(venue, "asked", topics))
            self.engine.advance(frames)
        if len(self.silent) > 1 or rng.random() < 0.4:
            self.silent.clear()

    def _pass(self, ns):
        """Time passes by beats, as the supervisor's heartbeat makes it pass."""
        self.now += ns
        self.engine.advance([Frame("desk.beat", b"", self.now)])

    # --- wishes ----------------------------------------------------------------------------------

    def _command(self, command):
        name = type(command).__name__
        self.counts[name] = self.counts.get(name, 0) + 1
        self.engine.advance([Frame(COMMAND, msgspec.json.encode(command), self.now)])

    def _wish(self):
        rng = self.rng
        live = [p.pair for p in self.engine.open_pairs()]
        pair = rng.choice(live) if live and rng.random() < 0.97 else rng.randint(1, 99)
        roll = rng.random()
        if roll < 0.38:
            return self._entry()
        if roll < 0.60:
            fraction = D(rng.choice(["1", "1", "0.5", "0.333", "0.01", "2"]))
            leg = rng.choice(["both", "both", "both", "long", "short"])
            return ClosePair(pair, fraction, 0, leg, self._how())
        if roll < 0.86:
            return self._care(pair)
        return self._rare(pair)

    def _entry(self):
        rng = self.rng
        known = [(SPOT, PERP), (SPOT, PERP_B), (PERP, SPOT), (PERP, PERP_B), (PERP_B, PERP)]
        long, short = rng.choice([*known * 4, (SPOT, SPOT)])
        usual = ["100", "1000", "5000", "333.33", "2000", "700"]
        qty = D(rng.choice([*usual * 3, "20000", "0", "NaN", "1e9", "77.777"]))
        leverage = D(rng.choice(["1", "2", "3", "5", "5"] * 4 + ["5.01", "20"]))
        return OpenPair(long, short, qty, leverage, self._plan(short == SPOT), 0, self._how())

    def _plan(self, reverse):
        rng = self.rng
        sign = -1 if reverse else 1
        target = rng.choice([None, D(-900 * sign), D(-900 * sign), D(-40 * sign)])
        stop = rng.choice([None, *[D(900 * sign)] * 5, D(120 * sign)])
        net = rng.choice([None, D("0.5"), D(50)])
        hold = rng.choice([None, D("0.5"), D(72)])
        return ExitPlan(target, stop, hold, net, rng.choice([None, D(1)]), rng.random() < 0.1)

    def _how(self):
        rng = self.rng
        style = rng.choice(["market", "market", "market", "limit", "passive"])
        policy = rng.choice(["hedge", "retry", "unwind"])
        limit = D(rng.randint(-60, 60)) if style == "limit" else None
        slices = rng.choice([1, 1, 1, 3, 7])
        return Execution(style, policy, limit, rng.choice(["long", "short"]), rng.randint(0, 8),
                         slices, D(rng.choice([0, 1, 2])), D(rng.choice([2, 20, 600])))  # fmt: skip

    def _care(self, pair):
        rng = self.rng
        amount = D(rng.choice(["10", "500", "0.00000001", "1e-9", "-5", "1000000"]))
        return rng.choice([
            AddMargin(pair, amount), WithdrawMargin(pair, amount), CancelOrder(pair),
            Rebalance(pair), SetPlan(pair, self._plan(rng.random() < 0.3)),
            Drill(rng.choice(["reject", "half", "late", "adl", "off"]),
                  rng.choice(["long", "short"]), pair, D(rng.choice([1, 5]))),
        ])  # fmt: skip

    def _rare(self, pair):
        rng = self.rng
        against = rng.choice(["for", "against", ""])
        return rng.choice([
            *[FlipPair(pair, self._plan(rng.random() < 0.5))] * 4, Halt(), Flatten(),
            *[SetValue("sector.ADA", against)] * 2, *[Resume("dice")] * 12,
        ])  # fmt: skip

    # --- what must hold --------------------------------------------------------------------------

    def _check(self):
        with decimal.localcontext(prec=64):
            self.shadow.take(self.journal.entries)
            self.shadow.meets(self.engine)
