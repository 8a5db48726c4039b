"""What combinations bring: funding received, convergence to fair, the net and when it is earned."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from basisdesk.market.funding import FULL_H, rate_8h_bp
from basisdesk.scan.expected import Flow, Rates, break_even, first_stamp_h, payer
from basisdesk.scan.words import Combo, Floats, Ints

if TYPE_CHECKING:
    from basisdesk.scan.combos import Combos, Places
    from basisdesk.scan.legs import Fixed, Now
    from basisdesk.scan.openings_prices import Prices

SPOT_H = 1e9  # the interval of a spot leg, which never settles


class Figures(Protocol):
    """What our own past says, in the order of the combinations; see past_figures.PastFigures."""

    half_life_h: Floats
    basis_half_life_h: Floats
    hazard: Floats
    hazard_n: Ints
    z: Floats
    momentum_bp: Floats
    median_8h_bp: dict[str, float]  # by leg key

    def align(self, combos: tuple[Combo, ...]) -> None:
        """Stand in this order from now on."""


class NoPast:
    """The figures of a desk without a past: nothing is known."""

    def __init__(self) -> None:
        self.median_8h_bp: dict[str, float] = {}
        self.align(())

    def align(self, combos: tuple[Combo, ...]) -> None:
        """As many unknowns as combinations."""
        self.half_life_h = self.basis_half_life_h = np.full(len(combos), np.nan)
        self.hazard = self.z = self.momentum_bp = self.half_life_h
        self.hazard_n = np.zeros(len(combos), dtype=np.int64)


@dataclass(frozen=True)
class Worth:
    """Columns of Openings by these names. touch_bp: the net for a size that any book carries.

    net_bp is gain_bp + funding_bp - borrow_bp - cost_bp, to the last digit.
    """

    rate_8h_bp: Floats
    settled_8h_bp: Floats
    mid_bp: Floats
    fair_bp: Floats
    to_fair_bp: Floats
    gain_bp: Floats
    funding_bp: Floats
    borrow_bp: Floats
    net_bp: Floats
    touch_bp: Floats
    payments: Floats
    days: Floats


def worth_all(
    now: "Now",
    prices: "Prices",
    combos: "Combos",
    past: tuple[Floats, Floats],
    flow: Flow,
    hold_h: float,
) -> Worth:
    """What all combinations are worth over the hold.

    past: half-life of each basis, hours, and where it came to rest (see resting.py).
    """
    long, short = combos.long, combos.short
    rate_8h = per_8h_bp(now.rate, now.interval_h)
    settled_8h = per_8h_bp(now.settled, now.settled_h)
    mid_bp = 1e4 * (now.mid[short] / now.mid[long] - 1.0)
    low_bp, high_bp = now.low_bp[short] - now.high_bp[long], now.high_bp[short] - now.low_bp[long]
    fair_bp = nearest(low_bp, high_bp, mid_bp)
    to_fair_bp = mid_bp - fair_bp
    half_life_h, rest_log = past
    price = now.top[0] + now.top[2]  # each in its own currency, as the minutes are
    to_rest_bp = 1e4 * (np.log(price[short] / price[long]) - rest_log)
    gain_bp = converging(to_fair_bp, to_rest_bp, hold_h, half_life_h)
    hours = np.full(len(long), hold_h)
    funding_bp, borrow_bp = flow.funding_bp(hours), flow.borrow_bp(hours)
    gross_bp = gain_bp + funding_bp - borrow_bp
    payments, days = break_even(flow, prices.cost_bp - gain_bp)
    return Worth(
        rate_8h_bp=rate_8h[short] - rate_8h[long],
        settled_8h_bp=settled_8h[short] - settled_8h[long],
        mid_bp=mid_bp,
        fair_bp=fair_bp,
        to_fair_bp=to_fair_bp,
        gain_bp=gain_bp,
        funding_bp=funding_bp,
        borrow_bp=borrow_bp,
        net_bp=gross_bp - prices.cost_bp,
        touch_bp=gross_bp - prices.touch_bp,
        payments=payments,
        days=days,
    )


def per_8h_bp(rate: Floats, interval_h: Floats) -> Floats:
    """A rate per interval as bp per 8 h. 0 for a spot leg, whose interval is 0."""
    return np.where(interval_h == 0.0, 0.0, rate_8h_bp(rate, interval_h))


def nearest(low_bp: Floats, high_bp: Floats, basis_bp: Floats) -> Floats:
    """The point of the fair band that is nearest to the basis (quant.md 2.5); else its middle."""
    inside = np.minimum(np.maximum(basis_bp, low_bp), high_bp)
    return np.where(np.isnan(basis_bp), (low_bp + high_bp) / 2, inside)


def converging(
    to_fair_bp: Floats, to_rest_bp: Floats, hold_h: float, half_life_h: Floats
) -> Floats:
    """How much of the convergence counts within the hold. Gains need evidence, losses do not.

    A loss counts in full. Of a gain only the way to where the basis did rest, if that is short of
    fair, and of it what its half-life leaves time for; nothing while either is not known.
    """
    share = 1.0 - np.exp2(-hold_h / half_life_h)
    gain = share * np.minimum(to_fair_bp, np.maximum(to_rest_bp, 0.0))
    return np.where(to_fair_bp > 0.0, np.where(np.isnan(gain), 0.0, gain), to_fair_bp)


def make_flow(
    now: "Now",
    prices: "Prices",
    combos: "Combos",
    fixed: "Fixed",
    past: tuple[Floats, Floats],
    now_ns: int,
) -> Flow:
    """Expected funding and borrowing of all combinations.

    past: the median settled rate of each leg, bp per 8 h, and the half-life of each gap.
    """
    median_8h_bp, half_life_h = past
    spot = ~fixed.perp
    hours = np.where(spot, 1.0, now.interval_h)
    most = np.where(now.cap > 0.0, now.cap, np.inf)
    median = np.clip(median_8h_bp / 1e4 * hours / FULL_H, -most, most)
    first_h = first_stamp_h(now.next_ms.astype(np.float64), hours, now_ns / 1e6)
    legs = Rates(
        rate=np.where(spot, 0.0, now.rate),
        median=np.where(spot, 0.0, median),
        interval_h=np.where(spot, SPOT_H, hours),
        first_h=np.where(spot, np.inf, first_h),
        accrues=now.accrues,
    )
    long, short = combos.long, combos.short
    # without a price at the size the mid tells nearly the same
    notional = np.where(np.isnan(prices.notional), now.mid[long], prices.notional)
    owed = fixed.borrow_h[short] * now.mid[short] / notional
    return Flow(
        long=payer(legs, long, -1, half_life_h),
        short=payer(legs, short, 1, half_life_h),
        weight_long=now.paid_on[long] / notional,
        weight_short=now.paid_on[short] * prices.hedge / notional,
        borrow_h=np.where(combos.spot_short, owed, 0.0),
    )


def medians(keys: tuple[str, ...], known: dict[str, float]) -> Floats:
    """The median settled rate of each leg, bp per 8 h; NaN where there is no past."""
    return np.array([known.get(key, np.nan) for key in keys], dtype=np.float64)


def usual_price(mid: Floats, groups: "Places") -> Floats:
    """The median price of each coin; NaN where no leg has a price.

    groups: places of legs, a row a coin, filled up with -1.
    """
    if not len(groups):
        return np.empty(0)
    table = np.sort(np.append(mid, np.nan)[groups], axis=1)  # NaN comes last
    count = np.isfinite(table).sum(axis=1)
    rows = np.arange(len(table))
    middle: Floats = (table[rows, np.maximum(count - 1, 0) // 2] + table[rows, count // 2]) / 2
    return middle
