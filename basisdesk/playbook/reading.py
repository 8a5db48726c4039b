"""What is read of the two legs of a pair, the memory of its bands, and the account."""

import math
from decimal import Decimal
from math import nan
from typing import TYPE_CHECKING, Any, Self

from basisdesk.config import Settings, exact
from basisdesk.events import Funds
from basisdesk.forecast.moments import Ew, Kept
from basisdesk.market.funding import FULL_H, rate_8h_bp
from basisdesk.playbook.words import ODD_BP, Account, Flow, Funding, Terms
from basisdesk.trading.sizing import smallest
from basisdesk.venues.instrument import split_key

if TYPE_CHECKING:
    from basisdesk.market.basis import PairMarket
    from basisdesk.market.leg import Leg

SLOPE_S, PRICE_S = 60.0, 30.0
NEAR_BP = 10.0
ODD_PRICE = 1e15
LEVELS = 50
PROBE = Decimal("0.01")  # of the equity


class Memory(Kept):
    """The bands of one pair, kept bit for bit. What was read last waits until time has passed."""

    __slots__ = ("brief", "fast", "last_bp", "last_price", "last_s", "price", "slow", "t_s")

    def __init__(self, fast_s: float, slow_s: float) -> None:
        self.fast, self.slow = Ew(fast_s), Ew(slow_s)
        self.brief, self.price = Ew(SLOPE_S), Ew(PRICE_S)
        self.t_s = self.last_s = self.last_bp = self.last_price = nan

    def restore(self, kept: dict[str, Any]) -> Self:
        """Take back what `dump` gave. Raises ValueError, KeyError or TypeError where it is none."""
        super().restore(kept)
        for part in (self, self.fast, self.slow, self.brief, self.price):
            values = [getattr(part, name) for name in part._slots()]
            if not all(isinstance(each, int | float | Ew) for each in values):
                raise ValueError("bands of another shape")
        return self

    def catch_up(self, t_s: float) -> None:
        """Take what was read before this time."""
        if self.last_s < t_s:
            self.take(self.last_s, self.last_bp, self.last_price)
            self.last_s = nan

    def note(self, t_s: float, mid_bp: float, price: float) -> None:
        """What stands now, to be taken at the next look; what is beyond belief is left out."""
        if abs(mid_bp) <= ODD_BP and 0.0 < price <= ODD_PRICE:
            self.last_s, self.last_bp, self.last_price = t_s, mid_bp, price

    def take(self, t_s: float, mid_bp: float, price: float) -> None:
        """A reading, later than the one before; one beyond belief is none."""
        if not (abs(mid_bp) <= ODD_BP and 0.0 < price <= ODD_PRICE) or t_s <= self.t_s:
            return
        dt_s = t_s - self.t_s if math.isfinite(self.t_s) else 0.0
        self.t_s = t_s
        for each in (self.fast, self.slow, self.brief):
            each.update(dt_s, mid_bp)
        self.price.update(dt_s, price)


def funding_of(pair: "PairMarket", settings: Settings, now_ns: int) -> Funding:
    """Second leg minus first; a spot leg pays nothing."""
    told, settled, pace = _rates(pair.perp)
    stamps, steps = _clock(pair.perp, now_ns)
    venue, market, _ = split_key(pair.spot.key)
    borrow = 0.0
    if market == "perp":
        first = _rates(pair.spot)
        told, settled, pace = told - first[0], settled - first[1], pace - first[2]
        more = _clock(pair.spot, now_ns)
        stamps, steps = [*stamps, *more[0]], [*steps, *more[1]]
    else:
        borrow = 8e4 * float(settings.borrow_rate(venue))
    return Funding(told, settled, pace, min(stamps, default=0), min(steps, default=0.0), borrow)


def _rates(leg: "Leg") -> tuple[float, float, float]:
    """(indicative, last settled, slope an hour) in bp per 8 h."""
    clock = leg.funding
    if not clock.interval_h > 0.0:
        return nan, nan, nan
    scale, settled = FULL_H / clock.interval_h, nan
    if clock.settled:
        stamp_ms, rate = clock.settled[-1]
        hours = clock.interval_at(stamp_ms)
        settled = rate_8h_bp(rate, hours) if hours > 0.0 else nan
    return rate_8h_bp(clock.rate, clock.interval_h), settled, clock.velocity_bp_h * scale


def _clock(leg: "Leg", now_ns: int) -> tuple[list[int], list[float]]:
    """(the coming stamp, the interval), each as a list that is empty where it is not known."""
    clock = leg.funding
    coming = [clock.next_ms] if clock.next_ms * 1_000_000 > now_ns else []
    return coming, [clock.interval_h] if clock.interval_h > 0.0 else []


def flow_of(pair: "PairMarket", memory: Memory, lead: tuple[str, str]) -> Flow:
    """What moves now. lead: who leads, and why in words."""
    price, mean = pair.spot.mid, memory.price.mean
    (bids, asks), (other_bids, other_asks) = _near(pair.spot), _near(pair.perp)
    here, there = bids + asks, other_bids + other_asks
    tilt = nan
    if here > 0.0 and there > 0.0:
        tilt = (other_bids - other_asks) / there - (bids - asks) / here
    return Flow(
        slope_bp_min=(pair.now.mid_bp - memory.brief.mean) * 60.0 / SLOPE_S,
        first_slope_bp_s=1e4 * (price - mean) / mean / PRICE_S if mean > 0.0 else nan,
        leader=lead[0],
        lead=lead[1],
        depth_ratio=there / here if here > 0.0 else nan,
        tilt=tilt,
    )


def _near(leg: "Leg") -> tuple[float, float]:
    """Base coin (bid, asked) within 10 bp of mid; NaN where only the touch is heard."""
    mid = leg.mid
    if leg.depth <= 1 or not leg.book.valid or math.isnan(mid):
        return nan, nan
    far = mid * NEAR_BP / 1e4
    sums = [
        math.fsum(size for price, size in leg.book.levels(side, LEVELS) if abs(price - mid) <= far)
        for side in ("sell", "buy")
    ]
    return sums[0], sums[1]


def terms_of(pair: "PairMarket", funds: Funds) -> Terms:
    """What trading costs here, and a small order that both venues take."""
    first, second, mid = pair.spot.instrument, pair.perp.instrument, pair.spot.mid
    fees, trip, qty = pair.now.fees_bp, pair.now.round_trip_bp, pair.qty
    if first is None or second is None or not mid > 0.0:
        return Terms(fees, trip, qty)
    lot = max(first.lot, second.lot)
    for _ in range(100):
        if lot % first.lot == 0 and lot % second.lot == 0:
            break
        lot += max(first.lot, second.lot)
    price = exact(mid)
    least = max(smallest(first, price), smallest(second, price), PROBE * funds.equity / price)
    lots = (2 * least / lot).to_integral_value("ROUND_CEILING")
    return Terms(fees, trip, qty, lots * lot, lot)


def account_of(funds: Funds, settings: Settings) -> Account:
    """The account as a playbook sees it, with what the settings cut of a size now."""
    start = funds.start or exact(settings.account.start)
    below = [row for row in settings.risk.size_cuts if funds.equity < start * exact(row[0])]
    return Account(
        free=funds.free,
        equity=funds.equity,
        start=start,
        currency=settings.account.currency,
        cut=min(below)[1] if below else 1.0,
        leverage_max=settings.risk.leverage_max,
    )
