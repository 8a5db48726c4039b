"""What a position knows of its cost, its margin and its funding, worked by hand."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from positions_cases import (
    PERP,
    PERP_B,
    SPOT,
    added,
    entry,
    liquidated,
    of,
    opened,
    reduced,
)

from basisdesk.errors import RuleError
from basisdesk.events import BorrowCharged, FundingSettled, MarginMoved
from basisdesk.trading.positions import HOUR_NS

D = Decimal
BOTH = (PERP, PERP_B)


def paid(amount, settle_ms, *, key=PERP, source="ticker", from_margin="0", ts_ns=9):
    return FundingSettled(
        ts_ns, 1, key, settle_ms, D("0.0001"), D("0.6"), D(-1000), D(amount),
        source=source, from_margin=D(from_margin),
    )  # fmt: skip


def test_the_average_of_what_is_held_survives_exits_and_takes_up_later_entries():
    told = of(opened(entry(1000, 1000, ("0.6", "0.6"))))
    short = told.short
    assert (short.held_price, short.held_cost) == (D("0.6"), D(600))
    of(reduced(400, 400), told)
    assert (short.held_price, short.held_cost) == (D("0.6"), D(360))
    of(added(entry(600, 600, ("0.7", "0.7"))), told)
    # 600 left at 0.6 and 600 more at 0.7: the venue's average is 0.65, of all entries 0.6375
    assert (short.held_price, short.held_cost) == (D("0.65"), D(780))
    assert short.entry_price == D(1020) / D(1600) == D("0.6375")
    assert told.isolated(short, D("0.00055")).entry == D("0.65")


def test_the_average_of_two_entries_is_exact_while_nothing_was_closed():
    told = of(opened(entry(3, 3, ("0.1", "0.1"))))
    of(added(entry(4, 4, ("0.2", "0.2"))), told)
    assert (told.short.mean_qty, told.short.mean_cost) == (D(7), D("1.1"))


def test_a_leg_that_was_closed_and_entered_again_has_the_new_average():
    told = of(opened(entry(1000, 1000)))
    of(reduced(0, 1000), told)
    of(added(entry(0, 500, ("1", "0.8"))), told)
    assert told.short.held_price == D("0.8")
    assert told.state == "unhedged"


def test_the_margin_of_a_late_leg_is_its_own():
    told = of(opened(entry(1000, 0, legs=BOTH), legs=BOTH, margin="300"))
    assert (told.long.margin, told.short.margin) == (D(300), 0)
    of(added(entry(0, 400, legs=BOTH), margin="120"), told)
    of(added(entry(0, 600, legs=BOTH), margin="180"), told)
    assert (told.long.margin, told.short.margin, told.margin) == (D(300), D(300), D(600))


def test_both_legs_of_two_perpetuals_get_what_their_fills_need():
    told = of(opened(entry(1000, 900, legs=BOTH), legs=BOTH, margin="570"))
    assert (told.long.margin, told.short.margin) == (D(300), D(270))
    of(added(entry(10, 110, legs=BOTH), margin="36"), told)
    assert (told.long.margin, told.short.margin) == (D(303), D(303))


def test_the_margin_of_one_reduced_leg_leaves_the_other_alone():
    told = of(opened(entry(1000, 1000, legs=BOTH), legs=BOTH, margin="600"))
    of(reduced(250, 0, legs=BOTH, margin="75"), told)
    assert (told.long.margin, told.short.margin) == (D(225), D(300))
    of(reduced(250, 0, legs=BOTH, margin="74"), told)  # the outcome has the word
    assert (told.long.margin, told.short.margin) == (D(151), D(300))
    of(reduced(0, 1000, legs=BOTH, margin="300"), told)
    assert (told.long.margin, told.short.margin, told.state) == (D(151), 0, "unhedged")


def test_a_spot_leg_reduced_alone_releases_no_margin():
    told = of(opened(entry(1000, 1000), margin="300"))
    of(reduced(100, 0), told)
    assert (told.margin, told.short.added) == (D(300), 0)


def test_more_margin_asked_back_than_there_is_gives_back_what_there_is():
    told = of(opened(entry(1000, 1000), margin="300"))
    of(reduced(500, 500, margin="400"), told)
    assert told.margin == 0


def test_margin_by_hand_goes_in_and_out_again_but_never_below_zero():
    told = of(opened(entry(1000, 1000), margin="300"))
    of(MarginMoved(7, 1, D(40)), told)
    of(MarginMoved(8, 1, D("-15.5")), told)
    assert (told.margin, told.short.added) == (D("324.5"), D("24.5"))
    with pytest.raises(RuleError, match="more than its margin"):
        of(MarginMoved(9, 1, D("-324.50000001")), told)


def test_margin_leaves_two_perpetuals_by_what_was_added_to_each():
    told = of(opened(entry(1000, 500, legs=BOTH), legs=BOTH, margin="450"))
    of(MarginMoved(7, 1, D(90)), told)
    assert (told.long.added, told.short.added) == (D(60), D(30))
    of(MarginMoved(8, 1, D(-45)), told)
    assert (told.long.added, told.short.added) == (D(30), D(15))
    assert (told.long.margin, told.short.margin) == (D(330), D(165))
    of(paid("-15", 1_000, key=PERP_B, from_margin="15"), told)
    of(MarginMoved(9, 1, D(-30)), told)  # nothing of the short leg's is spare any more
    assert (told.long.margin, told.short.margin) == (D(300), D(150))


def test_funding_that_margin_paid_brings_the_liquidation_nearer():
    told = of(opened(entry(1000, 1000), margin="300"))
    of(paid("-10", 1_000, from_margin="4"), told)
    assert (told.margin, told.short.added, told.funding) == (D(296), D(-4), D(-10))
    assert told.isolated(told.short, D(0)).added == D(-4)
    with pytest.raises(RuleError, match="cannot pay"):
        of(paid("-999", 2_000, from_margin="297"), told)


def test_margin_pays_for_the_leg_that_settled():
    told = of(opened(entry(1000, 1000, legs=BOTH), legs=BOTH, margin="600"))
    of(paid("-10", 1_000, key=PERP_B, from_margin="10"), told)
    assert (told.long.margin, told.short.margin) == (D(300), D(290))


def test_interest_that_margin_paid_comes_from_the_perpetual():
    legs = (PERP, SPOT)
    told = of(opened(entry(1000, 1000, legs=legs), legs=legs, margin="300"))
    of(
        BorrowCharged(9, 1, SPOT, 2, D("1E-6"), D(1000), D("0.6"), D(1), from_margin=D("0.25")),
        told,
    )
    assert (told.margin, told.borrow, told.borrow_hours) == (D("299.75"), D(1), 2)


def test_deleveraging_returns_what_it_says_of_the_margin():
    told = of(opened(entry(1000, 1000), margin="300"))
    of(liquidated(400, cause="adl", margin=D(120)), told)
    assert (told.short.qty, told.margin, told.state) == (D(-600), D(180), "naked")
    of(liquidated(600, cause="adl"), told)
    assert (told.short.qty, told.margin, told.state) == (0, 0, "naked")


def test_deleveraging_one_of_two_perpetuals_leaves_the_others_margin():
    told = of(opened(entry(1000, 1000, legs=BOTH), legs=BOTH, margin="600"))
    of(liquidated(1000, cause="adl", margin=D(300), key=PERP_B, legs=BOTH), told)
    assert (told.long.margin, told.short.margin) == (D(300), 0)


def test_adverse_counts_the_last_settlements_that_we_paid_on_both_legs_together():
    told = of(opened(entry(1000, 1000, legs=BOTH), legs=BOTH, margin="600"))
    for stamp, amounts, adverse in (
        (1, ("-1", "0.4"), 1),  # 0.6 paid over both legs
        (2, ("-1", "1.5"), 0),  # received
        (3, ("-1", "1"), 0),  # nothing either way
        (4, ("-0.1", "0"), 1),
        (5, ("0.2", "-0.5"), 2),
    ):
        of(paid(amounts[0], stamp * 1000, key=PERP), told)
        of(paid(amounts[1], stamp * 1000, key=PERP_B), told)
        assert told.adverse == adverse


def test_a_settlement_heard_of_late_takes_its_place_in_the_row():
    told = of(opened(entry(1000, 1000), margin="300"))
    of(paid("-1", 3_000), told)
    of(paid("-1", 1_000), told)
    assert told.adverse == 2
    of(paid("0.5", 2_000), told)
    assert told.adverse == 1


def test_the_parts_of_an_accrued_hour_are_one_settlement():
    told = of(opened(entry(1000, 1000), margin="300"))
    of(paid("-1", 1_800_000, source="close", ts_ns=HOUR_NS // 2), told)
    of(paid("1.5", 3_600_000), told)
    assert (told.adverse, told.nets) == (0, {3_600_000: D("0.5")})


def test_the_basis_of_a_pair_with_one_leg_is_not_a_number():
    told = of(opened(entry(1000, 0)))
    assert told.entry_bp != told.entry_bp
    of(added(entry(0, 1000, ("0.6", "0.603"))), told)
    assert told.entry_bp == pytest.approx(50.0)


def test_a_later_leg_is_held_from_its_own_fill_on():
    told = of(opened(entry(1000, 0), ts_ns=5))
    (late,) = entry(0, 1000)
    of(added([replace(late, ts_ns=70)], ts_ns=70), told)
    assert told.short.qty_before(70) == 0
    assert told.short.qty_before(71) == -1000
    assert told.long.qty_before(6) == 1000
