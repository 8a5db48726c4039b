"""What holding costs, what closing nets, how well a pair is hedged: figures worked by hand."""

import math

import pytest
from quant_rig import HOUR, OTHER, PERP, SPOT, D, Quant, settings

from basisdesk.config import Fees
from basisdesk.events import Candles, PairReduced, SessionStarted
from basisdesk.ledger.books import Books
from basisdesk.ledger.rules import transactions
from basisdesk.trading.holding import (
    CloseOut,
    capital_return,
    close_out,
    drift,
    expected_funding,
    holding_cost,
)
from basisdesk.trading.paper import Memory
from basisdesk.trading.quoting import quote_close
from basisdesk.trading.risk import No


def out(rig, position):
    return close_out(position, rig.market, rig.settings, rig.now)


# --- close-out ------------------------------------------------------------------------------------


def test_the_close_out_of_the_ada_example():
    """Sell 10,000 at 0.3639, buy at 0.3666; fees 3.639 and 2.0163; half spreads 0.5 each."""
    rig = Quant()
    found = out(rig, rig.open())
    assert (found.fees, found.slippage, found.conversion) == (D("5.6553"), D(1), 0)
    assert found.cost == D("6.6553")
    assert found.net(D("24")) == D("17.3447")
    assert found.bp == pytest.approx(1e4 * 27 / 3639)


def test_depth_is_walked_and_what_cannot_be_left_says_so():
    """The spot bid shows 4,000 at 0.3639 and the rest at 0.3638: 6,000 * 0.0001 = 0.6 more."""
    rig = Quant()
    position = rig.open()
    rig.show(SPOT, 0.3639, 0.3640, size=4000.0, deeper=([(0.3638, 1e6)], [(0.3641, 1e6)]))
    assert out(rig, position).slippage == D("1.6")
    rig.show(SPOT, 0.3639, 0.3640, size=4000.0)
    no = out(rig, position)
    assert isinstance(no, No)
    assert no.limit == "depth"


@pytest.mark.parametrize("in_coin", ["quote", "base"])
@pytest.mark.parametrize("reverse", [False, True])
def test_close_out_is_to_the_last_digit_what_the_ledger_says_after_that_close(in_coin, reverse):
    """Also where a buy-back pays its fee in coins and leaves dust."""
    fees = Fees(spot_taker=0.00137, perp_taker=0.00055, spot_buy_fee_in=in_coin)
    rig, books = Quant(settings(fees=fees)), Books()
    position = rig.reverse("1237") if reverse else rig.open("1237")
    rig.show(SPOT, 0.3641, 0.3643, size=700.0, deeper=([(0.3640, 1e5)], [(0.3646, 1e5)]))
    rig.show(PERP, 0.3655, 0.3656, size=300.0, deeper=([(0.3654, 1e5)], [(0.3659, 1e5)]))

    def book(outcome):
        txns = transactions(outcome, books)
        books.apply(outcome, txns)

    book(SessionStarted(rig.now, "s", "demo", "0", "USDT", D(10_000)))
    book(rig.opened)
    at = position, rig.market, rig.settings, rig.now
    quote = quote_close(position, D(1), *at[1:3], Memory(enabled=False), rig.now)
    at_mids = books.attribution(1, quote.long.mid, quote.short.mid).total
    promised = close_out(*at).net(at_mids)
    dust = quote.sizes.dust
    fills = (*quote.long.fills("long", rig.now), *quote.short.fills("short", rig.now, dust))
    book(
        PairReduced(
            rig.now, 1, D(1), "user", fills, quote.long.mid, quote.short.mid,
            position.margin, position.collateral, closed=True,
        )
    )  # fmt: skip
    assert books.attribution(1).total == promised


# --- cost of holding ------------------------------------------------------------------------------


def test_an_hour_of_a_pair_that_pays_funding():
    """Spot 3,639.50 and margin 1,832.50 tie up 5,472; at 5 % a year that is 0.03123288 an hour."""
    rig = Quant()
    position = rig.open()
    rig.ticker(rate=-0.0002)
    found = holding_cost(position, rig.market, rig.settings, rig.now)
    assert found.capital == D("3639.5") + D("1832.5")
    assert found.carry == D("0.03123288")  # 5472 * 0.05 / 8760
    assert found.funding == -D("0.091625")  # 10,000 * 0.3665 * 0.0002 / 8
    assert (found.adverse, found.borrow) == (D("0.091625"), 0)
    assert found.total == D("0.12285788")


def test_funding_in_our_favour_is_told_and_not_set_off():
    rig = Quant()
    position = rig.open()
    rig.ticker(rate=0.0002)
    found = holding_cost(position, rig.market, rig.settings, rig.now)
    assert found.funding == D("0.091625")
    assert found.total == found.carry


def test_a_borrowed_leg_pays_interest_each_hour():
    """10,000 coins owed at a mid of 0.36395, 0.000001502122 an hour."""
    rig = Quant()
    position = rig.reverse()
    rig.ticker()
    found = holding_cost(position, rig.market, rig.settings, rig.now)
    assert found.borrow == D("0.00546697")
    assert found.capital == position.margin + position.collateral


def test_intervals_are_each_perps_own_and_an_unknown_rate_says_so():
    rig = Quant()
    position = rig.open(long=PERP, short=OTHER)
    rig.ticker(PERP, 0.3665, 0.0001, hours=8.0)
    assert holding_cost(position, rig.market, rig.settings, rig.now).funding is None
    rig.ticker(OTHER, 0.3675, 0.0001, hours=1.0)
    hour = expected_funding(position, rig.market, "USDT", rig.now)
    assert hour == -D("0.3665") / 8 + D("0.3675")


# --- hedge drift ----------------------------------------------------------------------------------


def test_drift_in_coins_bp_money_and_what_mends_it():
    """Long 10,000, short 9,900: 100 coins, 100 bp, 36.395 USDT. Selling 100 more perp costs
    36.65 * 0.00055 = 0.0201575 of fee and 100 * 0.00005 of half spread.
    """
    rig = Quant()
    position = rig.open(sizes=(D(10_000), D(9_900)))
    found = drift(position, rig.market, rig.settings, rig.now)
    assert (found.delta, found.bp, found.notional) == (100, pytest.approx(100.0), D("36.395"))
    assert (found.side, found.qty) == ("sell", D(100))
    assert found.cost == D("0.0201575") + D("0.005")
    assert found.alarm
    assert found.risk is None, "no minutes of prices are known"


def test_two_deviations_of_a_minute():
    """Returns of +-0.1 % in turn: sigma 0.1 %, and 36.395 * 0.002 = 0.07279."""
    rig = Quant()
    position = rig.open(sizes=(D(10_000), D(9_900)))
    rows = [(i * 60_000, 0.36 * (1.001 if i % 2 else 1.0)) for i in range(200)]
    rig.market.candles[SPOT] = Candles(SPOT, rows)
    found = drift(position, rig.market, rig.settings, rig.now)
    assert float(found.risk) == pytest.approx(0.07279, rel=1e-3)


def test_a_drift_below_a_lot_needs_no_order():
    rig = Quant()
    position = rig.open(sizes=(D("10000.4"), D(10_000)))
    found = drift(position, rig.market, rig.settings, rig.now)
    assert (found.qty, found.cost, found.alarm) == (0, 0, False)
    assert found.delta == D("0.4")


def test_a_hedge_that_is_too_large_is_bought_back():
    rig = Quant()
    position = rig.open(sizes=(D(9_900), D(10_000)))
    found = drift(position, rig.market, rig.settings, rig.now)
    assert (found.delta, found.side, found.qty) == (-100, "buy", D(100))
    rig.show(PERP, 0.3665, 0.3666, size=50.0)
    assert drift(position, rig.market, rig.settings, rig.now).cost is None


def test_the_reverse_pair_mends_with_its_perpetual_too():
    rig = Quant()
    position = rig.reverse(sizes=(D(9_900), D(10_000)))
    found = drift(position, rig.market, rig.settings, rig.now)
    assert (found.delta, found.side) == (-100, "buy")


# --- return ---------------------------------------------------------------------------------------


def test_return_on_all_capital_counts_idle_cash_and_a_year_only_from_a_day():
    """12.69 on 5,500 tied up of 10,000: 0.2307 % and 0.1269 %; of 24 h a year is 46.32 %."""
    short = capital_return(D("12.69"), D(5_500), D(10_000), 23.9)
    assert short.tied_pct == pytest.approx(0.230727, abs=1e-6)
    assert short.equity_pct == pytest.approx(0.1269)
    assert short.year_pct is None
    day = capital_return(D("12.69"), D(5_500), D(10_000), 24.0)
    assert day.year_pct == pytest.approx(0.1269 * 365)
    assert math.isnan(capital_return(D(1), D(0), D(10_000), 1.0).tied_pct)


def test_a_look_at_a_pair_whose_venue_is_silent_says_why():
    rig = Quant()
    position = rig.open()
    rig.market.leg(PERP).instrument = None
    del rig.market.instruments[PERP]
    for look in (close_out, holding_cost, drift):
        found = look(position, rig.market, rig.settings, rig.now)
        assert isinstance(found, No)
        assert "not described" in found.text
    assert not isinstance(found, CloseOut)
    assert HOUR
