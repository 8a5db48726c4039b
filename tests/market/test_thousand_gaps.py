"""A thousand lost updates: each is noticed at once, and the book ends as that of a clean run."""

import random

import pytest
from market_events import SPOT, book, ns, whole

from basisdesk.config import Settings
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit

GAPS = 1_000
UPDATES = 8 * GAPS


def told(rng, ms):
    """One update: a few levels of both sides set or taken away, never crossed."""
    bids = [(100.0 - rng.randrange(40) / 10, float(rng.randrange(4))) for _ in range(2)]
    asks = [(101.0 + rng.randrange(40) / 10, float(rng.randrange(4))) for _ in range(2)]
    return book(ms, 10 + ms, [*bids, (96.0, 9.0)], [*asks, (105.0, 9.0)])


def sides(market):
    kept = market.leg(SPOT).book
    return kept.bids, kept.asks, kept.seq


@pytest.mark.parametrize("lost_in_a_row", [1, 3])
def test_each_of_a_thousand_gaps_is_noticed_and_the_book_ends_like_a_clean_one(lost_in_a_row):
    rng = random.Random(19)
    clean, holed = (Market(Settings(), {"bybit": Bybit()}) for _ in range(2))
    for market in (clean, holed):
        market.apply(whole(0), ns(0))
    starts = sorted(rng.sample(range(10, UPDATES, 6), GAPS))
    lost = {ms + n for ms in starts for n in range(lost_in_a_row)}
    noticed, equal = 0, 0
    for ms in range(1, UPDATES + 10):
        event = told(rng, ms)
        clean.apply(event, ns(ms))
        if ms in lost:
            continue
        before = holed.gaps
        holed.apply(event, ns(ms))
        if holed.gaps == before:
            continue
        noticed += 1
        leg = holed.leg(SPOT)
        assert not leg.book.valid
        assert leg.book.levels("buy", 1) == []  # nothing can be traded on it
        bids, asks, seq = sides(clean)
        holed.apply(book(ms, seq, bids, asks, snapshot=True), ns(ms))
        equal += sides(holed) == sides(clean)
    print(f"{GAPS} gaps, {noticed} noticed, {equal} books equal to the clean run after it")
    assert noticed == equal == GAPS
    assert sides(holed) == sides(clean)
