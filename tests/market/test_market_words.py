import pytest

from basisdesk.market.words import LegName, duration, missing, too_far_apart, too_old

SPOT = LegName("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT")
PERP = LegName("bybit:perp:ADAUSDT", "bybit:spot:ADAUSDT")
OKX = LegName("okx:perp:ADA-USDT-SWAP", "bybit:perp:ADAUSDT")


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0.0 s"),
        (2_000, "2.0 s"),
        (2_000.1, "2.1 s"),
        (99_900, "99.9 s"),
        (100_000, "2 min"),
        (5_999_999, "100 min"),
        (6_000_000, "1.7 h"),
    ],
)
def test_a_duration_is_never_less_than_it_says(ms, text):
    assert duration(ms) == text


def test_each_sentence_says_what_is_so_and_whom_we_wait_for():
    assert missing(SPOT, heard_before=False) == "No spot quote yet. Waiting for Bybit."
    assert missing(OKX, heard_before=True) == "OKX perp feed is down. Waiting for OKX."
    assert too_old(PERP, 4_200, 2_000) == (
        "Perp quote is 4.2 s old (limit 2 s). Waiting for Bybit."
    )
    assert too_far_apart(PERP, SPOT, 700, 500) == (
        "Perp quote is 0.7 s older than the spot quote (limit 0.5 s). Waiting for Bybit."
    )
