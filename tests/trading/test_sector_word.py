"""The overlay's word from a pair's own side."""

from types import SimpleNamespace

import pytest

from basisdesk.trading.sector import sector_word


@pytest.mark.parametrize(
    ("said", "direction", "heard"),
    [
        ("for", 1, "for"),
        ("against", 1, "against"),
        ("", 1, ""),
        ("for", -1, "against"),  # hot: longs pay, and the reverse pair is long the perpetual
        ("against", -1, "for"),
        ("", -1, ""),
    ],
)
def test_a_hot_sector_speaks_for_the_short_perpetual_and_against_the_long_one(
    said, direction, heard
):
    market = SimpleNamespace(sectors={"ADA": said})
    assert sector_word(market, "ADA", direction) == heard
    assert sector_word(market, "OP", direction) == ""
