"""A pair with a made-up hour behind it, and a context around it, for tests of the charts."""

import math
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace

import numpy as np

from basisdesk.clock import ManualClock
from basisdesk.config import Settings, Ui
from basisdesk.events import BookUpdate, ExitPlan, Fill, PairOpened, PairReduced
from basisdesk.market.basis import BasisNow, PairMarket
from basisdesk.market.leg import Leg
from basisdesk.ui.context import Context, Status
from basisdesk.venues.instrument import Instrument

NOW_S = 1_795_239_650.0
NOW_NS = int(NOW_S * 1e9)
SPOT, PERP = "bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT"
NAN = math.nan


def instrument(key: str, tick: str = "0.00001") -> Instrument:
    venue, market, symbol = key.split(":")
    lot = Decimal("0.1")
    return Instrument(
        key, venue, market, symbol, "ADA", "USDT", Decimal(tick), lot, lot, lot, Decimal(10**6)
    )


def make_pair(rows: int = 36_000, hz: float = 10.0, capacity: int = 40_000) -> PairMarket:
    """An hour in which the basis climbs from 10 to 70 bp, quotes of both legs fresh at NOW_S."""
    legs = [Leg(key, instrument(key)) for key in (SPOT, PERP)]
    pair = PairMarket(*legs, Settings(), capacity)
    t = NOW_S - np.arange(rows)[::-1] / hz
    mid = np.linspace(10.0, 70.0, rows) + np.sin(np.arange(rows) / 7.0)
    spot = np.full(rows, 0.364)
    flat = np.ones(rows)
    columns = [t, spot, spot * (1 + mid / 1e4), mid, mid - 1, mid + 1, mid - 2, 3 * flat]
    pair.series.extend(
        np.column_stack([*columns, -4.5 * flat, 0.0184 * flat, NAN * flat, NAN * flat])
    )
    pair.qty = 10_000.0
    pair.now = BasisNow(
        mid_bp=mid[-1], open_bp=mid[-1] - 1, close_bp=mid[-1] + 1, z=2.7, fair_bp=-4.5,
        round_trip_bp=35.1, age_spot_ms=80.0, age_perp_ms=80.0, warm=True,
    )  # fmt: skip
    for leg, price in zip(legs, (0.364, 0.3665), strict=True):
        leg.bid, leg.ask = price - 0.00002, price + 0.00002
        leg.quote_ns = NOW_NS - 80_000_000
        fill_book(leg)
    funding = pair.perp.funding
    funding.rate, funding.interval_h = 0.000184, 8.0
    funding.next_ms = int((NOW_S + 2 * 3600 + 14 * 60 + 33) * 1e3)
    funding.settled = [(int((NOW_S - 1800) * 1e3), 0.00012)]
    return pair


def fill_book(leg: Leg, size: float = 50_000.0) -> None:
    """One level a side, this big, at the leg's quotes."""
    sides = [(leg.bid, size)], [(leg.ask, size)]
    leg.book.apply(BookUpdate(leg.key, "t", True, *sides, 1, 0))


def opened(t_s: float = NOW_S - 900) -> PairOpened:
    qty = Decimal(10_000)
    fills = (
        Fill(0, "long", SPOT, "buy", qty, Decimal("0.36400"), Decimal(1), "USDT"),
        Fill(0, "short", PERP, "sell", qty, Decimal("0.36623"), Decimal(1), "USDT"),
    )
    mids = Decimal("0.364"), Decimal("0.3662")
    ns = int(t_s * 1e9)
    return PairOpened(
        ns, 1, SPOT, PERP, qty, Decimal(2), ExitPlan(), "user", fills, *mids, qty, Decimal(0)
    )


def reduced(t_s: float = NOW_S - 600, closed: bool = False) -> PairReduced:
    qty = Decimal(5_000)
    fills = (
        Fill(0, "long", SPOT, "sell", qty, Decimal("0.36400"), Decimal(1), "USDT"),
        Fill(0, "short", PERP, "buy", qty, Decimal("0.36410"), Decimal(1), "USDT"),
    )
    part = Decimal(1) if closed else Decimal("0.5")
    mids = Decimal("0.364"), Decimal("0.3641")
    ns = int(t_s * 1e9)
    return PairReduced(ns, 1, part, "user", fills, *mids, Decimal(0), Decimal(0), closed)


def stream(topic: str, state: str = "live", error: str = "") -> SimpleNamespace:
    return SimpleNamespace(
        id=f"bybit.spot/{topic}",
        conn="bybit.spot",
        state=state,
        heard_ns=NOW_NS - 100_000_000,
        last_error=error,
    )


@dataclass
class FakeEngine:
    """What the charts and the top bar read of an engine."""

    pair: PairMarket | None
    settings: Settings = field(default_factory=Settings)
    now_ns: int = NOW_NS
    outcomes: deque = field(default_factory=deque)
    market: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(streams={}, links={}))
    desk: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(
            risk=SimpleNamespace(state="active", reason="", since_ns=0, resume="")
        )
    )

    def shown(self) -> PairMarket | None:
        return self.pair

    def open_pairs(self) -> list:
        return []


def make_context(pair: PairMarket | None, mode: str = "simulated", ui: Ui | None = None) -> Context:
    settings = Settings(ui=ui or Ui())
    engine = FakeEngine(pair)
    clock = ManualClock(NOW_NS)
    return Context(engine, settings, clock, SimpleNamespace(), mode, Status(loop_lag_ms=3.0))
