"""The scanner's pages beside the walk: no trade hears of them, and the universe does."""

import msgspec

from basisdesk.config import Fees, Paper, Settings
from basisdesk.engine import Engine
from basisdesk.events import Frame, PairOpened
from basisdesk.venues import known_venues
from tests import engine_rig
from tests.engine_rig import T0, Line, S

ROW = {"symbol": "BTCUSDT", "markPrice": "100", "indexPrice": "100", "bid1Price": "100"}
ROW |= {"bid1Size": "1", "ask1Price": "101", "ask1Size": "1"}
BODY = {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": [ROW]}, "time": 1}
PATH = "/v5/market/tickers?category=linear"
PAGE = msgspec.json.encode({"path": PATH, "data": msgspec.json.encode(BODY).decode()})


def trade(monkeypatch, page):
    """A trade with latency while the prices move, with a page between order and fill or without."""
    slow = Settings(paper=Paper(latency_ms=150), fees={"bybit": Fees(spot_buy_fee_in="quote")})
    monkeypatch.setattr(engine_rig, "settings", lambda **_: slow)
    line = Line()
    line.run(5)
    for beat in range(12):
        line.now += S
        line.quote(spot=f"0.36{39 - beat % 5:02d}", perp="0.3665")
        line.beat()
        if beat == 3:
            line.open()
        if page:
            line.engine.advance([Frame("bybit.scan", page, line.now + S // 5)])
        line.now += 2 * S // 5
        line.quote(spot=f"0.36{30 - beat % 7:02d}", perp="0.3660")
        line.now -= 2 * S // 5
    return line.engine


def test_the_same_trades_come_out_with_and_without_the_scanners_pages(monkeypatch):
    without, with_pages = trade(monkeypatch, b""), trade(monkeypatch, PAGE)
    assert any(isinstance(each, PairOpened) for each in without.outcomes)
    assert list(without.outcomes) == list(with_pages.outcomes)
    assert without.books.digest() == with_pages.books.digest()
    assert set(with_pages.market.universe.legs) == {"bybit:perp:BTCUSDT"}
    assert not without.market.universe.legs


def test_a_page_moves_no_clock_and_a_broken_one_is_counted():
    engine = Engine(Settings(), known_venues(), engine_rig.Keeping())
    engine.advance([Frame("bybit.scan", PAGE, T0)])
    assert engine.now_ns == 0
    engine.advance([Frame("bybit.scan", b"{", T0), Frame("nowhere.scan", PAGE, T0)])
    assert engine.market.bad_frames == 2
    assert engine.market.bad_by_reason["conn"] == 1
