"""Mutated OKX messages: events or BadFrame, nothing else; no number that is none; nothing kept."""

import json
import math
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from okx_recorded import payloads

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, BookUpdate, Candles, Notice, Quote, Ticker, Trade
from basisdesk.venues.instrument import Instruments, Tiers
from basisdesk.venues.okx import Okx

REASONS = {"json", "type", "number", "crossed", "topic", "symbol", "size", "rest", "contract"}
MUTANTS = 200_000
NASTY = (
    "1e-323", "5e-324", "2e-308", "1e-13", 5e-324, 1e-320, 1e-13,
    None, True, [], {}, "", " 12 ", "nan", "NaN", "inf", "-inf", "1e999", "1e308", "-1", "0", "1_0",
    "１２", "0x10", "<b>x</b>", "9" * 400, -1, 0, 1.5, 2**64, 10**400, 1e308, "BTC-USDT",
    "ADA-USDT-SWAP", "OP-USDT-SWAP", "books", "trades", "snapshot", "update", "live", "SWAP", "1m",
    [["1", "2", "0", "1"]], [["2", "1"]], [[]],
)  # fmt: skip
GLUE = b'0123456789.eE-+"[]{},:'


def spoil_bytes(message, rng):
    spoilt = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(spoilt))
        kind = rng.randrange(4)
        if kind == 0:
            spoilt[at] = rng.randrange(256)
        elif kind == 1:
            del spoilt[at : at + rng.randint(1, 9)]
        elif kind == 2:
            spoilt[at:at] = bytes(rng.choices(GLUE, k=3))
        else:
            del spoilt[max(1, at) :]
        if not spoilt:
            break
    return bytes(spoilt)


def spoil_json(message, rng):
    """One place of the message replaced or taken out, found by walking down at random."""
    tree = node = json.loads(message)
    while True:
        names = list(node) if isinstance(node, dict) else range(len(node))
        if not names:
            break
        name = rng.choice(names)
        child = node[name]
        if isinstance(child, (dict, list)) and child and rng.random() < 0.8:
            node = child
        elif rng.random() < 0.2:
            del node[name]
            break
        else:
            node[name] = rng.choice(NASTY)
            break
    return json.dumps(tree, separators=(",", ":")).encode()


def spoil_answer(message, rng):
    """A mutated body in a whole frame; sometimes another path."""
    frame = json.loads(message)
    frame["data"] = spoil_json(frame["data"], rng).decode()
    if rng.random() < 0.1:
        frame["path"] = rng.choice(("", "//[", "/api/v5/market/books?instId=OP-USDT-SWAP", "?&="))
    return json.dumps(frame).encode()


def prices_of(event):
    if isinstance(event, Quote):
        assert not event.bid >= event.ask
        return [price for price in (event.bid, event.ask) if not math.isnan(price)]
    if isinstance(event, BookUpdate):
        for _, size in (*event.bids, *event.asks):
            assert 0.0 <= size < 1e21
        return [price for price, _ in (*event.bids, *event.asks)]
    if isinstance(event, Trade):
        assert 0.0 < event.size < 1e21
        return [event.price]
    if isinstance(event, Candles):
        return [close for _, close in event.rows]
    return []


def assert_sane(events):
    for event in events:
        assert all(0.0 < price < 1e9 for price in prices_of(event))
        if isinstance(event, Ticker):
            for price in (event.mark, event.index):
                assert math.isnan(price) or 0.0 < price < 1e9
            assert math.isnan(event.rate) or -1.0 < event.rate < 1.0
            assert 0.0 <= event.interval_h <= 168.0
            assert 0.0 <= event.cap < 1.0
            assert 0 <= event.next_ms <= 10**14
        elif isinstance(event, (Ack, Notice)):
            assert len(event.text) <= 200
            assert event.text.isprintable()
        elif isinstance(event, Instruments):
            for row in event.rows:
                for value in (row.tick, row.lot, row.min_qty, row.max_qty, row.multiplier):
                    assert value.is_finite()
                    assert value > 0
        elif isinstance(event, Tiers):
            assert all(0 < tier.maintenance <= tier.initial <= 1 for tier in event.tiers)


def known_venue():
    venue = Okx()
    venue.contracts["BCH-USDT-SWAP"] = Decimal("0.1")
    return venue


@pytest.mark.parametrize("seed", range(4))
def test_mutants_are_events_or_bad_frames_and_leave_nothing_behind(seed):
    """Beside the codec that sees everything runs a twin that sees only what was readable: when a
    mutant was refused, both must go on alike, or something of it was kept.
    """
    rng = random.Random(seed)
    messages = [message for _, message in payloads("okx.public")]
    codec, twin = known_venue().codec("okx.public"), known_venue().codec("okx.public")
    refused = 0
    for number in range(MUTANTS // 4):
        message = messages[number % len(messages)]
        wild = number % 3 == 0 and message[:1] == b"{"
        mutant = (spoil_json if wild else spoil_bytes)(message, rng)
        try:
            events = codec.decode(mutant)
        except BadFrame as exc:
            assert exc.reason in REASONS
            refused += 1
        else:
            assert repr(events) == repr(twin.decode(mutant))
            assert_sane(events)
        if number % 7 == 0:
            assert repr(codec.decode(message)) == repr(twin.decode(message))  # NaN equals NaN
    assert refused > MUTANTS // 16
    assert refused < MUTANTS // 4


def test_mutants_of_answers_are_events_or_bad_frames():
    rng = random.Random(11)
    messages = [message for _, message in payloads("okx.rest")]
    codec = known_venue().codec("okx.rest")
    read = 0
    for number in range(MUTANTS // 20):
        try:
            events = codec.decode(spoil_answer(messages[number % len(messages)], rng))
        except BadFrame as exc:
            assert exc.reason in REASONS
        else:
            assert_sane(events)
            read += 1
    assert read > MUTANTS // 200


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@hypothesis_settings(max_examples=300)
def test_any_bytes_are_events_or_a_bad_frame(message):
    starts = (
        b"",
        b'{"arg":{"channel":"bbo-tbt","instId":"ADA-USDT"},"data":',
        b'{"arg":{"channel":"books","instId":"ADA-USDT"},"action":"update","data":',
        b'{"event":"error","msg":',
        b'{"path":"/api/v5/public/time","data":',
    )
    for conn in ("okx.public", "okx.rest"):
        codec = Okx().codec(conn)
        for start in starts:
            try:
                assert_sane(codec.decode(start + message))
            except BadFrame as exc:
                assert exc.reason in REASONS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = ("asks", "bids", "ts", "seqId", "prevSeqId", "checksum", "instId", "px", "sz", "side")


@given(
    st.sampled_from(["bbo-tbt", "books", "trades", "funding-rate", "open-interest", "mark-price"]),
    st.sampled_from(["ADA-USDT", "ADA-USDT-SWAP", "OP-USDT-SWAP"]),
    st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values), max_size=2),
)
@hypothesis_settings(max_examples=300)
def test_any_rows_are_events_or_a_bad_frame(channel, symbol, rows):
    message = {"arg": {"channel": channel, "instId": symbol}, "action": "update", "data": rows}
    try:
        assert_sane(Okx().codec("okx.public").decode(json.dumps(message).encode()))
    except BadFrame as exc:
        assert exc.reason in REASONS


PAGES = (
    "public/instruments",
    "public/position-tiers",
    "public/funding-rate",
    "public/funding-rate-history",
    "public/mark-price",
    "public/open-interest",
    "public/time",
    "market/books?instId=ADA-USDT",
    "market/candles?instId=ADA-USDT&bar=1m",
)


@given(
    st.sampled_from(PAGES),
    st.sampled_from(["0", "0", "0", "51001", 0]),
    st.lists(json_values, max_size=3) | json_values,
)
@hypothesis_settings(max_examples=300)
def test_any_answer_is_events_or_a_bad_frame(path, code, rows):
    body = json.dumps({"code": code, "msg": "", "data": rows})
    frame = json.dumps({"path": f"/api/v5/{path}", "data": body}).encode()
    try:
        assert_sane(Okx().codec("okx.rest").decode(frame))
    except BadFrame as exc:
        assert exc.reason in REASONS
