"""The whole real capture through codec and market, against a naive reading of the same lines."""

import json
import math
from collections import Counter

import pytest
from bybit_recorded import frames

from basisdesk.config import Settings
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit


class Naive:
    """Plain json and dicts: what the top of book of each socket must be after each message."""

    def __init__(self):
        self.books = {}

    def read(self, conn, payload):
        message = json.loads(payload)
        if not message.get("topic", "").startswith("orderbook."):
            return
        data = message["data"]
        if message["type"] == "snapshot":
            self.books[conn] = ({}, {})
        for side, levels in zip(self.books[conn], (data["b"], data["a"]), strict=True):
            for price, size in levels:
                side[float(price)] = float(size)
                if float(size) == 0:
                    del side[float(price)]

    def top(self, conn):
        bids, asks = self.books.get(conn, ({}, {}))
        if not bids or not asks:
            return None
        bid, ask = max(bids), min(asks)
        return bid, bids[bid], ask, asks[ask]


@pytest.fixture(scope="module")
def recorded(bybit_capture):
    return frames(bybit_capture)


def test_every_top_of_book_of_the_capture_equals_a_naive_reading(recorded):
    venue, naive = Bybit(), Naive()
    market = Market(Settings(), {"bybit": venue})
    codecs = {conn: venue.codec(conn) for conn in venue.endpoints}
    legs = {
        "bybit.spot": market.leg("bybit:spot:BTCUSDT"),
        "bybit.linear": market.leg("bybit:perp:BTCUSDT"),
    }
    compared = 0
    for t_ns, conn, payload in recorded:
        market.apply_all(codecs[conn].decode(payload), t_ns)
        naive.read(conn, payload)
        for name, leg in legs.items():
            expected = naive.top(name)
            if expected is None:
                assert math.isnan(leg.mid)
            else:
                assert leg.top() == expected
                compared += 1
    assert compared > 1_900
    assert (market.frames, market.bad_frames, market.gaps) == (len(recorded), 0, 0)
    assert market.bad_by_reason == {}
    for leg, conn in zip(legs.values(), legs, strict=True):
        bids, asks = naive.books[conn]
        assert dict(leg.book.bids) == bids
        assert dict(leg.book.asks) == asks
        assert len(bids) == 200  # never deeper than the channel: the venue deletes what falls out
        assert leg.book.duplicates == leg.book.ignored == 0


def test_the_merged_ticker_of_the_capture_equals_a_naive_merge(recorded):
    venue = Bybit()
    codec, market, merged = venue.codec("bybit.linear"), Market(Settings()), {}
    for t_ns, conn, payload in recorded:
        if conn != "bybit.linear" or b'"topic":"tickers.' not in payload:
            continue
        message = json.loads(payload)
        merged = message["data"] if message["type"] == "snapshot" else merged | message["data"]
        market.apply_all(codec.decode(payload), t_ns)
        leg = market.leg("bybit:perp:BTCUSDT")
        assert leg.mark == float(merged["markPrice"])
        assert leg.index == float(merged["indexPrice"])
        assert leg.open_interest == float(merged["openInterest"])
        assert leg.funding.rate == float(merged["fundingRate"])
        assert leg.funding.next_ms == int(merged["nextFundingTime"])
        assert leg.funding.interval_h == float(merged["fundingIntervalHour"])
        assert leg.funding.cap == float(merged["fundingCap"])


def test_every_captured_trade_is_an_event(recorded):
    venue, events, expected = Bybit(), Counter(), Counter()
    codecs = {conn: venue.codec(conn) for conn in venue.endpoints}
    for _, conn, payload in recorded:
        for event in codecs[conn].decode(payload):
            events[type(event).__name__] += 1
        message = json.loads(payload)
        if message.get("topic", "").startswith("publicTrade."):
            expected["Trade"] += len(message["data"])
        expected["Ack"] += message.get("op") == "subscribe"
        expected["BookUpdate"] += message.get("topic", "").startswith("orderbook.")
    assert events["Quote"] == 0  # the capture holds no orderbook.1, and no ticker became one
    assert {name: events[name] for name in expected} == dict(expected)


def test_every_lost_delta_of_the_capture_is_noticed(recorded):
    """Drop each delta of the spot book in turn: always exactly one gap, never a wrong top."""
    deltas = [
        row for row in recorded if row[1] == "bybit.spot" and b'"topic":"orderbook.200' in row[2]
    ]
    decode = Bybit().codec("bybit.spot").decode
    events = [(decode(payload), t_ns) for t_ns, _, payload in deltas]
    for lost in range(1, len(events) - 1):
        market = Market(Settings())
        for number, (event, t_ns) in enumerate(events[: lost + 3]):
            if number != lost:
                market.apply_all(event, t_ns)
        assert market.gaps == 1
        assert math.isnan(market.leg("bybit:spot:BTCUSDT").mid)
