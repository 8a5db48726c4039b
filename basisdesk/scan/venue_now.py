"""Each coin on each venue as it stands now: its basis and its funding, brought to one measure."""

import math
from typing import TYPE_CHECKING, NamedTuple

from basisdesk.market.funding import rate_8h_bp
from basisdesk.scan.leg_now import Touch, currency_rate, limits_of, paying_of, touch_of
from basisdesk.scan.steady import BOOK, TOUCH, steady_of

if TYPE_CHECKING:
    from basisdesk.config import Settings
    from basisdesk.market.state import Market
    from basisdesk.market.universe import ScanLeg

NAN = math.nan


class VenueNow(NamedTuple):
    """One coin's perpetual on one venue, against spot there; elsewhere where it has none.

    basis_bp: of mids in account currency. log_basis: of the prices as they are, natural logarithm.
    rate_8h_bp, interval_h: NaN where unknown. age_s: of the older of touch and, if it is stale,
    rate. book_depth: account currency of the perpetual's thinner side within the impact limit, by
    the median of its last five books (steady.py), NaN without a book in the last five minutes;
    touch_depth: at the touch, likewise. pair: (spot, perp) or None without any spot leg.
    """

    venue: str
    basis_bp: float
    log_basis: float
    rate_8h_bp: float
    interval_h: float
    age_s: float
    stale: bool
    book_depth: float
    touch_depth: float
    perp: str
    pair: tuple[str, str] | None


class VenuesNow:
    """Reads coins at one moment; make it anew for another."""

    def __init__(self, market: "Market", settings: "Settings", now_ns: int) -> None:
        self._market = market
        self._settings = settings
        self._now_ns = now_ns
        self._limits = limits_of(settings)
        self._impact = settings.scanner.capacity_bp / 2 / 1e4
        self._steady = steady_of(market.universe)
        self._rates: dict[str, float] = {}

    def of(self, coin: str) -> dict[str, VenueNow]:
        """The coin on each venue that lists a perpetual of it; odd legs are left out."""
        legs = self._market.universe.of(coin)
        spots = {leg.venue: leg for leg in legs if leg.market == "spot"}
        found = {}
        for leg in legs:
            if leg.market == "perp":
                found[leg.venue] = self._look(leg, spots.get(leg.venue) or self._other(spots))
        return found

    # --- inside ----------------------------------------------------------------------------------

    def _other(self, spots: "dict[str, ScanLeg]") -> "ScanLeg | None":
        scanner = self._settings.scanner
        for venue in (scanner.trade_on, scanner.read_on, *scanner.venues):
            if venue in spots:
                return spots[venue]
        return None

    def _look(self, perp: "ScanLeg", spot: "ScanLeg | None") -> VenueNow:
        market, now_ns = self._market, self._now_ns
        touch = touch_of(perp, market, now_ns)
        age_s, basis_bp, log_basis = touch.age_s, NAN, NAN
        if spot is not None:
            there = touch_of(spot, market, now_ns)
            age_s = max(age_s, there.age_s)
            log_basis = math.log(touch.mid / there.mid) if _priced(touch, there) else NAN
            fx = self._fx(perp.quote) / self._fx(spot.quote)
            basis_bp = 1e4 * (fx * math.exp(log_basis) - 1.0)
        assert perp.funding is not None
        paying = paying_of(perp, perp.funding, market, now_ns)
        hours = paying.clock.interval_h if paying.clock.interval_h > 0.0 else NAN
        old = paying.rate_s > self._limits.rate_s
        return VenueNow(
            venue=perp.venue,
            basis_bp=basis_bp,
            log_basis=log_basis,
            rate_8h_bp=rate_8h_bp(paying.clock.rate, hours),
            interval_h=hours,
            age_s=max(age_s, paying.rate_s) if old else age_s,
            stale=old or age_s > self._limits.touch_s,
            book_depth=self._book_depth(perp, touch),
            touch_depth=self._touch_depth(perp, touch),
            perp=perp.key,
            pair=(spot.key, perp.key) if spot is not None else None,
        )

    def _touch_depth(self, leg: "ScanLeg", touch: Touch) -> float:
        usual = self._steady.of(TOUCH, leg.key, self._now_ns)
        if not math.isnan(usual):
            return usual
        return self._worth(leg, touch, min(touch.bid_size, touch.ask_size))

    def _book_depth(self, leg: "ScanLeg", touch: Touch) -> float:
        usual = self._steady.of(BOOK, leg.key, self._now_ns)
        if not math.isnan(usual):
            return usual
        if touch.book is not None:
            bids, asks = touch.book.levels("sell", 100), touch.book.levels("buy", 100)
        elif leg.book is not None and self._now_ns - leg.book[2] <= self._limits.book_s * 1e9:
            bids, asks = list(leg.book[0]), list(leg.book[1])
        else:
            return NAN
        if not (bids and asks):
            return NAN
        mid = (bids[0][0] + asks[0][0]) / 2
        low, high = mid * (1.0 - self._impact), mid * (1.0 + self._impact)
        bid = sum(size for price, size in bids if price >= low)
        ask = sum(size for price, size in asks if price <= high)
        return self._worth(leg, touch, min(bid, ask))

    def _worth(self, leg: "ScanLeg", touch: Touch, coins: float) -> float:
        return coins * touch.mid * self._fx(leg.quote)

    def _fx(self, quote: str) -> float:
        rate = self._rates.get(quote)
        if rate is None:
            told = currency_rate(self._market, quote, self._settings, self._now_ns)
            rate = self._rates[quote] = NAN if told.stale else told.mid
        return rate


def _priced(*touches: Touch) -> bool:
    return all(touch.mid > 0.0 for touch in touches)
