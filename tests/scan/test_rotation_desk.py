"""Lab and desk mean the same: one divergence, one z, one moment at which a sector stands out."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from sector_rig import MAP, SectorRig

from basisdesk.lab.rotation_events import events_of, story_of
from basisdesk.lab.rotation_panel import Panel, Plan, dated
from basisdesk.scan.sector_series import STEP_MS, on_grid
from basisdesk.scan.sector_states import ENTER, replay


def test_divergence_and_z_are_those_of_the_desk():
    rig = SectorRig(days=60)
    rng = np.random.default_rng(5)
    rates = {coin: 1.0 + np.cumsum(rng.standard_normal(80)) for coin in rig.coins}
    rig.page()
    rig.settle(lambda coin, i: float(rates[coin][79 - i]), stamps=80)
    rig.beats(12)
    desk = rig.sectors._history.story
    legs = {coin: [rig.universe.past.settled(key) for key in rig.keys(coin)] for coin in rig.coins}
    rate = np.stack([on_grid(*legs[coin][0], desk.times_ms) for coin in rig.coins], axis=1)
    unknown = np.full_like(rate, np.nan)
    told = Panel("a test", True, desk.times_ms, rig.coins, rate, unknown, unknown)
    lab = story_of(told, dated([MAP]), Plan())
    for number, name in enumerate(lab.sectors):
        assert np.array_equal(
            lab.divergence[:, number], desk.lines[name].divergence, equal_nan=True
        )
        assert np.array_equal(lab.z[:, number], desk.lines[name].z, equal_nan=True)
        assert np.isfinite(lab.z[:, number]).sum() > 30


def test_events_are_where_the_desk_counts_enough_settlements_beyond_the_line():
    rng = np.random.default_rng(6)
    z = np.round(1.7 * rng.standard_normal((120, 2)), 1)  # the line itself is met too
    z[rng.random(z.shape) < 0.05] = np.nan
    times = STEP_MS * np.arange(120, dtype=np.int64)
    found = events_of(SimpleNamespace(z=z), times, replace(Plan(), cool=1))
    for number in (0, 1):
        own = {
            at: side
            for at, side, g in zip(found.at, found.side, found.sector, strict=True)
            if g == number
        }
        counts = [replay(times[: i + 1].tolist(), z[: i + 1, number]).beyond for i in range(120)]
        desk = {i: np.sign(count) for i, count in enumerate(counts) if abs(count) >= ENTER}
        assert own == desk
        assert len(desk) > 5


def test_no_second_event_of_a_sector_within_its_cool_down():
    z = np.full((30, 2), 2.0)
    z[:, 1] = -2.0
    found = events_of(SimpleNamespace(z=z), STEP_MS * np.arange(30, dtype=np.int64), Plan())
    assert found.at[found.sector == 0].tolist() == [1, 7, 13, 19, 25]
    assert set(found.side[found.sector == 1].tolist()) == {-1}
