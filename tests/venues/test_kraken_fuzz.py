"""Mutated messages of Kraken: events or BadFrame, nothing else; and never half a book."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from kraken_wire import CAPTURE, FOLDER, book, checksum, frames, rest_frames

from basisdesk.errors import BadFrame
from basisdesk.events import BookLost, BookUpdate, Heard, Ticker, Trade
from basisdesk.venues.kraken import FUTURES, REST, SPOT, Kraken

REASONS = {"json", "type", "number", "crossed", "topic", "symbol", "size", "rest"}
NASTY = (
    "1e-323", "5e-324", "2e-308", "1e-13", 5e-324, 1e-320, 1e-13,
    None, True, [], {}, "", " 12 ", "nan", "inf", "1e999", "-1", "0", "１２", "<b>x</b>",
    "9" * 400, -1, 0, 1.5, 2**64, 10**400, 1e308, 1e-308, 1e-05, 0.1, 45283.5, "book", "snapshot",
    "update", "buy", "sell", "BTC/USD", "PF_XBTUSD", "2026-09-22T20:11:52Z", 3310070434,
)  # fmt: skip
TOKENS = (
    b"1e400",
    b"-0.0",
    b"1E-9",
    b"null",
    b'"1"',
    b"0",
    b"1.0000",
    b"99999999999999999999",
    b"1_0",
    b"1e-323",
    b"1e-13",
)
MUTANTS = 200_000
SEEDS = 4


def own_frames():
    """(conn, payload) of every payload file, and of a short life of one more spot book."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        row = json.loads(path.read_text())
        found.append((row["conn"], row["payload"].encode()))
    bids = [(f"0.{8000 - at:04d}0", "1.50000000") for at in range(10)]
    asks = [(f"0.{8001 + at:04d}0", "1.25000000") for at in range(10)]
    found.append((SPOT, book("snapshot", bids, asks, checksum(bids, asks))))
    for at in range(8):
        bids = [(f"0.8000{at + 1}", f"{at}.70000000"), *bids[:9]]
        found.append((SPOT, book("update", bids[:1], [], checksum(bids, asks))))
    return found


@pytest.fixture(scope="module")
def messages():
    """Own messages, and as many small ones of the real capture where it is at hand."""
    found = own_frames()
    if CAPTURE.is_dir():
        real = [payload for _, payload in frames(CAPTURE) if len(payload) < 4_000][::7]
        found = found * (len(real) // len(found)) + [(FUTURES, payload) for payload in real]
    return found


def places(node, way=()):
    """Every place in a JSON value."""
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node[:3]))
    else:
        children = []
    for name, child in children:
        yield (*way, name)
        yield from places(child, (*way, name))


def spoil_json(payload, rng):
    message = json.loads(payload)
    for _ in range(rng.randint(1, 2)):
        found = list(places(message))
        if not found:
            break
        *way, last = rng.choice(found)
        node = message
        for name in way:
            node = node[name]
        if rng.random() < 0.2 and isinstance(node, dict):
            del node[last]
        else:
            node[last] = rng.choice(NASTY)
    return json.dumps(message).encode()


def spoil_bytes(payload, rng):
    spoilt = bytearray(payload)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(spoilt))
        kind = rng.randrange(5)
        if kind == 0:
            spoilt[at] = rng.randrange(256)
        elif kind == 1:
            del spoilt[at : at + rng.randint(1, 9)]
        elif kind == 2:
            spoilt[at:at] = bytes(rng.choice(b'0123456789.eE-+"[]{},:') for _ in range(3))
        elif kind == 3:
            colon = spoilt.find(b":", at)
            comma = spoilt.find(b",", colon)
            if 0 < colon < comma:
                spoilt[colon + 1 : comma] = rng.choice(TOKENS)
        else:
            spoilt = spoilt[: max(1, at)]
        if not spoilt:
            break
    return bytes(spoilt)


def state(codec):
    """What the spot codec holds; sides are never changed in place, so the objects themselves."""
    return [
        (symbol, id(held.bids), id(held.asks), held.places, held.seq, held.valid)
        for symbol, held in codec.books.items()
        if held.seq or held.valid
    ]


def assert_sane(event):
    if isinstance(event, BookUpdate):
        assert 0 <= event.venue_ms <= 10**14
        for price, size in event.bids + event.asks:
            assert 0.0 < price < 1e9
            assert 0.0 <= size < 1e13
    elif isinstance(event, Trade):
        assert 0.0 < event.price < 1e9
        assert 0.0 < event.size < 1e13
    elif isinstance(event, Ticker):
        for price in (event.mark, event.index):
            assert math.isnan(price) or 0.0 < price < 1e9
        assert math.isnan(event.open_interest) or 0.0 <= event.open_interest < 1e16
        assert math.isnan(event.rate) or -1.0 < event.rate < 1.0
        assert 0 <= event.next_ms <= 10**14
    elif isinstance(event, Heard):
        assert 0 <= event.venue_ms <= 10**14


@pytest.mark.parametrize("seed", range(SEEDS))
def test_mutants_are_events_or_bad_frames_and_no_book_is_half_applied(messages, seed):
    """A refused mutant leaves every book as it was; a taken one is proven by its checksum."""
    rng = random.Random(seed)
    codecs = {conn: Kraken().codec(conn) for conn in (SPOT, FUTURES, REST)}
    spot = codecs[SPOT]
    snapshots = [
        payload
        for _, payload in own_frames()
        if payload.startswith(b'{"channel":"book","type":"snapshot"')
    ]
    refused = lost = 0
    for number in range(MUTANTS // SEEDS):
        conn, payload = messages[number % len(messages)]
        mutant = (spoil_json if rng.random() < 0.4 else spoil_bytes)(payload, rng)
        before = state(spot) if conn == SPOT else None
        try:
            events = codecs[conn].decode(mutant)
        except BadFrame as exc:
            assert exc.reason in REASONS
            refused += 1
            if before is not None:
                assert state(spot) == before
            continue
        for event in events:
            assert_sane(event)
            lost += isinstance(event, BookLost)
        if before is not None and number % 3 == 0:
            for snapshot in snapshots:
                (opened,) = spot.decode(snapshot)
                assert opened.snapshot
                assert len(opened.bids) == len(opened.asks) == 10
    assert refused > MUTANTS // SEEDS // 4
    assert lost > 50


def test_a_taken_update_leaves_the_book_that_its_checksum_says():
    """After any run of mutants a book in force has the checksum of the last taken message."""
    rng = random.Random(99)
    codec = Kraken().codec(SPOT)
    books = [payload for _, payload in own_frames() if payload.startswith(b'{"channel":"book"')]
    taken = 0
    for number in range(6_000):
        payload = books[number % len(books)]
        mutant = spoil_bytes(payload, rng) if rng.random() < 0.3 else payload
        try:
            events = codec.decode(mutant)
        except BadFrame:
            continue
        for event in events:
            if isinstance(event, BookUpdate):
                held = codec.books[event.instrument.rpartition(":")[2]]
                bids, asks = list(held.bids[0]), list(held.asks[0])
                assert bids == sorted(bids, reverse=True)
                assert asks == sorted(asks)
                assert max(len(bids), len(asks)) <= 10
                assert held.bids[1] == b"".join(held.bids[0].values())
                taken += 1
    assert taken > 500


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@hypothesis_settings(max_examples=300)
def test_any_bytes_are_events_or_a_bad_frame(payload):
    for conn in (SPOT, FUTURES, REST):
        codec = Kraken().codec(conn)
        for start in (
            b"",
            b'{"channel":"book","type":"snapshot","data":[{"symbol":"A/USD","checksum":0,"bids":[',
            b'{"feed":"book","product_id":"PF_XBTUSD",',
            b'{"path":"/0/public/Time","data":',
        ):
            try:
                codec.decode(start + payload)
            except BadFrame as exc:
                assert exc.reason in REASONS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
PAGES = (
    "/0/public/AssetPairs",
    "/0/public/OHLC?pair=ADAUSD&interval=1",
    "/0/public/Time",
    "/derivatives/api/v3/instruments",
    "/derivatives/api/v3/tickers",
    "/derivatives/api/v4/historicalfundingrates?symbol=PF_ADAUSD",
    "/api/charts/v1/trade/PF_ADAUSD/1m?to=1790179800",
    "/0/else",
)


@given(
    st.sampled_from(PAGES),
    json_values
    | st.fixed_dictionaries(
        {"error": st.just([]), "result": st.just("success") | json_values},
        optional={
            name: st.lists(json_values, max_size=3)
            for name in ("instruments", "tickers", "rates", "candles")
        },
    ),
)
@hypothesis_settings(max_examples=300)
def test_any_page_is_events_or_a_bad_frame(path, body):
    frame = json.dumps({"path": path, "data": json.dumps(body)}).encode()
    try:
        for event in Kraken().codec(REST).decode(frame):
            assert_sane(event)
    except BadFrame as exc:
        assert exc.reason in REASONS


def test_mutants_of_pages_yield_only_numbers_that_are_ones():
    """Ticks, lots, tiers, rates and closes stay finite and in bounds, whatever a page says."""
    rng = random.Random(7)
    codec = Kraken().codec(REST)
    pages = [payload for conn, payload in own_frames() if conn == REST]
    if CAPTURE.is_dir():
        pages += [page for page in rest_frames(CAPTURE) if len(page) < 20_000]
    for number in range(8_000):
        frame = json.loads(pages[number % len(pages)])
        frame["data"] = spoil_json(frame["data"], rng).decode()
        try:
            events = codec.decode(json.dumps(frame).encode())
        except BadFrame as exc:
            assert exc.reason in REASONS
            continue
        for event in events:
            assert_sane(event)
            for row in getattr(event, "rows", ()):
                figures = (
                    [row.tick, row.lot, row.min_qty, row.max_qty] if hasattr(row, "tick") else []
                )
                assert all(figure.is_finite() and figure > 0 for figure in figures)
                for tier in getattr(row, "tiers", ()):
                    assert 0 < tier.maintenance <= tier.initial <= 1
                    assert tier.leverage_max >= 1
