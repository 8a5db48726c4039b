"""Ways in which a forecast can know what it cannot know, each put in on purpose and caught.

Every test is a check that says whether a way of doing it is blind to the future (or to what was not
its own). The product's way passes, the leaky one beside it does not; were the product to leak so,
its own row would fail.
"""

import itertools
import math

import feature_rig
import numpy as np
import pytest
from label_rig import PAIR, quote

from basisdesk.forecast.features import FeatureState
from basisdesk.forecast.label_rules import LabelRules
from basisdesk.forecast.labels import PairLabels
from basisdesk.forecast.regime import RegimeState
from basisdesk.forecast.table import INDEX, N
from basisdesk.forecast.words import Candidate
from basisdesk.lab import forecast_real, forecast_sim
from basisdesk.lab.forecast_bars import (
    HOUR_NS,
    NS,
    Bars,
    Events,
    Rule,
    Settled,
    candidates,
    outcomes,
    ticks,
)
from basisdesk.lab.forecast_sim import DOGE, simulate
from basisdesk.lab.forecast_study import (
    Sample,
    online,
    overlap,
    sample,
    scored,
    walk_forward,
)
from basisdesk.market.stats import EwStats
from basisdesk.scan.sector_series import last_z, median_of

RULE = Rule(cost_bp=16.4, threshold=20.0, gain_bp=5.0, stop_bp=20.0, horizon_s=8 * 3_600.0)
DAY_NS = 24 * HOUR_NS


@pytest.fixture(scope="module")
def world() -> Bars:
    return simulate(DOGE, "mania", 12.0, 3)


@pytest.fixture(scope="module")
def events_seen() -> Sample:
    return sample(simulate(DOGE, "mania", 12.0, 3), RULE)


def altered(bars: Bars, at: int) -> Bars:
    """The same until bar `at`, another world after it: the basis 100 bp lower, funding higher."""
    later = np.arange(len(bars.t_ns)) > at
    perp = np.where(later, bars.perp * 0.99, bars.perp)
    f_ind = np.where(later, bars.f_ind + 0.01, bars.f_ind)
    stamp, rate, hours, known = bars.settled
    rate = np.where(known > bars.t_ns[at], rate + 0.01, rate)
    enter = np.append(perp[1:], math.nan)
    return bars._replace(
        perp=perp, f_ind=f_ind, settled=Settled(stamp, rate, hours, known), enter_perp=enter
    )


# --- the current tick inside its own mean ---------------------------------------------------------


def product_z(history, last):
    state = FeatureState()
    for i, basis in enumerate(history):
        state.update(quote(float(i), basis))
    return state.update(quote(float(len(history)), last))[INDEX["z_5m"]]


def z_with_itself(history, last):
    mean = EwStats(300.0)
    for i, basis in enumerate([*history, last]):
        mean.update(float(i), basis)
    return mean.z(last, 0.3)


def is_not_in_its_own_mean(z) -> bool:
    """A value that is compared with others only is judged in proportion, however far it is."""
    history = [5.0 + math.sin(i) for i in range(400)]
    near, mid, far = (z(history, 5.0 + b) for b in (0.0, 50.0, 100.0))
    return (far - near) == pytest.approx(2.0 * (mid - near), rel=1e-9)


def test_current_tick_in_its_own_mean():
    assert is_not_in_its_own_mean(product_z)
    assert not is_not_in_its_own_mean(z_with_itself)


def seen_after(change):
    """The vector of a tick with this change, after two hours of a beat each ten seconds."""
    state = FeatureState()
    for i in range(720):
        part = math.sin(i)
        state.update(
            feature_rig.tick(
                10.0 * i, 10.0 + part, 100.0 * (1.0 + 1e-5 * part), rate=1e-4 * (1.0 + 0.1 * part)
            )
        )
    return state.update(change(7_200.0))


def by_basis(far):
    return lambda s: feature_rig.tick(s, 10.0 + 50.0 * far)


def by_price(far):
    return lambda s: feature_rig.tick(s, 10.0, 100.0 * math.exp(0.01 * far))


def by_rate(far):
    return lambda s: feature_rig.tick(s, rate=1e-4 + 1e-3 * far)


def by_spread(far):
    def change(s):
        half = 0.005 * (1.0 + 20.0 * far)
        return feature_rig.tick(s, spot_bid=100.0 - half, spot_ask=100.0 + half,
                    perp_bid=100.1 - half, perp_ask=100.1 + half)  # fmt: skip

    return change


def by_size(far):
    def change(s):  # both touches rise, so their bids are new
        return feature_rig.tick(
            s, spot=101.0, spot_bid_size=5.0 + 500.0 * far, perp_bid_size=5.0 + 900.0 * far
        )

    return change


def by_trades(far):
    return lambda s: feature_rig.tick(s, spot_trades=1.0 + 200.0 * far)


COMPARED = {
    by_basis: ("x_fair", "z_5m", "z_2h", "z_24h", "z_72h", "db_10m"),
    by_price: ("ret_1h",),
    by_rate: ("f_vel", "f_z"),
    by_spread: ("spr_s", "spr_f"),
    by_size: ("ofi_f", "ofi_s", "ofi_diff_1m"),
    by_trades: ("int_ratio",),
}


@pytest.mark.parametrize("what", list(COMPARED))
def test_no_feature_is_compared_with_itself(what):
    """In proportion, however far it is: a mean or deviation that held it would bend the line."""
    near, mid, far = (seen_after(what(each)) for each in (0.0, 1.0, 2.0))
    for name in COMPARED[what]:
        at = INDEX[name]
        step = mid[at] - near[at]
        assert abs(step) > 0.1, name
        assert far[at] - near[at] == pytest.approx(2.0 * step, rel=1e-9), name


# --- a settled rate before it was published, and an indicative one from later samples -------------


def known_when_published(bars: Bars) -> Bars:
    return bars


def known_at_the_interval_s_start(bars: Bars) -> Bars:
    stamp, rate, hours, _ = bars.settled
    return bars._replace(settled=Settled(stamp, rate, hours, stamp - 8 * HOUR_NS))


def features_are_blind(bars: Bars, knows) -> bool:
    """No feature moves when what comes after its tick is another world."""
    at = 1_500
    seen = []
    for each in (bars, altered(bars, at)):
        state = FeatureState()
        heard = itertools.islice(ticks(knows(each), RULE), at + 1)
        rows = [state.update(tick) for tick in heard]
        seen.append(np.array(rows))
    return np.array_equal(*seen, equal_nan=True)


def test_settled_funding_before_it_was_published(world):
    assert features_are_blind(world, known_when_published)
    assert not features_are_blind(world, known_at_the_interval_s_start)


def whole_interval(premium_bp, coin):
    mean = premium_bp.reshape(-1, 96) @ np.arange(1.0, 97.0) / (96 * 97 / 2) * 1e-4
    return np.repeat(mean + np.clip(1e-4 - mean, -5e-4, 5e-4), 96)


def archive_rate(premium_bp, coin):
    hours = np.arange(len(premium_bp), dtype=np.int64) * HOUR_NS
    rows = np.zeros((len(premium_bp), 11))
    rows[:, forecast_real.CLOSE] = premium_bp * 1e-4
    return forecast_real.indicative(hours + HOUR_NS - 1_000_000, hours, rows, cap=0.02)


def rate_is_blind(indicative) -> bool:
    """The rate as it floats is the same whatever the rest of the interval brings."""
    premium = 10.0 + 5.0 * np.sin(np.arange(288.0))
    at = 150
    other = np.where(np.arange(288) > at, -40.0, premium)
    here, there = indicative(premium, DOGE), indicative(other, DOGE)
    return np.array_equal(here[: at + 1], there[: at + 1])


def test_indicative_rate_with_future_weights():
    assert rate_is_blind(forecast_sim.indicative)
    assert rate_is_blind(archive_rate)
    assert not rate_is_blind(whole_interval)


# --- a scaler fitted on the whole file ------------------------------------------------------------


def score_as_they_come(rows: Sample):
    return scored(rows, RULE, online(rows)).raw


def score_after_scaling_the_file(rows: Sample):
    whole = rows.vectors
    scale = np.nanstd(np.where(np.isnan(whole), 0.0, whole), axis=0) + 1e-9
    return scored(rows._replace(vectors=(whole - 1.0) / scale), RULE, online(rows)).raw


def scores_are_blind(score, rows: Sample) -> bool:
    """Scores of the first half do not move when the second half is another file."""
    half = len(rows.pair) // 2
    later = np.arange(len(rows.pair)) >= half
    other = rows._replace(vectors=np.where(later[:, None], rows.vectors * 9.0, rows.vectors))
    return np.array_equal(score(rows)[:half], score(other)[:half])


def test_scaler_fitted_on_the_whole_file(events_seen):
    assert scores_are_blind(score_as_they_come, events_seen)
    assert not scores_are_blind(score_after_scaling_the_file, events_seen)


# --- labels: mid for executable, no latency, early release ----------------------------------------


def released(path, rules, noted_first=False):
    """(release s, label) of a candidate at the first of [(t_s, tick)]."""
    labels = PairLabels(rules)
    labels.beat(quote(path[0][0] - 60.0, 0.0))
    found = []
    for i, (t_s, tick) in enumerate(path):
        first = Candidate(
            id=1, t_ns=tick.t_ns, pair=PAIR, direction=1, features=(), features_hash="",
            raw=0.5, p=0.5, version="", cost_bp=tick.cost_bp,
        )  # fmt: skip
        if not i and noted_first:
            labels.add(first, {})
        found += [(t_s, each.label) for each in labels.beat(tick)]
        if not i and not noted_first:
            labels.add(first, {})
    (only,) = found
    return only


SMALL = LabelRules(gain_bp=5.0, stop_bp=20.0, horizon_h=1.0, latency_ms=500.0, away_s=7_200.0)


def wide(t_s, basis):
    return quote(t_s, basis, open_bp=basis - 8.0, close_bp=basis + 8.0)


def label_of_what_can_be_traded():
    path = [(60.0 * i, wide(60.0 * i, 40.0 if i < 5 else 20.0)) for i in range(70)]
    return released(path, SMALL)[1]


def label_of_mids():
    path = [(60.0 * i, quote(60.0 * i, 40.0 if i < 5 else 20.0)) for i in range(70)]
    return released(path, SMALL)[1]


def counts_the_spread(label) -> bool:
    """Mids narrow by 20 bp, 10 of cost and 16 of spread leave nothing."""
    return label.y == 0


def test_label_from_mids():
    assert counts_the_spread(label_of_what_can_be_traded())
    assert not counts_the_spread(label_of_mids())
    bars = simulate(DOGE, "mania", 3.0, 3)
    dear = bars._replace(half_perp_bp=bars.half_perp_bp * np.linspace(1.0, 9.0, len(bars.t_ns)))
    assert outcomes(dear, RULE).net_bp.mean() < outcomes(bars, RULE).net_bp.mean()


def flash():
    """Far for one beat only: whoever is filled at the signal has won already."""
    return [(60.0 * i, quote(60.0 * i, 10.0 if i else 40.0)) for i in range(70)]


def test_entry_at_the_signal_quote():
    assert released(flash(), SMALL)[1].y == 0
    leaky = released(flash(), SMALL._replace(latency_ms=0.0), noted_first=True)[1]
    assert leaky.y == 1


def enters_later(bars: Bars) -> Bars:
    return bars


def enters_at_the_signal(bars: Bars) -> Bars:
    return bars._replace(enter_ns=bars.t_ns, enter_spot=bars.spot, enter_perp=bars.perp)


def entry_is_not_the_signal(enter) -> bool:
    """A spike of one bar pays nobody."""
    perp = np.full(200, 1.0 + 5e-4)
    perp[50] = 1.0 + 40e-4
    bars = enter(hand_bars(perp))
    return outcomes(bars, RULE).y.sum() == 0


def test_entry_at_the_signal_in_bars():
    assert entry_is_not_the_signal(enters_later)
    assert not entry_is_not_the_signal(enters_at_the_signal)


def product_release():
    path = [(60.0 * i, quote(60.0 * i, 40.0 if i < 5 else 10.0)) for i in range(70)]
    return released(path, SMALL)


def release_at_the_barrier():
    _, label = product_release()
    return (label.t_first_ns - quote(0.0, 0.0).t_ns) / NS, label


def is_told_at_the_horizon(found) -> bool:
    t_s, label = found
    return label.y == 1 and t_s == 3_600.0


def test_release_at_the_barrier():
    assert is_told_at_the_horizon(product_release())
    assert not is_told_at_the_horizon(release_at_the_barrier())


# --- purge, tuning, choosing ----------------------------------------------------------------------


def by_release(rows: Sample, starts):
    return walk_forward(rows, starts, embargo_ns=0)


def by_time_of_candidate(rows: Sample, starts):
    # purge 0: an outcome counts as known H before it is
    return walk_forward(rows, starts, embargo_ns=0) + RULE.horizon_ns


def is_purged(until_of, rows: Sample) -> bool:
    starts = np.arange(rows.events.t_ns[0] + DAY_NS, rows.events.t_ns[-1], DAY_NS)
    until = until_of(rows, starts)
    for start in starts.tolist():
        test = rows.events.take((rows.events.t_ns >= start) & (rows.events.t_ns < start + DAY_NS))
        if not len(test.t_ns):
            continue
        limit = int(until[np.searchsorted(rows.events.t_ns, start)])
        if overlap(rows.events.take(rows.events.release_ns <= limit), test):
            return False
    return True


def test_purge_shorter_than_the_horizon(events_seen):
    assert is_purged(by_release, events_seen)
    assert not is_purged(by_time_of_candidate, events_seen)


def line_from_the_past(rows: Sample, start):
    """The line that p has to pass, at the start of the window."""
    said = scored(rows, RULE, online(rows))
    return said.p_star[np.searchsorted(rows.events.t_ns, start)]


def line_of_the_window(rows: Sample, start):
    said = scored(rows, RULE, online(rows))
    inside = rows.events.t_ns >= start
    lines = np.linspace(0.0, 1.0, 21)
    worth = [rows.events.net_bp[inside & (said.p >= line)].sum() for line in lines]
    return float(lines[int(np.argmax(worth))])


def is_not_tuned_on_its_test(line, rows: Sample) -> bool:
    """Outcomes that end after the window begins do not move the line of the window."""
    start = int(rows.events.t_ns[len(rows.pair) * 2 // 3])
    late = rows.events.release_ns > start
    worse = np.where(late, -50.0, rows.events.net_bp)
    lost = np.where(late, 0, rows.events.y)
    other = rows._replace(events=rows.events._replace(net_bp=worse, y=lost))
    return line(rows, start) == line(other, start)


def test_threshold_tuned_on_the_same_window(events_seen):
    assert is_not_tuned_on_its_test(line_from_the_past, events_seen)
    assert not is_not_tuned_on_its_test(line_of_the_window, events_seen)


def all_registered(bars: Bars):
    return candidates(bars, RULE)[0]


def best_of_each_hour(bars: Bars):
    found = outcomes(bars, RULE)
    hour = found.t_ns // HOUR_NS
    best = [
        int(found.at[hour == each][np.argmax(found.net_bp[hour == each])])
        for each in np.unique(hour)
    ]
    return np.array(best)


def choice_is_blind(choose, bars: Bars) -> bool:
    """Which moments are candidates does not move when the future is another one."""
    at = 1_500
    here, there = choose(bars), choose(altered(bars, at))
    return np.array_equal(here[here <= at], there[there <= at])


def test_duplicates_removed_after_outcomes_were_seen(world):
    assert choice_is_blind(all_registered, world)
    assert not choice_is_blind(best_of_each_hour, world)


# --- sectors, regimes -----------------------------------------------------------------------------


def members_of_then(table):
    return median_of(table)


def members_of_today(table):
    return median_of(table[:, ~np.isnan(table[-1])])


def past_is_not_rewritten(sector) -> bool:
    """The z of a stamp is the same after one of the coins of that time was delisted."""
    rng = np.random.default_rng(4)
    table = rng.normal(size=(120, 6))
    table[:, 5] += 4.0
    table[100:, 5] = math.nan  # gone, and with it what crowded into it
    at = 90
    then = sector(table[: at + 1])
    now = sector(table)
    return last_z(then[at], then[:at], 10) == last_z(now[at], now[:at], 10)


def test_sector_table_with_the_members_of_today():
    assert past_is_not_rewritten(members_of_then)
    assert not past_is_not_rewritten(members_of_today)


def filtered(bars: Bars):
    features, regime = FeatureState(), RegimeState()
    return [regime.update(tick, features.update(tick)) for tick in ticks(bars, RULE)]


def smoothed(bars: Bars):
    """As a smoother does: each state by the majority around it, mostly of what came after."""
    raw = filtered(bars)
    names = sorted({str(each) for each in raw})
    states = np.array([names.index(str(each)) for each in raw])
    around = [states[max(0, i - 10) : i + 31] for i in range(len(states))]
    return [names[int(np.bincount(each).argmax())] for each in around]


def regime_is_blind(regimes, bars: Bars) -> bool:
    at = 1_500
    return regimes(bars)[: at + 1] == regimes(altered(bars, at))[: at + 1]


def test_smoothed_regimes(world):
    assert regime_is_blind(filtered, world)
    assert not regime_is_blind(smoothed, world)


# --- exits without a quote, settlements at the entry ----------------------------------------------


def rolled_forward(bars: Bars) -> Events:
    return outcomes(bars, RULE)


def without_missing_exits(bars: Bars) -> Events:
    found = outcomes(bars, RULE)
    return found.take(np.isin(found.t_ns + RULE.horizon_ns, bars.t_ns))


def keeps_what_has_no_exit(judge) -> bool:
    """Losers whose exit quote is missing are losers still."""
    perp = np.full(400, 1.0 + 40e-4)  # far, and far it stays: every candidate loses
    bars = hand_bars(perp)
    gone = (np.arange(400) >= 100) & (np.arange(400) < 180)
    found = judge(bars.of(~gone))
    due = found.t_ns[-1] <= bars.t_ns[-1] - RULE.horizon_ns
    asked = candidates(bars.of(~gone), RULE)[0]
    whole = bars.of(~gone).t_ns[asked] <= bars.t_ns[-1] - RULE.horizon_ns
    return bool(due) and len(found.y) == int(whole.sum())


def test_trades_dropped_for_a_missing_exit_quote():
    assert keeps_what_has_no_exit(rolled_forward)
    assert not keeps_what_has_no_exit(without_missing_exits)


def after_the_entry(bars: Bars) -> Events:
    return outcomes(bars, RULE)


def with_the_one_at_entry(bars: Bars) -> Events:
    return outcomes(bars._replace(enter_ns=bars.enter_ns - 1), RULE)


def is_paid_from_after_the_entry(judge) -> bool:
    """A settlement of 50 bp at the very moment of the entry is not ours."""
    perp = np.full(200, 1.0 + 5e-4)
    perp[50:52] = 1.0 + 40e-4  # the candidate of bar 50 enters at bar 51, far as it is
    perp[52:] = 1.0 + 39e-4
    bars = hand_bars(perp)
    at = bars.t_ns[51:52]
    paid = Settled(at, np.array([50e-4]), np.array([8.0]), at)
    found = judge(bars._replace(settled=paid))
    return found.net_bp[0] < 0.0


def test_settlement_at_the_entry():
    assert is_paid_from_after_the_entry(after_the_entry)
    assert not is_paid_from_after_the_entry(with_the_one_at_entry)


def test_settlement_at_the_entry_of_the_desk():
    """The same law in the desk's own labels: at the stamp nothing, a second before all."""
    stamp_ms = 1_700_006_400_000  # a stamp of the 8-hour grid
    t0 = stamp_ms / 1e3 - 1_700_000_000

    def net(entered_s):
        path = [
            (t_s, quote(t_s, 40.0, rate=50e-4, next_ms=stamp_ms))
            for t_s in (entered_s - 30.0, entered_s, entered_s + 60.0, entered_s + 3_700.0)
        ]
        return released(path, SMALL)[1].net_bp

    assert net(t0 - 1.0) - net(t0) == pytest.approx(50.0)


# --- bars by hand ---------------------------------------------------------------------------------


def hand_bars(perp) -> Bars:
    """Spot at 1, five-minute bars, no spread and no funding; filled at the next close."""
    size = len(perp)
    t_ns = np.arange(1, size + 1, dtype=np.int64) * 300 * NS + 1_704_067_200 * NS
    none = np.empty(0)
    stamps = np.empty(0, dtype=np.int64)
    return Bars(
        name="by hand", t_ns=t_ns, spot=np.ones(size), perp=perp, enter_ns=t_ns + 300 * NS,
        enter_spot=np.append(np.ones(size - 1), math.nan),
        enter_perp=np.append(perp[1:], math.nan), half_spot_bp=np.zeros(size),
        half_perp_bp=np.zeros(size), f_ind=np.full(size, 1e-4),
        settled=Settled(stamps, none, none, stamps), interval_h=8.0, interest_8h=1e-4, cap=0.02,
        more={},
    )  # fmt: skip


def test_vectors_are_as_long_as_the_table(events_seen):
    assert events_seen.vectors.shape[1] == N
