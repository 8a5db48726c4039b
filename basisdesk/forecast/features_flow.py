"""Group D of the features: who pushes, by the touch and by the trades of both legs.

The order flow imbalance is taken from one beat to the next, which is the sum over what happened
between them as long as the touch did not go and come back.
"""

from math import exp, isnan, nan
from typing import TYPE_CHECKING

from basisdesk.forecast.moments import Ew, Kept, Smooth
from basisdesk.forecast.table import FIRST, H1

if TYPE_CHECKING:
    from basisdesk.forecast.words import Tick

GAP_S = 10.0  # a touch so long not seen is another touch
SHORT_S, LONG_S = 10.0, 60.0
QUIET_S = 180.0  # so long without a trade nobody pushes
FLOW_MAX = 1e18  # base coin, or trades
SIZE_MIN = 1e-12  # base coin
OFI_FIRST_S, PUSH_FIRST_S = FIRST["ofi_f"], FIRST["tsign_f"]
RATE_MIN = 1e-9  # trades a second: one in 30 years is no rhythm

Touch = tuple[float, float, float, float]  # bid, size, ask, size


class LegFlow(Kept):
    """Touch and trades of one leg, as sums that fade: over 10 s and over a minute."""

    __slots__ = (
        "_ask",
        "_ask_size",
        "_bid",
        "_bid_size",
        "_long",
        "_quiet_s",
        "_short",
        "_signed",
        "_size",
        "_traded_s",
        "_volume",
        "heard_s",
    )

    def __init__(self) -> None:
        self._bid = self._bid_size = self._ask = self._ask_size = 0.0
        self._size = Smooth(LONG_S)
        self._short = self._long = 0.0
        self.heard_s = 0.0  # of the touch, without a gap
        self._signed = self._volume = 0.0
        self._traded_s = self._quiet_s = 0.0  # since trades are heard, and since the last one

    def touch(self, dt: float, fades: tuple[float, float], now: Touch) -> tuple[float, float]:
        """Take the touch of this beat into both sums (Cont, Kukanov and Stoikov, eq. 4).

        Gives the order flow imbalance over 10 s and over a minute, in mean touch sizes.
        """
        bid, bid_size, ask, ask_size = now
        size = bid_size + ask_size
        if not (0.0 < bid <= ask and SIZE_MIN < size < FLOW_MAX and bid_size >= 0.0 <= ask_size):
            self._bid = 0.0
            return nan, nan
        before_bid, before_ask = self._bid, self._ask
        if before_bid <= 0.0 or dt > GAP_S:
            self._short = self._long = self.heard_s = 0.0
        else:
            e = 0.0
            if bid >= before_bid:
                e += bid_size
            if bid <= before_bid:
                e -= self._bid_size
            if ask <= before_ask:
                e -= ask_size
            if ask >= before_ask:
                e += self._ask_size
            self._short = self._short * fades[0] + e
            self._long = self._long * fades[1] + e
            self.heard_s += dt
        self._bid, self._bid_size, self._ask, self._ask_size = bid, bid_size, ask, ask_size
        usual = self._size.mean  # of the touches before: a large one is not in it
        self._size.take(dt, size / 2)
        heard_s = self.heard_s
        if heard_s < OFI_FIRST_S:
            return nan, nan
        return self._short / usual, self._long / usual if heard_s >= LONG_S else nan

    def push(self, dt: float, fade: float, signed: float, volume: float) -> float:
        """Take the trades of this beat; gives takers' buys less sells by volume, over a minute.

        0 where nobody traded for 3 minutes, NaN where trades are not heard.
        """
        if not abs(signed) <= volume < FLOW_MAX:
            self._signed = self._volume = self._traded_s = self._quiet_s = 0.0
            return nan
        self._signed = self._signed * fade + signed
        self._volume = self._volume * fade + volume
        self._traded_s += dt
        self._quiet_s = 0.0 if volume > 0.0 else self._quiet_s + dt
        if self._traded_s < PUSH_FIRST_S:
            return nan
        if self._quiet_s >= QUIET_S or not self._volume > 0.0:
            return 0.0
        return self._signed / self._volume


class FlowState(Kept):
    """Flow of both legs, and how busy they are against the hour."""

    __slots__ = ("_busy", "_hour", "_slow_s", "_t_s", "perp", "spot")

    def __init__(self) -> None:
        self._t_s = self._slow_s = nan
        self.spot, self.perp = LegFlow(), LegFlow()
        self._busy = Smooth(SHORT_S)
        self._hour = Ew(H1, FIRST["int_ratio"])

    def take(self, t_s: float, tick: "Tick", *, slow: bool) -> tuple[float, ...]:
        """The 5 values of this beat, its own flow in them but not in the mean of the hour."""
        dt = t_s - self._t_s
        if not dt > 0.0:
            dt = 0.0  # the first time too: NaN is not greater
        self._t_s = t_s
        long = exp(-dt / LONG_S)
        fades = exp(-dt / SHORT_S), long
        spot, perp = self.spot, self.perp
        touch = (tick.spot_bid, tick.spot_bid_size, tick.spot_ask, tick.spot_ask_size)
        spot_10s, spot_1m = spot.touch(dt, fades, touch)
        touch = (tick.perp_bid, tick.perp_bid_size, tick.perp_ask, tick.perp_ask_size)
        perp_10s, perp_1m = perp.touch(dt, fades, touch)
        lean = perp.push(dt, long, tick.perp_signed, tick.perp_volume)
        lean -= spot.push(dt, long, tick.spot_signed, tick.spot_volume)
        trades = tick.spot_trades + tick.perp_trades
        busy = nan
        if 0.0 <= trades < FLOW_MAX and dt > 0.0:
            busy = self._intensity(t_s, self._busy.take(dt, trades / dt), slow=slow)
        return perp_10s, spot_10s, perp_1m - spot_1m, lean, busy

    def warm(self) -> tuple[bool, ...]:
        """Whether the memory of each is full."""
        perp, spot = (leg.heard_s >= QUIET_S for leg in (self.perp, self.spot))
        both = perp and spot
        return perp, spot, both, both, self._hour.warm

    def _intensity(self, t_s: float, now: float, *, slow: bool) -> float:
        # trades a second over 10 s, against the hour before; the hour is told each 10 s
        hour = self._hour
        usual = nan if isnan(hour.sd) else hour.mean
        if slow:
            hour.update(t_s - self._slow_s, now)
            self._slow_s = t_s
        return now / usual if usual > RATE_MIN else nan
