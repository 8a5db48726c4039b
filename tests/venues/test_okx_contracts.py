"""Contracts to coins: what is known, what the venue teaches, and what is never guessed."""

import json

import pytest
from okx_recorded import bbo, books, changed, payload, spelled
from refusal import reason_of

from basisdesk.errors import BadFrame
from basisdesk.events import BookLost, BookUpdate, Quote, Ticker
from basisdesk.venues.okx import Okx
from basisdesk.venues.okx_contracts import AS_OF, known_contracts

C = "okx.public"
ADA = "okx:perp:ADA-USDT-SWAP"


@pytest.fixture
def venue():
    return Okx()


@pytest.fixture
def codec(venue):
    return venue.codec(C)


def answer(size, symbol="ADA-USDT-SWAP"):
    message = json.loads(payload("rest_instruments_swap").decode().replace("ADA", symbol[:-10]))
    body = json.loads(message["data"])
    body["data"][0]["ctVal"] = size
    return spelled({**message, "data": json.dumps(body)})


def test_the_built_in_sizes_are_dated_and_no_two_venues_share_them():
    assert AS_OF == "2026-08-31"
    first, second = Okx(), Okx()
    assert first.contracts == known_contracts()
    first.codec("okx.rest").decode(answer("10"))
    assert first.contracts["ADA-USDT-SWAP"] == 10
    assert second.contracts["ADA-USDT-SWAP"] == 100


def test_two_runs_over_the_same_frames_agree_where_a_size_is_learnt_on_the_way():
    """A replay makes an Okx of its own and meets the HTTP answer where the session met it."""
    quote, learnt = bbo("ADA-USDT-SWAP"), bbo("OP-USDT-SWAP")
    frames = [(C, quote), (C, learnt), ("okx.rest", answer("7", "OP-USDT-SWAP")), (C, learnt)]
    frames += [("okx.rest", answer("50")), (C, quote)]

    def run():
        venue, said = Okx(), []
        codecs = {conn: venue.codec(conn) for conn in (C, "okx.rest")}
        for conn, message in frames:
            try:
                said.append(repr(codecs[conn].decode(message)))
            except BadFrame as exc:
                said.append(exc.reason)
        return said

    first = run()
    assert first == run()
    assert first[1] == "contract"
    assert "ask_size=7.0" in first[3]
    assert "ask_size=50.0" in first[5]


@pytest.mark.parametrize(
    "message", [bbo("OP-USDT-SWAP"), books(-1, 4, "snapshot", "OP-USDT-SWAP")], ids=["bbo", "book"]
)
def test_an_unknown_contract_has_no_size_until_the_venue_says_it(venue, codec, message):
    assert reason_of(codec, message) == "contract"
    venue.codec("okx.rest").decode(answer("10", "OP-USDT-SWAP"))
    (event,) = codec.decode(message)
    size = event.bid_size if isinstance(event, Quote) else event.bids[0][1]
    assert size in (10.0, 30.0)


def test_an_unknown_contract_still_has_a_mark_an_index_and_funding(codec):
    for name in ("mark_price", "index_tickers", "funding_rate"):
        (event,) = codec.decode(payload(name).replace(b"BTC-", b"OP-"))
        assert isinstance(event, Ticker)
    assert reason_of(codec, payload("open_interest").replace(b"ADA-", b"OP-")) == "contract"


def test_what_the_venue_says_wins_over_the_built_in_size_and_spoils_the_book(venue, codec):
    codec.decode(payload("books_snapshot"))
    assert codec.decode(bbo("ADA-USDT-SWAP"))[0].bid_size == 100.0
    venue.codec("okx.rest").decode(answer("10"))
    assert codec.decode(bbo("ADA-USDT-SWAP"))[0].bid_size == 10.0
    (lost,) = codec.decode(payload("books_reset"))
    assert isinstance(lost, BookLost)
    assert (lost.instrument, lost.stream) == (ADA, "okx.public/books:ADA-USDT-SWAP")
    (update,) = codec.decode(payload("books_reset"))  # the book waits for a snapshot by now
    assert update.asks == [(0.8217, 300.0)]


def test_the_same_size_said_again_leaves_the_book_alone(venue, codec):
    codec.decode(payload("books_snapshot"))
    venue.codec("okx.rest").decode(answer("100.0"))
    assert isinstance(codec.decode(payload("books_reset"))[0], BookUpdate)


def test_open_interest_that_contradicts_the_size_is_refused(codec):
    assert reason_of(codec, changed("open_interest", oiCcy="21500000")) == "contract"
    assert codec.decode(changed("open_interest", oiCcy=None))[0].open_interest == 215_000_000.0
