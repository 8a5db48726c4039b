"""A market of two or three legs set by hand, and a desk with a ledger-free account."""

from decimal import Decimal

import msgspec

from basisdesk.config import Fees, Paper, Risk, Settings
from basisdesk.events import (
    BookUpdate,
    EquityMarked,
    ExitPlan,
    Funds,
    OpenPair,
    RiskChanged,
    Ticker,
)
from basisdesk.market.state import Market
from basisdesk.trading.desk import Desk
from basisdesk.venues.instrument import Instrument, Tier

SPOT = "bybit:spot:ADAUSDT"
PERP = "bybit:perp:ADAUSDT"
PERP_B = "okx:perp:ADA-USDT-SWAP"
T0 = 1_735_689_600_000_000_000  # 2025-01-01 00:00:00 UTC
S = 1_000_000_000
HOUR = 3_600 * S
D = Decimal
NAN = float("nan")
RICH = Funds(D(10_000_000), D(10_000_000))
PLAN = ExitPlan(D(3), D(150), D(72))
FREE = ExitPlan(D(-900_000), D(900_000))  # never reached: long spot, short perp
FREE_BACK = ExitPlan(D(900_000), D(-900_000))  # and of the reverse pair
TIERS = (
    Tier(D(200_000), D("0.0075"), D("0.0133"), D(75)),
    Tier(D(300_000), D("0.01"), D("0.02"), D(50), D(500)),
)


def spot_rules(**changes):
    base = Instrument(
        key=SPOT, venue="bybit", market="spot", symbol="ADAUSDT", base="ADA", quote="USDT",
        tick=D("0.0001"), lot=D("0.01"), min_qty=D("0.01"), min_notional=D(5), max_qty=D(0),
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def perp_rules(**changes):
    base = Instrument(
        key=PERP, venue="bybit", market="perp", symbol="ADAUSDT", base="ADA", quote="USDT",
        tick=D("0.0001"), lot=D(1), min_qty=D(1), min_notional=D(5), max_qty=D(0),
        leverage_max=D(75), funding_interval_h=D(8), tiers=TIERS,
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def settings(in_coin="quote", latency_ms=0, jitter_ms=0, memory=True, **risk):
    fees = Fees(spot_buy_fee_in=in_coin)
    return Settings(
        paper=Paper(latency_ms, jitter_ms, memory),
        fees={"bybit": fees, "okx": fees},
        risk=Risk(**risk),
    )


class Rig:
    """Books, marks and funding set by hand; outcomes applied as the engine would."""

    def __init__(self, conf=None, funds=RICH):
        self.settings = conf or settings()
        self.market = Market(self.settings)
        self.market.instruments[SPOT] = spot_rules()
        self.market.instruments[PERP] = perp_rules()
        second = {"key": PERP_B, "venue": "okx", "symbol": "ADA-USDT-SWAP"}
        self.market.instruments[PERP_B] = perp_rules(**second)
        self.desk = Desk(self.settings)
        self.funds = funds
        self.now = T0
        self.seq = 0
        self.log = []
        self.show(SPOT, [(0.3639, 1e6)], [(0.3640, 1e6)])
        self.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])

    def rules(self, key, **changes):
        """Change an instrument's rules."""
        old = self.market.instruments[key]
        self.market.instruments[key] = msgspec.structs.replace(old, **changes)
        self.market.leg(key).instrument = self.market.instruments[key]

    def show(self, key, bids, asks):
        """The venue shows this book now."""
        leg = self.market.leg(key)
        self.seq += 1
        update = BookUpdate(key, "s", True, list(bids), list(asks), self.seq + 1, 0)
        assert leg.book.apply(update) == ""
        leg.bid, leg.bid_size, leg.ask, leg.ask_size = leg.book.best()
        leg.quote_ns = self.now

    def fresh(self):
        """Both quotes are confirmed now."""
        for leg in self.market.legs.values():
            leg.quote_ns = self.now

    def ticker(self, key, mark, rate=0.0001, next_ms=None):
        """The venue's ticker now."""
        next_ms = T0 // 10**6 + 8 * 3_600_000 if next_ms is None else next_ms
        leg = self.market.leg(key)
        leg.mark = leg.index = mark
        event = Ticker(key, "t", mark, mark, 0.0, rate, 8.0, next_ms, 0.0, self.now // 10**6)
        leg.funding.apply(event, self.now // 10**6)

    def do(self, command):
        """Give a command; apply and return its outcomes."""
        return self._take(self.desk.on_command(command, self.market, self.funds, self.now))

    def later(self, ns, fresh=True):
        """Let time pass, then let the desk look once. What the watch says stands in `log`."""
        before, self.now = self.now, self.now + ns
        if fresh:
            self.fresh()
            self._keep_saying(before)
        outcomes = self._take(self.desk.on_time(self.market, self.funds, self.now))
        return [each for each in outcomes if not isinstance(each, RiskChanged | EquityMarked)]

    def _keep_saying(self, since_ns):
        """A live feed says its rate up to the stamp; these tickers come just before each one."""
        for key, leg in self.market.perps.items():
            clock = leg.funding
            at = clock.next_ms - 1_000
            if since_ns // 10**6 < at < self.now // 10**6:
                clock.apply(Ticker(key, "t", NAN, NAN, 0.0, clock.rate, 0.0, 0, 0.0, at), at)

    def open(self, qty="10000", **changes):
        """Open the usual pair; the one outcome."""
        (outcome,) = self.do(order(qty, **changes))
        return outcome

    def _take(self, outcomes):
        for outcome in outcomes:
            self.desk.apply(outcome)
            self.log.append(outcome)
        return outcomes


def order(qty="10000", long=SPOT, short=PERP, leverage="2", plan=PLAN):
    if plan is FREE and ":spot:" in short:
        plan = FREE_BACK
    return OpenPair(long, short, D(qty), D(leverage), plan)


def mirrored(qty="10000", **changes):
    """Long perp, short spot."""
    plan = changes.pop("plan", ExitPlan(D(500), D(-200)))
    return order(qty, long=PERP, short=SPOT, plan=plan, **changes)
