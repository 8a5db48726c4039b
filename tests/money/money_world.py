"""The venues, legs, rules and settings that the machine of dice plays with."""

from decimal import Decimal

import msgspec

from basisdesk.config import Account, Fees, Paper, Risk, Settings
from basisdesk.events import BookUpdate, FundingHistory, Quote, Ticker, Trade
from basisdesk.venues import Limits, TopicRule
from basisdesk.venues.instrument import FundingRule, Instrument, Instruments, Tier

D = Decimal
S = 1_000_000_000
HOUR = 3_600 * S
T0 = 1_735_689_600 * S
START = D(100_000)
CENT = D("1e-8")  # margin moves in steps of this
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
PERP_B = "okx:perp:ADA-USDT-SWAP"
SPOT_K, PERP_K = "kraken:spot:ADA/USD", "kraken:perp:PF_ADAUSD"  # in dollars, accrued funding
USDT_USD = "kraken:spot:USDT/USD"
HOME, FOREIGN = (SPOT, PERP, PERP_B), (SPOT_K, PERP_K, USDT_USD)
PAIRS = ((SPOT, PERP), (SPOT, PERP_B), (PERP, SPOT), (PERP, PERP_B), (PERP_B, PERP))
PAIRS_K = ((SPOT_K, PERP), (SPOT_K, PERP_K), (PERP, SPOT_K), (PERP, PERP_K), (PERP_K, SPOT))
TICK = {USDT_USD: D("0.00001"), SPOT_K: D("0.000001"), PERP_K: D("0.00001")}
LOT = {
    SPOT: D("0.01"), PERP: D(1), PERP_B: D(10), SPOT_K: D("0.1"), PERP_K: D(1), USDT_USD: D("0.1"),
}  # fmt: skip
TIERS = (
    Tier(D(20_000), D("0.01"), D("0.02"), D(50)),
    Tier(D(2_000_000), D("0.02"), D("0.04"), D(25), D(200)),
)
ACCRUAL = FundingRule(0.0, 0.0, "24h", "accrual", "index")
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


def venue_of(key):
    """The venue of a leg."""
    return key.partition(":")[0]


def instruments(legs):
    """The legs with their lots and tiers, by venue."""
    rows = {}
    for key in legs:
        venue, market, symbol = key.split(":")
        perp, kraken = market == "perp", venue == "kraken"
        row = Instrument(
            key=key, venue=venue, market=market, symbol=symbol,
            base="USDT" if key == USDT_USD else "ADA", quote="USD" if kraken else "USDT",
            tick=TICK.get(key, D("0.0001")), lot=LOT[key], min_qty=LOT[key], min_notional=D(5),
            max_qty=D(900_000), leverage_max=D(50) if perp else D(1),
            funding_interval_h=D(1) if kraken else D(8), tiers=TIERS if perp else (),
        )  # fmt: skip
        if key == PERP_K:
            row = msgspec.structs.replace(row, funding=ACCRUAL)
        rows.setdefault(venue, []).append(row)
    return [Instruments(venue, tuple(each)) for venue, each in rows.items()]


def settings(rng):
    """Settings of one run: fees in coins or money, latency by venue, jitter, memory."""
    fees = Fees(spot_buy_fee_in=rng.choice(["base", "quote"]))
    late = {"okx": rng.choice([0, 80, 900])}
    paper = Paper(rng.choice([0, 80]), rng.choice([0, 40]), rng.random() < 0.8, late)
    risk = Risk(pairs_max=12, unhedged_s_max=rng.choice([3, 30]))
    return Settings(account=Account(float(START)), paper=paper,
                    fees=dict.fromkeys(("bybit", "okx", "kraken"), fees), risk=risk)  # fmt: skip


def shown(rng, key, mid, now_ns, seq):
    """What a leg's feed says now: top, book, sometimes a trade."""
    conn, step, ms = f"{venue_of(key)}.ws", float(TICK.get(key, D("0.0001"))), now_ns // 1_000_000
    top = max(2, round(mid / step))
    if key == USDT_USD:
        sizes = [1e6] * 10
    else:
        thin = rng.random() < 0.15
        sizes = [rng.uniform(10, 300) if thin else rng.uniform(500, 20_000) for _ in range(10)]
    bids = [((top - 1 - i) * step, sizes[i]) for i in range(5) if top - 1 - i > 0]
    asks = [((top + 1 + i) * step, sizes[5 + i]) for i in range(5)]
    said = [
        Quote(key, f"{conn}/top:{key}", *bids[0], *asks[0], ms, seq),
        BookUpdate(key, f"{conn}/book:{key}", True, bids, asks, seq, ms),
    ]
    if rng.random() < 0.5:
        buys = rng.random() < 0.5
        price = asks[0][0] if buys else bids[0][0]
        said.append(Trade(key, f"{conn}/trade:{key}", price, rng.uniform(1, 9_000), buys, ms))
    return said


def rates(rng, key, mid, now_ns, hours):
    """What a perpetual's feed says now: mark and rate, sometimes the rates published before."""
    ms, step_ms = now_ns // 1_000_000, hours * 3_600_000
    due = (ms // step_ms + 1) * step_ms
    stream = f"{venue_of(key)}.ws/mark:{key}"
    rate = rng.gauss(0, 0.0008)
    said = [Ticker(key, stream, mid, mid, 1e6, rate, float(hours), due, 0.02, ms)]
    if rng.random() < 0.05:
        rows = [(due - step_ms * n, f"{rng.gauss(0, 0.0005):.6f}") for n in (3, 2, 1)]
        said.append(FundingHistory(key, rows))
    return said
