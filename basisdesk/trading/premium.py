"""A venue's funding rate from the premium of its perpetual over the index."""

from basisdesk.venues.instrument import FundingRule

BP = 1e-4


def funding_rate(premium: float, rule: FundingRule, interval_h: float) -> float:
    """The rate of one interval, a fraction, before the venue's cap; positive: longs pay.

    premium: of the interval, a fraction of the index. While interest and premium are within the
    clamp of each other the rate is the interest itself, else the premium moved towards it by the
    clamp. Source: Bybit and OKX help pages, Binance's notice of 2025-09-18, Kraken's perpetual
    pages, read 2026-07 (`FundingRule.scale` says who does what).
    """
    if rule.scale == "24h":
        return premium / 24.0 * interval_h
    interest = rule.interest_8h_bp * BP
    if rule.scale == "interval":
        interest *= interval_h / 8.0
    clamp = rule.clamp_bp * BP
    rate = premium + max(-clamp, min(clamp, interest - premium))
    return rate * interval_h / 8.0 if rule.scale == "8h" else rate
