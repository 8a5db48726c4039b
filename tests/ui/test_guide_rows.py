"""The checklist ticks itself from real state: through whole trades with a real engine."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from ui_rig import PERP, SPOT, Rig

from basisdesk.config import Paper, Settings
from basisdesk.events import (
    LINK,
    CancelOrder,
    ClosePair,
    Drill,
    Execution,
    ExitPlan,
    Halt,
    LinkChange,
    OpenPair,
    Resume,
)
from basisdesk.ui.drill_words import drills_text
from basisdesk.ui.guide_rows import TITLES, followed, steps
from basisdesk.ui.halt_rows import flatten_words, risk_words
from basisdesk.ui.unhedged_rows import alarm

D = Decimal
PLAN = ExitPlan(D(3), D(150), D(72))
ORDER = OpenPair(SPOT, PERP, D(1000), D(2), PLAN)
SETTINGS = Settings(paper=Paper(latency_ms=0))


@pytest.fixture
def rig():
    return Rig(SETTINGS).begin()


def states(rig, request=ORDER, pair=None):
    return [step.state for step in steps(rig.engine, request, pair)]


def step(rig, number, request=ORDER, pair=None):
    return steps(rig.engine, request, pair)[number]


def test_there_are_eight_steps_numbered_from_zero(rig):
    found = steps(rig.engine, None, None)
    assert [each.number for each in found] == list(range(8))
    assert [each.title for each in found] == list(TITLES)


def test_a_whole_trade_ticks_from_the_ticket_to_the_result(rig):
    engine = rig.engine
    assert states(rig, None)[0] == "now"  # the ticket is empty
    assert states(rig)[:4] == ["done", "done", "done", "now"]
    assert states(rig)[4:] == ["waiting"] * 4
    assert "Ctrl+Enter" in step(rig, 3).todo
    assert "Open basis +" in step(rig, 1).said
    assert "fair value" in step(rig, 1).said

    rig.submit(ORDER)
    pair = followed(engine, 0)
    assert pair == 1
    assert states(rig, None, pair) == ["done"] * 5 + ["now", "waiting", "waiting"]
    assert step(rig, 3, None, pair).said.startswith("Bought 1,000 at 0.36")
    assert "hedged" in step(rig, 4, None, pair).said
    watched = step(rig, 5, None, pair).said
    for words in ("bp to the target", "bp to the stop", "Next funding +", "Liquidation is "):
        assert words in watched

    rig.submit(ClosePair(1, D("0.5")))
    assert states(rig, None, pair)[5:] == ["now", "waiting", "waiting"]
    rig.submit(ClosePair(1))
    assert states(rig, None, pair) == ["done"] * 8
    end = step(rig, 7, None, pair).said
    money = engine.attribution(1)
    assert f"{abs(money.total):.2f}" in end
    assert "fees \u2212" in end
    assert "0.00 is left over" in end
    assert step(rig, 6, None, pair).said == "Closed by hand."


def test_the_plan_closes_and_the_reason_stands_in_the_exit(rig):
    rig.submit(ORDER)
    rig.move(0.364, 0.0)
    assert rig.engine.open_pairs() == []
    assert step(rig, 6, None, 1).said == "Target hit."


# --- what keeps a step from its tick ------------------------------------------------------------


def test_no_pair_on_the_screen():
    found = steps(Rig(SETTINGS).engine, None, None)
    assert found[0].state == "blocked"
    assert "Ctrl+P" in found[0].todo


def test_a_stale_leg_blocks_with_the_sentence_of_the_refusal(rig):
    rig.wait(5)
    first = step(rig, 0)
    assert first.state == "blocked"
    assert " s" in first.said
    assert "limit" in first.said or "old" in first.said
    rig.move(0.364, 68.0)
    assert step(rig, 0).state == "done"


def test_a_halt_blocks_and_resuming_clears_it(rig):
    rig.submit(Halt("lunch"))
    first = step(rig, 0)
    assert (first.state, first.said) == ("blocked", "The desk is halted: lunch.")
    assert "esume" in first.todo
    rig.submit(Resume("back"))
    assert step(rig, 0).state == "done"


@pytest.mark.parametrize("plan", [ExitPlan(), ExitPlan(stop_bp=D(150)), ExitPlan(target_bp=D(3))])
def test_without_a_way_out_there_is_no_way_in(rig, plan):
    first = steps(rig.engine, OpenPair(SPOT, PERP, D(1000), D(2), plan), None)[0]
    assert first.state == "now"
    assert "no exit plan" in first.said


def test_a_net_target_beside_a_stop_is_a_plan(rig):
    plan = ExitPlan(stop_bp=D(150), net_target=D(1))
    assert steps(rig.engine, OpenPair(SPOT, PERP, D(1000), D(2), plan), None)[0].state == "done"


def test_a_basis_inside_its_costs_is_no_opening(rig):
    rig.move(0.364, 12.0)
    second = step(rig, 1)
    assert second.state == "blocked"
    assert "Ctrl+P" in second.todo
    assert step(rig, 0).state == "done"
    assert step(rig, 3).state == "waiting"


def test_a_size_beyond_the_account_is_blocked_by_name_of_the_limit(rig):
    huge = OpenPair(SPOT, PERP, D(60_000), D(2), PLAN)
    third = steps(rig.engine, huge, None)[2]
    assert third.state == "blocked"
    assert "60,000" in third.said or "free" in third.said or "USDT" in third.said


def test_a_size_is_compared_with_the_suggested_one(rig):
    advised = rig.engine.sheet(ORDER).size_hint
    assert advised >= ORDER.qty
    assert f"within the suggested {advised:,.1f}"[:30] in step(rig, 2).said
    over = OpenPair(SPOT, PERP, advised + 500, D(2), PLAN)
    found = steps(rig.engine, over, None)[2]
    assert found.state in ("now", "blocked")
    if found.state == "now":
        assert "is more than the suggested" in found.said


def test_where_nothing_is_suggested_the_size_has_no_tick(rig):
    rig.move(0.364, 12.0)
    sheet = rig.engine.sheet(ORDER)
    assert sheet.size_hint == 0
    found = steps(rig.engine, ORDER, None)
    assert found[2].state == "waiting"  # behind the spread, which does not pay
    assert found[2].said.startswith("No size is suggested: ")


# --- legging ------------------------------------------------------------------------------------


def legged(policy, kind="reject"):
    """A pair whose short leg was refused or filled half."""
    rig = Rig(SETTINGS).begin()
    rig.submit(Drill(kind, "short"))
    how = Execution(policy=policy)
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), PLAN, how=how))
    return rig


@pytest.mark.parametrize("policy", ["hedge", "retry"])
def test_a_refused_leg_blocks_the_hedge_until_the_desk_has_mended_it(policy):
    rig = legged(policy)
    (position,) = rig.engine.open_pairs()
    assert position.state == "unhedged"
    found = steps(rig.engine, None, position.pair)
    assert found[3].state == "now"
    assert "short leg is not filled yet" in found[3].said
    assert found[4].state == "blocked"
    assert "lacks" in found[4].said
    warned = alarm(rig.engine, rig.engine.now_ns)
    assert warned is not None
    assert warned.text.startswith("UNHEDGED ADA #1")
    assert "USDT" in warned.text
    for _ in range(20):
        rig.move(0.364, 68.0)
    assert position.state == "open"
    assert states(rig, None, position.pair)[:6] == ["done"] * 5 + ["now"]
    assert alarm(rig.engine, rig.engine.now_ns) is None


def test_an_unwound_pair_ends_with_its_reason_and_without_a_hedge():
    rig = legged("unwind")
    for _ in range(20):
        rig.move(0.364, 68.0)
    position = rig.engine.desk.pairs[1]
    assert position.state == "closed"
    found = steps(rig.engine, None, 1)
    assert found[3].state == "blocked"
    assert "The short leg never filled." in found[3].said
    assert "drill" in found[3].said
    assert found[7].state == "done"
    assert "Net \u2212" in found[7].said


def test_half_a_leg_is_an_unhedged_pair_with_a_clock():
    rig = legged("hedge", "half")
    (position,) = rig.engine.open_pairs()
    assert position.state == "unhedged"
    found = alarm(rig.engine, position.unhedged_ns + 3_000_000_000)
    assert found is not None
    assert found.text.endswith("  3.0 s")
    money = float(abs(position.delta)) * 0.364
    assert float(found.short.split()[1]) == pytest.approx(money, rel=0.02)


def test_a_late_leg_is_told_with_the_time_it_still_takes():
    rig = Rig(SETTINGS).begin()
    rig.submit(Drill("late", "short", seconds=D(5)))
    assert drills_text(rig.engine.desk.drills) == "Next order: short leg comes 5 s late"
    rig.submit(ORDER)
    assert drills_text(rig.engine.desk.drills) == ""
    for _ in range(10):
        rig.move(0.364, 68.0)
    (position,) = rig.engine.open_pairs()
    assert position.state == "unhedged"
    said = steps(rig.engine, None, position.pair)[4].said
    assert "meets the book in 4.0 s" in said
    for _ in range(45):
        rig.move(0.364, 68.0)
    assert position.state == "open"
    assert states(rig, None, position.pair)[4] == "done"


def test_a_drill_can_be_switched_off(rig):
    rig.submit(Drill("reject", "short"))
    rig.submit(Drill("off"))
    rig.submit(ORDER)
    assert states(rig, None, 1)[4] == "done"


def test_an_order_at_work_is_told_until_it_fills_or_is_withdrawn(rig):
    how = Execution(style="limit", limit_bp=D(90), good_for_s=D(600))
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), PLAN, how=how))
    pair = followed(rig.engine, 0)
    found = steps(rig.engine, None, pair)
    assert [each.state for each in found[:5]] == ["done", "done", "done", "now", "waiting"]
    assert "At work: entry 0 of 1,000" in found[3].said
    rig.submit(CancelOrder(pair))
    assert followed(rig.engine, 0) is None  # nothing was held, so it is the ticket's turn again
    again = steps(rig.engine, ORDER, None)[3]
    assert again.state == "now"
    assert again.said == "The order was withdrawn, nothing was filled. By hand."
    rig.wait(61)
    assert steps(rig.engine, ORDER, None)[3].said == "One order sends both legs."


def test_deleveraged_is_naked_and_told_until_it_is_closed(rig):
    rig.submit(ORDER)
    rig.submit(Drill("adl", pair=1))
    rig.move(0.364, 68.0)
    (position,) = rig.engine.open_pairs()
    assert position.state == "naked"
    found = steps(rig.engine, None, 1)
    assert found[4].state == "blocked"
    assert "Ctrl+Backspace" in found[4].todo
    warned = alarm(rig.engine, rig.engine.now_ns)
    assert warned.text.startswith("NAKED ADA #1")
    assert "nothing to mend" in warned.tip


# --- which pair ---------------------------------------------------------------------------------


def pairs_of(*rows):
    """An engine with (number, state, on the screen) pairs."""
    made = {}
    for number, state, here in rows:
        keys = (SPOT, PERP) if here else ("okx:spot:X", "okx:perp:X")
        legs = [SimpleNamespace(instrument=key) for key in keys]
        made[number] = SimpleNamespace(pair=number, state=state, legs=legs)
    return SimpleNamespace(pair=(SPOT, PERP), desk=SimpleNamespace(pairs=made))


@pytest.mark.parametrize(
    ("rows", "after", "pair"),
    [
        ((), 0, None),
        (((1, "closed", True),), 0, 1),
        (((1, "closed", True),), 1, None),
        (((1, "open", True), (2, "closed", True)), 0, 1),
        (((1, "open", True), (2, "open", True)), 0, 2),
        (((1, "open", True), (2, "open", False)), 0, 1),
        (((1, "closed", False), (2, "open", False)), 0, 2),
        (((1, "closed", False),), 0, None),
    ],
)
def test_the_pair_on_the_screen_is_followed_else_the_newest_held(rows, after, pair):
    assert followed(pairs_of(*rows), after) == pair


# --- halt and flatten in words ------------------------------------------------------------------


def test_risk_words_of_each_state(rig):
    assert risk_words(rig.engine, utc=True).word == "active"
    rig.submit(Halt("lunch"))
    words = risk_words(rig.engine, utc=True)
    assert (words.word, words.tone, words.reason) == ("HALTED", "loss", "lunch")
    assert words.since.endswith(" UTC")
    assert words.ends
    assert words.ends in words.tip


def test_flatten_names_each_leg_and_its_cost_comes_true(rig):
    rig.submit(ORDER)
    rig.move(0.364, 68.0)
    words = flatten_words(rig.engine, rig.settings)
    assert len(words.lines) == 1
    assert words.lines[0].startswith("ADA #1: sells ")
    said = float(words.cost.split("costs about ")[1].split()[0])
    before = rig.engine.funds().equity
    rig.submit(ClosePair(1))
    assert float(before - rig.engine.funds().equity) == pytest.approx(said, abs=0.011)


def test_a_pair_without_a_price_is_closed_later_and_the_sentence_says_so(rig):
    rig.submit(ORDER)
    rig.frame(LINK, LinkChange("bybit.linear", "down", "gone"))
    words = flatten_words(rig.engine, rig.settings)
    assert "1 pair has no price now" in words.cost


def test_flatten_names_what_is_on_its_way_to_a_pair_that_exists():
    rig = Rig(SETTINGS).begin()
    rig.submit(Drill("reject", "short"))
    rig.submit(Drill("late", "short"))
    rig.submit(OpenPair(SPOT, PERP, D(1000), D(2), PLAN, how=Execution(policy="hedge")))
    coming = rig.engine.desk.orders_of(1)
    if not coming:
        rig.move(0.364, 68.0)
        coming = rig.engine.desk.orders_of(1)
    assert coming
    assert "withdraws 999 ADA perp on the way" in flatten_words(rig.engine, rig.settings).lines[0]


def test_after_a_fault_of_its_own_the_desk_is_told_as_halted(rig):
    words = risk_words(rig.engine, utc=True, fault_ns=rig.engine.now_ns)
    assert (words.state, words.word, words.final) == ("halted", "HALTED", True)
    assert "Restart basisdesk" in words.ends
