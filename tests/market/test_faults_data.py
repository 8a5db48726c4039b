"""The faults of the data, 17 to 31 and 38 of the reliability catalogue, as the market meets them.

17 to 21 as rules of a book alone stand in test_book_chain.py, 10 in test_feeds.py.
"""

import math
from decimal import Decimal

import pytest
from market_events import LAG, PERP, SPOT, T0, P, S, asked, book, ns, quote, ticker, whole

from basisdesk.clock import mono_s
from basisdesk.config import Settings
from basisdesk.errors import BadFrame
from basisdesk.events import FundingHistory, Quote, Ticker
from basisdesk.market.guard import CONFIRM_COUNT, CONFIRM_NS
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit
from basisdesk.venues.instrument import Instrument, Instruments

HOUR_MS = 3_600_000
FULL_HOUR = T0 - T0 % (8 * HOUR_MS)
TOP, DEPTH = f"{S}/orderbook.1.ADAUSDT", f"{S}/orderbook.50.ADAUSDT"


@pytest.fixture
def market():
    return Market(Settings(), {"bybit": Bybit()})


def test_fault_17_a_feed_that_says_everything_twice_ends_with_the_same_book(market):
    clean = Market(Settings(), {"bybit": Bybit()})
    for ms in range(1, 200):
        event = book(ms, 10 + ms, bids=[(99.0 + ms % 7 / 10, ms % 3)])
        for each, times in ((clean, 1), (market, 2)):
            for _ in range(times):
                if ms == 1:
                    each.apply(whole(0), ns(0))
                each.apply(event, ns(ms))
    one, two = clean.leg(SPOT).book, market.leg(SPOT).book
    assert (one.bids, one.asks, one.seq) == (two.bids, two.asks, two.seq)
    assert two.duplicates == 198
    assert (market.gaps, market.streams[DEPTH].state) == (0, "live")


def test_fault_18_swapped_updates_are_a_resync_and_never_sorted(market):
    market.apply(whole(0), ns(0))
    market.apply(book(1, 12, bids=[(100.5, 1.0)]), ns(1))
    market.apply(book(2, 11, bids=[(100.4, 1.0)]), ns(2))
    leg, stream = market.leg(SPOT), market.streams[DEPTH]
    assert stream.state == "resync"
    assert math.isnan(leg.mid)
    assert leg.book.levels("sell", 3) == []  # nothing can be traded on it
    asked(market, "orderbook.50.ADAUSDT", ms=500)
    market.apply(whole(900, 20), ns(900))
    assert (stream.state, leg.mid) == ("live", 100.5)


def test_fault_19_a_lost_update_drops_the_book_at_once(market):
    market.apply(whole(0), ns(0))
    lost, seq = [17, 400, 999], 10
    while seq < 1_011:
        seq += 1
        if seq in lost:
            market.apply(book(seq, seq + 1), ns(seq))
            assert not market.leg(SPOT).book.valid
            market.apply(whole(seq, seq + 1), ns(seq))
            seq += 1
        market.apply(book(seq, seq), ns(seq))
        assert market.leg(SPOT).book.valid
    assert market.gaps == len(lost)


def test_fault_20_a_snapshot_in_the_middle_replaces_the_whole_book(market):
    market.apply(whole(0, 500), ns(0))
    market.apply(book(1, 501, bids=[(100.6, 4.0)]), ns(1))
    codec = Bybit().codec(S)
    restart = (  # update id 1: the venue's service began anew, whatever the message calls itself
        b'{"topic":"orderbook.50.ADAUSDT","type":"delta","ts":%d,"data":{"s":"ADAUSDT",'
        b'"b":[["99.5","7"]],"a":[["99.9","8"]],"u":1,"seq":5},"cts":%d}'
    ) % (T0 + 2, T0 + 2)
    market.apply_all(codec.decode(restart), ns(2))
    leg = market.leg(SPOT)
    assert (leg.book.bids, leg.book.asks) == ([(99.5, 7.0)], [(99.9, 8.0)])
    assert (market.gaps, market.streams[DEPTH].state) == (0, "live")


def test_fault_21_updates_before_the_snapshot_are_caught_up_with(market):
    asked(market, "orderbook.50.ADAUSDT")
    market.apply(book(1, 11, bids=[(100.5, 3.0)]), ns(1))
    assert math.isnan(market.leg(SPOT).mid)
    market.apply(whole(2, 10), ns(2))
    assert (market.leg(SPOT).bid, market.streams[DEPTH].book.seq) == (100.5, 11)
    market.apply(book(3, 12), ns(3))
    assert market.gaps == 0


def test_fault_22_crossed_on_one_venue_is_invalid_across_venues_it_is_the_market(market):
    market.apply(whole(0), ns(0))
    market.apply(whole(0, key=PERP), ns(0))
    market.apply(book(1, 11, bids=[(100.9, 1.0)], asks=[(101.0, 0.0), (100.8, 1.0)]), ns(1))
    assert not market.leg(SPOT).book.valid
    assert market.streams[DEPTH].state == "resync"
    market.apply(whole(2, 20), ns(2))
    market.apply(book(3, 11, [(101.5, 1.0)], [(101.0, 0.0)], key=PERP), ns(3))
    market.apply(book(3, 21, [(100.9, 1.0)]), ns(3))
    pair = market.pair(SPOT, PERP)
    market.beat(ns(3))
    assert market.leg(PERP).bid > market.leg(SPOT).ask  # the perp's bid is above the spot's ask
    assert pair.now.stale == ""
    assert pair.now.open_bp > 0


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1e400", "nan", "0", "-1", "1e308", ""])
def test_fault_23_absurd_numbers_never_arrive_and_three_in_a_minute_ask_anew(market, price):
    codec, stream = Bybit().codec(S), asked(market, "orderbook.1.ADAUSDT")
    market.apply(quote(0), ns(0))
    bad = (
        b'{"topic":"orderbook.1.ADAUSDT","type":"snapshot","ts":%d,"data":{"s":"ADAUSDT",'
        b'"b":[["%s","7"]],"a":[["101","8"]],"u":9,"seq":5},"cts":%d}'
    ) % (T0, price.encode(), T0)
    for number in range(1, 4):
        with pytest.raises(BadFrame) as caught:
            codec.decode(bad)
        market.bad(S, caught.value.reason, ns(20_000 * number), caught.value.payload)
        assert (stream.state == "resync") == (number == 3)
    assert (market.leg(SPOT).bid, market.bad_frames) == (100.0, 3)


def test_fault_23_bad_messages_far_apart_ask_for_nothing(market):
    stream = asked(market, "orderbook.1.ADAUSDT")
    market.apply(quote(0), ns(0))
    for minute in range(10):
        market.bad(S, "number", ns(60_000 * minute), b'{"topic":"orderbook.1.ADAUSDT"')
    assert (stream.state, stream.bad) == ("live", 10)


def test_fault_24_a_jump_is_nowhere_until_it_is_confirmed(market):
    market.apply(whole(0), ns(0))
    market.apply(quote(0), ns(0))
    leg = market.leg(SPOT)
    for number in range(CONFIRM_COUNT + 1):
        ms = round(1 + number * CONFIRM_NS / 1e6 / CONFIRM_COUNT)
        assert math.isnan(leg.mid) == (number > 0)
        market.apply(quote(ms, 900.0, 901.0), ns(ms))
        assert leg.book.levels("buy", 3) == [] or number == CONFIRM_COUNT
    assert leg.mid == 900.5


@pytest.mark.parametrize(
    ("reason", "payload"),
    [
        ("type", b'{"topic":"orderbook.1.ADAUSDT","data":null}'),
        ("topic", b'{"topic":"gossip.ADAUSDT"}'),
        ("json", b"\xff\xfe\x00"),
        ("json", b"[" * 100_000),
        ("size", b""),
    ],
)
def test_faults_25_26_27_what_cannot_be_read_is_counted_and_moves_nothing(market, reason, payload):
    market.apply(quote(0), ns(0))
    before = market.leg(SPOT).top()
    market.bad(S, reason, ns(1), payload)
    assert market.leg(SPOT).top() == before
    assert (market.bad_frames, market.bad_by_reason, market.links[S].bad) == (1, {reason: 1}, 1)
    assert market.streams[TOP].live


def test_fault_28_a_burst_of_ten_thousand_small_frames_is_a_blink(market):
    events = [quote(ms) for ms in range(10_000)]
    start_s = mono_s()
    for ms, event in enumerate(events):
        market.apply(event, ns(ms))
    assert mono_s() - start_s < 0.5  # 0.02 s here; feeds hand on at most 200 at a time
    assert market.events == 10_000


@pytest.mark.parametrize(
    "stamp_ms", [T0 + 86_400_000 * 400, T0 - 86_400_000 * 400, T0 // 1000, T0 * 1000, 0]
)
def test_fault_29_a_stamp_of_another_time_or_unit_makes_no_wrong_age(market, stamp_ms):
    for ms in range(0, 1_000, 100):
        market.apply(quote(ms), ns(ms))
    odd = Quote(SPOT, TOP, 100.0, 5.0, 101.0, 6.0, stamp_ms, 5_000)
    market.apply(odd, ns(1_000))
    assert 0.0 <= market.leg(SPOT).age_ms(ns(1_300)) <= 300.1
    market.apply(quote(1_400, seq=5_001), ns(1_400))
    assert market.leg(SPOT).age_ms(ns(1_500)) == pytest.approx(100.0, abs=0.1)


def test_fault_29_a_clock_that_is_seconds_off_is_only_an_offset(market):
    for ms in range(0, 1_000, 100):  # the venue's clock is a minute ahead of ours
        market.apply(quote(ms + 60_000, seq=ms), ns(ms))
    assert market.leg(SPOT).age_ms(ns(950)) == pytest.approx(50.0, abs=0.1)
    median, _ = market.streams[TOP].latency_ms()
    assert median == pytest.approx(LAG - 60_000, abs=0.1)


def says(rate, hours, stamp_ms, at_ms, mark=100.0):
    stream = f"{P}/tickers.ADAUSDT"
    return Ticker(PERP, stream, mark, mark, 1e6, rate, hours, stamp_ms, 0.02, at_ms)


def test_fault_30_the_interval_may_change_8_to_4_to_1_hours_and_each_stamp_pays_once(market):
    clock = market.leg(PERP).funding
    plan = [(8.0, [8, 16]), (4.0, [20, 24]), (1.0, [25, 26])]
    at_ms, due = FULL_HOUR + 60_000, []
    for hours, stamps in plan:
        for hour in stamps:
            stamp = FULL_HOUR + hour * HOUR_MS
            while at_ms < stamp:
                market.apply(says(1e-4 * hour, hours, stamp, at_ms), at_ms * 1_000_000)
                due += clock.due(at_ms)
                at_ms += 10 * 60_000
    due += clock.due(at_ms)
    hours = [(one.settle_ms - FULL_HOUR) // HOUR_MS for one in due]
    assert hours == [8, 16, 20, 24, 25, 26]
    assert [one.rate for one in due] == pytest.approx([1e-4 * hour for hour in hours])
    assert [(a, b) for _, a, b in clock.interval_changes] == [(8.0, 4.0), (4.0, 1.0)]


def test_fault_30_an_interval_that_becomes_known_later_invents_no_settlement(market):
    clock = market.leg(PERP).funding
    stamp = FULL_HOUR + 8 * HOUR_MS
    market.apply(says(1e-4, 0.0, stamp, stamp - 60_000), (stamp - 60_000) * 1_000_000)
    assert math.isnan(clock.annualised_pct)
    assert clock.set_interval(8.0, 0.0, stamp - 1)
    assert clock.annualised_pct == pytest.approx(1e-4 * 3 * 365 * 100)
    assert list(clock.interval_changes) == []  # it was not another before, it was unknown
    assert [one.settle_ms for one in clock.due(stamp + 1)] == [stamp]
    assert clock.due(stamp + HOUR_MS) == []


def test_fault_30_a_next_stamp_in_the_past_settles_nothing_twice(market):
    clock = market.leg(PERP).funding
    stamp = FULL_HOUR + 8 * HOUR_MS
    market.apply(says(1e-4, 8.0, stamp, stamp - 1_000), (stamp - 1_000) * 1_000_000)
    late = stamp + 30_000  # the venue shows the stamp that has passed for half a minute more
    market.apply(says(3e-4, 8.0, stamp, late), late * 1_000_000)
    market.apply(says(3e-4, 8.0, stamp + 8 * HOUR_MS, late + 1), (late + 1) * 1_000_000)
    assert [(one.settle_ms, one.rate) for one in clock.due(late + 2)] == [(stamp, 1e-4)]
    market.apply(FundingHistory(PERP, [(stamp, "0.0001")]), ns(0))
    assert clock.due(late + 3) == []


def test_fault_31_a_new_tick_size_counts_from_now_on(market):
    row = Instrument(
        PERP, "bybit", "perp", "ADAUSDT", "ADA", "USDT",
        Decimal("0.0001"), Decimal(1), Decimal(1), Decimal(5), Decimal(1000),
    )  # fmt: skip
    market.apply(quote(0, 0.3665, 0.3666, key=PERP), ns(0))
    market.apply(Instruments("bybit", (row,)), ns(0))
    leg = market.leg(PERP)
    assert (leg.instrument.tick, leg.floor) == (Decimal("0.0001"), 0.00005)
    finer = Instrument(
        **{f: getattr(row, f) for f in row.__struct_fields__} | {"tick": Decimal("0.00001")}
    )
    market.apply(Instruments("bybit", (finer,)), ns(1))
    assert (leg.instrument.tick, leg.floor) == (Decimal("0.00001"), 0.000005)
    assert leg.mid == pytest.approx(0.36655)
    assert leg.instrument.price(0.366653) == Decimal("0.36665")


def test_fault_31_a_delisted_leg_falls_silent_and_is_said_so_never_zero(market):
    for key in (SPOT, PERP):
        market.apply(quote(0, key=key), ns(0))
    pair = market.pair(SPOT, PERP)
    market.beat(ns(0))
    for ms in range(500, 9_000, 500):
        market.apply(quote(ms), ns(ms))
        market.beat(ns(ms))
    assert "Perp quote is" in pair.now.stale
    assert market.leg(PERP).mid == 100.5  # its last price, old and not for trading
    assert pair.series.ends_in_gap


def test_fault_38_one_leg_stale_while_the_other_moves_blocks_within_two_seconds(market):
    market.apply(quote(0), ns(0))
    market.apply(quote(0, key=PERP), ns(0))
    market.apply(ticker(0), ns(0))
    pair = market.pair(SPOT, PERP)
    blocked_ms = 0
    for ms in range(100, 4_000, 100):
        market.apply(quote(ms, 100.0 + ms / 1e4, 101.0 + ms / 1e4), ns(ms))
        market.beat(ns(ms))
        if pair.now.stale and not blocked_ms:
            blocked_ms = ms
    assert 0 < blocked_ms <= 600  # the skew limit of 500 ms comes first
    assert "Perp quote is" in pair.now.stale
    assert pair.now.age_perp_ms == pytest.approx(3_900.0, abs=0.1)
    assert pair.stats.weight < 1e-3  # nothing of it was learned
