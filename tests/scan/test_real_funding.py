"""Real funding of 539 Binance perpetuals (2026-01-12 .. 2026-03-20): the figures of the scanner's
columns beside an independent reading of the same files, and the sector divergence of that time,
drawn.

The other reading uses no numpy and none of the product: exact fractions, calendar times, medians
of the standard library. The files are read where they lie and never copied.
"""

import csv
import itertools
import math
import os
import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from basisdesk.config import Scanner, Settings
from basisdesk.events import ScanPage, ScanPast, ScanRow, Ticker
from basisdesk.market.funding import FundingClock
from basisdesk.market.past import Past
from basisdesk.market.universe import Universe
from basisdesk.scan.openings import YEAR_PCT
from basisdesk.scan.past_stats import gap_of, momentum, settled_8h_bp
from basisdesk.scan.past_stats import paid as payments
from basisdesk.scan.sector_map import parse_sectors
from basisdesk.scan.sectors import Sectors
from basisdesk.ui.resources import resource
from basisdesk.venues.instrument import split_symbol

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "funding" / "binance_539_symbols_2026"
HOUR = timedelta(hours=1)
# Settlements by the hours that they are for, and symbols by the intervals that they had: most are
# 4-hourly, 26 changed their interval, and 2 and 3 h are what is left until the venue's grid of 4 h.
ROWS = {4: 79_655, 8: 25_428, 1: 2_211, 3: 9, 2: 8}
KINDS = {
    (4,): 386, (8,): 124, (1,): 3, (1, 4): 5, (1, 8): 2, (1, 4, 8): 4, (2, 4): 1, (1, 2, 4): 5,
    (1, 3, 4): 8, (1, 2, 3, 4): 1,
}  # fmt: skip
CHANGES = 56


@pytest.fixture(scope="module")
def files():
    if not FOLDER.is_dir():
        pytest.skip("the real funding files (../shared/data/funding) are not on this machine")
    return sorted(FOLDER.glob("*.csv"))


@pytest.fixture(scope="module")
def hand(files):
    """Each file read by hand, once for all tests."""
    return {file.stem: by_hand(file) for file in files}


# --- the other reading ----------------------------------------------------------------------------


class Paid:
    """One settlement as a person would write it down: to the hour, exact."""

    __slots__ = ("at", "hours", "ms_off", "rate")

    def __init__(self, line):
        at = datetime.fromtimestamp(int(line["timestamp"]) / 1000, UTC)
        self.at = (at + HOUR / 2).replace(minute=0, second=0, microsecond=0)
        self.ms_off = at - self.at
        self.rate = Fraction(Decimal(line["funding_rate"]))
        self.hours = 0


def by_hand(file):
    """A file's settlements with the hours that each is for."""
    with file.open(newline="") as text:
        paid = [Paid(line) for line in csv.DictReader(text)]
    for before, here in itertools.pairwise(paid):
        here.hours = int((here.at - before.at) / HOUR)
    paid[0].hours = paid[1].hours
    return paid


# --- the product's --------------------------------------------------------------------------------


def by_product(file):
    """The same file in the past that the product keeps: the past, and the key of its leg."""
    past, key = Past(funding_days=90), f"binance:perp:{file.stem}"
    lines = file.read_text().splitlines()[1:]
    rows = tuple((int(line.split(",")[0]), float(line.split(",")[2])) for line in lines)
    past.learn(ScanPast(key, (), rows))
    return past, key


@pytest.fixture(scope="module")
def kept(files):
    """Each file as the product keeps it, once for all tests."""
    return {file.stem: by_product(file) for file in files}


def test_all_539_symbols_are_there(files):
    assert len(files) == 539


def test_interval_and_rates_a_year_of_each_symbol(kept, hand):
    rows, kinds, changes = Counter(), Counter(), 0
    for name, (past, key) in kept.items():
        told = hand[name]
        assert all(abs(one.ms_off) < timedelta(seconds=1) for one in told), name
        wanted = [one.hours for one in told]
        stamps = [int(one.at.timestamp() * 1000) for one in told]

        found = payments(past, key)
        assert found.hours.tolist() == wanted, name
        assert found.ms.tolist() == stamps, name

        ms, bp = settled_8h_bp(past, key)
        year = [float(one.rate * 100 * 365 * 24 / one.hours) for one in told]
        assert ms.tolist() == stamps, name
        assert np.allclose(YEAR_PCT * bp, year, rtol=1e-12, atol=0.0), name

        rows.update(wanted)
        changes += sum(a != b for a, b in itertools.pairwise(wanted))
        kinds[tuple(sorted(set(wanted)))] += 1
    assert rows == ROWS
    assert kinds == KINDS
    assert changes == CHANGES


# --- momentum -------------------------------------------------------------------------------------


def steps_of(told):
    """(hours of a step, bp per 8 h of the steps that are paid for in whole, oldest first)."""
    hours = max(one.hours for one in told)
    sums, known = {}, Counter()
    for one in told:
        number = -(-int(one.at.timestamp()) // (3600 * hours))  # of the step that ends then or next
        sums[number] = sums.get(number, 0) + one.rate
        known[number] += one.hours
    whole = sorted(number for number in sums if known[number] == hours)
    return hours, [float(sums[number] * 80_000 / hours) for number in whole]


def weighted(values, span):
    """Mean of the last values, each weighing (span - 1) / (span + 1) of the one after it."""
    recent = values[-math.ceil(6 * span) :]
    weights = [((span - 1) / (span + 1)) ** back for back in range(len(recent) - 1, -1, -1)]
    return math.fsum(v * w for v, w in zip(recent, weights, strict=True)) / math.fsum(weights)


def test_momentum_of_each_symbol(kept, hand):
    told = 0
    for name, (past, key) in kept.items():
        gap = gap_of(None, payments(past, key))  # the perpetual against spot
        found = momentum(gap.gap_bp[np.isfinite(gap.gap_bp)], gap.step_h)
        hours, values = steps_of(hand[name])
        assert gap.step_h == hours, name
        if len(values) * hours < 168:
            assert math.isnan(found), name
            continue
        wanted = weighted(values, 24 / hours) - weighted(values, 168 / hours)
        assert found == pytest.approx(wanted, abs=1e-9), name
        told += 1
    assert told > 500


# --- velocity -------------------------------------------------------------------------------------

LAST = 30  # settlements of each symbol whose indicative path is played
TICKS = 6  # of an interval
TAU_H = 0.5  # quant.md 2.11


def played(told):
    """A clock fed with an indicative path, and the slope it should have seen, bp an hour.

    In each interval the rate goes straight from half of the settled one before to the one that is
    settled. The slope that is seen runs after the true one with a memory of half an hour; the step
    at the stamp is none.
    """
    clock, seen = FundingClock(), 0.0
    for before, here in itertools.pairwise(told):
        begin_ms, stamp_ms = (int(one.at.timestamp() * 1000) for one in (before, here))
        first, last = float(before.rate) / 2, float(here.rate)
        for tick in range(TICKS + 1):
            share = tick / TICKS
            ms = begin_ms + round(share * (stamp_ms - begin_ms)) + (tick == 0)
            rate = first + share * (last - first)
            ticker = Ticker("k", "", 1.0, 1.0, 0.0, rate, float(here.hours), stamp_ms, 0.0, ms)
            clock.apply(ticker)
        slope = (last - first) * 1e4 / here.hours
        seen = slope + (seen - slope) * math.exp(-here.hours / TAU_H)
    return clock, seen


def test_velocity_of_each_symbol_on_a_path_to_what_was_settled(hand):
    moving = 0
    for name, told in hand.items():
        clock, seen = played(told[-LAST:])
        assert clock.bad_stamps == clock.rejected == 0, name
        assert clock.interval_h == told[-1].hours, name
        assert clock.velocity_bp_h == pytest.approx(seen, rel=1e-5, abs=1e-6), name
        moving += abs(seen) > 0.01
    assert moving > 300


# --- sectors --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def overlay(files, hand):
    """The overlay an hour after the newest settlement, over all coins of the files that it maps."""
    sectors = parse_sectors(resource("sectors.json").read_bytes())
    coins = {key: split_symbol(key)[0] for key in (f"binance:perp:{f.stem}" for f in files)}
    coins = {key: coin for key, coin in coins.items() if coin in sectors.sector_of}
    settings = Settings(
        scanner=Scanner(coins=tuple(dict.fromkeys(coins.values())), venues=("binance",))
    )
    universe = Universe(settings)
    pasts = {key: hand[key.removeprefix("binance:perp:")] for key in coins}
    newest = max(paid[-1].at for paid in pasts.values())
    now_ms = int((newest + HOUR).timestamp() * 1000)
    page = []
    for key, paid in pasts.items():
        rows = tuple((int(one.at.timestamp() * 1000), float(one.rate)) for one in paid)
        universe.apply(ScanPast(key, (), rows), now_ms * 1_000_000)
        last = paid[-1]
        page.append(
            ScanRow(
                key, rate=float(last.rate), interval_h=float(last.hours), turnover_day=5e7,
                mark=1.0, open_interest=1e6,
            )
        )  # fmt: skip
    universe.apply(ScanPage("binance", tuple(page), now_ms), now_ms * 1_000_000)
    made = Sectors(sectors, settings)
    market = SimpleNamespace(universe=universe)
    for beat in range(12):
        made.refresh(market, (now_ms + beat * 1000) * 1_000_000)
    return SimpleNamespace(made=made, view=made.view, map=sectors, coins=coins, pasts=pasts)


def eight_hourly(paid):
    """{stamp: bp per 8 h} of the steps that at least half is known of."""
    sums, known = Counter(), Counter()
    for one in paid:
        stamp = one.at + timedelta(hours=-one.at.hour % 8)
        sums[stamp] += one.rate
        known[stamp] += one.hours
    return {stamp: sums[stamp] * 80_000 / hours for stamp, hours in known.items() if hours >= 4}


def middle(values, least):
    return statistics.median(values) if len(values) >= max(1, least) else None


def test_the_divergence_of_each_sector_is_what_medians_by_hand_give(overlay):
    rates = {overlay.coins[key]: eight_hourly(paid) for key, paid in overlay.pasts.items()}
    compared = 0
    for name in overlay.map.order:
        members = [coin for coin in overlay.map.members(name) if coin in rates]
        line = overlay.view.divergence_lines[name][:-1]
        for ms, found in zip(overlay.view.times_ms[:-1].tolist(), line.tolist(), strict=True):
            stamp = datetime.fromtimestamp(ms / 1000, UTC)
            own = [rates[coin][stamp] for coin in members if stamp in rates[coin]]
            every = [rate[stamp] for rate in rates.values() if stamp in rate]
            level = middle(own, max(4, -(-len(members) // 2)))
            market = middle(every, -(-len(rates) // 2))
            if level is None or market is None:
                assert np.isnan(found), (name, stamp)
            else:
                assert found == pytest.approx(float(level - market), abs=1e-9), (name, stamp)
                compared += 1
    assert compared > 800


def test_z_uses_what_went_before_alone(overlay):
    for name in overlay.map.order:
        line = overlay.view.divergence_lines[name].tolist()
        z = overlay.view.z_lines[name].tolist()
        for at in (len(line) - 40, len(line) - 2, len(line) - 1):
            before = [value for value in line[max(0, at - 270) : at] if value == value]
            usual = statistics.median(before)
            mad = statistics.median(abs(value - usual) for value in before)
            wanted = (line[at] - usual) / max(1.4826 * mad, 0.2)
            assert z[at] == pytest.approx(wanted, abs=1e-9), (name, at)


def test_the_sectors_of_2026_are_drawn(overlay, qtbot, tmp_path):
    """Saved to BASISDESK_PICTURES when that names a folder, to be looked at."""
    from basisdesk.config import Ui
    from basisdesk.ui.sectors_panel import SectorsPanel
    from basisdesk.ui.theme import theme_for

    folder = Path(os.environ.get("BASISDESK_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("dark", "light"):
        settings = Settings(ui=Ui(theme=name))
        context = SimpleNamespace(
            settings=settings,
            scan=SimpleNamespace(sectors=overlay.view, why_empty=""),
            engine=SimpleNamespace(now_ns=0),
        )
        theme = theme_for(settings.ui)
        panel = SectorsPanel(context, theme)
        panel.setStyleSheet(theme.style_sheet())
        qtbot.addWidget(panel)
        panel.resize(1280, 340)
        panel.show()
        for kind in ("Lines", "Heat map", "Table"):
            panel.show_kind(kind)
            picture = panel.grab().toImage()
            assert picture.save(str(folder / f"sectors-2026-{name}-{kind.split()[0].lower()}.png"))
            colours = {
                picture.pixelColor(x, y).name() for x in range(0, 960, 4) for y in range(40, 320, 3)
            }
            assert len(colours) > 8, (name, kind)
        assert set(panel.chart._end_scribe.rects) == set(overlay.map.order)
