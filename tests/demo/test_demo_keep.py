"""The state file: the same market goes on, time never goes back, a spoilt file is refused."""

import json
from itertools import pairwise

import pytest

from basisdesk.demo.funding import MINUTE_MS
from basisdesk.demo.keep import Keeper, market_of
from basisdesk.demo.market import Market
from basisdesk.demo.options import DemoOptions
from basisdesk.errors import UserError
from tests.demo.demo_rig import EPOCH_MS

SPOILT = [
    "",
    "{",
    "[]",
    '{"basisdesk_demo": 1}',
    '{"basisdesk_demo": 2, "now_ms": 1, "market": {}}',
    '{"basisdesk_demo": 3, "now_ms": 1, "market": {}}',
]
KEYS = ["bybit:perp:ADAUSDT", "okx:perp:BTC-USDT-SWAP", "kraken:spot:ADA/USD"]


def views(market, now_ms):
    """Everything that is shown of some legs."""
    return [
        (leg.mid(now_ms), leg.view(now_ms), leg.day(now_ms), leg.candles(0, now_ms, now_ms))
        for leg in map(market.find, KEYS)
    ]


@pytest.fixture
def options(tmp_path):
    return DemoOptions(seed=5, state=tmp_path / "market.json")


def kept(options, run_ms):
    market, epoch_ms = market_of(options, EPOCH_MS)
    views(market, epoch_ms)
    now_ms = epoch_ms + run_ms
    market.advance(now_ms)
    Keeper(options.state).save(market, now_ms)
    return market, now_ms


def test_a_restart_continues_to_the_digit(options):
    market, now_ms = kept(options, 5 * MINUTE_MS + 1234)
    again, epoch_ms = market_of(options, now_ms + 700)
    assert epoch_ms == now_ms + 700
    assert views(again, epoch_ms) == views(market, epoch_ms)
    assert again.anchor_ms == market.anchor_ms == EPOCH_MS


def test_even_after_a_kill_the_lost_minutes_are_the_same(options):
    """The file is two minutes old; the restarted market draws those minutes again, the same."""
    market, now_ms = kept(options, MINUTE_MS)
    later_ms = now_ms + 2 * MINUTE_MS + 500
    market.advance(later_ms)
    again, _ = market_of(options, later_ms)
    assert views(again, later_ms) == views(market, later_ms)


def test_time_does_not_go_back(options):
    _, now_ms = kept(options, 10 * MINUTE_MS)
    _, epoch_ms = market_of(options, EPOCH_MS)
    assert epoch_ms == now_ms


def test_a_day_later_it_continues_from_the_price_level(options):
    market, now_ms = kept(options, MINUTE_MS)
    later_ms = now_ms + 86_400_000
    again, epoch_ms = market_of(options, later_ms)
    assert epoch_ms == later_ms
    was = market.find("bybit:spot:ADAUSDT").mid(now_ms)
    leg = again.find("bybit:spot:ADAUSDT")
    assert leg.mid(later_ms) == pytest.approx(was, rel=0.3)
    closes = [row.close for row in leg.candles(later_ms - 86_400_000, later_ms, later_ms)]
    assert len(closes) >= 1440
    assert all(abs(b / a - 1) < 0.04 for a, b in pairwise(closes))


def test_the_file_is_written_once_a_minute_unless_asked(options):
    market = Market(5, "mixed", EPOCH_MS)
    keeper = Keeper(options.state)
    keeper.save(market, EPOCH_MS)
    options.state.unlink()
    keeper.save(market, EPOCH_MS, only_new=True)
    assert not options.state.exists()
    market.advance(EPOCH_MS + MINUTE_MS)
    keeper.save(market, EPOCH_MS + MINUTE_MS, only_new=True)
    assert json.loads(options.state.read_text())["now_ms"] == EPOCH_MS + MINUTE_MS
    assert [path.name for path in options.state.parent.iterdir()] == ["market.json"]


def test_another_scenario_takes_the_levels_over(options, tmp_path):
    market, now_ms = kept(options, MINUTE_MS)
    calm = DemoOptions(seed=9, scenario="2025 calm", state=options.state)
    again, _ = market_of(calm, now_ms)
    was = market.find("bybit:spot:BTCUSDT").mid(now_ms)
    assert again.find("bybit:spot:BTCUSDT").mid(now_ms) == pytest.approx(was, rel=0.005)
    ada = market.find("bybit:spot:ADAUSDT").mid(now_ms)
    assert again.find("bybit:spot:ADAUSDT").mid(now_ms) == pytest.approx(ada, rel=0.005)


def test_months_later_only_the_prices_are_taken_over(options):
    market, now_ms = kept(options, MINUTE_MS)
    later_ms = now_ms + 200 * 86_400_000
    again, epoch_ms = market_of(options, later_ms)
    assert epoch_ms == again.anchor_ms == later_ms
    was = market.find("bybit:spot:ADAUSDT").mid(now_ms)
    assert again.find("bybit:spot:ADAUSDT").mid(later_ms) == pytest.approx(was, rel=0.005)


def test_an_older_file_gives_its_time_and_begins_afresh(options):
    options.state.write_text(
        json.dumps({"basisdesk_demo": 1, "now_ms": EPOCH_MS + 5, "market": {}})
    )
    market, epoch_ms = market_of(options, EPOCH_MS)
    assert epoch_ms == market.anchor_ms == EPOCH_MS + 5


@pytest.mark.parametrize("text", SPOILT)
def test_a_spoilt_file_is_one_sentence_and_untouched(options, text):
    options.state.write_text(text)
    with pytest.raises(UserError, match=r"state .*market\.json cannot be read .*Delete it"):
        market_of(options, EPOCH_MS)
    assert options.state.read_text() == text


def test_an_unwritable_place_is_one_sentence(tmp_path):
    keeper = Keeper(tmp_path / "no" / "such" / "market.json")
    with pytest.raises(UserError, match=r"Cannot write the demo's state"):
        keeper.save(Market(5, "mixed", EPOCH_MS), EPOCH_MS)
