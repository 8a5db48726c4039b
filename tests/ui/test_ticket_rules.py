"""Bounds of the plan and the execution, what is missing, and what will happen in words."""

from decimal import Decimal

import pytest

from basisdesk.events import Execution, ExitPlan
from basisdesk.ui import ticket_rules as rules
from basisdesk.ui.ticket_rules import HowDraft

D = Decimal
NAMES = ("spot", "perp")


@pytest.mark.parametrize(
    ("plan", "missing"),
    [
        (ExitPlan(), ("stop", "target")),
        (ExitPlan(target_bp=D(3)), ("stop",)),
        (ExitPlan(stop_bp=D(120)), ("target",)),
        (ExitPlan(stop_bp=D(120), max_hold_h=D(72), funding_bp=D(3), sector=True), ("target",)),
    ],
)
def test_a_plan_without_a_stop_or_a_target_is_told_what_it_lacks(plan, missing):
    said = rules.plan_problem(plan)
    assert said.startswith("The exit plan needs")
    assert said.endswith(".")
    assert ("stop" in said) == ("stop" in missing)
    assert ("target" in said) == ("target" in missing)


@pytest.mark.parametrize("target", [{"target_bp": D(0)}, {"net_target": D(25)}])
def test_a_stop_and_one_target_are_a_whole_plan(target):
    assert rules.plan_problem(ExitPlan(stop_bp=D(120), **target)) == ""


@pytest.mark.parametrize(
    ("check", "good", "bad", "said"),
    [
        (rules.LEVEL, D(-10_000), D(10_001), "10,001 bp is outside \u221210,000 to 10,000 bp"),
        (rules.NET, D("0.01"), D(0), "above 0"),
        (rules.HOLD, D(8_760), D(9_000), "9,000 h is above the most of 8,760 h"),
        (rules.FUNDING, D("0.5"), D(-1), "above 0 bp per 8 h"),
        (rules.SLICES, D(50), D(51), "51 is outside 1 to 50"),
        (rules.SLICES, D(1), D("2.5"), "whole number, such as 2"),
        (rules.GAP, D("0.5") + 1, D(0), "0 s is outside 1 to"),
        (rules.GOOD, D(5), D(4), "4 s is outside 5 to"),
        (rules.TICKS, D(0), D("0.5"), "whole number"),
        (rules.TICKS, D(100), D(101), "101 ticks is outside 0 to 100 ticks"),
    ],
)
def test_bounds_are_sentences(check, good, bad, said):
    assert check(good) == good
    found = check(bad)
    assert isinstance(found, str)
    assert said in found
    assert found.endswith(".")


def test_a_market_order_is_the_plain_execution_whatever_the_hidden_fields_hold():
    assert HowDraft(limit_bp=D(9), pay_up=D(7), gap_s=D(9), good_for_s=D(60)).execution() == (
        Execution()
    )
    assert HowDraft(pay_up=None, gap_s=None, good_for_s=None).execution() == Execution()


def test_what_a_style_looks_at_is_in_the_order():
    limit = HowDraft(style="limit", limit_bp=D(68), good_for_s=D(900)).execution()
    assert limit == Execution(style="limit", limit_bp=D(68), good_for_s=D(900))
    passive = HowDraft(style="passive", passive_leg="short", pay_up=D(3)).execution()
    assert passive == Execution(style="passive", passive_leg="short", pay_up=3)
    retry = HowDraft(policy="retry", pay_up=D(2)).execution()
    assert retry == Execution(policy="retry", pay_up=2)
    sliced = HowDraft(slices=D(5), gap_s=D(10)).execution()
    assert sliced == Execution(slices=5, slice_gap_s=D(10))
    assert isinstance(passive.pay_up, int)
    assert isinstance(sliced.slices, int)


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (HowDraft(style="limit"), "needs its basis"),
        (HowDraft(slices=None), "empty"),
        (HowDraft(style="passive", pay_up=None), "empty"),
        (HowDraft(policy="retry", pay_up=None), "empty"),
    ],
)
def test_an_execution_that_cannot_work_is_one_sentence(draft, said):
    assert said in draft.problem()
    assert draft.problem().endswith(".")


def test_an_execution_that_works_has_no_problem():
    assert HowDraft().problem() == ""
    assert HowDraft(style="limit", limit_bp=D(0)).problem() == ""
    assert HowDraft(slices=D(5), gap_s=D(60), good_for_s=D(5)).problem() == ""


@pytest.mark.parametrize(
    ("how", "direction", "text"),
    [
        (Execution(), 1, "Market, both legs; if one fails: hedge now, unwind after 30 s."),
        (
            Execution(policy="unwind", slices=5, slice_gap_s=D(30)),
            1,
            "Market, both legs, 5 slices 30 s apart; if one fails: unwind at once.",
        ),
        (
            Execution(style="limit", limit_bp=D("68.04")),
            1,
            "Limit, both legs once the basis is 68.0 bp or above within 10 min; if one fails: "
            "hedge now, unwind after 30 s.",
        ),
        (
            Execution(style="limit", limit_bp=D(-12), policy="retry", pay_up=1),
            -1,
            "Limit, both legs once the basis is \u221212.0 bp or below within 10 min; if one "
            "fails: retry up to 1 tick beyond, unwind after 30 s.",
        ),
        (
            Execution(style="passive", good_for_s=D(60)),
            1,
            "Passive, spot rests at its best bid within 60 s, each fill hedged on perp up to 5 "
            "ticks beyond; if one fails: hedge now, unwind after 30 s.",
        ),
        (
            Execution(style="passive", passive_leg="short", pay_up=0),
            1,
            "Passive, perp rests at its best ask within 10 min, each fill hedged on spot at its "
            "best price; if one fails: hedge now, unwind after 30 s.",
        ),
    ],
)
def test_what_will_happen_is_said_in_words(how, direction, text):
    assert rules.execution_text(how, direction, NAMES, 30) == text


def test_every_style_and_policy_has_one_sentence():
    for name, tip in (*rules.STYLES.values(), *rules.POLICIES.values()):
        assert name
        assert tip.endswith(".")
        assert tip.count(". ") == 0


def test_a_sector_rule_says_whether_it_can_act():
    assert rules.sector_text(None) == "no source"
    assert rules.sector_text("") == "neutral"
    assert "neither" in rules.sector_tip("ADA", "")
    assert "silent" in rules.sector_tip("ADA", None)
    assert rules.sector_text("against") == "against"
    assert "silent" not in rules.sector_tip("ADA", "for")
