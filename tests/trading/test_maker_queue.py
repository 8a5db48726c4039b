"""The queue of a resting order: by example, and what can never happen by property."""

from hypothesis import given, settings
from hypothesis import strategies as st
from trading_rig import SPOT, D, Rig, S

from basisdesk.trading.maker_queue import Resting, advance, behind, displayed, reason


def stand(rig, side="buy", qty="100", ahead=500.0):
    leg = rig.market.leg(SPOT)
    bids = [(0.3639, ahead if side == "buy" else 1e6), (0.3638, 900.0)]
    asks = [(0.3640, ahead if side == "sell" else 1e6), (0.3641, 900.0)]
    rig.show(SPOT, bids, asks)
    shown = 0.3639 if side == "buy" else 0.3640
    order = Resting(side, D(str(shown)), shown, D(qty), rig.now, rig.now)
    look(rig, order)
    assert order.ahead == ahead
    return leg, order


def look(rig, order, ns=1):
    rig.now += ns
    advance(order, rig.market.leg(SPOT), rig.market.instruments[SPOT], rig.now)


def say(rig, price, size, taker, ns=1):
    rig.now += ns
    rig.market.leg(SPOT).prints.append((rig.now, price, size, taker))


def test_the_queue_ahead_goes_first_then_we():
    rig = Rig()
    _, order = stand(rig)
    say(rig, 0.3639, 499.0, "sell")
    look(rig, order)
    assert (order.ahead, order.filled) == (1.0, 0)
    say(rig, 0.3639, 31.005, "sell")
    look(rig, order)
    assert (order.ahead, order.filled, order.left) == (0.0, D(30), D(70))  # whole lots
    say(rig, 0.3639, 500.0, "sell")
    look(rig, order)
    assert (order.filled, order.gone) == (D(100), True)
    assert reason(order)[0] == "B"


def test_trades_of_the_other_taker_side_or_at_other_prices_do_nothing():
    rig = Rig()
    _, order = stand(rig)
    say(rig, 0.3639, 1e6, "buy")
    say(rig, 0.3640, 1e6, "sell")
    look(rig, order)
    assert (order.ahead, order.filled) == (500.0, 0)


def test_trades_of_before_it_stood_do_nothing():
    rig = Rig()
    say(rig, 0.3639, 1e6, "sell")
    _, order = stand(rig)
    look(rig, order)
    assert (order.ahead, order.filled) == (500.0, 0)


def test_what_is_ahead_is_never_more_than_what_is_displayed():
    rig = Rig()
    leg, order = stand(rig)
    rig.show(SPOT, [(0.3639, 40.0)], [(0.3640, 1e6)])
    look(rig, order)
    assert order.ahead == 40.0
    rig.show(SPOT, [(0.3639, 900.0)], [(0.3640, 1e6)])
    look(rig, order)
    assert order.ahead == 40.0  # those came later
    rig.show(SPOT, [(0.3638, 900.0)], [(0.3640, 1e6)])
    look(rig, order)
    assert (order.ahead, order.filled) == (0.0, 0)  # alone in front, and nobody traded
    assert displayed(leg, "buy", 0.3637) is None


def test_through_the_price_fills_in_full():
    rig = Rig()
    _, order = stand(rig)
    say(rig, 0.3638, 0.01, "sell")
    look(rig, order)
    assert order.filled == 100
    assert reason(order)[0] == "C"
    rig = Rig()
    _, order = stand(rig, "sell")
    rig.show(SPOT, [(0.3641, 5.0)], [(0.3642, 1e6)])
    look(rig, order)
    assert order.filled == 100


def test_the_other_side_at_our_price_is_not_through_it():
    rig = Rig()
    _, order = stand(rig, "sell")
    rig.show(SPOT, [(0.3640, 5.0)], [(0.3642, 1e6)])
    look(rig, order)
    assert order.filled == 0


def test_it_never_crosses():
    rig = Rig()
    leg = rig.market.leg(SPOT)
    order = Resting("buy", D("0.3640"), 0.3640, D(100), rig.now, rig.now)
    look(rig, order)
    assert (order.refused, order.gone, order.filled) == (True, True, 0)
    leg.clear_quote()
    order = Resting("buy", D("0.3639"), 0.3639, D(100), rig.now, rig.now)
    look(rig, order)
    assert order.refused


def test_a_withdrawal_travels_and_can_still_fill_until_it_is_there():
    rig = Rig()
    leg, order = stand(rig, ahead=0.5)
    order.leave_ns = rig.now + 50
    say(rig, 0.3639, 10.5, "sell")
    rig.now += 100
    say(rig, 0.3639, 500.0, "sell")
    look(rig, order)
    assert order.filled == 10
    assert order.withdrawn(rig.now)
    rig.show(SPOT, [(0.36395, 5.0), (0.3639, 1.0)], [(0.3640, 1e6)])
    assert behind(order, leg)


@settings(max_examples=200, deadline=None)
@given(
    side=st.sampled_from(["buy", "sell"]),
    ahead=st.floats(0.01, 1e4),
    trades=st.lists(
        st.tuples(st.floats(0.01, 5e3), st.booleans(), st.floats(0.01, 2e4)), max_size=30
    ),
)
def test_never_more_than_traded_never_before_the_queue_is_gone(side, ahead, trades):
    rig = Rig()
    _, order = stand(rig, side, "1000", ahead)
    taker, other = ("sell", "buy") if side == "buy" else ("buy", "sell")
    came, least = 0.0, ahead
    for size, ours, shown in trades:
        say(rig, order.shown, size, taker if ours else other, S)
        came += size if ours else 0.0
        bids = [(0.3639, shown if side == "buy" else 1e6)]
        asks = [(0.3640, shown if side == "sell" else 1e6)]
        rig.show(SPOT, bids, asks)
        before = order.filled
        look(rig, order)
        assert before <= order.filled <= order.qty
        assert float(order.filled) <= came * (1 + 1e-12)
        least = min(least, shown)
        assert order.ahead >= 0.0
        if order.filled > before:
            assert order.ahead == 0.0
        if came <= least:
            assert order.filled == 0
