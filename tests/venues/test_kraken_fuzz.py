"""Mutated messages of Kraken: events or BadFrame, nothing else; and never half a book."""

import json
import os
import random
from functools import partial

import fuzz_rig
import pytest
from fuzz_rig import OUTCOMES, any_bytes, is_refused, json_values, spoil, spoil_bytes
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from kraken_wire import CAPTURE, FOLDER, book, checksum, frames, rest_frames

from basisdesk.events import BookLost, BookUpdate
from basisdesk.venues.kraken import FUTURES, REST, SPOT, Kraken

WORDS = (
    45283.5, "book", "snapshot", "update", "buy", "sell", "BTC/USD", "PF_XBTUSD",
    "2026-09-22T20:11:52Z", 3310070434,
)  # fmt: skip
MUTANTS = int(os.environ.get("BASISDESK_MUTANTS", "200000"))
SEEDS = 4

attempt = partial(fuzz_rig.attempt, size_max=1e13)  # as the wire has it: a unit is a coin here


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


def state(codec):
    """What the spot codec holds; sides are never changed in place, so the objects themselves."""
    return [
        (symbol, id(held.bids), id(held.asks), held.places, held.seq, held.valid)
        for symbol, held in codec.books.items()
        if held.seq or held.valid
    ]


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
        before = state(spot) if conn == SPOT else None
        outcome = attempt(codecs[conn], spoil(payload, rng, WORDS, whole=0.4))
        if is_refused(outcome):
            refused += 1
            if before is not None:
                assert state(spot) == before
            continue
        lost += sum(isinstance(event, BookLost) for event in outcome)
        if before is not None and number % 3 == 0:
            for snapshot in snapshots:
                (opened,) = spot.decode(snapshot)
                assert opened.snapshot
                assert len(opened.bids) == len(opened.asks) == 10
    print(f"{MUTANTS // SEEDS} mutants, {refused} refused by name, 0 otherwise")
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
        outcome = attempt(codec, mutant)
        for event in () if is_refused(outcome) else outcome:
            if isinstance(event, BookUpdate):
                held = codec.books[event.instrument.rpartition(":")[2]]
                bids, asks = list(held.bids[0]), list(held.asks[0])
                assert bids == sorted(bids, reverse=True)
                assert asks == sorted(asks)
                assert max(len(bids), len(asks)) <= 10
                assert held.bids[1] == b"".join(held.bids[0].values())
                taken += 1
    assert taken > 500


@given(any_bytes)
@hypothesis_settings(max_examples=300)
def test_any_bytes_are_events_or_a_bad_frame(payload):
    starts = (
        b"",
        b'{"channel":"book","type":"snapshot","data":[{"symbol":"A/USD","checksum":0,"bids":[',
        b'{"feed":"book","product_id":"PF_XBTUSD",',
        b'{"path":"/0/public/Time","data":',
    )
    for conn in (SPOT, FUTURES, REST):
        codec = Kraken().codec(conn)
        outcomes = [attempt(codec, start + payload) for start in starts]
        assert all(isinstance(outcome, OUTCOMES) for outcome in outcomes)


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
    assert isinstance(attempt(Kraken().codec(REST), frame), OUTCOMES)


def test_mutants_of_pages_yield_only_numbers_that_are_ones():
    """Ticks, lots, tiers, rates and closes stay finite and in bounds, whatever a page says."""
    rng = random.Random(7)
    codec = Kraken().codec(REST)
    pages = [payload for conn, payload in own_frames() if conn == REST]
    if CAPTURE.is_dir():
        pages += [page for page in rest_frames(CAPTURE) if len(page) < 20_000]
    assert fuzz_rig.read_of(codec, pages, 8_000, rng, WORDS) > 800
