"""One leg's pulses: ids by each venue's way of counting, books, trades, repeats."""

import pytest

from basisdesk.demo.leg import FALL_TO
from tests.demo.demo_rig import EPOCH_MS, make_leg

LEGS = ["bybit:perp:ADAUSDT", "binance:spot:ADAUSDT", "binance:perp:ADAUSDT",
        "okx:perp:BTC-USDT-SWAP", "kraken:spot:PEPE/USD"]  # fmt: skip


def pulses(leg, count, step_ms=100):
    return [leg.pulse(EPOCH_MS + k * step_ms, slow=True) for k in range(1, count + 1)]


@pytest.mark.parametrize("key", LEGS)
def test_changes_lead_from_book_to_book_and_ids_follow(key):
    leg = make_leg(key)
    book, last = [dict(side) for side in leg.sides()], leg.book_id
    for at in range(1, 80):
        news = leg.pulse(EPOCH_MS + at * 100, slow=True)
        for side, change in zip(book, (news.bids, news.asks), strict=True):
            side.update(change)
            for tick in [tick for tick, lots in side.items() if not lots]:
                del side[tick]
        assert tuple(book) == leg.sides()
        assert news.prev == last
        assert news.last == leg.book_id
        changes = len(news.bids) + len(news.asks)
        if changes == 0:
            assert news.first == news.last == news.prev
        elif key.startswith("bybit"):
            assert news.first == news.last == news.prev + 1
        else:
            assert news.last - news.first == changes - 1
            assert news.first == news.prev + 1 or key.startswith("binance:perp")
        last = leg.book_id


def test_ids_of_binance_futures_skip():
    leg = make_leg("binance:perp:ADAUSDT")
    assert any(news.first > news.prev + 1 for news in pulses(leg, 20))


def test_the_touch_is_the_book_s_and_counts_its_changes():
    leg, before = make_leg("okx:perp:BTC-USDT-SWAP"), None
    for at in range(1, 60):
        news = leg.pulse(EPOCH_MS + at * 100, slow=False)
        bids, asks = leg.sides()
        bid, ask = max(bids), min(asks)
        assert leg.touch == (bid, bids[bid], ask, asks[ask])
        if before:
            assert news.touched == (leg.touch != before[0])
            assert leg.touch_id - before[1] == int(news.touched)
        before = (leg.touch, leg.touch_id)


def test_trades_are_numbered_in_order_and_the_last_is_known():
    leg = make_leg("binance:perp:1000PEPEUSDT")
    prints = [row for news in pulses(leg, 200) for row in news.prints]
    assert len(prints) > 20
    numbers = [row.number for row in prints]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert [row.t_ms for row in prints] == sorted(row.t_ms for row in prints)
    assert leg.last == prints[-1]
    assert min(row.lots for row in prints) >= 1


def test_nobody_listened_for_an_hour():
    """Waking moves the book to now and tells nothing; the next change follows its ids."""
    leg = make_leg("bybit:perp:ADAUSDT")
    leg.wake(EPOCH_MS + 3_600_000)
    assert leg.view().t_ms == EPOCH_MS + 3_600_000
    news = leg.pulse(EPOCH_MS + 3_600_100, slow=True)
    assert len(news.prints) <= 3
    assert len(news.bids) + len(news.asks) < 60
    mid = leg.quoted.mid(EPOCH_MS + 3_600_100) / float(leg.spec.tick)
    assert (leg.touch[0] + leg.touch[2]) / 2 == pytest.approx(mid, abs=1.0)


def test_texts_have_the_digits_of_tick_and_lot():
    leg = make_leg("bybit:perp:BTCUSDT")
    assert (leg.price_text(867_201), leg.size_text(1_250)) == ("86720.10", "1.250")
    leg = make_leg("kraken:perp:PF_PEPEUSD")
    assert leg.size_text(3) == "3000"
    assert leg.price_text(4520) == f"{4520 * float(leg.spec.tick):.{leg.spec.tick_decimals}f}"


def test_a_flood_moves_the_touch_s_id_on():
    leg = make_leg("okx:spot:ADA-USDT")
    before = leg.touch_id
    rows = leg.flood(200)
    assert len(rows) == 200
    assert leg.touch_id == before + 200
    assert all(bid < ask and min(bid_lots, ask_lots) > 0 for bid, bid_lots, ask, ask_lots in rows)
    assert leg.flood(0) == ()


def test_ids_can_fall_back_once():
    leg = make_leg("okx:spot:ADA-USDT")
    last = leg.pulse(EPOCH_MS + 100, slow=False).last
    leg.fall_back()
    fallen, after = (leg.pulse(EPOCH_MS + k * 100, slow=False) for k in (2, 3))
    assert (fallen.prev, fallen.first) == (last, FALL_TO)
    assert after.prev == fallen.last < last
