"""What a playbook needs of its data, and the clock it runs by on bars.

The playbooks were made for a look a second: a band of five minutes, the slope of the last minute.
A memory starts anew after a silence of three of its time constants (forecast/moments.py), so on
coarse bars such a memory is never full and the playbook stays silent in warm-up for ever. It is
said to need quotes then. Beside it the same rules may run by a slower clock: every memory so many
times as long, which is another playbook, and is called so.
"""

from collections import deque
from math import inf, nan
from typing import NamedTuple

import msgspec

from basisdesk.forecast.moments import SILENCE, Ew
from basisdesk.lab.series import PairSeries
from basisdesk.playbook.reader import FAST_S, PEAK_S, PRICE_S, SLOPE_S, SLOW_S
from basisdesk.playbook.words import Band, Playbook, View

SHORTEST_S = {
    "decoupling": (SLOPE_S, "the slope of the last minute"),
    "convergence": (PRICE_S, "the price against its 30 s mean"),
    "carry": (FAST_S, "the 5 min band"),
    "clamp-aware": (FAST_S, "the pace of the 5 min mean"),
}  # the shortest memory that each judges by; one that is not here reads none
HOLDS = ("hold_h", "soft_h")  # of decoupling: told in lengths of its 2 h band
BY_CLOCK = "decoupling"
LOOK_S = 1.0  # between two looks in the desk
BAR_S = 60.0  # a bar is taken for so much of the desk's time
PEAKS_MAX = 100_000


class Need(NamedTuple):
    """Whether a playbook can speak on a series. why: "" where it can."""

    book: str
    step_s: float
    why: str = ""


def need_of(book: Playbook, step_s: float) -> Need:
    """step_s: from one row to the next, 0 for quotes."""
    known = SHORTEST_S.get(book.name)
    if known is None or step_s <= SILENCE * known[0]:
        return Need(book.name, step_s)
    why = f"needs quotes: it judges by {known[1]}, and a bar is {step_s:,.0f} s"
    return Need(book.name, step_s, why)


def usual_stretch(series: PairSeries) -> float:
    """How many times slower the clock is on these bars: a bar counts as the desk's minute."""
    return max(1.0, series.step_s / BAR_S)


def slowed(book: Playbook, stretch: float) -> Playbook:
    """The playbook whose own holds are stretched with its bands, as far as they may be set."""
    if book.name != BY_CLOCK or stretch <= 1.0:
        return book
    params = {param.name: param for param in book.params}
    longer = {name: min(params[name].value * stretch, params[name].high) for name in HOLDS}
    return book.with_values(longer)


class SlowClock:
    """Bands and slopes of one pair by a clock so many times slower; a view with them in it.

    As in the desk's reader what stands now is in no mean that it is compared with.
    """

    def __init__(self, stretch: float) -> None:
        self.fast, self.slow = Ew(FAST_S * stretch), Ew(SLOW_S * stretch)
        self.brief, self.price = Ew(SLOPE_S * stretch), Ew(PRICE_S * stretch)
        self._peak_s = PEAK_S * stretch
        self._past_s: deque[float] = deque(maxlen=PEAKS_MAX)
        self._past_bp: deque[float] = deque(maxlen=PEAKS_MAX)
        self._t_s = nan

    def see(self, view: View, price: float) -> View:
        """The view by this clock. price: middle of the first leg."""
        t_s, mid = view.t_ns / 1e9, view.mid_bp
        past, brief, mean = self._past_bp, self.brief.mean, self.price.mean
        while past and self._past_s[0] < t_s - self._peak_s:
            self._past_s.popleft()
            past.popleft()
        flow = msgspec.structs.replace(
            view.flow,
            slope_bp_min=(mid - brief) * 60.0 / SLOPE_S,
            first_slope_bp_s=1e4 * (price - mean) / mean / PRICE_S if mean > 0.0 else nan,
        )
        seen = msgspec.structs.replace(
            view,
            fast=_band(self.fast),
            slow=_band(self.slow),
            flow=flow,
            high_bp=max(past, default=nan),
            low_bp=min(past, default=nan),
        )
        if not view.stale and abs(mid) < inf and price > 0.0:
            self._take(t_s, mid, price)
        return seen

    def _take(self, t_s: float, mid: float, price: float) -> None:
        if t_s <= self._t_s:
            return
        dt_s = t_s - self._t_s if self._t_s == self._t_s else 0.0
        self._t_s = t_s
        for each in (self.fast, self.slow, self.brief):
            each.update(dt_s, mid)
        self.price.update(dt_s, price)
        self._past_s.append(t_s)
        self._past_bp.append(mid)


def _band(ew: Ew) -> Band:
    return Band(ew.mean, ew.sd, ew.warm)
