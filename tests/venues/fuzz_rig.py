"""Messages spoilt at random, and what a codec may make of them: sane events or a BadFrame."""

import json
import math

from hypothesis import strategies as st

from basisdesk.errors import BadFrame
from basisdesk.events import (
    Ack,
    BookUpdate,
    Candles,
    FundingHistory,
    FundingInfo,
    Heard,
    Notice,
    Quote,
    ScanBook,
    ScanPage,
    ScanPast,
    Ticker,
    Trade,
)
from basisdesk.venues.instrument import Instruments, Tiers

REASONS = {"json", "type", "number", "crossed", "topic", "symbol", "size", "rest", "contract"}
OUTCOMES = (tuple, list, BadFrame)  # of a message: its events, or that it is none
SIZE_MAX = 1e21  # coins: 10^13 of the wire, a hundred million each
WORDS_MAX = 240  # 200 characters of the venue's, and ours before them
NASTY = (
    "1e-323", "5e-324", "2e-308", "1e-13", 5e-324, 1e-320, 1e-308, 1e-13, 1e-05, 0.1, 1e308,
    None, True, [], {}, "", " 12 ", "nan", "NaN", "inf", "-inf", "1e999", "1e308", "-1", "0", "1_0",
    "１２", "0x10", "<b>x</b>", "9" * 400, -1, 0, 1.5, 2, 2**64, 10**400,
)  # fmt: skip
GLUE = b'0123456789.eE-+"[]{},:'
TOKENS = (
    b"1e400", b"-0.0", b"1E-9", b"null", b'"1"', b"0", b"1.0000", b"99999999999999999999", b"1_0",
    b"1e-323", b"1e-13",
)  # fmt: skip

any_bytes = st.binary(max_size=200) | st.text(max_size=100).map(str.encode)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


def spoil(message, rng, words=(), whole=1 / 3):
    """A mutant. whole: share of those that are JSON still, with a value of NASTY or of `words`."""
    if message[:1] == b"{" and rng.random() < whole:
        return spoil_json(message, rng, words)
    return spoil_bytes(message, rng)


def spoil_bytes(message, rng):
    """Up to four blows at random bytes: changed, deleted, inserted, another value, cut off."""
    spoilt = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(spoilt))
        kind = rng.randrange(5)
        if kind == 0:
            spoilt[at] = rng.randrange(256)
        elif kind == 1:
            del spoilt[at : at + rng.randint(1, 9)]
        elif kind == 2:
            spoilt[at:at] = bytes(rng.choices(GLUE, k=3))
        elif kind == 3:
            colon = spoilt.find(b":", at)
            comma = spoilt.find(b",", colon)
            if 0 < colon < comma:
                spoilt[colon + 1 : comma] = rng.choice(TOKENS)
        else:
            del spoilt[max(1, at) :]
        if not spoilt:
            break
    return bytes(spoilt)


def spoil_json(message, rng, words=()):
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
            node[name] = rng.choice((*NASTY, *words))
            break
    return json.dumps(tree, separators=(",", ":")).encode()


def spoil_answer(message, rng, words=(), paths=()):
    """A mutated body in a whole frame; sometimes another path."""
    frame = json.loads(message)
    frame["data"] = spoil_json(frame["data"], rng, words).decode()
    if paths and rng.random() < 0.1:
        frame["path"] = rng.choice(("", "//[", *paths))
    return json.dumps(frame).encode()


def attempt(codec, message, size_max=SIZE_MAX):
    """The events of a message, all of them sane, or the BadFrame that it is."""
    try:
        events = codec.decode(message)
    except BadFrame as exc:
        assert exc.reason in REASONS
        return exc
    for event in events:
        assert_numbers(event, size_max)
        assert_words(event)
        assert_rules(event)
        assert_scan(event, size_max)
    return events


def is_refused(outcome):
    return isinstance(outcome, BadFrame)


class Twins:
    """Beside the codec that sees everything runs a twin that sees only what was readable: when a
    mutant was refused, both must go on alike, or something of it was kept.
    """

    def __init__(self, make):
        self.codec, self.twin = make(), make()

    def attempt(self, mutant):
        outcome = attempt(self.codec, mutant)
        if not is_refused(outcome):
            assert repr(outcome) == repr(self.twin.decode(mutant))
        return outcome

    def go_on(self, message):
        """The events of a good message, which both must read alike."""
        events = self.codec.decode(message)
        assert repr(events) == repr(self.twin.decode(message))  # repr: NaN equals NaN
        return events


def refused_of(twins, messages, count, rng, words=()):
    """How many of `count` mutants the twins refused; after each seventh comes a good message."""
    refused = 0
    for number in range(count):
        message = messages[number % len(messages)]
        refused += is_refused(twins.attempt(spoil(message, rng, words)))
        if number % 7 == 0:
            twins.go_on(message)
    return refused


def read_of(codec, answers, count, rng, words, paths=()):
    """How many of `count` mutants of HTTP answers the codec still could read."""
    mutants = (spoil_answer(answers[at % len(answers)], rng, words, paths) for at in range(count))
    return sum(not is_refused(attempt(codec, mutant)) for mutant in mutants)


def positive(price):
    return 0.0 < price < 1e9


def assert_numbers(event, size_max):
    if isinstance(event, (Quote, BookUpdate, Trade, Ticker, Heard)):
        assert 0 <= event.venue_ms <= 10**14
    if isinstance(event, Quote):
        assert not event.bid >= event.ask
        for price, size in ((event.bid, event.bid_size), (event.ask, event.ask_size)):
            assert positive(price) if size else math.isnan(price)
            assert 0.0 <= size < size_max
    elif isinstance(event, BookUpdate):
        assert all(positive(price) for price, _ in (*event.bids, *event.asks))
        assert all(0.0 <= size < size_max for _, size in (*event.bids, *event.asks))
    elif isinstance(event, Trade):
        assert positive(event.price)
        assert 0.0 < event.size < size_max
    elif isinstance(event, Ticker):
        for price in (event.mark, event.index):
            assert math.isnan(price) or positive(price)
        assert math.isnan(event.rate) or -1.0 < event.rate < 1.0
        assert math.isnan(event.open_interest) or 0.0 <= event.open_interest < 1_000 * size_max
        assert 0.0 <= event.interval_h <= 168.0
        assert 0.0 <= event.cap < 1.0
        assert 0 <= event.next_ms <= 10**14


def assert_words(event):
    if isinstance(event, (Ack, Notice)):
        assert len(event.text) <= WORDS_MAX
        assert event.text.isprintable()


def assert_rules(event):
    if isinstance(event, Candles):
        assert all(positive(close) for _, close in event.rows)
        assert event.rows == sorted(event.rows)
    elif isinstance(event, FundingHistory):
        assert all(abs(float(rate)) < 1.0 for _, rate in event.rows)
    elif isinstance(event, FundingInfo):
        assert all(0.0 <= hours <= 168.0 and 0.0 <= cap < 1.0 for _, hours, cap in event.rows)
    elif isinstance(event, Instruments):
        for told in event.rows:
            for value in (told.tick, told.lot, told.min_qty, told.max_qty, told.multiplier):
                assert value.is_finite()
                assert value > 0
            assert_ladder(told.tiers)
    elif isinstance(event, Tiers):
        assert_ladder(event.tiers)


def assert_ladder(tiers):
    assert all(0 < tier.maintenance <= tier.initial <= 1 for tier in tiers)
    assert all(tier.leverage_max > 0 for tier in tiers)


def assert_scan(event, size_max):
    if isinstance(event, ScanPage):
        assert 0 <= event.venue_ms <= 10**14
        assert event.rows
        for row in event.rows:
            assert_scan_row(row, size_max)
    elif isinstance(event, ScanBook):
        assert 0 <= event.venue_ms <= 10**14
        assert event.bids or event.asks
        assert list(event.bids) == sorted(event.bids, reverse=True)
        assert list(event.asks) == sorted(event.asks)
        assert all(positive(price) for price, _ in (*event.bids, *event.asks))
        assert all(0.0 < size < size_max for _, size in (*event.bids, *event.asks))
        assert not event.bids or not event.asks or event.bids[0][0] < event.asks[0][0]
    elif isinstance(event, ScanPast):
        assert list(event.minutes) == sorted(event.minutes)
        assert all(positive(close) for _, close in event.minutes)
        assert list(event.settled) == sorted(event.settled)
        assert all(abs(rate) <= 0.16 for _, rate in event.settled)


def assert_scan_row(row, size_max):
    assert len(row.instrument.split(":")) == 3
    assert not row.bid >= row.ask
    for price in (row.bid, row.ask, row.mark, row.index):
        assert math.isnan(price) or positive(price)
    for price, size in ((row.bid, row.bid_size), (row.ask, row.ask_size)):
        assert math.isnan(size) or (0.0 < size < size_max and positive(price))
    assert math.isnan(row.rate) or abs(row.rate) <= 0.16
    assert 0.0 <= row.interval_h <= 168.0
    assert 0.0 <= row.cap < 1.0
    assert 0 <= row.next_ms <= 10**14 + 3_600_000
    assert math.isnan(row.open_interest) or 0.0 <= row.open_interest < 1_000 * size_max
    assert math.isnan(row.turnover_day) or 0.0 <= row.turnover_day < 1e36
