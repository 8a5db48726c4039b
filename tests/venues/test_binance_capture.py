"""The whole real capture through codec and book, against a naive reading of the same lines."""

import json
from collections import Counter

import pytest
from binance_recorded import capture, frames

from basisdesk.events import BookUpdate, Quote, Trade
from basisdesk.market.book import Book
from basisdesk.venues.binance import Binance

CONNECTIONS = ("binance.spot", "binance.public")


@pytest.fixture(scope="module", params=CONNECTIONS)
def recorded(request):
    return request.param, frames(capture(), request.param)


def naive_book(rows):
    """The book after the last line by the venue's own words: snapshot, then what is newer."""
    sides, last = ({}, {}), -1
    changes = []
    for _, conn, payload in rows:
        message = json.loads(payload)
        if conn == "binance.rest":
            told = json.loads(message["data"])
            last = told["lastUpdateId"]
            for side, levels in zip(sides, (told["bids"], told["asks"]), strict=True):
                side.update({float(price): float(size) for price, size in levels})
        elif message["data"].get("e") == "depthUpdate":
            changes.append(message["data"])
    for change in changes:
        if change["u"] <= last:
            continue
        for side, levels in zip(sides, (change["b"], change["a"]), strict=True):
            side.update({float(price): float(size) for price, size in levels})
    return [{price: size for price, size in side.items() if size} for side in sides]


def test_every_line_is_read_and_the_chain_has_no_gap(recorded):
    conn, rows = recorded
    venue, book, faults = Binance(), Book(), Counter()
    codecs = {name: venue.codec(name) for name in (conn, "binance.rest")}
    seen, streams = Counter(), set()
    for _, name, payload in rows:
        for event in codecs[name].decode(payload):  # a BadFrame would end the test
            seen[type(event).__name__] += 1
            streams.add(event.stream)
            assert event.instrument.endswith(":ETHUSDT")
            if isinstance(event, BookUpdate):
                faults[book.apply(event)] += 1
    early = faults.pop("nosnapshot")  # before the snapshot, which then takes them in
    assert 0 < early < 20
    assert set(faults) == {""}
    assert book.valid
    assert [dict(book.bids), dict(book.asks)] == naive_book(rows)
    depth = "ethusdt@depth@100ms" if conn == "binance.spot" else "ethusdt@depth@0ms"
    kinds = (depth, "ethusdt@bookTicker", "ethusdt@trade")
    assert streams == {"", *(f"{conn}/{kind}" for kind in kinds)}
    assert sum(seen.values()) == len(rows)
    assert min(seen[name] for name in ("Quote", "BookUpdate", "Trade")) > 3_000


def test_quotes_and_trades_equal_a_naive_reading(recorded):
    conn, rows = recorded
    decode = Binance().codec(conn).decode
    for _, name, payload in rows:
        if name != conn:
            continue
        data = json.loads(payload)["data"]
        (event,) = decode(payload)
        if isinstance(event, Quote):
            top = (event.bid, event.bid_size, event.ask, event.ask_size)
            assert top == tuple(float(data[each]) for each in "bBaA")
            assert event.venue_ms == (0 if conn == "binance.spot" else data["T"])
        elif isinstance(event, Trade):
            assert (event.price, event.size) == (float(data["p"]), float(data["q"]))
            assert (event.taker_buy, event.venue_ms) == (not data["m"], data["T"])


def test_a_lost_change_is_always_a_gap(recorded):
    """Drop one change in forty: exactly there the book ends, and never shows a wrong top."""
    conn, rows = recorded
    venue, updates = Binance(), []
    codecs = {name: venue.codec(name) for name in (conn, "binance.rest")}
    for _, name, payload in rows[:20_000]:
        events = codecs[name].decode(payload)
        updates += [event for event in events if isinstance(event, BookUpdate)]
    first = next(at for at, update in enumerate(updates) if update.snapshot) + 3
    for lost in range(first, len(updates) - 1, 40):
        book = Book()
        for at, update in enumerate(updates[: lost + 2]):
            fault = book.apply(update) if at != lost else ""
            if at == lost + 1:
                assert fault == "gap"
            elif at >= first:
                assert fault == ""
        assert not book.valid
