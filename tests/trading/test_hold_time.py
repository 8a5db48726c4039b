"""How long until a basis comes to a level: against closed forms, and on a live pair."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quant_rig import MINUTE_NS, PERP, SPOT, D, Quant, Watched, swing

from basisdesk.events import ExitPlan
from basisdesk.trading.hold_time import Holds
from basisdesk.trading.like_gaps import like_gaps
from basisdesk.trading.passage import Reversion, passage_h, reversion

LN2 = math.log(2)


def by_formula(start, chance):
    """When a unit process from `start` has reached its mean with this chance, by bisection.

    P(reached by t) = erfc(u exp(-t) / sqrt(2 (1 - exp(-2t)))), by reflection at the mean.
    """
    low, high = 1e-9, 60.0
    for _ in range(200):
        t = (low + high) / 2
        reached = math.erfc(start * math.exp(-t) / math.sqrt(2 * -math.expm1(-2 * t)))
        low, high = (t, high) if reached < chance else (low, t)
    return low


@pytest.mark.parametrize("start", [0.3, 0.5, 1.0, 2.0, 3.0, 5.0])
def test_passage_to_the_mean_is_the_closed_form(start):
    median_h, p90_h = passage_h(start, 0.0, LN2)  # a half-life of ln 2: hours are units
    assert median_h == pytest.approx(by_formula(start, 0.5), rel=0.01)
    assert p90_h == pytest.approx(by_formula(start, 0.9), rel=0.01)


def mean_passage(start, level):
    """E[tau] = integral of the Mills ratio from level to start (quant.md 2.29), unit process."""
    u = np.linspace(level, start, 4001)
    density = np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)
    above = np.array([0.5 * math.erfc(x / math.sqrt(2)) for x in u])
    return float(np.trapezoid(above / density, u))


def test_quant_md_2_29_in_half_lives():
    """1s -> 0 1.30, 2s -> 0 2.06, 3s -> 0 2.57, 2s -> 0.5s 1.30: means, by the integral."""
    found = [mean_passage(*each) / LN2 for each in ((1, 0), (2, 0), (3, 0), (2, 0.5))]
    assert found == pytest.approx([1.30, 2.06, 2.57, 1.30], abs=0.01)
    # the law is skewed to the right: the median lies below the mean, the 90th percentile above
    for start, level in ((1, 0), (2, 0), (3, 0), (2, 0.5)):
        median_h, p90_h = passage_h(start, level, 1.0)
        assert median_h < mean_passage(start, level) / LN2 < p90_h


def test_passage_scales_with_the_half_life_and_is_over_at_the_level():
    assert passage_h(2.0, 0.5, 6.0)[0] == pytest.approx(6 * passage_h(2.0, 0.5, 1.0)[0])
    assert passage_h(0.5, 0.5, 6.0) == (0.0, 0.0)
    assert passage_h(0.2, 0.5, 6.0) == (0.0, 0.0)


@given(st.floats(0.1, 6.0), st.floats(0.0, 5.9))
def test_the_range_is_ordered_and_a_farther_level_takes_longer(start, level):
    median_h, p90_h = passage_h(start, level, 1.0)
    assert 0.0 <= median_h <= p90_h
    farther = passage_h(start + 0.5, level, 1.0)
    assert farther[0] >= median_h
    assert farther[1] >= p90_h


# --- measuring ------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_half_life_is_found_and_quote_noise_does_not_shorten_it(noise):
    """Of 40 days of minutes with a true half-life of 1 h; lag 1 over lag 0 would say minutes."""
    samples = swing(1.0, 40 * 1440, noise=noise)
    found = reversion(samples, 60)
    assert isinstance(found, Reversion)
    assert found.half_life_h == pytest.approx(1.0, rel=0.2)
    assert found.sd_bp == pytest.approx(3.0, rel=0.1)
    assert found.mean_bp == pytest.approx(-4.3, abs=0.3)
    away = samples - samples.mean()
    naive = -LN2 / math.log((away[:-1] @ away[1:]) / (away @ away)) / 60
    if noise:
        assert naive < 0.15 < found.half_life_h


def test_the_error_of_a_half_life_shrinks_with_the_data():
    """10 lives: sqrt(2 / (10 ln 2)) = 0.537 of kappa; 1000 lives: 0.054."""
    few, many = Reversion(0.0, 1.0, 1.0, 10.0), Reversion(0.0, 1.0, 1.0, 1000.0)
    assert few.range_h == pytest.approx((1 / 1.537, 1 / 0.463), rel=1e-3)
    assert many.range_h == pytest.approx((1 / 1.0537, 1 / 0.9463), rel=1e-3)
    assert Reversion(0.0, 1.0, 1.0, 2.0).range_h[1] == math.inf


def test_gaps_are_left_out():
    samples = swing(0.5, 10 * 1440)
    samples[2000:2600] = math.nan
    found = reversion(samples, 60)
    assert found.half_life_h == pytest.approx(0.5, rel=0.35)
    assert found.hours == pytest.approx(240 - 10, abs=0.01)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (np.full(500, math.nan), "0 minutes of basis"),
        (swing(1.0, 239), "239 minutes of basis"),
        (np.full(500, -4.3), "no return to a mean"),
        (np.linspace(0, 50, 500), "h of basis are too few"),
    ],
)
def test_what_cannot_be_measured_says_why(samples, why):
    assert why in reversion(samples, 60)


# --- a pair that is watched -----------------------------------------------------------------------


BASIS = swing(0.5, 1440, seed=11)


def test_a_range_from_the_live_basis():
    rig = Watched(BASIS)
    measured = reversion(BASIS, 60)
    rig.stand(measured.mean_bp + 2 * measured.sd_bp)
    found = rig.hold(round(measured.mean_bp, 6))
    assert found.reversion == measured
    # from two deviations to the mean: 1.14 and 2.77 units, half-life / ln 2 each
    unit_h = measured.half_life_h / LN2
    assert found.median_h == pytest.approx(by_formula(2.0, 0.5) * unit_h, rel=0.03)
    # the late end by the slow end of the half-life's own interval
    slow = measured.range_h[1] / measured.half_life_h
    assert found.p90_h == pytest.approx(by_formula(2.0, 0.9) * unit_h * slow, rel=0.03)
    assert not found.may_never
    assert found.minutes == 1440


def test_the_spread_that_leaving_pays_makes_the_way_longer():
    near, far = Watched(BASIS), Watched(BASIS)
    mean, sd = reversion(BASIS, 60).mean_bp, reversion(BASIS, 60).sd_bp
    near.stand(mean + 2 * sd)
    far.stand(mean + 2 * sd, half=0.00000900)  # 0.5 bp of each leg
    assert far.hold(mean + 0.6 * sd).median_h > near.hold(mean + 0.6 * sd).median_h > 0


def test_the_reverse_pair_waits_for_the_basis_to_rise():
    """Two deviations below the mean, leaving at the mean: the mirror of the rich pair."""
    rich, cheap = Watched(BASIS), Watched(BASIS)
    found = reversion(BASIS, 60)
    rich.stand(found.mean_bp + 2 * found.sd_bp)
    cheap.stand(found.mean_bp - 2 * found.sd_bp)
    plan = ExitPlan(D(repr(round(found.mean_bp, 6))), D(-5000))
    low = Holds().of(cheap.reverse(plan=plan), cheap.market, cheap.settings, cheap.now)
    high = rich.hold(round(found.mean_bp, 6))
    assert low.median_h == pytest.approx(high.median_h, rel=0.05)
    beyond = ExitPlan(D(20), D(-5000))
    never = Holds().of(cheap.reverse(plan=beyond), cheap.market, cheap.settings, cheap.now)
    assert never.may_never


def test_a_target_beyond_the_mean_may_never_be_reached():
    rig = Watched(BASIS)
    rig.stand(5.0)
    found = rig.hold(-9.0)
    assert found.may_never
    assert found.median_h is None
    assert "beyond the mean" in found.why
    assert not found.known


# --- gaps from the fair basis -----------------------------------------------------------------


FAIR = -4.5


def runs_back(signs, every=72, peak=60.0, tau=9.0):
    """Fair basis and half a bp of noise, and gaps that jump away and run back, in minutes."""
    t = np.arange(every)
    noise = np.random.default_rng(5).normal(0.0, 0.5, every * len(signs))
    return FAIR + noise + np.concatenate([sign * peak * np.exp(-t / tau) for sign in signs])


def stood(samples, mid):
    rig = Watched(samples)
    rig.stand(mid)
    rig.pair.now = msgspec.structs.replace(rig.pair.now, fair_bp=FAIR)
    return rig


def asked(rig, direction, mid, target):
    return Holds().until((SPOT, PERP), direction, (mid, target), rig.market, rig.now)


def test_gaps_that_closed_tell_how_long_a_like_one_takes():
    """From 40 bp to 5 bp at a time constant of 9 min: 9 ln 8 = 18.7 min."""
    rig = stood(runs_back([1] * 20), FAIR + 40)
    found = asked(rig, 1, FAIR + 40, FAIR + 5)
    assert 60 * found.median_h == pytest.approx(18.7, abs=2.0)
    assert found.median_h <= found.p90_h < 0.5
    assert found.like.n == found.like.came == 20
    assert found.reversion.mean_bp == FAIR
    low, high = found.reversion.range_h
    assert low < 9 * LN2 / 60 * 1.5
    assert low < found.reversion.half_life_h < high


def test_a_gap_and_its_mirror_image_get_one_answer():
    """Three of four gaps are above: the mean of the day lies there, and means nothing."""
    samples = runs_back([1, 1, 1, -1] * 5)
    assert samples.mean() > FAIR + 3
    high = asked(stood(samples, FAIR + 50), 1, FAIR + 50, FAIR + 2)
    low = asked(stood(samples, FAIR - 50), -1, FAIR - 50, FAIR - 2)
    assert high.known
    assert (low.median_h, low.p90_h) == (high.median_h, high.p90_h)
    assert 0.3 < high.median_h < 0.8


def test_too_few_gaps_are_counted_and_the_law_is_not_stretched():
    """One wide gap in a quiet day: neither gaps nor the half-life of small moves say anything."""
    quiet = swing(0.1, 1440, seed=4) - swing(0.1, 1440, seed=4).mean() + FAIR
    found = asked(stood(quiet, FAIR + 60), 1, FAIR + 60, FAIR)
    assert not found.known
    assert not found.may_never
    assert found.why.startswith(
        "not known yet: 0 of 5 like gaps have closed, and this gap of 60 bp is far wider than any"
    )


def test_a_half_life_that_few_gaps_contradict_is_not_told():
    """A square wave of eight hours: its gaps last, whatever its covariances say."""
    samples = FAIR + 20.0 * np.repeat([1.0, -1.0, 1.0], 480) + swing(0.5, 1440, seed=2) / 3
    found = asked(stood(samples, FAIR + 20), 1, FAIR + 20, FAIR)
    assert not found.known
    assert found.why.startswith("not known yet: 2 of 5 like gaps have closed, and ")


def test_gaps_that_stay_open_are_counted_as_open():
    away = np.concatenate([np.full(10, 20.0), [0.0], np.full(30, 20.0)])
    found = like_gaps(away, 20.0, 1.0, 60)
    assert (found.n, found.came) == (2, 1)
    assert found.median_h == math.inf
    nothing = like_gaps(np.full(50, math.nan), 20.0, 1.0, 60)
    assert (nothing.n, nothing.median_h, nothing.p90_h) == (0, math.inf, math.inf)
    none = like_gaps(np.array([*[20.0] * 9, 0.0] * 6), 20.0, 1.0, 60)
    assert (none.n, none.came) == (6, 6)
    assert 60 * none.median_h == pytest.approx(5)
    assert 60 * none.p90_h == pytest.approx(9)


def test_gaps_that_never_close_have_no_median():
    samples = np.concatenate([np.tile([20.0] * 3 + [0.0], 6), np.full(1000, 20.0)]) + FAIR
    found = asked(stood(samples, FAIR + 20), 1, FAIR + 20, FAIR + 1)
    assert not found.known
    assert found.why == "under half of 7 like gaps came to the target"


def test_a_target_that_is_reached_takes_no_time():
    rig = Watched(BASIS)
    rig.stand(5.0)
    assert rig.hold(6.0).median_h == 0.0


@pytest.mark.parametrize("minutes", [30, 200])
def test_too_little_data_gives_a_reason_and_no_figure(minutes):
    rig = Watched(swing(1.68, minutes, seed=3))
    rig.stand(5.0)
    found = rig.hold(0.0)
    assert found.median_h is None
    assert found.why == f"not known yet: {minutes} of 240 min of basis"


def test_without_a_target_or_a_watched_pair_there_is_no_range():
    rig = Quant()
    no_target = rig.open(plan=ExitPlan(stop_bp=D(150), net_target=D(5)))
    assert "no target" in Holds().of(no_target, rig.market, rig.settings, rig.now).why
    assert "not watched" in Holds().of(rig.open(), rig.market, rig.settings, rig.now).why


def test_the_same_minute_is_measured_once_and_the_next_one_reads_one_row(monkeypatch):
    rig, holds = Watched(BASIS), Holds()
    rig.stand(5.0)
    reads = []
    at = rig.pair.series.at
    monkeypatch.setattr(rig.pair.series, "at", lambda t: reads.append(t) or at(t))
    first = rig.hold(-4.0, holds)
    assert len(reads) == 1440
    assert rig.hold(-4.0, holds) == first
    assert len(reads) == 1440
    rig.now += MINUTE_NS
    rig.pair.series.push(rig.now / 1e9, (0.36, 0.36, 5.0, *[math.nan] * 8))
    rig.hold(-4.0, holds)
    assert len(reads) == 1441
