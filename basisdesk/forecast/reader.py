"""Reads one pair of the market into a `Tick`, and what other venues and coins say.

Costs, target and sector come from those who know them, as numbers. The read is of one moment: what
was published, quoted or traded by then. It moves nothing in the market.
"""

import math
from math import nan
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from basisdesk.forecast.words import SETTLED_TAIL, Settled, Tick
from basisdesk.market.fair import fair_of_rule_bp
from basisdesk.market.funding import rate_8h_bp
from basisdesk.venues.instrument import FundingRule, split_key, split_symbol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from basisdesk.market.basis import PairMarket
    from basisdesk.market.leg import Leg
    from basisdesk.market.state import Market
    from basisdesk.market.universe import ScanLeg

SD_FLOOR_BP = 0.3  # a deviation of the basis below it is the grid of prices
NEAR_BP, FAR_BP = 5.0, 10.0
CLOSE_BP = 1e-6  # prices nearer than this to the limit are within
LEVELS = 25  # a side; the usual book shows no more within 10 bp
LEVELS_MAX = 1_000
AGE_S, AGE_POLLS = 30.0, 4.0  # a polled quote so old says nothing of now
RATE_AGE_S = 600.0
STEP_NS = 5_000_000_000
PLACES_MIN = 3  # coins until their median is a market

_NO_DEPTH = (nan, nan, nan, nan)
_USUAL = FundingRule()


class Terms(NamedTuple):
    """What the desk knows of a trade in this pair now. direction: 0 takes the side of the gap."""

    direction: int = 0
    cost_bp: float = nan
    target_bp: float = nan
    sector_z: float = nan


NO_TERMS = Terms()


class Elsewhere:
    """Medians over venues and coins, for all pairs, made anew each 5 s: pages come no faster.

    mkt_x_bp: median distance from fair over coins, of each coin the median over its venues.
    """

    def __init__(self, market: "Market") -> None:
        self.mkt_x_bp = nan
        self._market = market
        settings = market.settings
        self._age_ns = round(max(AGE_S, AGE_POLLS * settings.scanner.poll_s) * 1e9)
        self._funding: dict[str, dict[str, float]] = {}  # coin -> venue -> bp per 8 h
        self._basis: dict[str, dict[str, float]] = {}  # coin -> venue -> bp
        self._now_ns = -STEP_NS

    def look(self, now_ns: int) -> None:
        """Read the universe where that is due, once however often it is asked."""
        if 0 <= now_ns - self._now_ns < STEP_NS:
            return
        self._now_ns = now_ns
        universe = self._market.universe
        away: list[float] = []
        self._funding, self._basis = {}, {}
        for coin in {leg.coin for leg in universe.legs.values()}:
            legs = [leg for leg in universe.of(coin) if now_ns >= leg.t_ns]
            self._funding[coin] = dict(self._rates(legs))
            found = dict(self._bases(legs))
            self._basis[coin] = {venue: basis for venue, (basis, _) in found.items()}
            if found:
                away.append(median(x for _, x in found.values()))
        self.mkt_x_bp = median(away) if len(away) >= PLACES_MIN else nan

    def of(self, coin: str, venue: str, own: tuple[float, float]) -> tuple[float, float]:
        """(own funding less the others' median, own basis less theirs); NaN where none is known.

        own: funding in bp per 8 h and basis in bp of this pair. venue: of its perpetual; what is
        polled of it is no other.
        """
        rates = [rate for name, rate in self._funding.get(coin, {}).items() if name != venue]
        bases = [basis for name, basis in self._basis.get(coin, {}).items() if name != venue]
        return (
            own[0] - median(rates) if rates else nan,
            own[1] - median(bases) if bases else nan,
        )

    def _rates(self, legs: "Iterable[ScanLeg]") -> "Iterable[tuple[str, float]]":
        oldest_ns = self._now_ns - round(RATE_AGE_S * 1e9)
        for leg in legs:
            clock = leg.funding
            if clock is None or not clock.interval_h > 0.0 or leg.rate_ns < oldest_ns:
                continue
            if math.isfinite(clock.rate):
                yield leg.venue, rate_8h_bp(clock.rate, clock.interval_h)

    def _bases(self, legs: "list[ScanLeg]") -> "Iterable[tuple[str, tuple[float, float]]]":
        # (basis, distance from fair) of each venue that has both legs in one currency
        oldest_ns = self._now_ns - self._age_ns
        fresh = [leg for leg in legs if leg.t_ns >= oldest_ns and leg.mid > 0.0]
        spots = {(leg.venue, leg.quote): leg.mid for leg in fresh if leg.market == "spot"}
        for leg in fresh:
            spot = spots.get((leg.venue, leg.quote), nan)
            if leg.funding is None or not spot > 0.0:
                continue
            basis_bp = 1e4 * (leg.mid - spot) / spot
            fair_bp = self._fair_bp(leg, leg.funding.interval_h, basis_bp)
            if not math.isnan(fair_bp):
                yield leg.venue, (basis_bp, basis_bp - fair_bp)

    def _fair_bp(self, leg: "ScanLeg", interval_h: float, basis_bp: float) -> float:
        known = self._market.instruments.get(leg.key)
        rule = known.funding if known is not None else _USUAL
        rate_year = self._market.settings.risk.money_rate_year
        return fair_of_rule_bp(rule, rate_year, interval_h, basis_bp)


class TickReader:
    """Reads one pair. `read` is called once a beat, after the market's own beat."""

    def __init__(self, pair: "PairMarket", elsewhere: Elsewhere) -> None:
        self._pair = pair
        self._elsewhere = elsewhere
        self._coin = _coin_of(pair.perp.key)
        self._venue = split_key(pair.perp.key)[0]
        self._read_ns = 0
        self._known: list[tuple[int, float]] | None = None  # the clock's list that was last read
        self._settled: Settled = ()

    def read(self, now_ns: int, terms: Terms = NO_TERMS) -> Tick:
        """What is known at this beat."""
        pair, now = self._pair, self._pair.now
        spot, perp, fx = pair.spot, pair.perp, pair.fx_ratio
        clock = perp.funding
        direction, impact_bp = self._side(terms.direction)
        xv_f_bp, xv_b_bp = self._others(now_ns)
        spot_depth, perp_depth = _depth(spot), _depth(perp)
        spot_flow, perp_flow = _flow(spot, self._read_ns), _flow(perp, self._read_ns)
        self._read_ns = now_ns
        rule = perp.instrument.funding if perp.instrument is not None else _USUAL
        return Tick(
            t_ns=now_ns,
            direction=direction,
            spot_bid=spot.bid,
            spot_ask=spot.ask,
            spot_bid_size=spot.bid_size,
            spot_ask_size=spot.ask_size,
            perp_bid=perp.bid * fx,
            perp_ask=perp.ask * fx,
            perp_bid_size=perp.bid_size,
            perp_ask_size=perp.ask_size,
            spot_bid_5=spot_depth[0],
            spot_ask_5=spot_depth[1],
            spot_bid_10=spot_depth[2],
            spot_ask_10=spot_depth[3],
            perp_bid_5=perp_depth[0],
            perp_ask_5=perp_depth[1],
            perp_bid_10=perp_depth[2],
            perp_ask_10=perp_depth[3],
            mark=perp.mark * fx,
            index=perp.index * fx,
            rate=clock.rate,
            cap=clock.cap if clock.cap > 0.0 else nan,
            interest_8h_bp=rule.interest_8h_bp if rule.scale != "24h" else nan,
            interval_h=clock.interval_h if clock.interval_h > 0.0 else nan,
            next_ms=clock.next_ms,
            settled=self._tail(),
            open_bp=now.open_bp,
            close_bp=now.close_bp,
            impact_bp=impact_bp,
            fair_bp=now.fair_bp,
            cost_bp=terms.cost_bp,
            target_bp=terms.target_bp,
            spot_signed=spot_flow[0],
            spot_volume=spot_flow[1],
            spot_trades=spot_flow[2],
            perp_signed=perp_flow[0],
            perp_volume=perp_flow[1],
            perp_trades=perp_flow[2],
            xv_f_bp=xv_f_bp,
            xv_b_bp=xv_b_bp,
            mkt_x_bp=self._elsewhere.mkt_x_bp,
            sector_z=terms.sector_z,
            floor_bp=self._floor_bp(),
            stale=now.stale,
        )

    def _side(self, told: int) -> tuple[int, float]:
        # the side of a trade, and what an entry of our size costs against the mids
        now = self._pair.now
        direction = told or (-1 if now.mid_bp < now.fair_bp else 1)
        entry_bp = now.open_bp if direction > 0 else now.close_bp
        return direction, direction * (now.mid_bp - entry_bp)

    def _others(self, now_ns: int) -> tuple[float, float]:
        self._elsewhere.look(now_ns)
        clock = self._pair.perp.funding
        hours = clock.interval_h
        rate_bp = rate_8h_bp(clock.rate, hours) if hours > 0.0 else nan
        return self._elsewhere.of(self._coin, self._venue, (rate_bp, self._pair.now.mid_bp))

    def _tail(self) -> Settled:
        # the clock makes a new list when it learns, and never changes one
        clock = self._pair.perp.funding
        if clock.settled is not self._known:
            self._known = clock.settled
            rows = [
                (stamp_ms, rate_8h_bp(rate, hours))
                for stamp_ms, rate in clock.settled[-SETTLED_TAIL:]
                if (hours := clock.interval_at(stamp_ms)) > 0.0
            ]
            if tuple(rows) != self._settled:
                self._settled = tuple(rows)
        return self._settled

    def _floor_bp(self) -> float:
        pair = self._pair
        mid = pair.spot.mid
        ticks = pair.spot.floor + pair.perp.floor  # half a tick each
        return max(SD_FLOOR_BP, 1e4 * ticks / mid) if mid > 0.0 else SD_FLOOR_BP


def _coin_of(key: str) -> str:
    # the coin as the universe names it; "" where the name does not say it
    try:
        return split_symbol(key)[0]
    except ValueError:
        return ""


def _flow(leg: "Leg", after_ns: int) -> tuple[float, float, float]:
    """(buys less sells, both, count) of the trades since a time; NaN where none was ever heard.

    NaN too at the first read, which does not know since when.
    """
    if not (leg.last_trade_ns and after_ns):
        return nan, nan, nan
    signed = volume = 0.0
    count = 0
    for t_ns, _, size, side in reversed(leg.prints):
        if t_ns <= after_ns:
            break
        signed += size if side == "buy" else -size
        volume += size
        count += 1
    return signed, volume, float(count)


def _depth(leg: "Leg") -> tuple[float, float, float, float]:
    """Shown (bids, asks) within 5 bp of mid, then within 10; NaN where only the touch is heard.

    A side that ends before is compared with as much of the other: within what both show.
    """
    book, mid = leg.book, leg.mid
    if leg.depth <= 1 or not book.valid or math.isnan(mid):
        return _NO_DEPTH
    far = mid * (FAR_BP + CLOSE_BP) / 1e4
    bids, asks = _levels(leg, "sell", mid, far), _levels(leg, "buy", mid, far)
    if not bids or not asks:
        return _NO_DEPTH
    far = min(far, mid * CLOSE_BP / 1e4 + min(mid - bids[-1][0], asks[-1][0] - mid))
    near = min(far, mid * (NEAR_BP + CLOSE_BP) / 1e4)
    near_bids, far_bids = _sums(bids, mid, near, far)
    near_asks, far_asks = _sums(asks, mid, near, far)
    return near_bids, near_asks, far_bids, far_asks


def _sums(
    levels: list[tuple[float, float]], mid: float, near: float, far: float
) -> tuple[float, float]:
    # sizes no farther from mid than each of the two, levels best first
    within = beyond = 0.0
    for price, size in levels:
        away = price - mid if price > mid else mid - price
        if away > near:
            if away > far:
                break
            beyond += size
        else:
            within += size
    return within, within + beyond


def _levels(leg: "Leg", side: str, mid: float, far: float) -> list[tuple[float, float]]:
    # best first, until the first level farther from mid or the end of what is shown
    n = LEVELS
    while True:
        levels = leg.book.levels(side, n)
        if len(levels) < n or abs(levels[-1][0] - mid) > far or n >= LEVELS_MAX:
            return levels
        n *= 4
