"""What a scenario plants on single instruments: a premium of its own, an interval, thinner books.

The openings are four cases that a scanner must tell apart. They are told as funding per 8 hours;
the premium that settles at that follows from each venue's formula, so that prices, marks and rates
fit together as everywhere in this market. All of it is invented.
"""

import math
from functools import cache
from typing import NamedTuple

from basisdesk.demo.coins import BY_NAME, Coin
from basisdesk.demo.funding import premium_for
from basisdesk.demo.places import PLACES, impact_half_bp
from basisdesk.demo.wire import Spec


class Planted(NamedTuple):
    """What is different about one instrument, at all times.

    premium_bp: added to a perpetual's premium, of which `keep` is left. hours: between settlements;
    0: as listed. depth, spread: factors on the book.
    """

    premium_bp: float = 0.0
    keep: float = 1.0
    hours: int = 0
    depth: float = 1.0
    spread: float = 1.0

    @property
    def busy(self) -> float:
        """Factor on turnover and open interest: thin books are quiet, but not in proportion."""
        return math.sqrt(self.depth)


NOTHING = Planted()


class _Case(NamedTuple):
    """One coin: funding per 8 h in bp and hours between settlements, by venue; and its books."""

    rates_8h_bp: dict[str, float]
    hours: dict[str, int]
    depth: float = 1.0
    spread: float = 1.0


_EIGHT = {"bybit": 8, "binance": 8, "okx": 8, "kraken": 1}
_KEEP = 0.25  # of the natural premium, so that the planted figures stand out in every seed

CASES: dict[str, _Case] = {
    # Earns its costs: 15 bp per 8 h between OKX and Bybit, in good books.
    "PENDLE": _Case({"bybit": -4.0, "binance": 1.0, "okx": 11.0, "kraken": 1.0}, _EIGHT, 2.0, 0.5),
    # Looks good before costs only: the same everywhere, so only spot hedges it, and that is dear.
    "WIF": _Case(dict.fromkeys(PLACES, 8.2), _EIGHT, 2.0, 2.0),
    # The largest gap of all, and hardly anything to trade it with.
    "SYRUP": _Case({"bybit": 34.0, "binance": 1.0, "kraken": 1.0}, _EIGHT, 0.003, 1.0),
    # Rates as they are printed differ by 7 bp, per 8 h they are the same: OKX settles each hour.
    "TIA": _Case(dict.fromkeys(PLACES, 8.0), _EIGHT | {"okx": 1}, 1.0, 2.0),
    # Rates as they are printed are about the same, 1 bp; per 8 h OKX pays 7.5 bp more.
    "SEI": _Case(dict.fromkeys(PLACES, 1.0) | {"okx": 8.5}, _EIGHT | {"okx": 1}, 1.0, 4.0),
}


# Bybit pays the premium of an hour for each hour, so that in any market some of these coins stand
# out by chance. Here the planted ones shall.
_SLOWER = Planted(hours=8)


@cache
def opening(spec: Spec) -> Planted:
    """What the openings make of an instrument of the listings."""
    case = CASES.get(spec.base)
    if case is None:
        return _SLOWER if (spec.venue, spec.interval_h) == ("bybit", 1) else NOTHING
    hours = case.hours.get(spec.venue, 0)
    if spec.market == "spot" or not hours:
        return Planted(depth=case.depth, spread=case.spread)
    premium_bp = _premium_bp(BY_NAME[spec.base], spec.venue, case.rates_8h_bp[spec.venue], hours)
    return Planted(premium_bp, _KEEP, hours, case.depth, case.spread)


def _premium_bp(coin: Coin, venue: str, rate_8h_bp: float, hours: int) -> float:
    """Of the mid: the venue samples impact prices, which lie a little nearer to the index.

    What is left of the coin's natural level counts as well.
    """
    scale = PLACES[venue].scale
    wanted = premium_for(rate_8h_bp * 1e-4, coin.interest, hours, scale) * 1e4
    half_bp = impact_half_bp(coin)
    mid_bp = wanted + half_bp if wanted > 0.0 else wanted - half_bp
    return mid_bp - _KEEP * coin.calm[0]
