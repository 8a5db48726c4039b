"""Anchored walk-forward over calendar months, with purge, embargo and a sealed end.

Each fold learns from everything since the beginning and is tested on the next month, as in He,
Manela, Ross, von Wachter (arXiv 2212.06888, appendix C: chosen monthly on at least six months).
Between the two lies a gap of whole days, in which nothing is learned: the purge, as long as the
longest hold and the longest look back of a feature together, since what began before the test may
end in it (Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 7), and on top of
it the embargo of one funding interval. The last part of the data stays sealed: no fold touches it.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from basisdesk.errors import UserError
from basisdesk.lab.series import Ints
from basisdesk.lab.stamp import utc_text

HOUR_NS = 3_600 * 1_000_000_000
DAY_NS = 24 * HOUR_NS
MONTHS_MAX = 1_200
SHORT_DAYS = 7  # a month's rest that is shorter joins the month before it


class Splits(NamedTuple):
    """How time is cut. train_months: the shortest training; test_months: of one fold.

    hold_h: the longest hold; feature_h: the longest look back; embargo_h: beyond both. sealed:
    share of the span that is kept for the end.
    """

    train_months: int = 6
    test_months: int = 1
    hold_h: float = 168.0
    feature_h: float = 0.0
    embargo_h: float = 8.0
    sealed: float = 0.2


class Fold(NamedTuple):
    """Learned on days [0, train_end), tested on days [test, test_end): places in Plan.days."""

    train_end: int
    test: int
    test_end: int


class Plan(NamedTuple):
    """All folds over the days that are not sealed.

    days: their UTC midnights, ns, rising without gaps. edges: places where a stretch begins or the
    last ends; what is evaluated is kept by stretches. folds: oldest first. gap: days between
    training and test. sealed_ns: where the sealed part begins, end_ns: where the data end.
    """

    days: Ints
    edges: Ints
    folds: tuple[Fold, ...]
    gap: int
    sealed_ns: int
    end_ns: int

    def at(self, day: int) -> int:
        """UTC ns of a place in days, which may be the end of the last."""
        return int(self.days[0]) + day * DAY_NS


def gap_days(splits: Splits) -> int:
    """Whole days of purge and embargo. Raises UserError where a hold has no end."""
    hours = splits.hold_h + splits.feature_h + splits.embargo_h
    if not (math.isfinite(hours) and hours >= 0.0):
        raise UserError(
            "A walk-forward needs a time stop: the gap before each test is as long as the longest "
            "hold. Give max_hold_h an end."
        )
    return math.ceil(hours / 24.0)


def plan(first_ns: int, last_ns: int, splits: Splits) -> Plan:
    """Cut the span of the data; first_ns and last_ns are its first and last row.

    Raises UserError where the span has no room for one fold.
    """
    if splits.train_months < 1 or splits.test_months < 1 or not 0.0 <= splits.sealed < 1.0:
        raise UserError(
            "A walk-forward trains and tests on 1 month or more and seals a share of 0 up to 1."
        )
    begin = first_ns // DAY_NS * DAY_NS
    end = (last_ns // DAY_NS + 1) * DAY_NS
    sealed_ns = end
    if splits.sealed > 0.0:
        sealed_ns = begin + int((end - begin) // DAY_NS * (1.0 - splits.sealed)) * DAY_NS
    days = np.arange(begin, sealed_ns, DAY_NS, dtype=np.int64)
    gap = gap_days(splits)
    edges = _edges(days, splits)
    at = _first_test(begin, splits)
    folds = tuple(
        Fold(test - gap, test, test_end)
        for test, test_end in pairwise(edges.tolist())
        if begin + test * DAY_NS >= at and test > gap
    )
    if not folds:
        raise UserError(
            f"{utc_text(first_ns)[:10]} to {utc_text(last_ns)[:10]} is too short: after the sealed "
            f"{splits.sealed:.0%}, {splits.train_months} months to learn from and a gap of {gap} "
            "days no month is left to test on. Give more data or fewer --train-months."
        )
    return Plan(days, edges, folds, gap, sealed_ns, last_ns + 1)


def _first_test(begin: int, splits: Splits) -> int:
    month = np.datetime64(begin, "ns").astype("datetime64[M]")
    whole = month.astype("datetime64[ns]").astype(np.int64) == begin
    return _midnight(month + splits.train_months + (0 if whole else 1))


def _edges(days: Ints, splits: Splits) -> Ints:
    # months from the first test on, in steps of the test; before it every month
    if not len(days):
        return np.zeros(1, dtype=np.int64)
    begin = int(days[0])
    start = _first_test(begin, splits)
    month = np.datetime64(begin, "ns").astype("datetime64[M]")
    found = [0]
    for _ in range(MONTHS_MAX):
        month += 1 if _midnight(month + 1) <= start else splits.test_months
        at = (_midnight(month) - begin) // DAY_NS
        if at >= len(days):
            break
        found.append(at)
    short = len(found) > 1 and len(days) - found[-1] < SHORT_DAYS
    return np.array([*(found[:-1] if short else found), len(days)], dtype=np.int64)


def _midnight(month: np.datetime64) -> int:
    return int(month.astype("datetime64[ns]").astype(np.int64))


# --- the proof that nothing overlaps --------------------------------------------------------------


def leaks(cut: Plan, splits: Splits) -> int:
    """Days learned from whose outcome could reach into a test of their fold: must be 0.

    A day reaches as far as the longest hold, the longest look back and the embargo go from its
    end; anything learned in or after its own test, and anything sealed, counts as well.
    """
    reach = (splits.hold_h + splits.feature_h + splits.embargo_h) * HOUR_NS
    found = 0
    for fold in cut.folds:
        ends = cut.days[: fold.train_end] + DAY_NS
        found += int(np.count_nonzero(ends + reach > cut.at(fold.test)))
        found += max(fold.train_end - fold.test, 0)
        found += int(np.count_nonzero(cut.days[fold.test : fold.test_end] >= cut.sealed_ns))
    return found
