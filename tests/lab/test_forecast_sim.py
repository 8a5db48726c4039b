import numpy as np
import pytest

from basisdesk.demo import coins as demo
from basisdesk.demo import funding as demo_funding
from basisdesk.demo import walk
from basisdesk.lab import forecast_sim as sim
from basisdesk.lab.forecast_bars import HOUR_NS, Rule, outcomes
from basisdesk.lab.forecast_sim import BTC, COINS, DOGE, indicative, simulate

DAYS = 60.0


@pytest.mark.parametrize("coin", COINS.values(), ids=lambda coin: coin.name)
@pytest.mark.parametrize("preset", ["mania", "calm"])
def test_the_coins_are_those_of_the_demo(coin, preset):
    theirs = demo.BY_NAME[coin.name]
    assert [tuple(mood) for mood in coin.moods(preset)] == [
        (mood.level_bp, mood.slow_sd_bp, mood.fast_sd_bp, mood.weight)
        for mood in theirs.moods(preset)
    ]
    assert (coin.price, coin.sd_year) == (theirs.price, theirs.sd_year)
    assert (coin.fast_half_life_h, coin.spread_bp) == (theirs.fast_half_life_h, theirs.spread_bp)
    assert coin.interest_8h == theirs.interest


LAW = (
    "DWELL_S", "LEVEL_HALF_LIFE_S", "SLOW_HALF_LIFE_S", "JUMPS_YEAR",
    "JUMP_IN_FAST_SD", "JUMP_HALF_LIFE_S", "JUMP_UP_SHARE", "SPOT_JUMPS_YEAR",
    "SPOT_JUMP", "VARIANCE_RANGE", "VARIANCE_HALF_LIFE_S", "VARIANCE_REACTION_DAY",
    "SQUARE_MAX", "CLIPPED_SQUARE_MEAN",
)  # fmt: skip


@pytest.mark.parametrize("name", LAW)
def test_the_law_is_that_of_the_demo(name):
    assert getattr(sim, name) == pytest.approx(getattr(walk, name))


def test_the_same_seed_gives_the_same_world():
    one, same, other = (simulate(DOGE, "mania", 5.0, seed) for seed in (4, 4, 5))
    assert one.perp.tobytes() == same.perp.tobytes()
    assert one.more["mkt_x_bp"].tobytes() == same.more["mkt_x_bp"].tobytes()
    assert one.perp.tobytes() != other.perp.tobytes()
    assert "SIMULATED" in one.name


def test_levels_and_deviations_are_the_measured_ones():
    mania = [simulate(DOGE, "mania", 365.0, seed).basis_bp for seed in range(6)]
    calm = simulate(DOGE, "calm", 365.0, 1).basis_bp
    assert np.mean(mania) == pytest.approx(6.75, abs=4.0)  # shares of the moods' levels
    assert np.mean([each.std() for each in mania]) == pytest.approx(14.0, abs=2.5)
    assert calm.mean() == pytest.approx(-4.6, abs=0.2)
    assert calm.std() == pytest.approx(np.hypot(1.4, 0.6), abs=0.1)


def test_spot_moves_as_much_as_it_should():
    moves = [np.diff(np.log(simulate(BTC, "calm", 365.0, seed).spot)).std() for seed in range(4)]
    assert np.mean(moves) * np.sqrt(365 * 288) == pytest.approx(0.5, abs=0.12)


def test_funding_is_the_formula_of_the_venue():
    premium = np.sin(np.arange(960.0)) * 12.0 + 3.0
    ours = indicative(premium, DOGE)[95::96]
    half = DOGE.spread_bp[1] / 2.0
    theirs = [
        demo_funding.funding_rate(
            demo_funding.average(demo_funding.impact_premiums(row, half), "interval"), cap=0.02
        )
        for row in premium.reshape(-1, 96)
    ]
    assert ours == pytest.approx(theirs, abs=1e-8)


def test_settlements_stand_on_the_grid_and_are_known_later():
    bars = simulate(DOGE, "mania", 10.0, 1)
    stamp, rate, _, known = bars.settled
    assert not (stamp % (8 * HOUR_NS)).any()
    assert len(stamp) == 30
    assert (known > stamp).all()
    assert np.array_equal(rate, bars.f_ind[np.searchsorted(bars.t_ns, stamp)])


def test_an_order_is_filled_after_it_was_decided():
    bars = simulate(DOGE, "mania", 2.0, 1)
    assert (bars.enter_ns > bars.t_ns).all()
    assert np.array_equal(bars.enter_perp[:-1], bars.perp[1:])
    assert np.isnan(bars.enter_perp[-1])


def test_base_rates_are_those_the_targets_were_measured_at():
    """.79 and .76 at 16.4 bp, .88 and .83 at 30 bp: the rules ask the same question."""
    for rule, theirs in (
        (Rule(16.4, 20.0, 5.0, 20.0, 8 * 3_600.0), 0.775),
        (Rule(30.0, 20.0, 10.0, 40.0, 24 * 3_600.0), 0.855),
    ):
        rates = [outcomes(simulate(DOGE, "mania", 365.0, s), rule).y.mean() for s in (1, 2)]
        assert np.mean(rates) == pytest.approx(theirs, abs=0.04)
