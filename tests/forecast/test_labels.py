"""Ends of candidates, worked out by hand. Costs are 10 bp, each leg's half spread 0.25 bp.

Entered at a mid basis of 30 for the side +1: entry 29.5, exit at a mid basis b is b + 0.5, so the
net is 19 - b: the target of 5 is reached at b = 14, the stop of 20 at b = 50.
"""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_rig import HOUR_S, PAIR, RULES, T0_NS, candidate, follow, quote

from basisdesk.forecast.label_rules import S_NS, LabelRules
from basisdesk.forecast.labels import VOID_AWAY, VOID_ENTRY, PairLabels

H = HOUR_S


def every(step_s, basis, t0=0.0, t1=H + 10):
    """Beats at one basis; t1 is in it."""
    n = round((t1 - t0) / step_s)
    return [(t0 + i * step_s, basis) for i in range(n + 1)]


def one(path, rules=RULES, **first):
    found, labels = follow(path, rules, **first)
    assert len(found) == 1
    assert not len(labels)
    return found[0]


def test_the_target_is_told_at_the_horizon_only():
    path = [(0, 30.0), (1, 30.0), *every(60, 20.0, 60, 600), *every(60, 14.0, 660)]
    t_s, label = one(path)
    assert t_s == H
    assert (label.y, label.how) == (1, "target")
    assert label.net_bp == pytest.approx(5.0)
    assert label.t_first_ns == T0_NS + 660 * S_NS
    assert label.released_ns == T0_NS + round(H) * S_NS
    assert label.mfe_bp == pytest.approx(5.0)
    assert label.mae_bp == pytest.approx(-11.0)  # at the entry's own quote


def test_the_stop_is_by_mids_and_the_loss_by_what_can_be_traded():
    t_s, label = one([(0, 30.0), (1, 30.0), *every(60, 50.0, 60)])
    assert (label.y, label.how) == (0, "stop")
    assert label.net_bp == pytest.approx(-31.0)  # stop and costs and the round trip's spread
    assert t_s == H


def test_time_runs_out_at_the_first_quote_at_or_after_the_horizon():
    _, label = one([(0, 30.0), (1, 30.0), *every(60, 16.0, 60)])
    assert (label.y, label.how) == (0, "time")
    assert label.net_bp == pytest.approx(3.0)
    assert label.t_first_ns == T0_NS + round(H) * S_NS


def test_a_target_reached_at_the_horizon_is_too_late():
    _, label = one([(0, 30.0), (1, 30.0), *every(60, 20.0, 60, H - 60), (H, 10.0)])
    assert (label.y, label.how) == (0, "time")
    assert label.net_bp == pytest.approx(9.0)


def test_the_entry_is_at_the_quote_after_the_latency_not_at_the_signal():
    """At the signal 30, when the order arrives 25: the target is 5 bp farther away."""
    _, label = one([(0, 30.0), (0.4, 40.0), (0.6, 25.0), *every(60, 14.0, 60)])
    assert label.how == "time"
    assert label.net_bp == pytest.approx(0.0)


def test_the_first_barrier_decides():
    _, label = one([(0, 30.0), (1, 30.0), (2, 51.0), *every(60, 10.0, 60)])
    assert (label.how, label.y) == ("stop", 0)
    assert label.net_bp == pytest.approx(-32.0)


def test_the_other_side_is_the_mirror():
    _, label = one([(0, -40.0), (1, -40.0), *every(60, -24.0, 60)])
    # entry at -40 + 0.5, exit at -24 - 0.5: -(-39.5 + 24.5) - 10 = 5
    assert (label.how, label.net_bp) == ("target", pytest.approx(5.0))


def test_the_borrowed_coin_costs_interest():
    rules = RULES._replace(borrow_8h_bp=8.0)
    _, label = one([(0, -40.0), (1, -40.0), *every(60, -24.6, 60)], rules)
    # 4.4 before interest of 1 bp an hour: 3,599 s of it
    assert label.net_bp == pytest.approx(4.4 - 3_599 / 3_600)
    assert label.how == "time"


def test_a_rally_liquidates_the_short_leg():
    # at 3x and 0.5 % the short ends at 4/3 / 1.005 = 1.3267 times its entry: 100.3, so 133.07
    path = [(0, 30.0), (1, 30.0)]
    path += [(60 + i, quote(60 + i, 30.0, spot=132.6)) for i in range(3)]
    path += [(120, quote(120, 30.0, spot=132.7)), *every(60, 10.0, 180)]
    _, label = one(path)
    assert (label.how, label.y) == ("liquidated", 0)
    assert label.t_first_ns == T0_NS + 120 * S_NS
    assert RULES.liquidation(1) == pytest.approx(1.326700, abs=1e-6)
    assert RULES.liquidation(-1) == pytest.approx(0.670017, abs=1e-6)


def test_a_crash_liquidates_the_long_leg():
    path = [(0, -40.0), (1, -40.0), (60, quote(60, -40.0, spot=66.0)), *every(60, -20.0, 120)]
    assert one(path)[1].how == "liquidated"


# --- funding --------------------------------------------------------------------------------------

MS = T0_NS // 1_000_000
OLD = ((MS - 28_800_000, 1.0),)


def funded(due_s, rate, published, told_s, basis=16.0):
    """A path that holds 3.0 net without funding; settlement at due_s, published at told_s."""
    out = []
    for t_s, b in [(0, 30.0), (1, 30.0), *every(60, basis, 60)]:
        settled = OLD if t_s < told_s else (*OLD, (MS + due_s * 1_000, published))
        next_ms = MS + (due_s + (28_800 if t_s >= due_s else 0)) * 1_000
        out.append((t_s, quote(t_s, b, rate=rate, next_ms=next_ms, settled=settled)))
    return out


def test_a_settlement_in_the_hold_is_paid_to_the_short_perp():
    _, label = one(funded(1_800, 1e-4, 1.0, 1_800))
    assert (label.how, label.net_bp) == ("time", pytest.approx(4.0))


def test_it_may_bring_the_target():
    _, label = one(funded(1_800, 3e-4, 3.0, 1_800))
    assert (label.how, label.t_first_ns) == ("target", T0_NS + 1_800 * S_NS)


def test_the_settlement_at_the_entry_itself_is_not_ours():
    _, label = one(funded(1, 3e-4, 3.0, 1))
    assert label.net_bp == pytest.approx(3.0)


def test_a_rate_published_late_corrects_the_net_but_not_the_answer():
    _, label = one(funded(1_800, 3e-4, 1.0, 2_400))
    assert (label.y, label.how) == (1, "target")
    assert label.net_bp == pytest.approx(4.0)  # 3 + what was published


def test_a_rate_that_is_never_published_counts_as_last_heard():
    _, label = one(funded(1_800, 1e-4, 1.0, 9e9))
    assert label.net_bp == pytest.approx(4.0)


def test_a_settlement_after_the_barrier_is_not_ours():
    path = funded(1_800, 3e-4, 3.0, 1_800, basis=14.0)
    _, label = one(path)
    assert (label.how, label.net_bp) == ("target", pytest.approx(5.0))


def test_a_rate_per_8_h_is_paid_for_the_hours_it_is_for():
    path = [
        (t_s, msgspec.structs.replace(tick, interval_h=1.0))
        for t_s, tick in funded(1_800, 1e-4, 8.0, 1_800)
    ]
    assert one(path)[1].net_bp == pytest.approx(4.0)


# --- what cannot be known -------------------------------------------------------------------------


def test_without_a_tradable_quote_the_next_one_counts():
    stale = [(60 + i, quote(60 + i, 70.0, stale="old")) for i in range(0, 1_200, 60)]
    _, label = one([(0, 30.0), (1, 30.0), *stale, *every(60, 55.0, 1_320)])
    assert (label.how, label.t_first_ns) == ("stop", T0_NS + 1_320 * S_NS)
    assert label.net_bp == pytest.approx(-36.0)


def test_an_exit_that_has_no_quote_waits_for_one():
    late = [(t, quote(t, 20.0, stale="old")) for t in range(3_540, 4_200, 60)]
    t_s, label = one([(0, 30.0), (1, 30.0), *every(60, 20.0, 60, 3_480), *late, (4_200, 18.0)])
    assert (t_s, label.how) == (4_200, "time")
    assert label.net_bp == pytest.approx(1.0)


def test_after_twice_the_horizon_the_last_known_price_is_taken():
    late = [(t, quote(t, 20.0, stale="old")) for t in range(3_540, 7_300, 60)]
    t_s, label = one([(0, 30.0), (1, 30.0), *every(60, 20.0, 60, 3_480), *late])
    assert (t_s, label.how, label.net_bp) == (7_200, "time", pytest.approx(-1.0))


def test_a_book_too_thin_for_the_size_is_no_quote():
    thin = [(t, quote(t, 10.0, close_bp=float("nan"))) for t in range(60, 600, 60)]
    _, label = one([(0, 30.0), (1, 30.0), *thin, *every(60, 20.0, 600)])
    assert label.how == "time"


def test_where_the_desk_was_away_the_label_is_void_even_if_it_had_won():
    path = [(0, 30.0), (1, 30.0), (60, 10.0), *every(60, 10.0, 60 + 901)]
    found, labels = follow(path)
    assert not found
    assert labels.voids == {VOID_AWAY: 1}
    assert not len(labels)


def test_an_absence_after_the_horizon_voids_nothing():
    path = [(0, 30.0), (1, 30.0), *every(60, 10.0, 60, H - 60), (H, 10.0), (H + 9_000, 10.0)]
    assert one(path)[1].how == "target"


def test_a_candidate_that_could_never_be_entered_is_void():
    path = [(0, 30.0), *((t, quote(t, 30.0, stale="old")) for t in range(60, 3_661, 60))]
    found, labels = follow(path)
    assert not found
    assert labels.voids == {VOID_ENTRY: 1}


def many_paid(gone):
    """A settlement of 7 bp an hour after the entry at a venue that lists its last ninety."""
    stamp = MS + 3_600_000
    old = tuple((stamp - (90 - i) * 28_800_000, 1.0) for i in range(90))
    labels, found = PairLabels(LabelRules(gain_bp=50.0, stop_bp=200.0, latency_ms=500.0)), []
    for s in range(0, 8 * 3_600 + 60, 30):
        settled = old if s < 3_600 else (*old[1:], (stamp, 7.0))
        here = quote(s, 20.0, settled=() if s in gone else settled, rate=7e-4,
                     next_ms=stamp + 28_800_000 * (s >= 3_600))  # fmt: skip
        if s in gone:  # a desk that starts anew knows the past settlements some seconds later
            labels = PairLabels.restored(json.loads(json.dumps(labels.dump())), labels.rules)
        found += [each.label.net_bp for each in labels.beat(here)]
        if not s:
            labels.add(candidate(here), {})
    return found


def test_a_settlement_is_paid_once_though_the_tail_comes_later_than_the_restart():
    assert many_paid((7_200, 7_230)) == many_paid(()) == [pytest.approx(-4.0)]
    assert many_paid((3_570, 3_600, 3_630)) == [pytest.approx(-4.0)]  # paid as expected, then told


# --- what is no price ---


@pytest.mark.parametrize("how_far", [3_000.0, 9_000.0, 1e12, float("inf")])
@pytest.mark.parametrize("name", ["close_bp", "open_bp"])
def test_one_beat_that_is_no_price_ends_nothing(name, how_far):
    glitch = quote(120, 30.0, **{name: -how_far})
    _, label = one([(0, 30.0), (1, 30.0), (60, 30.0), (120, glitch), *every(60, 30.0, 180)])
    assert (label.how, label.mfe_bp) == ("time", pytest.approx(-11.0))
    mids = quote(120, 30.0, perp_bid=60.0, perp_ask=200.0, mark=1e9)
    _, label = one([(0, 30.0), (1, 30.0), (60, 30.0), (120, mids), *every(60, 30.0, 180)])
    assert (label.how, label.mae_bp) == ("time", pytest.approx(-11.0))


def test_a_leap_counts_with_the_second_beat_that_says_so():
    path = [(0, 30.0), (1, 30.0), (60, 30.0), (120, -400.0), (130, -380.0), *every(60, 30.0, 180)]
    _, label = one(path)
    assert (label.how, label.t_first_ns) == ("target", T0_NS + 130 * S_NS)
    assert label.net_bp == pytest.approx(399.0)


def test_nobody_is_entered_at_a_leap():
    _, label = one([(0, 30.0), (1, 900.0), (60, 30.0), *every(60, 14.0, 120)])
    assert (label.how, label.net_bp) == ("target", pytest.approx(5.0))


def test_a_leap_is_still_doubted_after_a_restart():
    labels = PairLabels(RULES)
    for i, basis in enumerate((30.0, 30.0, 30.0, -400.0)):
        here = quote(i, basis)
        labels.beat(here)
        if not i:
            labels.add(candidate(here), {})
    kept = json.loads(json.dumps(labels.dump(), allow_nan=False))
    found = PairLabels.restored(kept, RULES)
    assert found.dump() == labels.dump()
    assert kept["doubt"]
    del kept["doubt"], kept["seen"]  # as an older program wrote it
    assert len(PairLabels.restored(kept, RULES)) == 1


# --- registering ----------------------------------------------------------------------------------


def test_the_rule_of_candidates():
    labels = PairLabels(LabelRules(x_bp=10.0, z=2.0))
    rich, cheap = quote(0, 30.0), quote(0, -40.0)
    assert labels.may(rich, 10.0, 0.0)
    assert labels.may(rich, 0.0, 2.0)
    assert not labels.may(rich, 9.9, 1.9)
    assert not labels.may(rich, -50.0, -9.0)  # the other side's
    assert labels.may(cheap, -10.0, 0.0)
    assert not labels.may(rich, float("nan"), float("nan"))
    assert not labels.may(quote(0, 30.0, stale="old"), 50.0, 9.0)
    assert not labels.may(quote(0, 30.0, cost_bp=float("nan")), 50.0, 9.0)
    assert not labels.may(quote(0, 30.0, open_bp=float("nan")), 50.0, 9.0)


def test_the_cool_down_is_of_one_side():
    labels = PairLabels(RULES)
    labels.add(candidate(quote(0, 30.0)), {})
    assert not labels.may(quote(299, 30.0), 50.0, 0.0)
    assert labels.may(quote(299, -40.0), -50.0, 0.0)
    assert labels.may(quote(300, 30.0), 50.0, 0.0)


def test_the_rule_has_words_and_a_name():
    assert "at least 5 bp or z over 24 h at least 1.5" in LabelRules().words
    assert LabelRules().hash != RULES.hash
    assert LabelRules().hash == LabelRules().hash


# --- many at once ---------------------------------------------------------------------------------

WALK = st.lists(st.floats(-8.0, 8.0), min_size=30, max_size=150)


@settings(max_examples=40, deadline=None)
@given(WALK, st.sets(st.integers(0, 60), max_size=6), st.sets(st.integers(2, 140), max_size=20))
def test_many_together_end_as_each_alone(steps, starts, stale):
    """What is kept for all open labels of a side gives each the same end as a walk of its own."""
    rules = LabelRules(gain_bp=5, stop_bp=12, horizon_h=0.25, latency_ms=500, borrow_8h_bp=3.0)
    basis, ticks = 10.0, []
    for i, step in enumerate([*steps, *[0.0] * 120]):
        basis += step
        old = "old" if i in stale else ""
        ticks.append(quote(30.0 * i, basis, direction=1 - 2 * (i % 2), stale=old))

    def ends(noted):
        labels, found = PairLabels(rules), {}
        for i, tick in enumerate(ticks):
            for each in labels.beat(tick):
                assert tick.t_ns >= each.candidate.t_ns + rules.horizon_ns
                found[each.label.candidate] = each.label
            if i in noted:
                labels.add(candidate(tick, i), {})
        return found

    together = ends(starts)
    assert sorted(together) == sorted(starts)
    for start in starts:
        alone = ends({start})[start]
        mine = together[start]
        assert (mine.how, mine.y, mine.t_first_ns) == (alone.how, alone.y, alone.t_first_ns)
        assert mine.net_bp == pytest.approx(alone.net_bp, abs=1e-9)
        assert mine.mae_bp == pytest.approx(alone.mae_bp, abs=1e-9)
        assert mine.mfe_bp == pytest.approx(alone.mfe_bp, abs=1e-9)
        assert mine.mae_bp <= mine.net_bp <= mine.mfe_bp


def test_a_restart_at_any_beat_changes_no_label():
    path = [quote(30.0 * i, 20 + 18 * ((i * 7919) % 13 - 6) / 6, next_ms=MS + 900_000)
            for i in range(200)]  # fmt: skip
    rules = LabelRules(gain_bp=5, stop_bp=12, horizon_h=0.25, latency_ms=500)

    def walk(restart_at):
        labels, found = PairLabels(rules), []
        for i, tick in enumerate(path):
            if i == restart_at:
                kept = json.dumps(labels.dump(), allow_nan=False)
                labels = PairLabels.restored(json.loads(kept), rules)
            found += [each.label for each in labels.beat(tick)]
            if i % 11 == 0 and i < 150:
                labels.add(candidate(tick, i), {"z": 1.5})
        return found

    whole = walk(-1)
    assert len({each.how for each in whole}) > 1
    for at in range(0, 200, 13):
        assert walk(at) == whole
    assert PAIR
