"""Params and their ranges, views from both sides, plans told the other way round."""

import pytest

from basisdesk.errors import UserError
from basisdesk.events import ExitPlan
from basisdesk.playbook import shelf
from basisdesk.playbook.words import SOURCES, mirrored, turned
from tests.playbook.playbook_rig import D, but, view

BOOKS = {book.name: book for book in shelf.USUAL}


@pytest.mark.parametrize("name", BOOKS)
def test_every_param_has_a_range_a_unit_a_source_and_a_sentence(name):
    book = BOOKS[name]
    assert book.title
    assert book.about.endswith(".")
    names = [param.name for param in book.params]
    assert len(set(names)) == len(names) >= 8
    for param in book.params:
        assert param.low <= param.value <= param.high, param.name
        assert param.unit
        assert param.source in SOURCES
        assert param.text[-1] in ".,;"
    assert sum(param.source != "ours" for param in book.params) >= 8 or name == "clamp-aware"


@pytest.mark.parametrize("name", BOOKS)
def test_a_param_moves_within_its_range_and_nothing_else_does(name):
    book = BOOKS[name]
    for param in book.params:
        moved = book.with_values({param.name: param.high})
        assert {p.name: p.value for p in moved.params} == {
            p.name: p.high if p.name == param.name else p.value for p in book.params
        }
        for wrong in (param.low - 1, param.high + 1, float("nan")):
            with pytest.raises(UserError, match=param.name):
                book.with_values({param.name: wrong})
    assert book.params == shelf.find(name).params  # playbooks do not change in place


def test_no_playbook_takes_more_than_five_times_leverage():
    for book in shelf.USUAL:
        leverage = next(param for param in book.params if param.name == "leverage")
        assert leverage.value <= leverage.high == 5.0


def test_whole_params_take_whole_numbers_only():
    with pytest.raises(UserError, match="kill_pairs"):
        BOOKS["convergence"].with_values({"kill_pairs": 2.5})


def test_unknown_names_are_told():
    with pytest.raises(UserError, match="entry_z"):
        BOOKS["decoupling"].with_values({"entry": 1.0})
    with pytest.raises(UserError, match="convergence"):
        shelf.find("konvergence")


def test_entry_and_exit_change_places_for_the_reverse():
    seen = view()
    assert (seen.entry_bp(1), seen.exit_bp(1)) == (58.5, 61.5)
    assert (seen.entry_bp(-1), seen.exit_bp(-1)) == (61.5, 58.5)
    assert seen.leaving_at(1, 10.0) == 11.5
    assert seen.leaving_at(-1, 10.0) == 8.5


def test_the_sector_is_heard_from_the_side_of_the_trade():
    hot = view(sector="for")
    assert (hot.word(1), hot.word(-1)) == ("for", "against")
    assert but(hot, two_perps=True).word(-1) == "for"
    assert view().word(-1) == ""


def test_a_mirrored_basis_is_that_of_the_other_leg():
    assert mirrored(mirrored(37.0)) == pytest.approx(37.0)
    first, second = 2.0, 2.01
    basis = 1e4 * (second - first) / first
    assert mirrored(basis) == pytest.approx(1e4 * (first - second) / second)
    plan = turned(ExitPlan(D(-10), D(40), D(3), D(5), D(1), True))
    assert (plan.target_bp, plan.stop_bp) == (D("10.01"), D("-39.84"))
    assert (plan.max_hold_h, plan.net_target, plan.funding_bp, plan.sector) == (3, 5, 1, True)
