"""One leg at its venue: each refusal with its sentence, fills in part, grades and fees."""

import msgspec
import pytest
from exec_rig import ExecRig, asked, kinds, only
from trading_rig import FREE, PERP, SPOT, D, Funds, Rig, settings

from basisdesk.config import Paper
from basisdesk.events import ClosePair, LegRejected, PairOpened, PairReduced, Refused
from basisdesk.trading.fees import schedule
from basisdesk.trading.orders import travel_ns


def sent(**changes):
    rig = ExecRig(**changes)
    rig.do(asked())
    return rig


def rejected(rig, limit):
    """The short leg alone is refused."""
    made = rig.beats(0.1)
    assert kinds(made) == ["PairOpened", "LegRejected"], made
    said = only(made, LegRejected)
    assert (said.leg, said.limit) == ("short", limit)
    assert said.text.endswith(".")
    assert said.text.startswith(("Bybit perp", "Perp"))
    assert rig.pair().state == "unhedged"
    return said


def test_a_lot_that_changed_on_the_way_is_refused_by_the_venue():
    rig = sent()
    rig.rules(PERP, lot=D(3000), min_qty=D(3000))
    # the desk's own sizing would trade 9,000 now; what was sent is 10,000
    rejected(rig, "lot")


def test_minimums_are_the_venues():
    rig = sent()
    rig.rules(PERP, min_qty=D(20_000))
    assert "smallest order now is 20,000 ADA" in rejected(rig, "min_qty").text
    rig = sent()
    rig.rules(PERP, min_notional=D(1_000_000))
    rejected(rig, "min_notional")
    rig = sent()
    rig.rules(PERP, max_qty=D(9_000))
    rejected(rig, "max_qty")


def test_a_venue_that_is_down_refuses_its_leg_only():
    rig = sent()
    rig.market.leg(PERP).book.clear("gap")
    rejected(rig, "book")
    rig = sent()
    rig.market.leg(PERP).clear_quote()
    rejected(rig, "quote_age")


def test_a_market_order_beyond_the_price_band_is_refused():
    rig = sent()
    rig.ticker(PERP, 0.3665)
    rig.show(PERP, [(0.3665, 9000.0), (0.3400, 1e6)], [(0.3666, 1e6)])
    said = rejected(rig, "price_band")
    assert "0.34, 7.2 % beyond 0.3665; its price band is 5 %" in said.text
    rig = sent()
    rig.show(PERP, [(0.3665, 9000.0), (0.3500, 1e6)], [(0.3666, 1e6)])
    assert kinds(rig.beats(0.1)) == ["PairOpened"]  # 4.5 % beyond the mid, without a mark


def test_funds_that_left_on_the_way_refuse_the_whole_entry():
    rig = sent()
    rig.funds = Funds(D(1_000), D(6_000))
    (no,) = rig.beats(0.1)
    assert isinstance(no, Refused)
    assert no.limit == "funds"


def test_funds_that_left_between_the_legs_refuse_the_late_one():
    conf = msgspec.structs.replace(settings(), paper=Paper(80, 0, True, {"okx": 400}))
    rig = ExecRig(conf)
    rig.show("okx:perp:ADA-USDT-SWAP", [(0.3665, 1e6)], [(0.3666, 1e6)])
    rig.do(asked(short="okx:perp:ADA-USDT-SWAP"))
    only(rig.beats(0.1), PairOpened)
    rig.funds = Funds(D(100), D(6_000))
    (said,) = rig.beats(0.3)
    assert (said.limit, said.leg) == ("funds", "short")
    assert "needs 1,834.52 USDT, free are 100.00 USDT" in said.text


def test_a_market_order_takes_what_is_displayed_and_the_rest_is_cancelled():
    rig = sent()
    rig.show(PERP, [(0.3665, 4000.0), (0.3664, 2000.0)], [(0.3666, 1e6)])
    opened = only(rig.beats(0.1), PairOpened)
    short = [(f.qty, f.price) for f in opened.fills if f.leg == "short"]
    assert short == [(D(4000), D("0.3665")), (D(2000), D("0.3664"))]
    assert rig.pair().delta == 4000
    assert rig.pair().state == "unhedged"


def test_a_level_that_a_leg_has_eaten_stays_eaten_for_its_remedy():
    rig = sent()
    rig.show(PERP, [(0.3665, 4000.0)], [(0.3666, 1e6)])
    rig.beats(2)
    assert rig.held() == (D(10000), D(-4000))  # nothing came back, so nothing more is sold
    rig.show(PERP, [(0.3665, 4100.0)], [(0.3666, 1e6)])
    rig.beats(1)
    assert rig.held() == (D(10000), D(-8100))


def test_an_exit_by_hand_takes_what_is_displayed():
    rig = ExecRig()
    rig.do(asked(plan=FREE))
    rig.beats(1)
    rig.do(ClosePair(1))
    rig.show(SPOT, [(0.3639, 6000.0)], [(0.3640, 1e6)])
    reduced = only(rig.beats(0.1), PairReduced)
    assert not reduced.closed
    assert rig.held() == (D(4000), D(0))
    assert rig.pair().state == "unhedged"
    rig.show(SPOT, [(0.3639, 6500.0)], [(0.3640, 1e6)])
    rig.beats(1)
    assert rig.pair().state == "closed"


def test_each_leg_and_venue_has_its_own_way():
    paper = Paper(80, 50, True, {"okx": 10})
    at = [
        travel_ns(paper, 7, 3, leg, venue)
        for leg in ("long", "short")
        for venue in ("bybit", "okx")
    ]
    assert at == [
        travel_ns(paper, 7, 3, leg, venue)
        for leg in ("long", "short")
        for venue in ("bybit", "okx")
    ]
    assert at[0] - at[1] == at[2] - at[3] == 70_000_000
    assert at[0] != at[2]
    assert all(10_000_000 <= ns < 130_000_000 for ns in at)


@pytest.mark.parametrize("maker", [False, True])
def test_maker_and_taker_rates(maker):
    rig = Rig()
    fees = schedule(rig.settings, "bybit")
    spot, perp = rig.market.instruments[SPOT], rig.market.instruments[PERP]
    assert fees.rate(spot, maker) == D("0.001")
    assert fees.rate(perp, maker) == (D("0.0002") if maker else D("0.00055"))
