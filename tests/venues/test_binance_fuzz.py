"""Mutated Binance messages: events or BadFrame, nothing else; no number that is none."""

import json
import math
import random

import pytest
from binance_recorded import capture, frames, names, rest, row
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from basisdesk.errors import BadFrame
from basisdesk.events import (
    Ack,
    BookUpdate,
    Candles,
    FundingHistory,
    FundingInfo,
    Notice,
    Quote,
    Ticker,
    Trade,
)
from basisdesk.market.book import Book
from basisdesk.venues.binance import Binance
from basisdesk.venues.instrument import Instruments

REASONS = {"json", "type", "number", "crossed", "topic", "symbol", "size", "rest"}
SOCKETS = ("binance.spot", "binance.public", "binance.market")
MUTANTS = 200_000
NASTY = (
    "1e-323", "5e-324", "2e-308", "1e-13", 5e-324, 1e-320, 1e-13,
    None, True, [], {}, "", " 12 ", "nan", "NaN", "inf", "-inf", "1e999", "1e308", "-1", "0", "1_0",
    "１２", "0x10", "<b>x</b>", "9" * 400, -1, 0, 1.5, 2, 2**64, 10**400, 1e308, "ADAUSDT",
    "1000PEPEUSDT", "adausdt@trade", "!serverShutdown", "adausdt@depth", "TRADING", "PERPETUAL",
    "LOT_SIZE", [["1", "2"]], [["2", "1"], ["3", "0"]], [[]],
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
    while len(node):
        name = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
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
        frame["path"] = rng.choice(("", "//[", "/api/v3/depth?symbol=ADAUSDT", "/api/v3/time?&="))
    return json.dumps(frame).encode()


def positive(price):
    return 0.0 < price < 1e9


def assert_numbers(event):
    if isinstance(event, Quote):
        assert not event.bid >= event.ask
        for price, size in ((event.bid, event.bid_size), (event.ask, event.ask_size)):
            assert positive(price) if size else math.isnan(price)
            assert 0.0 <= size < 1e20
    elif isinstance(event, BookUpdate):
        assert all(positive(price) for price, _ in (*event.bids, *event.asks))
        assert all(0.0 <= size < 1e20 for _, size in (*event.bids, *event.asks))
        assert event.snapshot or -1 <= event.prev <= event.seq
    elif isinstance(event, Trade):
        assert positive(event.price)
        assert 0.0 < event.size < 1e20
    elif isinstance(event, Ticker):
        for price in (event.mark, event.index):
            assert math.isnan(price) or positive(price)
        assert math.isnan(event.rate) or -1.0 < event.rate < 1.0
        assert math.isnan(event.open_interest) or 0.0 <= event.open_interest < 1e23
        assert 0 <= event.next_ms <= 10**14


def assert_words(event):
    if isinstance(event, (Ack, Notice)):
        assert len(event.text) <= 200
        assert event.text.isprintable()
    elif isinstance(event, Candles):
        assert all(positive(close) for _, close in event.rows)
        assert event.rows == sorted(event.rows)
    elif isinstance(event, FundingHistory):
        assert all(abs(float(rate)) < 1.0 for _, rate in event.rows)
    elif isinstance(event, FundingInfo):
        assert all(0.0 < hours <= 168.0 and 0.0 <= cap < 1.0 for _, hours, cap in event.rows)
    elif isinstance(event, Instruments):
        for told in event.rows:
            for value in (told.tick, told.lot, told.min_qty, told.max_qty, told.multiplier):
                assert value.is_finite()
                assert value > 0


def assert_sane(events):
    for event in events:
        assert_numbers(event)
        assert_words(event)


def messages(conn):
    return [payload for where, payload in map(row, names()) if where == conn]


@pytest.mark.parametrize("conn", SOCKETS)
def test_mutants_are_events_or_bad_frames_and_leave_nothing_behind(conn):
    """Beside the codec that sees everything runs a twin that sees only what was readable: when a
    mutant was refused, both must go on alike, or something of it was kept.
    """
    rng = random.Random(conn)
    samples = messages(conn)
    codec, twin = Binance().codec(conn), Binance().codec(conn)
    share = MUTANTS // len(SOCKETS)
    refused = 0
    for number in range(share):
        message = samples[number % len(samples)]
        mutant = (spoil_json if number % 3 == 0 else spoil_bytes)(message, rng)
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
    assert share // 4 < refused < share


@pytest.mark.parametrize("conn", SOCKETS[:2])
def test_mutants_of_captured_messages_are_events_or_bad_frames(conn):
    rng, codec = random.Random(conn), Binance().codec(conn)
    lines = [payload for _, name, payload in frames(capture(), conn) if name == conn]
    samples = [payload for payload in lines if len(payload) < 4_000]
    read = 0
    for _ in range(MUTANTS // 8):
        message = rng.choice(samples)
        try:
            events = codec.decode(spoil_bytes(message, rng))
        except BadFrame as exc:
            assert exc.reason in REASONS
        else:
            assert_sane(events)
            read += 1
    assert MUTANTS // 800 < read < MUTANTS // 8


def merged(sides, update):
    """The sides after one update, by plain dicts."""
    changed = [dict(side) for side in sides]
    for side, levels in zip(changed, (update.bids, update.asks), strict=True):
        side.update(levels)
    return [{price: size for price, size in side.items() if size} for side in changed]


def test_mutants_never_leave_a_book_half_applied():
    """After every mutant the book is whole by a naive merge, or empty and says so."""
    rng, codec = random.Random(3), Binance().codec("binance.public")
    key, levels = "binance:perp:ADAUSDT", [[f"0.8{n}", str(n)] for n in range(10)]
    book, sides, applied, emptied = Book(), [{}, {}], 0, 0
    book.apply(BookUpdate(key, "s", True, [], [], 5, 0))
    for _ in range(6_000):
        ids = {"U": book.seq + 3, "u": book.seq + 7, "pu": book.seq, "E": 9, "T": 9, "s": "ADAUSDT"}
        data = {**ids, "b": rng.sample(levels, 3), "a": [[f"0.9{rng.randrange(9)}", "4"]]}
        message = json.dumps({"stream": "adausdt@depth@100ms", "data": data}).encode()
        try:
            (event,) = codec.decode(spoil_bytes(message, rng))
        except BadFrame:
            assert [dict(book.bids), dict(book.asks)] == sides
            (event,) = codec.decode(message)
        if not isinstance(event, BookUpdate):
            continue
        if book.apply(event):
            assert (book.valid, book.bids, book.asks) == (False, [], [])
            book, sides, emptied = Book(), [{}, {}], emptied + 1
            book.apply(BookUpdate(key, "s", True, [], [], 5, 0))
        elif book.seq == event.seq:
            sides, applied = merged(sides, event), applied + 1
            assert [dict(book.bids), dict(book.asks)] == sides
    assert applied > 4_000
    assert emptied > 3


def test_mutants_of_answers_are_events_or_bad_frames():
    rng = random.Random(11)
    samples = messages("binance.rest")
    codec, read = Binance().codec("binance.rest"), 0
    for number in range(MUTANTS // 20):
        try:
            events = codec.decode(spoil_answer(samples[number % len(samples)], rng))
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
        b'{"stream":"adausdt@bookTicker","data":',
        b'{"stream":"adausdt@depth@100ms","data":{"e":"depthUpdate",',
        b'{"e":"depthUpdate","s":"ADAUSDT",',
        b'{"code":2,"msg":',
        b'{"path":"/api/v3/time","data":',
    )
    for conn in (*SOCKETS, "binance.rest"):
        codec = Binance().codec(conn)
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
NUMBERS = st.sampled_from(["0.8", "0.9", "0", "-1", "x"]) | json_values
FIELDS = ("e", "u", "U", "pu", "b", "B", "a", "A", "E", "T", "p", "q", "m", "i", "r", "st")


@given(
    st.sampled_from(["bookTicker", "depth@100ms", "depth5", "trade", "aggTrade", "markPrice@1s"]),
    st.sampled_from(SOCKETS),
    st.dictionaries(st.sampled_from(FIELDS), NUMBERS),
)
@hypothesis_settings(max_examples=300)
def test_any_fields_are_events_or_a_bad_frame(kind, conn, fields):
    message = {"stream": f"adausdt@{kind}", "data": {"s": "ADAUSDT", **fields}}
    try:
        assert_sane(Binance().codec(conn).decode(json.dumps(message).encode()))
    except BadFrame as exc:
        assert exc.reason in REASONS


@given(
    st.sampled_from(
        [
            "/api/v3/exchangeInfo",
            "/api/v3/klines?symbol=ADAUSDT&interval=1m",
            "/api/v3/time",
            "/api/v3/depth?symbol=ADAUSDT",
            "/fapi/v1/fundingRate",
            "/fapi/v1/fundingInfo",
            "/fapi/v1/premiumIndex",
            "/fapi/v1/openInterest",
            "/fapi/v1/exchangeInfo",
        ]
    ),
    json_values | st.lists(st.dictionaries(st.sampled_from(["symbol", "time"]), json_values)),
)
@hypothesis_settings(max_examples=300)
def test_any_answer_is_events_or_a_bad_frame(path, data):
    try:
        assert_sane(Binance().codec("binance.rest").decode(rest(path, data)))
    except BadFrame as exc:
        assert exc.reason in REASONS
