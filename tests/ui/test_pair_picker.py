"""The pair picker and what it lists, and the menu that starts practice faults."""

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from ui_rig import D, Rig

from basisdesk.ui.context import PracticeFault
from basisdesk.ui.leg_words import direction_texts, direction_tip, short_names
from basisdesk.ui.pair_picker import PairPicker
from basisdesk.ui.picker_rows import PairIndex
from basisdesk.ui.practice_menu import PracticeMenu, conn_title
from basisdesk.ui.theme import DARK
from basisdesk.venues.instrument import Instrument

LEGS = (
    "bybit:spot:ADAUSDT",
    "bybit:perp:ADAUSDT",
    "binance:perp:ADAUSDT",
    "okx:spot:ADA-USDT",
    "okx:perp:ADA-USDT-SWAP",
    "kraken:spot:ADA/USD",
    "kraken:perp:PF_ADAUSD",
    "bybit:spot:BTCUSDT",
    "bybit:perp:BTCUSDT",
    "kraken:perp:PF_XBTUSD",
)


def rule(key: str, base: str = "", quote: str = "") -> Instrument:
    venue, market, symbol = key.split(":")
    coin = base or ("BTC" if "BT" in symbol else "ADA")
    money = quote or ("USDT" if "USDT" in symbol else "USD")
    one = D(1)
    return Instrument(key, venue, market, symbol, coin, money, D("0.0001"), one, one, one, one)


@pytest.fixture
def index():
    return PairIndex({key: rule(key) for key in LEGS})


def test_every_spot_meets_every_perp_and_every_perp_the_perps_of_other_venues(index):
    ada = [choice.key for choice in index.search("ada")]
    assert len(ada) == len(set(ada)) == 3 * 4 + 4 * 3
    assert ("kraken:spot:ADA/USD", "binance:perp:ADAUSDT") in ada
    assert ("okx:perp:ADA-USDT-SWAP", "bybit:perp:ADAUSDT") in ada
    assert all(first != second for first, second in ada)
    assert not [pair for pair in ada if pair[1].split(":")[1] == "spot"]


def test_the_best_match_is_first(index):
    def first(text):
        return index.search(text)[0].key

    assert first("ada") == ("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT")
    assert first("kraken binance ada") == ("kraken:spot:ADA/USD", "binance:perp:ADAUSDT")
    assert first("btc kraken") == ("bybit:spot:BTCUSDT", "kraken:perp:PF_XBTUSD")
    assert first("okx perp-perp") == ("okx:perp:ADA-USDT-SWAP", "bybit:perp:ADAUSDT")
    assert index.search("ada nowhere") == []
    assert len(index.search("", limit=5)) == 5


def test_two_currencies_are_named_and_odd_quotes_left_out(index):
    usd = index.search("kraken spot binance")[0]
    assert usd.currencies == "USD / USDT"
    assert PairIndex({"x": rule("bybit:spot:ADABTC", "ADA", "BTC")}).empty


def test_typing_and_enter_choose(qtbot):
    rig = Rig()
    rig.engine.market.instruments.update({key: rule(key) for key in LEGS})
    picker = PairPicker(rig.context, DARK)
    qtbot.addWidget(picker)
    picker.show()
    taken = []
    picker.chosen.connect(taken.append)
    QTest.keyClicks(picker.search, "ada kraken okx")
    assert all("Kraken" in f"{r.first_name} {r.second_name}" for r in picker.table.rows_model.rows)
    QTest.keyClick(picker.search, Qt.Key.Key_Down)
    second = picker.table.rows_model.rows[1].key
    QTest.keyClick(picker.search, Qt.Key.Key_Return)
    assert taken == [second]


def test_without_lists_it_says_what_is_awaited(qtbot):
    rig = Rig()
    picker = PairPicker(rig.context, DARK)
    qtbot.addWidget(picker)
    assert picker.table.rows_model.rows == []
    assert "instrument lists" in picker.table.empty_text


def test_names_tell_two_legs_apart():
    assert short_names("bybit:spot:ADAUSDT", "bybit:perp:ADAUSDT") == ("spot", "perp")
    across = short_names("kraken:spot:ADA/USD", "binance:perp:ADAUSDT")
    assert across == ("Kraken spot", "Binance perp")
    perps = ("okx:perp:ADA-USDT-SWAP", "bybit:perp:ADAUSDT")
    assert direction_texts(1, perps) == (
        "Long OKX · short Bybit",
        "Open: buy OKX perp, sell Bybit perp",
    )
    assert direction_texts(-1, perps)[0] == "Long Bybit · short OKX"
    assert direction_texts(-1)[0] == "Short spot · long perp"
    assert direction_tip(-1, perps).startswith("Buys Bybit perp ADAUSDT, sells OKX perp")


def test_the_practice_menu_starts_and_stops_faults(qtbot):
    rig = Rig()
    rig.context.faults = (PracticeFault("half_open", "Says nothing more."),)
    rig.context.conns = ("bybit.spot", "binance.public")
    menu = PracticeMenu(rig.context)
    qtbot.addWidget(menu)
    by_title = {m.title(): m for m in menu.findChildren(type(menu).__bases__[0])}
    by_title["A fault lasts"].actions()[0].trigger()
    by_title[conn_title("binance.public")].actions()[0].trigger()
    by_title["Everywhere"].actions()[0].trigger()
    menu.actions()[-1].trigger()
    assert rig.practised == [
        ("half_open", "binance.public", 10.0),
        ("half_open", "*", 10.0),
        "stop",
    ]


def test_thousands_of_instruments_do_not_hold_up_the_keys():
    keys = [
        f"{venue}:{market}:C{number}USDT"
        for number in range(700)
        for venue in ("bybit", "binance", "okx", "kraken")
        for market in ("spot", "perp")
    ]
    rules = {key: rule(key, key.split(":")[2].removesuffix("USDT")) for key in keys}
    began = time.perf_counter()
    index = PairIndex(rules)
    made_s = time.perf_counter() - began
    for text in ("", "c", "usdt", "kraken", "perp"):
        times = []
        for _ in range(3):
            began = time.perf_counter()
            assert len(index.search(text)) == 300
            times.append(time.perf_counter() - began)
        assert min(times) < made_s  # a key costs less than reading the list once did
