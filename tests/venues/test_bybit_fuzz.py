"""Mutated messages: events or BadFrame, nothing else; no number that is none; no half message."""

import copy
import json
import math
import random

import pytest
from bybit_recorded import frames, rest_rows
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from basisdesk.config import Settings
from basisdesk.errors import BadFrame
from basisdesk.market.state import Market
from basisdesk.venues.bybit import Bybit

REASONS = {"json", "type", "number", "crossed", "topic", "symbol", "size", "rest"}
NASTY = (
    "1e-323", "5e-324", "2e-308", "1e-13", 5e-324, 1e-320, 1e-13,
    None, True, [], {}, "", " 12 ", "nan", "NaN", "inf", "-inf", "1e999", "1e308", "-1", "0", "1_0",
    "１２", "0x10", "<b>x</b>", "1" * 5_000, "9" * 400, -1, 0, 1.5, 2**64, 10**400, 1e308,
    "orderbook.1.BTCUSDT", "tickers.BTCUSDT", "snapshot", "delta", "Buy", "Sell", "BTCUSDT",
)  # fmt: skip
STARTS = (b"", b'{"topic":"orderbook.1.BTCUSDT",', b'{"path":"/v5/market/time","data":')
MUTANTS = 12_000


def paths(node, prefix=()):
    """Every place in a JSON value."""
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node[:3]))
    else:
        children = []
    for name, child in children:
        yield (*prefix, name)
        yield from paths(child, (*prefix, name))


def spoil_bytes(payload, rng):
    spoilt = bytearray(payload)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(spoilt))
        kind = rng.randrange(4)
        if kind == 0:
            spoilt[at] = rng.randrange(256)
        elif kind == 1:
            del spoilt[at : at + rng.randint(1, 9)]
        elif kind == 2:
            spoilt[at:at] = bytes(rng.choice(b'0123456789.eE-+"[]{},:') for _ in range(3))
        else:
            spoilt = spoilt[: max(1, at)]
        if not spoilt:
            break
    return bytes(spoilt)


def spoil_json(payload, rng):
    message = copy.deepcopy(json.loads(payload))
    for _ in range(rng.randint(1, 2)):
        places = list(paths(message))
        *way, last = rng.choice(places)
        node = message
        for name in way:
            node = node[name]
        if rng.random() < 0.2 and isinstance(node, dict):
            del node[last]
        else:
            node[last] = rng.choice(NASTY)
        if not message:
            break
    return json.dumps(message).encode()


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
    """Beside the codec that sees everything runs a twin that sees only what was readable: when a
    mutant was refused, both must go on alike, or something of it was kept.
    """
    rng = random.Random(seed)
    venue = Bybit()
    market = Market(Settings(), {"bybit": venue})
    codecs = {conn: venue.codec(conn) for conn in venue.endpoints}
    twins = {conn: venue.codec(conn) for conn in venue.endpoints}
    refused = 0
    for number in range(MUTANTS // 2):
        t_ns, conn, payload = recorded[number % len(recorded)]
        mutant = (spoil_json if rng.random() < 0.6 else spoil_bytes)(payload, rng)
        try:
            events = codecs[conn].decode(mutant)
        except BadFrame as exc:
            assert exc.reason in REASONS
            refused += 1
            market.bad(conn, exc.reason, t_ns, exc.payload)
        else:
            assert repr(events) == repr(twins[conn].decode(mutant))
            market.apply_all(events, t_ns)
        good = codecs[conn].decode(payload)
        assert repr(good) == repr(twins[conn].decode(payload))  # repr: NaN equals NaN
        market.apply_all(good, t_ns)
        if number % 50 == 0:
            assert_sane(market)
    assert_sane(market)
    assert refused > MUTANTS // 8
    assert sum(market.bad_by_reason.values()) == market.bad_frames


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@hypothesis_settings(max_examples=300)
def test_any_bytes_are_events_or_a_bad_frame(payload):
    for conn in ("bybit.spot", "bybit.linear", "bybit.rest"):
        codec = Bybit().codec(conn)
        for prefix in (
            b"",
            b'{"topic":"orderbook.1.BTCUSDT",',
            b'{"path":"/v5/market/time","data":',
        ):
            try:
                codec.decode(prefix + payload)
            except BadFrame as exc:
                assert exc.reason in REASONS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


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
    market = Market(Settings())
    try:
        market.apply_all(Bybit().codec("bybit.rest").decode(payload), 1)
    except BadFrame as exc:
        assert exc.reason in REASONS


def test_mutants_of_captured_rules_are_events_or_bad_frames(bybit_capture):
    rng = random.Random(5)
    codec = Bybit().codec("bybit.rest")
    rows = rest_rows(bybit_capture)
    for _ in range(2_000):
        category, row = rng.choice(rows)
        body = {"retCode": 0, "result": {"category": category, "list": [row]}, "time": 1}
        spoilt = spoil_json(json.dumps(body), rng).decode()
        payload = json.dumps({"path": "/v5/market/instruments-info", "data": spoilt}).encode()
        try:
            (event,) = codec.decode(payload)
        except BadFrame as exc:
            assert exc.reason in REASONS
            continue
        for described in event.rows:
            for value in (described.tick, described.lot, described.min_qty, described.max_qty):
                assert value.is_finite()
                assert value > 0
