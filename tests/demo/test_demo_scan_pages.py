"""Pages that tell of whole markets, read by the desk's own codecs; how much work they are."""

import asyncio
import json
import math

import pytest

from basisdesk.config import COINS
from basisdesk.demo.coins import BY_NAME, NUMBER
from basisdesk.demo.dialects import known_dialects
from basisdesk.demo.floor import FRESH_MS, VenueFloor
from basisdesk.demo.leg import SimLeg
from basisdesk.demo.listings import MARKETS, spec_of
from basisdesk.demo.mirror import KEPT_COINS, MIRROR_DAYS, Mirror
from basisdesk.demo.places import DAY_MIN, PLACES
from basisdesk.demo.quoted import Quoted
from basisdesk.demo.readying import Readying, is_broad, past_of
from basisdesk.events import ScanBook, ScanPage, ScanPast
from basisdesk.venues import known_venues
from tests.demo.demo_rig import EPOCH_MS, Desk, coin, get, over_sockets

DIALECTS = {dialect.venue: dialect for dialect in known_dialects()}
SOME = ("BTC", "TIA", "PEPE")
DAY_MS = DAY_MIN * 60_000
FIELDS = ("bid", "bid_size", "ask", "ask_size", "mark", "rate", "interval_h", "next_ms", "cap")


@pytest.fixture(scope="module")
def desk():
    return Desk(EPOCH_MS)


def events(desk, venue, paths):
    """What the scanner's codec makes of pages, asked for one after the other."""
    codec = known_venues()[venue].codec(f"{venue}.scan")
    for path in paths:
        page = DIALECTS[venue].page(path, desk.floor)
        assert page.status == 200, path
        yield from codec.decode(json.dumps({"path": path, "data": page.body.decode()}).encode())


def legs_of(desk, venue, market, names=None):
    specs = desk.trading.specs(venue, market)
    return [
        desk.trading.sim((venue, market, spec.symbol))
        for spec in specs
        if names is None or spec.base in names
    ]


def test_all_sixty_coins_are_known_and_older_ones_keep_their_numbers():
    names = COINS.split()
    assert len(names) == 60
    assert set(names) <= set(BY_NAME)
    assert [NUMBER[name] for name in ("BTC", "SOL", "USDC", "USDT", "INJ")] == [0, 5, 59, 60, 61]
    for name in ("INJ", "TIA", "SEI"):
        assert all(spec_of(venue, kind, BY_NAME[name]) for venue in PLACES for kind in MARKETS)


@pytest.mark.parametrize("venue", PLACES)
def test_pages_tell_of_every_leg_what_is_true_of_it(desk, venue):
    """Prices for one coin and sizes in coins; only open interest may come by a leg's own page."""
    rules = known_venues()[venue]
    perps = legs_of(desk, venue, "perp")
    own = [path for leg in perps for path in rules.scan_leg(leg.spec.key)]
    told = {}
    for page in events(desk, venue, (*rules.scan_pages(), *own)):
        assert isinstance(page, ScanPage)
        for row in page.rows:
            said = {field: getattr(row, field) for field in (*FIELDS, "open_interest")}
            known = {field: value for field, value in said.items() if value and value == value}
            told.setdefault(row.instrument, {}).update(known)
    watched = set(COINS.split())
    for leg in (*legs_of(desk, venue, "spot", watched), *perps):
        row, spec, view = told[leg.spec.key], leg.spec, leg.view()
        bid, bid_lots, ask, ask_lots = leg.touch
        tick, lot = float(spec.tick) / spec.price_unit, float(spec.lot) * spec.unit
        true = (bid * tick, bid_lots * lot, ask * tick, ask_lots * lot)
        rough = 6e-4 if (venue, spec.market) == ("kraken", "spot") else 1e-12  # three digits there
        assert [row[name] for name in FIELDS[:4:2]] == pytest.approx(true[::2]), spec.key
        sizes = [row.get(name, 0.0) for name in FIELDS[1:4:2]]
        assert sizes == pytest.approx(true[1::2], rel=1e-9, abs=rough), spec.key
        if spec.market == "perp":
            assert row["mark"] == pytest.approx(view.mark_price / spec.price_unit, rel=1e-3)
            assert row.get("rate", 0.0) == pytest.approx(view.rate, abs=2e-8)
            assert row["interval_h"] == view.interval_h
            assert row["next_ms"] == view.next_funding_ms
            assert row["open_interest"] == pytest.approx(view.open_interest, rel=1e-2)


@pytest.mark.parametrize("venue", PLACES)
def test_depth_pages_show_the_published_book(desk, venue):
    rules = known_venues()[venue]
    for leg in [leg for kind in MARKETS for leg in legs_of(desk, venue, kind, SOME)]:
        pages = [rules.scan_pages()[0], rules.scan_book(leg.spec.key)]  # names, contract sizes
        (book,) = (e for e in events(desk, venue, pages) if isinstance(e, ScanBook))
        tick = float(leg.spec.tick) / leg.spec.price_unit
        lot = float(leg.spec.lot) * leg.spec.unit
        for side, true in zip((book.bids, book.asks), leg.sides(), strict=True):
            rows = [(at * tick, lots * lot) for at, lots in true.items()][: len(side)]
            assert len(side) >= 20
            for mine, other in zip(side, rows, strict=True):
                assert mine == pytest.approx(other, rel=1e-6), leg.spec.key


@pytest.mark.parametrize("venue", PLACES)
def test_the_past_of_a_leg(desk, venue):
    """Minutes that end now, and a month of settlements at their own rhythm."""
    rules = known_venues()[venue]
    for leg in [leg for kind in MARKETS for leg in legs_of(desk, venue, kind, SOME)]:
        minutes, settled = {}, {}
        for past in events(desk, venue, rules.scan_past(leg.spec.key, EPOCH_MS, 30)):
            assert isinstance(past, ScanPast)
            assert past.instrument == leg.spec.key
            minutes.update(past.minutes)
            settled.update(past.settled)
        assert len(minutes) >= 290
        assert 0 < EPOCH_MS - max(minutes) < 130_000
        mid = leg.quoted.mid(EPOCH_MS) / leg.spec.price_unit
        assert minutes[max(minutes)] == pytest.approx(mid, rel=0.01)
        if leg.spec.market == "spot":
            assert not settled
            continue
        true = {t_ms: rate for t_ms, rate, _ in leg.settlements() if t_ms > EPOCH_MS - 29 * DAY_MS}
        assert len(true) > 28 * 24 // leg.spec.interval_h
        assert {t_ms: settled[t_ms] for t_ms in true} == pytest.approx(true, abs=2e-8)


def test_pages_that_ask_for_what_is_not_there_say_so(desk):
    for venue, path, words in (
        ("okx", "/api/v5/market/tickers", b"instType"),
        ("okx", "/api/v5/market/tickers?instType=OPTION", b"instType"),
        ("okx", "/api/v5/public/mark-price?instType=SPOT", b"instType"),
        ("okx", "/api/v5/public/funding-rate", b"instId"),
        ("okx", "/api/v5/market/index-tickers", b"quoteCcy"),
        ("okx", "/api/v5/market/ticker?instId=NO-USDT", b"doesn't exist"),
        ("kraken", "/0/public/Ticker?pair=NOUSD", b"Unknown asset pair"),
        ("kraken", "/0/public/Depth?pair=ADAUSD&count=x", b"Invalid arguments"),
        ("kraken", "/derivatives/api/v3/orderbook?symbol=PF_NO", b"invalidArgument"),
        ("binance", "/fapi/v1/ticker/bookTicker?symbol=NO", b"Invalid symbol"),
    ):
        assert words in DIALECTS[venue].page(path, desk.floor).body, path


def test_one_row_where_one_is_asked_for(desk):
    for venue, path, symbol in (
        ("okx", "/api/v5/market/ticker?instId=ADA-USDT", '"instId":"ADA-USDT"'),
        ("okx", "/api/v5/market/index-tickers?instId=ADA-USDT", '"instId":"ADA-USDT"'),
        ("okx", "/api/v5/public/mark-price?instType=SWAP&instId=ADA-USDT-SWAP", "markPx"),
        ("kraken", "/0/public/Ticker?pair=XBTUSD", '"XXBTZUSD":'),
        ("binance", "/api/v3/ticker/bookTicker?symbol=ADAUSDT", "bidPrice"),
    ):
        assert DIALECTS[venue].page(path, desk.floor).body.decode().count(symbol) == 1, path


# How much work it is


@pytest.mark.parametrize(
    ("target", "market"),
    [
        ("/v5/market/tickers?category=spot", "spot"),
        ("/v5/market/tickers?category=linear", "perp"),
        ("/v5/market/tickers?category=linear&symbol=ADAUSDT", None),
        ("/fapi/v1/fundingInfo", "perp"),
        ("/fapi/v1/openInterest?symbol=ADAUSDT", None),
        ("/api/v5/public/funding-rate?instId=ANY", "perp"),
        ("/api/v5/public/funding-rate?instId=ADA-USDT-SWAP", None),
        ("/api/v5/market/tickers?instType=SPOT", "spot"),
        ("/0/public/Ticker", "spot"),
        ("/0/public/Ticker?pair=XBTUSD", None),
        ("/derivatives/api/v3/tickers", "perp"),
        ("/0/public/AssetPairs", None),
        ("/v5/market/time", None),
    ],
)
def test_which_pages_tell_of_a_whole_market(target, market):
    assert is_broad(target) == market


def test_every_figure_page_of_the_scanner_is_made_ready_in_parts():
    names = {"/api/v5/public/instruments?instType=SWAP", "/0/public/AssetPairs"}
    for venue in known_venues().values():
        for path in venue.scan_pages():
            assert is_broad(path) or path in names, path


def test_pages_of_past_funding_are_told_by_their_perpetual():
    assert past_of("/v5/market/funding/history?category=linear&symbol=ADAUSDT") == "ADAUSDT"
    assert past_of("/api/v5/public/funding-rate-history?instId=ADA-USDT-SWAP") == "ADA-USDT-SWAP"
    assert past_of("/fapi/v1/premiumIndex?symbol=ADAUSDT") == ""


class Clockwork:
    """A desk whose time a test moves, with counters of what is worked out."""

    def __init__(self, monkeypatch):
        self.now_ms = EPOCH_MS
        self.desk = Desk(EPOCH_MS)
        self.trading = self.desk.trading
        self.trading._now_ms = lambda: self.now_ms
        self.ready = Readying(self.trading)
        self.counts = {}
        for owner, name in ((SimLeg, "pulse"), (Quoted, "_settled_of"), (Mirror, "_walked")):
            self._count(monkeypatch, owner, name)

    def _count(self, monkeypatch, owner, name):
        true = getattr(owner, name)

        def counted(*args, **given):
            self.counts[name] = self.counts.get(name, 0) + 1
            return true(*args, **given)

        monkeypatch.setattr(owner, name, counted)

    def page(self, venue, path):
        self.counts.clear()
        legs = asyncio.run(self.ready.legs(venue, path))
        floor = VenueFloor(self.trading, lambda _: self.now_ms, legs)
        assert DIALECTS[venue].page(path, floor).status == 200
        return len(legs)


def test_legs_are_moved_once_for_all_pages_of_a_moment(monkeypatch):
    """The first page works out one settlement a leg, none of the past; the next pages nothing."""
    desk = Clockwork(monkeypatch)
    first, *rest = (p for p in known_venues()["okx"].scan_pages() if is_broad(p) == "perp")
    legs = desk.page("okx", first)
    assert legs > 55
    assert desk.counts == {"_settled_of": legs}
    for path in rest:
        desk.now_ms += FRESH_MS // 10
        assert desk.page("okx", path) == legs
        assert desk.counts == {}
    desk.now_ms += FRESH_MS
    desk.page("okx", first)
    assert desk.counts == {"pulse": legs}


def test_weeks_of_funding_are_walked_once_and_only_when_asked_for(monkeypatch):
    desk = Clockwork(monkeypatch)
    path = "/fapi/v1/fundingRate?symbol=ADAUSDT&limit=1000"
    desk.page("binance", path)
    assert desk.counts["_walked"] == MIRROR_DAYS
    desk.page("binance", path)
    assert desk.counts == {}
    desk.page("bybit", "/v5/market/funding/history?category=linear&symbol=ADAUSDT")
    assert "_walked" not in desk.counts  # another venue, the same coin


def test_between_two_steps_of_a_page_the_loop_has_its_turn():
    desk = Desk(EPOCH_MS)
    ready = Readying(desk.trading)

    async def turns_during(venue, path):
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await asyncio.gather(ready.legs(venue, path), ready.legs(venue, path))
        counting.cancel()
        return turns

    async def both():
        past = "/derivatives/api/v4/historicalfundingrates?symbol=PF_TIAUSD"
        tickers = await turns_during("kraken", "/derivatives/api/v3/tickers")
        return tickers, await turns_during("kraken", past)

    tickers, past = asyncio.run(both())
    assert tickers >= 2 * len(desk.trading.names("kraken", "perp"))
    assert past >= MIRROR_DAYS


def test_the_first_pages_of_all_venues_come_over_http_while_a_fault_may_delist():
    async def work(exchange):
        paths = [path for venue in known_venues().values() for path in venue.scan_pages()]
        answers = await asyncio.gather(*(get(exchange, path) for path in paths))
        exchange.trading.delisted.add(("kraken", "spot", "ADA/USD"))
        later = await get(exchange, "/0/public/Ticker")
        return [answer.status_code for answer in answers], later.text

    codes, text = over_sockets(work, scenario="openings")
    assert set(codes) == {200}
    assert "ADAUSD" not in text
    assert "XXBTZUSD" in text


# The weeks before


def test_older_days_join_the_first_without_a_seam():
    desk = Desk(EPOCH_MS)
    days = desk.trading.sim(("bybit", "perp", "ADAUSDT")).quoted.days
    first = days.first_day
    for day in range(first - 1, days.oldest_day - 1, -1):
        before, after = days.day(day), days.day(day + 1)
        assert before.log_price[-1] == pytest.approx(after.log_price[0], abs=1e-12)
        assert before.premium_bp[-1] == pytest.approx(after.premium_bp[0], abs=1e-9)
        assert math.isfinite(float(before.log_price.sum()))
    with pytest.raises(ValueError, match="not kept"):
        days.day(days.oldest_day - 1)


def test_older_days_are_the_same_however_often_they_are_forgotten():
    desk = Desk(EPOCH_MS)
    coins = [s.symbol for s in desk.trading.specs("bybit", "perp")][: KEPT_COINS + 2]
    quoted = [desk.trading.sim(("bybit", "perp", symbol)).quoted for symbol in coins]
    seen = [each.days.day(each.days.oldest_day).premium_bp[7] for each in quoted]
    again = [each.days.day(each.days.oldest_day).premium_bp[7] for each in quoted]
    assert seen == again


def test_a_market_that_goes_on_tells_no_weeks_it_did_not_have():
    """What a restart would invent need not fit what the first run told, so it invents nothing."""
    market = Desk(EPOCH_MS).market
    market.coin(coin("ADA"))
    same_day = type(market).restored(7, "mixed", market.dump(), EPOCH_MS)
    long = market.find("bybit:perp:ADAUSDT").settlements(EPOCH_MS)
    assert EPOCH_MS - long[0][0] > 30 * DAY_MS
    assert same_day.find("bybit:perp:ADAUSDT").settlements(EPOCH_MS) == long
    later_ms = EPOCH_MS + 2 * DAY_MS
    market.advance(later_ms)
    again = type(market).restored(7, "mixed", market.dump(), later_ms)
    found = again.find("bybit:perp:ADAUSDT").settlements(later_ms)
    assert 10 * DAY_MS < later_ms - found[0][0] < 12 * DAY_MS
    assert set(found) <= set(market.find("bybit:perp:ADAUSDT").settlements(later_ms))
