"""What the signal journal says: by kind of market, and a person's word beside the forecast's."""

import math
from dataclasses import replace

import pytest

from basisdesk.forecast.signal_score import REGIME_MIN, by_regime, overrides
from basisdesk.forecast.signals import (
    LATE_FAST_S,
    LATE_S,
    WOULD_NOT,
    WOULD_TRADE,
    Ended,
    Noted,
    Overridden,
    SignalBook,
    late_s,
    line,
    read,
)

DAY_NS = 86_400_000_000_000


def noted(number, p=0.6, regime="rich", decision="trade: p 60.0 %", day=0.0):
    t_ns = round((20_000 + day) * DAY_NS)
    return Noted(number, t_ns, "a b", 1, "ff", p, p, "v", decision, 10.0, 3.0, regime)


def ended(number, y=1, net=8.0):
    return Ended(number, y, net, 1, -3.0, net, "target" if y else "stop", 2)


def book_of(*rows):
    book = SignalBook()
    for row in rows:
        assert book.take(row)
    return book


def world(n, hit, regime="rich"):
    """n outcomes over n days: p says `hit` of the time what comes."""
    rows = []
    for k in range(1, n + 1):
        y = k % 2
        says = y if k % 10 < 10 * hit else 1 - y
        rows += [noted(k, 0.8 if says else 0.2, regime, day=k), ended(k, y, 8.0 if y else -12.0)]
    return book_of(*rows)


def test_a_regime_with_few_outcomes_has_a_count_and_a_rate_alone():
    (found,) = by_regime(world(REGIME_MIN - 1, 1.0).all(), 28_800.0)
    assert (found.regime, found.n) == ("rich", REGIME_MIN - 1)
    assert math.isnan(found.skill)


@pytest.mark.parametrize(("hit", "sign"), [(1.0, 1), (0.0, -1)])
def test_skill_is_against_the_rate_of_that_very_regime(hit, sign):
    (found,) = by_regime(world(60, hit).all(), 28_800.0)
    assert found.base_rate == 0.5
    assert found.skill == pytest.approx(1 - (0.04 if hit else 0.64) / 0.25)
    assert found.low <= found.skill <= found.high
    assert (found.low > 0) == (sign > 0)


def test_open_candidates_and_those_without_a_regime_do_not_count():
    book = book_of(noted(1), noted(2, regime=""), ended(2))
    assert by_regime(book.all(), 28_800.0) == ()
    rows = [*world(30, 1.0).all(), *world(30, 1.0, "cheap").all()]
    assert [each.regime for each in by_regime(rows, 28_800.0)] == ["rich", "cheap"]


def test_all_successes_leave_nothing_to_be_better_than():
    rows = [row for k in range(1, 41) for row in (noted(k, day=k), ended(k))]
    (found,) = by_regime(book_of(*rows).all(), 28_800.0)
    assert (found.n, found.base_rate) == (40, 1.0)
    assert math.isnan(found.skill)


def test_a_word_is_scored_beside_the_forecast():
    book = book_of(
        noted(1), Overridden(1, 5, WOULD_NOT, "news"), ended(1, 0, -12.0),
        noted(2, decision="no trade: p"), Overridden(2, 5, WOULD_TRADE, "deep"), ended(2, 1, 8.0),
        noted(3), Overridden(3, 5, WOULD_TRADE, "too"),
        noted(4), ended(4),
        noted(5), Overridden(5, 5, "not taken", "other words"), ended(5),
    )  # fmt: skip
    found = overrides(book.all())
    assert (found.n, found.told) == (3, 2)
    assert (found.person_bp, found.model_bp) == (4.0, -6.0)
    assert overrides([]).n == 0


def test_a_change_of_mind_counts_and_is_kept_with_the_outcome():
    book = book_of(noted(1), Overridden(1, 5, WOULD_TRADE, "deep"))
    assert book.take(Overridden(1, 6, WOULD_NOT, "shallow after all"))
    assert not book.take(Overridden(1, 7, WOULD_NOT, "shallow after all"))
    book.take(ended(1))
    signal = book.of(1)
    assert (signal.would, signal.override) == (False, "would not trade: shallow after all")
    assert signal.regime == "rich"
    assert signal.label is not None
    assert book.of(9) is None


def test_a_journal_from_before_regimes_reads_as_without():
    old = line(replace_regime(noted(1)))
    assert b"regime" not in old
    (row,) = read([old])
    assert row.regime == ""
    assert book_of(row).of(1).regime == ""


def replace_regime(row):
    return Noted(*(getattr(row, name) for name in row.__struct_fields__[:-1]))


def test_one_may_speak_of_a_candidate_while_it_is_young():
    assert late_s() == late_s(0.5) == LATE_S
    assert late_s(2.0) == 2 * LATE_S
    assert late_s(600.0) == LATE_FAST_S
    assert replace(book_of(noted(1)).of(1), would=True).would
