"""Mutated messages: events or BadFrame, nothing else; no number that is none; no half message."""

import json
import math
import os
import random

import pytest
from bybit_recorded import frames, rest_rows
from fuzz_rig import OUTCOMES, Twins, any_bytes, attempt, is_refused, json_values, spoil, spoil_json
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from basisdesk.config import Settings
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit

WORDS = (
    "orderbook.1.BTCUSDT", "tickers.BTCUSDT", "snapshot", "delta", "Buy", "Sell", "BTCUSDT",
    "1" * 5_000,
)  # fmt: skip
STARTS = (b"", b'{"topic":"orderbook.1.BTCUSDT",', b'{"path":"/v5/market/time","data":')
MUTANTS = int(os.environ.get("BASISDESK_MUTANTS", "12000"))


def assert_sane(market):
    for leg in market.legs.values():
        prices = [leg.bid, leg.ask, leg.mark, leg.index, leg.last_price]
        assert all(math.isnan(price) or 0.0 < price < 1e9 for price in prices)
        assert not leg.bid >= leg.ask
        for size in (leg.bid_size, leg.ask_size):
            assert 0.0 <= size < 1e13
        assert math.isnan(leg.open_interest) or 0.0 <= leg.open_interest < 1e16
        funding = leg.funding
        assert math.isnan(funding.rate) or -1.0 < funding.rate < 1.0
        assert 0.0 <= funding.interval_h <= 168.0
        assert 0 <= funding.next_ms <= 10**14
        for price, size in leg.book.bids + leg.book.asks:
            assert 0.0 < price < 1e9
            assert 0.0 < size < 1e13


@pytest.fixture(scope="module")
def recorded(bybit_capture):
    return frames(bybit_capture)


@pytest.mark.parametrize("seed", range(2))
def test_mutants_of_recorded_messages_are_events_or_bad_frames(recorded, seed):
    """After each mutant comes the message that it was, and the market lives through all of it."""
    rng, venue = random.Random(seed), Bybit()
    market = Market(Settings(), {"bybit": venue})
    twins = {conn: Twins(lambda conn=conn: venue.codec(conn)) for conn in venue.endpoints}
    refused = 0
    for number in range(MUTANTS // 2):
        t_ns, conn, payload = recorded[number % len(recorded)]
        outcome = twins[conn].attempt(spoil(payload, rng, WORDS, whole=0.6))
        if is_refused(outcome):
            refused += 1
            market.bad(conn, outcome.reason, t_ns, outcome.payload)
        else:
            market.apply_all(outcome, t_ns)
        market.apply_all(twins[conn].go_on(payload), t_ns)
        if number % 50 == 0:
            assert_sane(market)
    assert_sane(market)
    print(f"{MUTANTS // 2} mutants, {refused} refused by name, 0 otherwise")
    assert refused > MUTANTS // 8
    assert sum(market.bad_by_reason.values()) == market.bad_frames


@given(any_bytes)
@hypothesis_settings(max_examples=300)
def test_any_bytes_are_events_or_a_bad_frame(payload):
    for conn in ("bybit.spot", "bybit.linear", "bybit.rest"):
        codec = Bybit().codec(conn)
        outcomes = [attempt(codec, start + payload) for start in STARTS]
        assert all(isinstance(outcome, OUTCOMES) for outcome in outcomes)


@given(
    st.sampled_from(
        ["instruments-info", "risk-limit", "kline?interval=1", "funding/history", "time", "else"]
    ),
    st.fixed_dictionaries(
        {"retCode": st.sampled_from([0, 0, 0, 10001, "0"])},
        optional={
            "time": st.integers(-5, 10**15),
            "result": st.fixed_dictionaries(
                {
                    "category": st.sampled_from(["spot", "linear", "x"]),
                    "list": st.lists(json_values),
                },
                optional={"symbol": st.sampled_from(["ADAUSDT", "<i>"]), "timeNano": json_values},
            )
            | json_values,
        },
    ),
)
@hypothesis_settings(max_examples=300)
def test_any_rest_answer_is_events_or_a_bad_frame(path, body):
    payload = json.dumps({"path": f"/v5/market/{path}", "data": json.dumps(body)}).encode()
    outcome = attempt(Bybit().codec("bybit.rest"), payload)
    assert isinstance(outcome, OUTCOMES)
    if not is_refused(outcome):
        Market(Settings()).apply_all(outcome, 1)


def test_mutants_of_captured_rules_are_events_or_bad_frames(bybit_capture):
    rng = random.Random(5)
    codec = Bybit().codec("bybit.rest")
    rows = rest_rows(bybit_capture)
    for _ in range(2_000):
        category, row = rng.choice(rows)
        body = {"retCode": 0, "result": {"category": category, "list": [row]}, "time": 1}
        spoilt = spoil_json(json.dumps(body), rng, WORDS).decode()
        payload = json.dumps({"path": "/v5/market/instruments-info", "data": spoilt}).encode()
        outcome = attempt(codec, payload)
        assert is_refused(outcome) or len(outcome) == 1
