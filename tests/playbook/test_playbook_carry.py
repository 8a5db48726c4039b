"""Carry (S2): both signs, confidence that adapts, size by volatility, guards of the balance."""

import numpy as np
import pytest

from basisdesk.events import ClosePair, ExitPlan, Result
from basisdesk.forecast.words import Score
from basisdesk.playbook.carry import Carry
from basisdesk.playbook.clamp_aware import ClampAware
from basisdesk.playbook.words import Account, Band, Funding
from tests.playbook.playbook_rig import MS0, T0, Books, D, but, held, view

CARRY, CLAMP = Carry(), ClampAware()
PLAN = ExitPlan(D(-3), D(90), D(24))
H = 3_600_000


def score(p, p_star=0.7, abstain=()):
    nothing = np.zeros(44)
    return Score(
        p=p, low=p - 0.05, high=p + 0.05, p_star=p_star, raw=p, logit=0.0, bias=0.0,
        contributions=nothing, abstain=abstain,
    )  # fmt: skip


def scored(p, seen=None, side=1, **given):
    return but(seen or view(fast=Band(50.0, 15.0, True)), score=score(p, **given), score_side=side)


def calm_view(mid=60.0, **given):
    """Volatility at its target, so that sizes are whole."""
    usual = {"slow": Band(0.0, 10.0, True), "fast": Band(35.0, 10.0, True)}
    return view(mid, **usual | given)


# --- carry ----------------------------------------------------------------------------------------


def test_carry_enters_with_its_arithmetic():
    found = CARRY.decide(scored(0.9, calm_view()), T0)
    assert (found.kind, found.code) == ("enter", "carry")
    (order,) = found.commands
    assert order.leverage == D(5)
    assert order.exit.target_bp == D("-3.00")  # fair value, at the close line
    assert order.exit.stop_bp == D("91.50")
    assert order.exit.funding_bp == D(1)
    assert "+61.5 bp of convergence and +2.2 bp of funding less 31.0 bp of costs" in found.text


def test_carry_takes_the_reverse_unless_it_is_told_not_to():
    seen = scored(0.9, calm_view(-70.0), side=-1)
    assert CARRY.decide(seen, T0).direction == -1
    found = CARRY.with_values({"both_signs": 0}).decide(seen, T0)
    assert (found.kind, found.code) == ("stand", "cost-zone")


def test_carry_lives_on_funding_alone_with_a_net_target():
    rich = Funding(30.0, 30.0, 0.0, MS0 + H, 8.0, 0.12)
    seen = scored(0.9, calm_view(10.0, funding=rich))
    found = CARRY.decide(seen, T0)
    assert found.kind == "enter"
    plan = found.commands[0].exit
    assert plan.target_bp is None  # at fair value the fees would not be paid yet
    assert plan.net_target > 0


@pytest.mark.parametrize(
    ("p", "change", "code"),
    [
        (0.75, {}, "carry"),
        (0.71, {}, "confidence"),  # p* 0.70 and the margin of two points
        (0.75, {"fast": Band(35.0, 16.0, True)}, "confidence"),  # 70 + 6 for volatility
        (0.77, {"fast": Band(35.0, 16.0, True)}, "carry"),
        (0.75, {"ours": tuple(Result(n, T0, D(-1)) for n in (1, 2))}, "confidence"),  # 70 + 6
    ],
)
def test_the_confidence_asked_for_adapts(p, change, code):
    assert CARRY.decide(but(scored(p, calm_view()), **change), T0).code == code


def test_without_outcomes_carry_trades_a_part_and_against_a_warning_nothing():
    few = ("too few effective outcomes: 12 of 200",)
    (whole,) = CARRY.decide(scored(0.9, calm_view()), T0).commands
    (part,) = CARRY.decide(scored(0.5, calm_view(), abstain=few), T0).commands
    assert part.qty == whole.qty / 4
    assert CARRY.decide(calm_view(), T0).commands[0].qty == part.qty  # no forecast at all
    drift = ("drift under review: since noon",)
    found = CARRY.decide(scored(0.99, calm_view(), abstain=drift), T0)
    assert (found.code, found.commands) == ("abstain", ())
    blind = CARRY.with_values({"blind_share": 0.0})
    assert blind.decide(calm_view(), T0).code == "abstain"


def test_the_size_falls_with_the_basis_deviation():
    (calm,) = CARRY.decide(scored(0.9, calm_view()), T0).commands
    wild = but(calm_view(), slow=Band(0.0, 20.0, True))
    (small,) = CARRY.decide(scored(0.9, wild), T0).commands
    assert small.qty == calm.qty / 2


def test_the_balance_guards():
    def at(equity, free=None):
        return Account(D(free or equity), D(equity), D(10_000))

    seen = scored(0.9, calm_view(books=Books(most="1000", depth="1000")))
    assert CARRY.decide(but(seen, account=at(8_100)), T0).commands[0].qty == D(1_000)
    assert CARRY.decide(but(seen, account=at(7_900)), T0).commands[0].qty == D(500)
    assert CARRY.decide(but(seen, account=at(5_900)), T0).code == "guard"
    assert CARRY.decide(but(seen, account=at(10_000, 1_900)), T0).code == "guard"
    poor = but(seen, account=at(5_900), held=held(PLAN, "-20"))
    assert CARRY.decide(poor, T0).commands == (ClosePair(1),)


def test_carry_stands_in_the_cost_zone():
    found = CARRY.decide(scored(0.99, calm_view(20.0)), T0)
    assert (found.kind, found.code) == ("stand", "cost-zone")
    assert "are −7.3 bp over 24 h, 3.0 bp are needed" in found.text


def test_carry_leaves_when_confidence_is_gone_but_not_at_a_loss():
    good, bad = held(PLAN, "1"), held(PLAN, "-1")
    assert CARRY.decide(but(scored(0.49), held=good), T0).code == "confidence"
    assert CARRY.decide(but(scored(0.49), held=bad), T0).code == "hold"
    assert CARRY.decide(but(scored(0.51), held=good), T0).code == "hold"
    assert CARRY.decide(but(view(), held=good), T0).code == "hold"


# --- clamp-aware ----------------------------------------------------------------------------------


def test_clamp_aware_needs_odds_above_break_even():
    found = CLAMP.decide(scored(0.85), T0)
    assert (found.kind, found.code) == ("enter", "edge")
    assert found.commands[0].exit.target_bp == D("-3.00")
    assert "p 85.0 % over p* 70.0 %" in found.text
    assert CLAMP.decide(scored(0.719), T0).code == "odds"
    assert CLAMP.decide(scored(0.721), T0).code == "edge"


def test_clamp_aware_sizes_by_the_odds():
    (some,) = CLAMP.decide(scored(0.85), T0).commands
    (more,) = CLAMP.decide(scored(1.0), T0).commands
    assert some.qty == more.qty / 2


def test_clamp_aware_says_nothing_without_a_score():
    assert CLAMP.decide(view(fast=Band(50.0, 15.0, True)), T0).code == "abstain"
    other = scored(0.99, side=-1)
    assert CLAMP.decide(other, T0).code == "abstain"
    few = scored(0.99, abstain=("warm-up: sd_2h",))
    assert CLAMP.decide(few, T0).code == "abstain"
    assert CLAMP.with_values({"blind_share": 0.25}).decide(few, T0).kind == "enter"


@pytest.mark.parametrize(("mid", "code"), [(34.4, "cost-zone"), (34.6, "edge")])
def test_clamp_aware_enters_beyond_the_cost_zone_only(mid, code):
    # entry mid - 1.5, left at -3.0, fees 31 and 5 of edge; funding is paid to us
    seen = scored(0.95, view(mid))
    assert CLAMP.decide(seen, T0).code == code


def test_clamp_aware_does_not_stand_against_momentum():
    # the 5 min mean moves (mid - mean) / 5 min: 10 bp are 120 an hour, 10 of the 2 h deviations
    calm, wild = (view(fast=Band(mean, 15.0, True)) for mean in (50.0, 47.9))
    assert CLAMP.decide(scored(0.95, calm), T0).code == "edge"
    found = CLAMP.decide(scored(0.95, wild), T0)
    assert (found.kind, found.code, found.direction) == ("stand", "widening", 1)
    assert "12.1 sd an hour (1 sd is 12.0 bp), 12 are allowed" in found.text
    assert CLAMP.with_values({"widen_max": 13.0}).decide(scored(0.95, wild), T0).code == "edge"
    back = view(fast=Band(90.0, 15.0, True))  # it comes back: never refused for that
    assert CLAMP.decide(scored(0.95, back), T0).code == "edge"
    mirrored = view(-69.0, fast=Band(-56.0, 15.0, True))
    assert CLAMP.decide(scored(0.95, mirrored, side=-1), T0).code == "widening"
    cold = view(fast=Band(50.0, 15.0))
    assert CLAMP.decide(scored(0.95, cold), T0).code == "warm-up"
    assert CLAMP.with_values({"widen_max": 1000.0}).decide(scored(0.95, cold), T0).code == "edge"


def test_clamp_aware_asks_the_larger_margin_of_its_own_and_the_forecasts():
    seen = scored(0.75)
    assert CLAMP.decide(seen, T0).code == "edge"
    review = CLAMP.decide(but(seen, margin=0.10), T0)  # drift is under review
    assert review.code == "odds"
    assert "the margin 10 points" in review.text
    assert "p* 70.0 % + 2 %" in CLAMP.decide(seen, T0).text


def test_funding_against_it_counts_one_interval():
    seen = scored(0.95, view(36.0, funding=Funding(-3.0, 1.0, 0.0, MS0 + H, 8.0)))
    assert CLAMP.decide(seen, T0).code == "cost-zone"


def test_clamp_aware_leaves_when_the_odds_are_gone():
    good = but(scored(0.49), held=held(PLAN, "1"))
    assert CLAMP.decide(good, T0).code == "odds"
    assert CLAMP.decide(but(scored(0.51), held=held(PLAN, "1")), T0).code == "hold"
    assert CLAMP.decide(but(scored(0.1), held=held(PLAN, "-1")), T0).code == "hold"
