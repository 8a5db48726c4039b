"""The whole real capture of Kraken Futures (2021): every line is read, no number is missing."""

import json
import math
from collections import Counter

import pytest
from kraken_wire import CAPTURE, frames, rest_frames

from basisdesk.errors import BadFrame
from basisdesk.events import Ack, BookUpdate, Heard, Pong, Trade
from basisdesk.venues.instrument import Instruments
from basisdesk.venues.kraken import FUTURES, REST, Kraken


@pytest.fixture(scope="module")
def recorded():
    if not CAPTURE.is_dir():
        pytest.skip("the real Kraken capture (../shared/data) is not on this machine")
    return frames(CAPTURE)


@pytest.fixture(scope="module")
def events(recorded):
    codec = Kraken().codec(FUTURES)
    return [(payload, codec.decode(payload)) for _, payload in recorded]


def test_every_line_is_an_event_of_its_kind(events):
    seen, expected = Counter(), Counter()
    kinds = {
        "book": BookUpdate, "book_snapshot": BookUpdate, "trade": Trade, "trade_snapshot": Heard,
        "ticker_lite": Heard,
    }  # fmt: skip
    for payload, said in events:
        message = json.loads(payload)
        if "event" in message:
            expected[Pong if message["event"] == "info" else Ack] += 1
        else:
            expected[kinds[message["feed"]]] += 1
        assert len(said) == 1
        seen[type(said[0])] += 1
    assert seen == expected
    assert seen[BookUpdate] > 7_000


def test_numbers_follow_each_other_for_each_product(events):
    """`seq` rises by one a message; the documentation does not promise it, the capture has it."""
    last: dict[str, int] = {}
    for _, (event,) in events:
        if not isinstance(event, BookUpdate):
            continue
        if not event.snapshot:
            assert event.prev == last[event.instrument]
        assert event.prev == event.seq - 1
        last[event.instrument] = event.seq
    assert len(last) == 10


def test_every_book_equals_a_naive_reading_and_is_never_crossed(events):
    naive: dict[str, tuple[dict, dict]] = {}
    folded: dict[str, tuple[dict, dict]] = {}
    for payload, (event,) in events:
        message = json.loads(payload)
        if message.get("feed") == "book_snapshot":
            naive[message["product_id"]] = tuple(
                {row["price"]: row["qty"] for row in message[side]} for side in ("bids", "asks")
            )
        elif message.get("feed") == "book" and "side" in message:
            book = naive[message["product_id"]][message["side"] == "sell"]
            book[message["price"]] = message["qty"]
            if message["qty"] == 0:
                del book[message["price"]]
        if not isinstance(event, BookUpdate):
            continue
        if event.snapshot:
            folded[event.instrument] = ({}, {})
        for side, levels in zip(folded[event.instrument], (event.bids, event.asks), strict=True):
            for price, size in levels:
                side[price] = size
                if size == 0.0:
                    del side[price]
        bids, asks = folded[event.instrument]
        assert max(bids) < min(asks)
    assert {key.rpartition(":")[2]: sides for key, sides in folded.items()} == naive


def test_every_trade_is_of_the_tape(events):
    trades = [event for _, (event,) in events if isinstance(event, Trade)]
    told = [json.loads(payload) for payload, _ in events if b'"feed":"trade",' in payload[:20]]
    assert [(row["price"], row["qty"], row["side"] == "buy", row["time"]) for row in told] == [
        (trade.price, trade.size, trade.taker_buy, trade.venue_ms) for trade in trades
    ]
    assert all(math.isfinite(trade.price) for trade in trades)


def test_the_old_contract_list_holds_nothing_we_trade(recorded):
    """All products of 2021 were inverse or dated, in lower case: rules for none, and no error."""
    assert recorded
    codec = Kraken().codec(REST)
    for payload in rest_frames(CAPTURE):
        try:
            rules, *_ = codec.decode(payload)
        except BadFrame as exc:
            pytest.fail(str(exc))
        assert rules == Instruments("kraken", ())
