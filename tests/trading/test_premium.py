"""The clamp table of venues.md 8.2, and how each venue scales it to its interval."""

import pytest

from basisdesk.trading.premium import funding_rate
from basisdesk.venues.instrument import FundingRule

BYBIT, BINANCE = FundingRule(), FundingRule(scale="8h")
KRAKEN = FundingRule(0.0, 0.0, "24h", "accrual", "index")


@pytest.mark.parametrize("rule", [BYBIT, BINANCE])
@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        (0.0008, 0.0003),
        (0.0003, 0.0001),
        (-0.0002, 0.0001),
        (0.0006, 0.0001),  # the edges of the clamp
        (-0.0004, 0.0001),
        (-0.0010, -0.0005),
    ],
)
def test_clamp_table_of_eight_hours(rule, premium, rate):
    assert funding_rate(premium, rule, 8) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize(
    ("rule", "hours", "premium", "rate"),
    [
        (BYBIT, 1, 0.0003, 0.0000125),  # the interest alone is scaled: 0.01 % / 8
        (BYBIT, 1, 0.0008, 0.0003),
        (BINANCE, 1, 0.0003, 0.0000125),  # all of it is: (0.01 %) / 8
        (BINANCE, 1, 0.0008, 0.0003 / 8),
        (BINANCE, 4, -0.0010, -0.00025),
        (KRAKEN, 1, 0.0024, 0.0001),
        (KRAKEN, 1, -0.0012, -0.00005),
    ],
)
def test_shorter_intervals_by_each_venues_rule(rule, hours, premium, rate):
    assert funding_rate(premium, rule, hours) == pytest.approx(rate, abs=1e-12)
