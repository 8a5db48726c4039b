"""Group C of the features: what the books show."""

from math import log, nan
from typing import TYPE_CHECKING

from basisdesk.forecast.moments import Kept, Middle, Smooth
from basisdesk.forecast.table import FIRST, H1

if TYPE_CHECKING:
    from basisdesk.forecast.words import Tick

IMPACT_MAX_BP = 1e4
SIZE_MAX = 1e18  # base coin
SPREAD_FIRST_S = FIRST["spr_s"]


class BookState(Kept):
    """Running medians of both spreads, told each 10 seconds, and four means over seconds."""

    __slots__ = ("_lean", "_ratio_f", "_ratio_s", "_relative", "_slow_s", "_spread_f", "_spread_s",
                 "_t_s")  # fmt: skip

    def __init__(self) -> None:
        self._t_s = self._slow_s = nan
        self._spread_s, self._spread_f = Middle(H1), Middle(H1)
        self._ratio_s, self._ratio_f = Smooth(10.0), Smooth(10.0)
        self._relative = Smooth(60.0)
        self._lean = Smooth(5.0)

    def take(
        self, t_s: float, mids: tuple[float, float], tick: "Tick", *, slow: bool
    ) -> tuple[float, ...]:
        """The 7 values of this beat; then it is remembered. mids: of spot and perpetual."""
        dt = t_s - self._t_s
        if not dt > 0.0:
            dt = 0.0  # the first time too: NaN is not greater
        self._t_s = t_s
        spread_s = (tick.spot_ask - tick.spot_bid) / mids[0]
        spread_f = (tick.perp_ask - tick.perp_bid) / mids[1]
        lean = spread_f * _ratio(tick.perp_bid_size, tick.perp_ask_size)
        lean -= spread_s * _ratio(tick.spot_bid_size, tick.spot_ask_size)
        shown_s, shown_f = tick.spot_bid_10 + tick.spot_ask_10, tick.perp_bid_10 + tick.perp_ask_10
        both = 0.0 < shown_s < SIZE_MAX and 0.0 < shown_f < SIZE_MAX
        impact = tick.impact_bp
        usual_s, usual_f = self._spread_s, self._spread_f
        found = (
            # spreads over their medians of the beats before; a spread of nothing is not a quote
            spread_s / usual_s.value
            if usual_s.heard_s >= SPREAD_FIRST_S and spread_s > 0.0
            else nan,
            spread_f / usual_f.value
            if usual_f.heard_s >= SPREAD_FIRST_S and spread_f > 0.0
            else nan,
            self._ratio_s.take(dt, _ratio(tick.spot_bid_5, tick.spot_ask_5)),
            self._ratio_f.take(dt, _ratio(tick.perp_bid_5, tick.perp_ask_5)),
            self._relative.take(dt, log(shown_f / shown_s) if both else nan),
            impact if -IMPACT_MAX_BP < impact < IMPACT_MAX_BP else nan,
            self._lean.take(dt, 0.5e4 * lean),  # a microprice lies half a spread off at most
        )
        if slow:
            dt = max(0.0, t_s - self._slow_s)
            self._slow_s = t_s
            for middle, spread in ((self._spread_s, spread_s), (self._spread_f, spread_f)):
                if spread > 0.0:
                    middle.update(dt, spread)
        return found

    def warm(self) -> tuple[bool, ...]:
        """Whether the memory of each is full."""
        spreads = [middle.heard_s >= H1 for middle in (self._spread_s, self._spread_f)]
        means = [mean.warm for mean in (self._ratio_s, self._ratio_f, self._relative)]
        return (*spreads, *means, True, self._lean.warm)


def _ratio(bids: float, asks: float) -> float:
    # -1 to 1: which side shows more
    both = bids + asks
    if bids >= 0.0 <= asks and 0.0 < both < SIZE_MAX:
        return (bids - asks) / both
    return nan
