"""Figures as text."""

import math
from decimal import Decimal

import pytest

from basisdesk.ui.figures import (
    age_text,
    countdown_text,
    gain_text,
    number_text,
    places_of,
    sign_text,
    size_text,
    span_text,
    triangle,
)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (68.44, 1, "+68.4"),
        (-35.67, 2, "−35.67"),
        (0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (0.04, 1, "0.0"),
        (Decimal("-1234567.891"), 2, "−1,234,567.89"),
        (math.nan, 1, "–"),
        (math.inf, 1, "–"),
        (Decimal("NaN"), 1, "–"),
    ],
)
def test_a_gain_or_loss_carries_the_true_minus_and_its_sign(value, places, text):
    assert sign_text(value, places) == text


def test_numbers_have_thousands_and_no_plus():
    assert number_text(10014.49, 2) == "10,014.49"
    assert number_text(-4.5, 1) == "−4.5"
    assert number_text(-0.001, 1) == "0.0"
    assert number_text(64123.4, 1, thousands=False) == "64123.4"


def test_a_triangle_stands_beside_a_gain_or_loss():
    assert gain_text(14.49, 2) == "▲ +14.49"
    assert gain_text(-35.67, 2) == "▼ −35.67"
    assert gain_text(0.001, 2) == "0.00"
    assert gain_text(math.nan, 2) == "–"
    assert (triangle(1), triangle(-1), triangle(0), triangle(math.nan)) == ("▲", "▼", "", "")


@pytest.mark.parametrize(
    ("tick", "places"),
    [
        (Decimal("0.00001"), 5),
        (Decimal("0.10"), 1),
        (Decimal(5), 0),
        (Decimal("1E+1"), 0),
        (0.5, 1),
        (None, 2),
        (Decimal(0), 2),
    ],
)
def test_decimals_follow_the_tick(tick, places):
    assert places_of(tick) == places


def test_ages_round_up_so_that_nothing_looks_younger_than_it_is():
    assert age_text(1.0) == "0.1 s"
    assert age_text(4101.0) == "4.2 s"
    assert age_text(181_000.0) == "4 min"
    assert age_text(2 * 3600e3 + 1) == "3 h"
    assert age_text(math.inf) == "–"


def test_spans_countdowns_and_sizes():
    assert span_text(45) == "45 s"
    assert span_text(120) == "2 min"
    assert span_text(12_000) == "3 h 20 min"
    assert span_text(7_200) == "2 h"
    assert countdown_text(8_073) == "02:14:33"
    assert countdown_text(math.nan) == "–"
    assert size_text(10_000) == "10,000"
    assert size_text(Decimal("0.01000")) == "0.01"
