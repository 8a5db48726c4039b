"""A cross rate that jumps for a message: nothing is traded on it, and no worth moves."""

import pytest
from cross_rig import BINANCE_PERP, KRAKEN_SPOT, USDT_USD, CrossRig
from test_valuation import Floor
from trading_rig import FREE, HOUR, PERP, D, Rig, S, order

from basisdesk.events import ClosePair, ExitPlan, Liquidated, PairReduced, Quote, Refused
from basisdesk.trading.cross import mid_rate

STREAM = "kraken.spot/book:USDT/USD"
TICK = S // 5


class Doubting(CrossRig):
    """The rate comes through the market, as a quote does."""

    def rate(self, bid, ask):
        quote = Quote(USDT_USD, STREAM, bid, 1e6, ask, 1e6, 0, self.now)
        self.market.apply(quote, self.now)

    def enter(self, target, stop, hours=72):
        self.rate(0.9996, 0.9998)
        plan = ExitPlan(D(target), D(stop), D(hours))
        self.do(order("2000", long=KRAKEN_SPOT, short=BINANCE_PERP, plan=plan))
        assert self.desk.pairs[1].state == "open"


@pytest.mark.parametrize("price", [0.60, 0.975, 1.03, 1.6])
def test_one_message_of_the_rate_triggers_neither_target_nor_stop(price):
    rig = Doubting()
    rig.enter(3, 400)
    assert rig.later(TICK) == []
    rig.rate(price, price + 0.0002)
    assert "to confirm it" in rig.market.fx("USD", rig.now).stale
    assert rig.desk.close_bp(1, rig.market, rig.now) != rig.desk.close_bp(1, rig.market, rig.now)
    for _ in range(20):
        assert rig.later(TICK) == []
    rig.rate(0.9996, 0.9998)
    assert rig.later(TICK) == []
    assert rig.desk.pairs[1].state == "open"


def test_in_doubt_there_is_no_entry_no_exit_and_the_worth_of_before():
    rig = Doubting()
    rig.enter(3, 400)
    before = mid_rate(rig.market, "USD", "USDT", rig.now, D(7))
    rig.rate(0.60, 0.6002)
    assert mid_rate(rig.market, "USD", "USDT", rig.now, D(7)) == before
    again = order("100", long=KRAKEN_SPOT, short=BINANCE_PERP, plan=FREE)
    for command in (again, ClosePair(1)):
        (no,) = rig.do(command)
        assert isinstance(no, Refused)
        assert no.limit == "cross"
        assert no.text == (
            "USDT/USD rate jumped from 0.9997 to 0.6001. Waiting for Kraken to confirm it."
        )


def test_a_plan_whose_time_is_over_waits_for_the_rate():
    rig = Doubting()
    rig.enter(3, 400, hours=1)
    rig.now += 3_599 * S
    rig.rate(0.9996, 0.9998)
    rig.rate(0.60, 0.6002)
    assert rig.later(2 * S) == []
    rig.rate(0.9996, 0.9998)
    (left,) = rig.later(S)
    assert isinstance(left, PairReduced)
    assert left.reason == "time"
    assert {str(fill.fx)[:4] for fill in left.fills} == {"1.00", "1"}


def test_equity_does_not_move_with_a_rate_in_doubt(tmp_path):
    floor = Floor(tmp_path / "journal.db")
    engine, quote = floor.engine, (USDT_USD, STREAM)
    engine.market.apply(Quote(*quote, 0.9996, 1e6, 0.9998, 1e6, 0, 1), floor.now)
    floor.tell(order("1000", long=KRAKEN_SPOT, short=BINANCE_PERP, plan=FREE))
    equity = engine.funds().equity
    engine.market.apply(Quote(*quote, 0.31, 1e6, 0.3101, 1e6, 0, 2), floor.now)
    floor.beat()
    assert engine.funds().equity == equity
    assert engine.attribution(1).total == equity - D(10_000)
    floor.journal.close()


def test_prices_that_cannot_be_of_one_coin_trigger_neither_stop_nor_liquidation():
    def ends(outcomes):
        return [each for each in outcomes if isinstance(each, PairReduced | Liquidated)]

    rig = Rig()
    rig.open()
    rig.show(PERP, [(1.0995, 1e6)], [(1.0998, 1e6)])  # three times the spot: one feed is wrong
    rig.ticker(PERP, 1.0996)
    assert ends(rig.later(S)) == []
    assert ends(rig.later(100 * HOUR)) == []  # not even the time stop trades on them
    rig.show(PERP, [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.ticker(PERP, 0.3665)
    assert [outcome.reason for outcome in ends(rig.later(S))] == ["time"]
