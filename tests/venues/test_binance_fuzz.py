"""Mutated Binance messages: events or BadFrame, nothing else; no number that is none."""

import json
import os
import random

import pytest
from binance_recorded import capture, frames, names, rest, row
from fuzz_rig import (
    OUTCOMES,
    Twins,
    any_bytes,
    attempt,
    is_refused,
    json_values,
    read_of,
    refused_of,
    spoil_bytes,
)
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from basisdesk.errors import BadFrame
from basisdesk.events import BookUpdate
from basisdesk.market.book import Book
from basisdesk.venues.binance import Binance

SOCKETS = ("binance.spot", "binance.public", "binance.market")
MUTANTS = int(os.environ.get("BASISDESK_MUTANTS", "200000"))
WORDS = (
    "ADAUSDT", "1000PEPEUSDT", "adausdt@trade", "!serverShutdown", "adausdt@depth", "TRADING",
    "PERPETUAL", "LOT_SIZE", [["1", "2"]], [["2", "1"], ["3", "0"]], [[]],
)  # fmt: skip
PATHS = ("/api/v3/depth?symbol=ADAUSDT", "/api/v3/time?&=")


def messages(conn):
    return [payload for where, payload in map(row, names()) if where == conn]


@pytest.mark.parametrize("conn", SOCKETS)
def test_mutants_are_events_or_bad_frames_and_leave_nothing_behind(conn):
    twins, share = Twins(lambda: Binance().codec(conn)), -(-MUTANTS // len(SOCKETS))
    refused = refused_of(twins, messages(conn), share, random.Random(conn), WORDS)
    print(f"{share} mutants, {refused} refused by name, 0 otherwise")
    assert share // 4 < refused < share


@pytest.mark.parametrize("conn", SOCKETS[:2])
def test_mutants_of_captured_messages_are_events_or_bad_frames(conn):
    rng, codec = random.Random(conn), Binance().codec(conn)
    lines = [payload for _, name, payload in frames(capture(), conn) if name == conn]
    samples = [payload for payload in lines if len(payload) < 4_000]
    read = 0
    for _ in range(MUTANTS // 8):
        outcome = attempt(codec, spoil_bytes(rng.choice(samples), rng))
        if not is_refused(outcome):
            updates = (event for event in outcome if isinstance(event, BookUpdate))
            assert all(event.snapshot or -1 <= event.prev <= event.seq for event in updates)
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
    answers, codec = messages("binance.rest"), Binance().codec("binance.rest")
    read = read_of(codec, answers, MUTANTS // 20, random.Random(11), WORDS, PATHS)
    assert read > MUTANTS // 200


@given(any_bytes)
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
        outcomes = [attempt(codec, start + message) for start in starts]
        assert all(isinstance(outcome, OUTCOMES) for outcome in outcomes)


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
    assert isinstance(attempt(Binance().codec(conn), json.dumps(message).encode()), OUTCOMES)


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
    assert isinstance(attempt(Binance().codec("binance.rest"), rest(path, data)), OUTCOMES)
