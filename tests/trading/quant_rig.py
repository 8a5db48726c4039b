"""A market set by hand and positions folded from outcomes; no desk. For looks and decisions."""

import math
from decimal import Decimal

import msgspec
import numpy as np

from basisdesk.config import Fees, Paper, Risk, Settings
from basisdesk.events import (
    BookUpdate,
    ExitPlan,
    Fill,
    FundingSettled,
    Funds,
    PairOpened,
    Ticker,
)
from basisdesk.market.state import Market
from basisdesk.trading.costs import cost_sheet, exit_now
from basisdesk.trading.hold_time import Holds
from basisdesk.trading.paper import Memory
from basisdesk.trading.positions import Positions
from basisdesk.trading.quoting import Pricer
from basisdesk.venues.instrument import FundingRule, Instrument, Tier

D = Decimal
S = 1_000_000_000
HOUR = 3_600 * S
T0 = 1_735_689_600 * S  # 2025-01-01 00:00:00 UTC
MS0 = T0 // 10**6
H_MS = 3_600_000
MINUTE_NS = 60 * S
SPOT, PERP, OTHER = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT", "okx:perp:ADA-USDT-SWAP"
TIER = Tier(D(200_000), D("0.0075"), D("0.0133"), D(75))
PLAN = ExitPlan(D(3), D(150))


def instrument(key, **changes):
    venue, market, symbol = key.split(":")
    perp = market == "perp"
    rule = Instrument(
        key=key, venue=venue, market=market, symbol=symbol, base="ADA", quote="USDT",
        tick=D("0.0001"), lot=D(1) if perp else D("0.01"), min_qty=D(1) if perp else D("0.01"),
        min_notional=D(5), max_qty=D(0), leverage_max=D(75) if perp else D(1),
        funding_interval_h=D(8) if perp else D(0), tiers=(TIER,) if perp else (),
    )  # fmt: skip
    return msgspec.structs.replace(rule, **changes)


def settings(in_coin="quote", fees=None, **risk):
    fees = fees or Fees(spot_buy_fee_in=in_coin)
    return Settings(paper=Paper(0), fees={"bybit": fees, "okx": fees}, risk=Risk(**risk))


class Quant:
    """Spot 0.3639 / 0.3640 and perp 0.3665 / 0.3666, a million deep; OKX 0.3675 / 0.3676."""

    def __init__(self, conf=None):
        self.settings = conf or settings()
        self.market = Market(self.settings)
        self.positions = Positions("USDT")
        self.now = T0
        self.seq = 0
        for key in (SPOT, PERP, OTHER):
            self.market.instruments[key] = instrument(key)
        self.show(SPOT, 0.3639, 0.3640)
        self.show(PERP, 0.3665, 0.3666)
        self.show(OTHER, 0.3675, 0.3676)

    def rules(self, key, **changes):
        old = self.market.instruments[key]
        self.market.instruments[key] = msgspec.structs.replace(old, **changes)
        self.market.leg(key).instrument = self.market.instruments[key]

    def show(self, key, bid, ask, size=1e6, deeper=()):
        """The venue shows these best prices now. deeper: (bids, asks) below and above them."""
        leg = self.market.leg(key)
        bids, asks = deeper or ([], [])
        self.seq += 1
        rows = [(bid, size), *bids], [(ask, size), *asks]
        assert leg.book.apply(BookUpdate(key, "s", True, *rows, self.seq + 1, 0)) == ""
        leg.bid, leg.bid_size, leg.ask, leg.ask_size = leg.book.best()
        leg.quote_ns = self.now

    def at(self, ns):
        """It is so long after T0, and both quotes are fresh."""
        self.now = T0 + ns
        for leg in self.market.legs.values():
            leg.quote_ns = self.now

    def ticker(self, key=PERP, mark=0.3665, rate=0.0001, hours=8.0, next_ms=None):
        leg = self.market.leg(key)
        leg.mark = leg.index = mark
        now = self.now // 10**6
        step = round(hours * H_MS)
        next_ms = (now // step + 1) * step if next_ms is None else next_ms
        event = Ticker(key, "t", mark, mark, 0.0, rate, hours, next_ms, 0.0, now)
        leg.funding.apply(event, now)

    def open(self, qty="10000", plan=PLAN, long=SPOT, short=PERP, **changes):
        """A pair filled at the best prices, each fee at the taker rate in quote."""
        prices = D(repr(self.market.leg(long).ask)), D(repr(self.market.leg(short).bid))
        sizes = changes.pop("sizes", (D(qty), D(qty)))
        leverage = D(changes.pop("leverage", 2))
        margin = sum(
            (p * q / leverage for p, q, key in zip(prices, sizes, (long, short), strict=True)
             if ":perp:" in key),
            D(0),
        )  # fmt: skip
        collateral = D(0) if ":perp:" in short else prices[1] * sizes[1] / leverage
        fills = tuple(
            Fill(self.now, role, key, side, q, p, q * p * D("0.001"), "USDT")
            for role, key, side, q, p in zip(
                ("long", "short"), (long, short), ("buy", "sell"), sizes, prices, strict=True
            )
        )
        number = self.positions.next_pair
        self.opened = PairOpened(
            self.now, number, long, short, D(qty), leverage, plan, "user", fills,
            prices[0], prices[1], margin, collateral, step=D(1), **changes,
        )  # fmt: skip
        self.positions.apply(self.opened)
        return self.positions.pairs[number]

    def reverse(self, qty="10000", plan=None, **changes):
        """Long perp, short spot."""
        plan = plan or ExitPlan(D(500), D(-200))
        return self.open(qty, plan, PERP, SPOT, **changes)

    def paid(self, position, hours, amount, key=PERP):
        """A settlement so many hours after T0."""
        stamp = MS0 + hours * H_MS
        self.positions.apply(
            FundingSettled(
                T0 + hours * HOUR, position.pair, key, stamp, D("0.0001"), D("0.3665"),
                D(-10000), D(amount),
            )
        )  # fmt: skip

    def accrues(self, key=PERP):
        """Its venue pays by the time held, each hour, on the index (Kraken's way)."""
        rule = FundingRule(0.0, 0.0, "24h", "accrual", "index")
        self.rules(key, funding=rule, funding_interval_h=D(1))


def funds(free=10_000, equity=10_000, **nets):
    told = {int(key[1:]): D(value) for key, value in nets.items()}
    return Funds(D(free), D(equity), nets=told)


class Watched(Quant):
    """A pair with a day of minutes behind it; the last one is now."""

    def __init__(self, basis_bp):
        super().__init__()
        self.pair = self.market.pair(SPOT, PERP)
        self.now = T0 + len(basis_bp) * MINUTE_NS
        for i, bp in enumerate(basis_bp):
            t_s = (T0 + (i + 1) * MINUTE_NS) / 1e9
            self.pair.series.push(t_s, (0.36, 0.36 * (1 + bp / 1e4), bp, *[math.nan] * 8))
        self.stand(basis_bp[-1])

    def stand(self, mid_bp, half=0.00000001):
        """The books stand so that the mid basis is this, with next to no spread."""
        self.rules(SPOT, tick=D("1e-9"))
        self.rules(PERP, tick=D("1e-9"))
        perp = 0.36 * (1 + mid_bp / 1e4)
        self.show(SPOT, 0.36 - half, 0.36 + half)
        self.show(PERP, perp - half, perp + half)
        self.pair.now = msgspec.structs.replace(self.pair.now, mid_bp=mid_bp)

    def hold(self, target, holds=None):
        position = self.open(plan=ExitPlan(D(repr(target)), D(5000)))
        return (holds or Holds()).of(position, self.market, self.settings, self.now)


PLENTY = D(10) ** 9


def priced(rig, request, account, most=PLENTY):
    """(sheet, entry) as the ticket makes them."""
    quote = Pricer(request, rig.market, rig.settings, Memory(False), rig.now).price(request.qty)
    leave = exit_now(quote, request, rig.market, rig.settings, rig.now)
    told = account, most, None
    return cost_sheet(quote, leave, request, rig.market, rig.settings, told), quote


def swing(half_life_h, minutes, sd=3.0, mean=-4.3, noise=0.0, seed=7):
    """An Ornstein-Uhlenbeck basis a minute apart, bp, quote noise on top."""
    rng = np.random.default_rng(seed)
    keep = 0.5 ** (1 / (60 * half_life_h))
    steps = rng.normal(size=minutes) * sd * math.sqrt(1 - keep**2)
    x = np.empty(minutes)
    x[0] = rng.normal() * sd
    for i in range(1, minutes):
        x[i] = keep * x[i - 1] + steps[i]
    return x + mean + rng.normal(size=minutes) * noise
