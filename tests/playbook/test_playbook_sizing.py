"""The size of an entry: the least line of the desk, cut by the playbook, in whole lots."""

import pytest

from basisdesk.events import ExitPlan
from basisdesk.playbook.edges import (
    WayBack,
    against_bp,
    borrow_bp,
    funding_bp,
    settlements_h,
    way_back,
)
from basisdesk.playbook.sizing import Sized, Wish, sized
from basisdesk.playbook.words import Account, Funding, Terms
from tests.playbook.playbook_rig import FIRST, MS0, SECOND, Books, D, but, view

PLAN = ExitPlan(D(10), D(90), D(2))
H = 3_600_000


def wish(**given):
    return Wish(**{"direction": 1, "plan": PLAN, "edge_bp": 10.0} | given)


def qty(seen, **given):
    found = sized(seen, wish(**given))
    assert isinstance(found, Sized), found
    return found.order.qty


def test_the_least_line_is_the_size():
    found = sized(view(), wish())
    assert found.order.qty == D(15_000)  # the books
    assert found.text == "the books"
    assert qty(view(books=Books(depth="99999"))) == D(20_000)  # the cash
    assert found.order.exit == PLAN
    assert (found.order.long, found.order.short) == (FIRST, SECOND)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"share": 0.5}, 7_500),
        ({"alloc": 0.25}, 5_000),  # 2,500 of notional at 0.50
        ({"account_risk": 0.002}, 6_666),  # 20 over 0.003 a coin lost at the stop
        ({"by_convergence": False}, 20_000),  # the line of the books is one of convergence
        ({"share": 0.33333}, 4_999),  # whole lots, down
    ],
)
def test_a_playbook_makes_it_smaller(given, expected):
    assert qty(view(), **given) == D(expected)


def test_the_settings_and_the_sector_cut_it():
    poor = but(view(), account=Account(D(7_000), D(7_000), D(10_000), cut=0.5))
    assert qty(poor) == D(7_500)
    assert qty(view(sector="against")) == D(7_500)
    assert qty(view(sector="for")) == D(15_000)
    assert qty(view(sector="for"), direction=-1) == D(7_500)


def test_leverage_is_within_the_desks():
    slow = but(view(), account=Account(D(9_000), D(9_000), D(9_000), leverage_max=2.0))
    assert sized(slow, wish(leverage=5.0)).order.leverage == D(2)
    assert sized(view(), wish(leverage=5.0)).order.leverage == D(5)


def test_the_net_target_is_of_the_final_notional():
    found = sized(view(), wish(net_bp=12.0, share=0.5))
    assert found.order.exit.net_target == D("4.50")  # 12 bp of 3,750


def test_a_funding_edge_pays_for_a_part_of_the_books_only():
    thin = Books(slip=lambda size: 3.0 + float(size) / 1_000)
    found = sized(view(books=thin), wish(by_convergence=False, edge_bp=10.0))
    assert found.order.qty == D(2_500)  # 2.5 bp of impact, a quarter of the edge
    assert "walk the books" in found.text


def test_why_there_is_no_size():
    assert "own verdict" in sized(view(books=Books(verdict="no")), wish())
    assert sized(view(books=Books(refusal="The desk is halted.")), wish()) == "The desk is halted."
    assert "below one lot" in sized(view(), wish(share=0.00001))
    assert "not known yet" in sized(but(view(), terms=Terms(31.0, 34.0)), wish())


def test_two_perpetuals_the_other_way_round_have_their_plan_turned():
    seen = but(view(), two_perps=True)
    found = sized(seen, wish(direction=-1, plan=ExitPlan(D(-10), D(-90))))
    assert (found.order.long, found.order.short) == (SECOND, FIRST)
    assert (found.order.exit.target_bp, found.order.exit.stop_bp) == (D("10.01"), D("90.82"))


# --- what an entry earns --------------------------------------------------------------------------


def test_a_target_stays_outside_the_costs_and_before_fair_value():
    seen = view()  # entry 58.5, fair left at -3.0, fees 31
    assert way_back(seen, 1, 20.0, 5.0) == WayBack(20.0, 7.5)
    assert way_back(seen, 1, 25.0, 5.0) == WayBack(22.5, 5.0)  # B1: moved out of the costs
    assert way_back(seen, 1, -50.0, 5.0) == WayBack(-3.0, 30.5)  # nothing pulls beyond fair
    assert way_back(view(30.0), 1, 0.0, 5.0) is None
    assert way_back(view(fair_bp=float("nan")), 1, 0.0, 5.0) is None


def test_funding_counts_settlements_by_the_calendar_and_gains_decay():
    seen = view()  # next in 4 h, each 8 h
    assert settlements_h(seen, 24.0) == [4.0, 12.0, 20.0]
    assert settlements_h(seen, 3.9) == []
    assert settlements_h(but(seen, funding=Funding(1.0)), 24.0) == []
    assert funding_bp(seen, 1, 24.0, 8.0) == pytest.approx(0.5**0.5 + 0.5**1.5 + 0.5**2.5)
    assert funding_bp(seen, -1, 24.0, 8.0) == pytest.approx(-3.0)  # losses do not
    jumped = but(seen, funding=Funding(9.0, 2.0, 0.0, MS0 + 4 * H, 8.0))
    assert funding_bp(jumped, 1, 5.0, 1e9) == pytest.approx(2.0)  # only what had settled too


def test_interest_and_one_interval_against():
    seen = view()
    assert borrow_bp(seen, -1, 16.0) == pytest.approx(0.24)
    assert borrow_bp(seen, 1, 16.0) == 0.0
    assert against_bp(seen, -1) == 1.0
    assert against_bp(seen, 1) == 0.0
