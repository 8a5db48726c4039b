"""The simulated combination, read back by the codec: around its legs, chained, never crossed."""

from types import SimpleNamespace

import pytest

from basisdesk.demo.bybit_combo import (
    ComboTouch,
    combo_ack,
    combo_message,
    combo_pong,
    combo_symbol,
    combo_touch,
)
from basisdesk.events import Ack, Pong
from basisdesk.venues.bybit import SPREAD, Bybit

TOPIC = "orderbook.25.ADAUSDT_ADA/USDT"


@pytest.fixture
def read():
    return Bybit().codec(SPREAD).decode


def leg(bid, ask, bid_lots=400, ask_lots=900, touch_id=0, lot="1"):
    spec = SimpleNamespace(tick="0.0001", lot=lot, unit=1.0)
    return SimpleNamespace(spec=spec, touch=(bid, bid_lots, ask, ask_lots), touch_id=touch_id)


@pytest.mark.parametrize("turn", range(12))
def test_the_combination_stands_around_what_its_legs_add_up_to(read, turn):
    spot, perp = leg(8000, 8003, touch_id=turn, lot="0.01"), leg(7996, 7997, touch_id=3 * turn)
    touch = combo_touch(spot, perp)
    (quote,) = read(combo_message(TOPIC, "snapshot", touch, 1_000, 5))
    low, high = (7996 - 8003) / 10_000, (7997 - 8000) / 10_000
    assert low - 0.1 * (high - low) < quote.bid < quote.ask < high + 0.1 * (high - low)
    assert quote.bid_size == 4.0  # half of 9 coins of spot, in whole lots of the perp
    assert quote.ask_size == 2.0
    assert quote.venue_ms == 997


def test_it_is_mostly_better_than_its_legs_and_now_and_then_worse():
    gains = []
    for turn in range(60):
        touch = combo_touch(leg(8000, 8003, touch_id=turn), leg(7996, 7997, touch_id=turn // 7))
        gains.append(float(touch.bid) - (7996 - 8003) / 10_000)
    better = sum(gain > 0 for gain in gains)
    assert 40 <= better < 60


def test_legs_so_tight_that_it_would_cross_keep_a_tick_between(read):
    touch = combo_touch(leg(8000, 8000), leg(8000, 8000))
    (quote,) = read(combo_message(TOPIC, "snapshot", touch, 1_000, 5))
    assert (quote.bid, quote.ask) == (0.0, 0.00001)


def test_a_delta_leads_from_one_touch_to_the_next(read):
    first = ComboTouch("-0.00060", "10", "-0.00030", "20")
    second = ComboTouch("-0.00070", "15", "-0.00030", "25")
    read(combo_message(TOPIC, "snapshot", first, 1_000, 5))
    (quote,) = read(combo_message(TOPIC, "delta", second, 1_020, 6, first))
    assert (quote.bid, quote.bid_size) == (-0.0007, 15.0)
    assert (quote.ask, quote.ask_size) == (-0.0003, 25.0)
    (quote,) = read(combo_message(TOPIC, "delta", first, 1_040, 7, second))
    assert (quote.bid, quote.bid_size, quote.ask_size) == (-0.0006, 10.0, 20.0)


def test_answers_and_pong(read):
    bad = "orderbook.25.XUSDT_X/USDT"
    good_ack, bad_ack = read(combo_ack([TOPIC], [bad], "aa01"))
    assert good_ack.topics == (TOPIC,)
    assert (bad_ack.ok, bad_ack.topics) == (False, (bad,))
    assert read(combo_ack([TOPIC], [], "aa01")) == [
        Ack(SPREAD, "", ok=True, text="", topics=(TOPIC,))
    ]
    assert read(combo_pong(1_000)) == (Pong(SPREAD),)


@pytest.mark.parametrize(
    ("topic", "symbol"),
    [
        (TOPIC, "ADAUSDT"),
        ("orderbook.25.1000PEPEUSDT_PEPE/USDT", None),
        ("orderbook.1.ADAUSDT", None),
    ],
)
def test_the_symbol_of_a_combination(topic, symbol):
    assert combo_symbol(topic) == symbol
