"""The real OKX capture through the codec, against a naive reading of the same lines.

It is from 2022: books have no sequence ids yet, but a checksum that is live, so the naive reading
can be held against the venue's own word.
"""

import json
import math
import zlib
from collections import Counter
from decimal import Decimal

import pytest
from okx_recorded import capture, lines, rest_answers

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, BookUpdate, Heard, Trade
from basisdesk.venues.okx import Okx


@pytest.fixture(scope="module")
def folder():
    return capture()


@pytest.fixture
def codec():
    return Okx().codec("okx.public")


class Naive:
    """Plain json and dicts of texts, which is what the venue's checksum is made of."""

    def __init__(self):
        self.bids, self.asks = {}, {}

    def read(self, message):
        if message["action"] == "snapshot":
            self.bids, self.asks = {}, {}
        (row,) = message["data"]
        for side, levels in ((self.bids, row["bids"]), (self.asks, row["asks"])):
            for price, size, *_ in levels:
                side[price] = size
                if float(size) == 0:
                    del side[price]
        return row["checksum"]

    def checksum(self):
        bids = sorted(self.bids.items(), key=lambda level: -float(level[0]))[:25]
        asks = sorted(self.asks.items(), key=lambda level: float(level[0]))[:25]
        parts = []
        for at in range(max(len(bids), len(asks))):
            for side in (bids, asks):
                parts += side[at] if at < len(side) else ()
        crc = zlib.crc32(":".join(parts).encode())
        return crc - 2**32 if crc >= 2**31 else crc

    def levels(self):
        return [{float(p): float(s) for p, s in side.items()} for side in (self.bids, self.asks)]


def test_every_book_of_the_capture_equals_a_naive_reading_that_the_venue_vouches_for(folder, codec):
    naive, bids, asks, seq = Naive(), {}, {}, None
    rows = lines(folder, "books")
    for _, message in rows:
        (update,) = codec.decode(message)
        assert isinstance(update, BookUpdate)
        assert update.instrument == "okx:spot:BTC-USDT"
        if update.snapshot:
            bids, asks = {}, {}
        else:
            assert update.prev == seq
        seq = update.seq
        for side, levels in ((bids, update.bids), (asks, update.asks)):
            for price, size in levels:
                side[price] = size
                if size == 0.0:
                    del side[price]
        told = naive.read(json.loads(message))
        assert naive.checksum() == told
        assert [bids, asks] == naive.levels()
        assert max(bids) < min(asks)
    assert len(rows) > 90
    assert len(bids) > 300


def test_a_book_without_ids_and_without_a_live_checksum_is_no_recording(folder, codec):
    """What 2026 would send if the ids went missing: no gap could show, so it is refused."""
    (_, snapshot), *_ = lines(folder, "books")
    message = json.loads(snapshot)
    message["data"][0]["checksum"] = 0
    with pytest.raises(BadFrame, match="type"):
        codec.decode(json.dumps(message).encode())


def test_every_trade_of_the_capture_is_an_event(folder, codec):
    rows = lines(folder, "trades")
    for t_ns, message in rows:
        (trade,) = codec.decode(message)
        (row,) = json.loads(message)["data"]
        assert trade == Trade(
            "okx:spot:BTC-USDT",
            "okx.public/trades:BTC-USDT",
            float(row["px"]),
            float(row["sz"]),
            row["side"] == "buy",
            int(row["ts"]),
        )
        assert abs(t_ns / 1e6 - trade.venue_ms) < 2_000
    assert len(rows) == 69


def test_tickers_and_acks_of_the_capture(folder, codec):
    heard = [codec.decode(message)[0] for _, message in lines(folder, "tickers")]
    assert len(heard) == 25
    assert set(map(type, heard)) == {Heard}
    acks = [codec.decode(message)[0] for _, message in lines(folder, "acks")]
    assert Counter(type(ack) for ack in acks) == {Ack: 18}
    assert all(ack.ok for ack in acks)
    assert ("books:BTC-USDT",) in [ack.topics for ack in acks]
    assert ("trades:UNI-USD-SWAP",) in [ack.topics for ack in acks]


def test_the_captured_instruments(folder):
    """Linear swaps and spot markets, and nothing else; the built-in sizes were true even then."""
    venue = Okx()
    built_in = dict(venue.contracts)
    codec, found = venue.codec("okx.rest"), {}
    for path, body in rest_answers(folder):
        frame = json.dumps({"path": path, "data": body}).encode()
        listed = json.loads(body)["data"]
        if "SPOT" in path or "SWAP" in path:
            (event,) = codec.decode(frame)
            live = [row for row in listed if row["state"] == "live"]
            expected = [row["instId"] for row in live if row["ctType"] in ("", "linear")]
            found.setdefault(path, [row.symbol for row in event.rows])
            assert [row.symbol for row in event.rows] == expected
            by_symbol = {row["instId"]: row for row in listed}
            for row in event.rows:
                wire = by_symbol[row.symbol]
                assert row.tick == Decimal(wire["tickSz"])
                assert row.lot == Decimal(wire["lotSz"]) * Decimal(wire["ctVal"] or 1)
                assert row.quote in row.symbol
                assert math.isfinite(float(row.max_qty))
        else:
            assert codec.decode(frame) == ()  # futures and options: read, and not traded here
    assert sum(map(len, found.values())) > 400
    assert {name: venue.contracts[name] for name in built_in if name in found[_swaps(found)]} == {
        name: size for name, size in built_in.items() if name in found[_swaps(found)]
    }


def _swaps(found):
    return next(path for path in found if "SWAP" in path)
