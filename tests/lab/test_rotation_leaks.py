"""The rotation study knows nothing early: each variant that does is told from the honest one."""

from dataclasses import replace

import numpy as np
import pytest
from rotation_rig import COINS, GROUPS, START_MS, after, maps, panel, sector_map

from basisdesk.lab.rotation_events import events_of, outcome_of, starts_ms, story_of
from basisdesk.lab.rotation_panel import DAY_MS, Maps, Plan, dated, universe_at
from basisdesk.lab.rotation_tests import blocks_of
from basisdesk.scan.sector_history import LATE_MS
from basisdesk.scan.sector_series import STEP_MS, robust_z

PLAN = replace(Plan(), universe=12, draws=200)
ROW = 250


def known_then(made, at=ROW):
    """What a story says up to a row."""
    return made.divergence[: at + 1], made.z[: at + 1], made.universe[: at + 1]


def same(one, other):
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def sees_the_future(story):
    """Whether another future changes what a story says of the past."""
    told = panel()
    return not same(known_then(story(told)), known_then(story(after(told, ROW))))


def test_the_story_of_a_moment_stands_on_nothing_that_came_later():
    def honest(told):
        return story_of(told, maps(), PLAN)

    def ranked_by_the_whole_span(told):
        whole = np.broadcast_to(told.turnover.mean(axis=0), told.turnover.shape)
        return story_of(told._replace(turnover=whole), maps(), PLAN)

    def z_by_the_whole_span(told):
        made = honest(told)
        middle, sd = np.nanmean(made.divergence, axis=0), np.nanstd(made.divergence, axis=0)
        return made._replace(z=(made.divergence - middle) / sd)

    assert not sees_the_future(honest)
    assert sees_the_future(ranked_by_the_whole_span)
    assert sees_the_future(z_by_the_whole_span)


def counts_itself(z):
    """Whether a value is part of what it is measured by: then z does not rise evenly with it."""
    rng = np.random.default_rng(1)
    before = rng.standard_normal(100)
    first, second, third = (z(np.append(before, value))[-1] for value in (5.0, 6.0, 7.0))
    return not np.isclose(third - second, second - first, rtol=1e-9)


def test_a_value_is_no_part_of_its_own_mean():
    def leaky(values):
        return (values - values.mean()) / values.std()

    assert not counts_itself(lambda values: robust_z(values, 90, 21))
    assert counts_itself(leaky)


def test_an_outcome_that_starts_before_the_event_is_known_is_refused():
    told = panel()
    made = story_of(told, maps(), PLAN)
    found = events_of(made, told.stamps_ms, PLAN)
    assert found.number
    assert (starts_ms(told, found, PLAN) >= found.known_ms).all()
    with pytest.raises(ValueError, match="before its event could be known"):
        starts_ms(told, found, replace(PLAN, start=0))


@pytest.mark.parametrize(("start", "caught"), [(1, False), (0, True)])
def test_the_price_at_the_event_moves_no_outcome(start, caught):
    told = panel()
    made = story_of(told, maps(), PLAN)
    pushed = told.log_price.copy()
    pushed[ROW] += np.linspace(0.0, 0.5, len(COINS))
    one = outcome_of(told, made, start, 6, 4)[ROW]
    other = outcome_of(told._replace(log_price=pushed), made, start, 6, 4)[ROW]
    assert (not np.array_equal(one, other, equal_nan=True)) is caught


def test_sector_members_are_those_that_were_known_then():
    newer = START_MS + ROW * STEP_MS
    date = str(np.datetime64(newer, "ms").astype("datetime64[D]"))
    mixed = {
        "One": COINS[::3],
        "Two": COINS[1::3],
        "Three": COINS[2::3],
    }
    told = panel()

    def honest(last):
        return story_of(told, maps(last), PLAN)

    def todays_members(last):
        return story_of(told, dated([last]), PLAN)

    def moves_the_past(story):
        versions = (sector_map(GROUPS, date), sector_map(mixed, date))
        return not same(*(known_then(story(last)) for last in versions))

    assert not moves_the_past(honest)
    assert moves_the_past(todays_members)
    later = honest(sector_map(mixed, date)).sector_of[ROW + 4 :]
    assert not np.array_equal(later, honest(sector_map(GROUPS, date)).sector_of[ROW + 4 :])


def test_a_map_counts_from_the_day_after_its_date_and_hindsight_is_told():
    known = dated([sector_map(date="2023-11-16")])
    assert isinstance(known, Maps)
    stamps = np.array([START_MS + DAY_MS, START_MS + 2 * DAY_MS])
    assert known.hindsight(stamps).tolist() == [True, False]
    with pytest.raises(ValueError, match="date of its own"):
        dated([sector_map(), sector_map()])


def test_the_universe_is_the_most_traded_of_the_month_before():
    told = panel()
    takes_part = universe_at(told, PLAN)
    assert (takes_part.sum(axis=1) == 12).all()
    best = set(np.argsort(-told.turnover[ROW])[:12].tolist())
    assert set(np.flatnonzero(takes_part[ROW]).tolist()) == best
    unknown = told._replace(turnover=np.full_like(told.turnover, np.nan))
    assert universe_at(unknown, PLAN).all()


def test_a_coin_that_is_delisted_on_the_way_counts_with_its_last_price():
    told = panel(stamps=40, coins=COINS[:5])
    plan = replace(PLAN, least=5)
    price = told.log_price.copy()
    price[20:, 0] = np.nan
    made = story_of(told, dated([sector_map({"One": COINS[:5]})]), plan)
    gone = told._replace(log_price=price)
    moves = np.expm1(np.append(price[19, 0] - price[18, 0], price[23, 1:5] - price[18, 1:5]))
    two = made._replace(sector_of=np.where(np.arange(5) < 4, made.sector_of, -1))
    found = outcome_of(gone, two, 1, 6, 4)[17, 0]
    assert found == pytest.approx(moves[:4].mean() - moves.mean(), abs=1e-12)


def test_an_event_is_known_when_venues_have_published_it():
    told = panel()
    made = story_of(told, maps(), PLAN)
    found = events_of(made, told.stamps_ms, PLAN)
    assert (found.known_ms - told.stamps_ms[found.at] == LATE_MS).all()
    assert blocks_of(told.stamps_ms, 30)[-1] == (400 - 1) // 90
