"""The interval of a win rate against published values and its own rules."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.events import Result
from basisdesk.market.stats import Z_95
from basisdesk.market.stats import wilson as wilson_of_share
from basisdesk.trading.win_rate import win_rate


def wilson(wins, pairs):
    """By counts, as the examples of the paper are."""
    return wilson_of_share(wins / pairs if pairs else 0.0, pairs)


@pytest.mark.parametrize(
    ("wins", "pairs", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(wins, pairs, low, high):
    assert wilson(wins, pairs) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate_and_its_bounds_solve_the_score_equation(pairs, data):
    wins = data.draw(st.integers(0, pairs))
    low, high = wilson(wins, pairs)
    rate = wins / pairs
    assert 0.0 <= low <= rate + 1e-12
    assert rate - 1e-12 <= high <= 1.0
    for bound in (low, high):
        if 0.0 < bound < 1.0:
            score = abs(rate - bound) / math.sqrt(bound * (1 - bound) / pairs)
            assert score == pytest.approx(Z_95, rel=1e-6)
    assert wilson(pairs - wins, pairs) == (pytest.approx(1 - high), pytest.approx(1 - low))


@given(st.integers(1, 60), st.integers(2, 20))
def test_more_pairs_of_the_same_rate_say_more(wins, factor):
    few, many = wilson(wins, 100), wilson(wins * factor, 100 * factor)
    assert many[1] - many[0] < few[1] - few[0]


def test_a_pair_that_earned_nothing_is_no_win():
    nets = ["1", "-1", "0", "0.000001"]
    told = win_rate(Result(n, n, Decimal(net)) for n, net in enumerate(nets))
    assert (told.wins, told.pairs, told.rate) == (2, 4, 0.5)


def test_of_nothing_nothing_is_known():
    told = win_rate([])
    assert math.isnan(told.rate)
    assert (told.low, told.high) == (0.0, 1.0)
