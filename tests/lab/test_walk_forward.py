"""Anchored walk-forward: no day that is learned from reaches into its test, nothing sealed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from basisdesk.errors import UserError
from basisdesk.lab.walk_forward import DAY_NS, HOUR_NS, Fold, Plan, Splits, leaks, plan


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def date(t_ns: int) -> str:
    return str(np.datetime64(t_ns, "ns"))[:10]


THREE_YEARS = plan(ns("2022-01-01T01"), ns("2024-12-31T23"), Splits())


def test_folds_are_calendar_months_after_half_a_year() -> None:
    cut = THREE_YEARS
    tests = [(date(cut.at(f.test)), date(cut.at(f.test_end))) for f in cut.folds]
    assert tests[0] == ("2022-07-01", "2022-08-01")
    assert tests[1] == ("2022-08-01", "2022-09-01")
    assert tests[-1] == ("2024-05-01", "2024-05-26")
    assert date(cut.sealed_ns) == "2024-05-26"
    assert len(cut.folds) == 23


def test_each_test_begins_where_the_last_one_ended() -> None:
    folds = THREE_YEARS.folds
    assert all(a.test_end == b.test for a, b in pairwise(folds))
    assert folds[-1].test_end == len(THREE_YEARS.days)


def test_the_gap_is_hold_feature_and_embargo_in_whole_days() -> None:
    assert THREE_YEARS.gap == 8  # 168 + 0 + 8 h
    cut = plan(ns("2022-01-01"), ns("2023-12-31"), Splits(hold_h=20.0, feature_h=24.0))
    assert cut.gap == 3  # 20 + 24 + 8 h are 52
    assert all(f.test - f.train_end == 3 for f in cut.folds)


def test_a_month_that_has_begun_is_no_month_to_learn_from() -> None:
    cut = plan(ns("2022-01-08"), ns("2023-12-31"), Splits(train_months=3))
    assert date(cut.at(cut.folds[0].test)) == "2022-05-01"


def test_the_rest_of_a_month_joins_the_month_before() -> None:
    cut = plan(ns("2022-01-01"), ns("2022-12-04"), Splits(sealed=0.0))
    assert date(cut.at(cut.folds[-1].test)) == "2022-11-01"
    assert cut.folds[-1].test_end == len(cut.days)
    assert cut.sealed_ns >= cut.end_ns


def test_tests_of_several_months() -> None:
    cut = plan(ns("2022-01-01"), ns("2023-12-31T23"), Splits(test_months=3, sealed=0.0))
    assert [date(cut.at(f.test)) for f in cut.folds[:2]] == ["2022-07-01", "2022-10-01"]


@pytest.mark.parametrize(
    ("splits", "why"),
    [
        (Splits(), "too short"),
        (Splits(hold_h=float("inf")), "needs a time stop"),
        (Splits(train_months=0), "1 month or more"),
        (Splits(sealed=1.0), "share of 0 up to 1"),
    ],
)
def test_what_cannot_be_cut_is_refused(splits: Splits, why: str) -> None:
    with pytest.raises(UserError, match=why):
        plan(ns("2022-01-01"), ns("2022-06-30"), splits)


@given(
    first=st.integers(ns("2020-01-01"), ns("2022-01-01")),
    days=st.integers(200, 1_500),
    train=st.integers(1, 8),
    test=st.integers(1, 4),
    hold_h=st.floats(1.0, 1_000.0),
    feature_h=st.floats(0.0, 500.0),
    sealed=st.sampled_from([0.0, 0.1, 0.2, 0.5]),
)
def test_no_plan_leaks(
    first: int, days: int, train: int, test: int, hold_h: float, feature_h: float, sealed: float
) -> None:
    splits = Splits(train, test, hold_h, feature_h, 8.0, sealed)
    try:
        cut = plan(first, first + days * DAY_NS, splits)
    except UserError:
        return
    assert leaks(cut, splits) == 0
    assert all(0 < f.train_end < f.test < f.test_end <= len(cut.days) for f in cut.folds)
    assert cut.at(len(cut.days)) <= cut.sealed_ns
    assert cut.sealed_ns <= cut.end_ns + DAY_NS
    assert cut.edges[0] == 0
    assert cut.edges[-1] == len(cut.days)
    assert np.all(np.diff(cut.edges) > 0)


def damaged(cut: Plan, **more: int) -> Plan:
    return cut._replace(folds=tuple(f._replace(**more) for f in cut.folds))


def test_a_purge_that_was_removed_is_caught() -> None:
    cut = plan(ns("2022-01-01"), ns("2024-12-31"), Splits(hold_h=0.0))  # the embargo alone
    assert cut.gap == 1
    assert leaks(cut, Splits(hold_h=168.0)) == 7 * len(cut.folds)


def test_an_embargo_that_was_removed_is_caught() -> None:
    cut = plan(ns("2022-01-01"), ns("2024-12-31"), Splits(hold_h=24.0, embargo_h=0.0))
    assert cut.gap == 1
    assert leaks(cut, Splits(hold_h=24.0, embargo_h=8.0)) == len(cut.folds)


def test_a_feature_that_looks_back_is_purged_too() -> None:
    cut = plan(ns("2022-01-01"), ns("2024-12-31"), Splits(hold_h=24.0))
    assert leaks(cut, Splits(hold_h=24.0, feature_h=72.0)) > 0


def test_learning_inside_the_test_or_the_seal_is_caught() -> None:
    cut = plan(ns("2022-01-01"), ns("2024-12-31"), Splits())
    inside = cut._replace(folds=(Fold(200, 181, 212),))
    assert leaks(inside, Splits()) >= 19
    sealed = cut._replace(sealed_ns=cut.at(len(cut.days) - 3))
    assert leaks(sealed, Splits()) == 3
    assert HOUR_NS * 24 == DAY_NS
