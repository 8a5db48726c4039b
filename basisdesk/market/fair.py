"""Where a venue's funding rule lets the basis rest: clamp-aware fair value, bp. quant.md 1.1."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from basisdesk.venues.instrument import FundingRule

FULL_INTERVAL_H = 8.0


def fair_band_bp(
    rate_year: float, interval_h: float, interest_8h_bp: float = 1.0, clamp_bp: float = 5.0
) -> tuple[float, float]:
    """Where the venue's funding rule lets the basis rest: (lowest, highest), bp. quant.md 1.1.

    A short receives f(P) = P + clamp(i - P, -g, +g) an interval. At rest that pays for the money:
    f(P*) = r/n. So P* = r/n - g where money costs less than the interest term i, r/n + g where it
    costs more, and anywhere in i - g .. i + g where they are equal.

    rate_year: cost of money, fraction a year. interval_h: hours between settlements, n of them a
    year. interest_8h_bp: i for 8 hours, scaled to the interval. clamp_bp: g, per interval.
    NaN when the interval is unknown.
    """
    if not interval_h > 0.0:
        return math.nan, math.nan
    money_bp = 1e4 * rate_year * interval_h / 8_760.0
    interest_bp = interest_8h_bp * interval_h / 8.0
    low = min(money_bp, interest_bp) - clamp_bp
    high = max(money_bp, interest_bp) + clamp_bp
    if math.isclose(money_bp, interest_bp, rel_tol=1e-9, abs_tol=1e-12):
        return low, high
    at = money_bp - clamp_bp if money_bp < interest_bp else money_bp + clamp_bp
    return at, at


def fair_basis_bp(
    rate_year: float,
    interval_h: float,
    interest_8h_bp: float = 1.0,
    clamp_bp: float = 5.0,
    near_bp: float = math.nan,
) -> float:
    """Clamp-aware fair basis P*, bp; arguments as `fair_band_bp`.

    near_bp: the basis now. Where fair value is a band this picks the point of it nearest to the
    basis: the edge when outside, the basis itself when inside (quant.md 2.5), the middle when NaN.
    """
    low, high = fair_band_bp(rate_year, interval_h, interest_8h_bp, clamp_bp)
    if low == high or math.isnan(low):
        return low
    return (low + high) / 2 if math.isnan(near_bp) else min(max(near_bp, low), high)


def fair_of_rule_bp(
    rule: "FundingRule", rate_year: float, interval_h: float, near_bp: float = math.nan
) -> float:
    """Fair basis under a venue's own funding rule, bp; arguments as `fair_basis_bp`.

    At rest the rate of an interval pays for the money of that interval. "interval" is the rule of
    `fair_band_bp`. "8h" (Binance, OKX) divides an 8-hour rate by 8 / N, so N falls out and the
    8-hour numbers hold for every interval. "24h" (Kraken) is F = P / 24 an hour with neither
    interest nor clamp: P = 24 r / 8760 = r / 365.
    """
    if rule.scale == "24h":
        return 1e4 * rate_year / 365.0
    if rule.scale == "8h":
        interval_h = FULL_INTERVAL_H
    return fair_basis_bp(rate_year, interval_h, rule.interest_8h_bp, rule.clamp_bp, near_bp)
