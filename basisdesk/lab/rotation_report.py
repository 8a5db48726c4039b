"""What the rotation study says: sentences, tables and charts. No estimate without its interval."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from basisdesk.lab.rotation_data import day_of
from basisdesk.lab.rotation_events import half_life_h, short_windows
from basisdesk.lab.rotation_panel import STAMPS_A_DAY
from basisdesk.lab.rotation_tests import (
    POWER_80,
    UNKNOWN,
    Answer,
    Interval,
    blocks_of,
    bootstrap,
    drawn_blocks,
    placebo,
)
from basisdesk.lab.words import chart, table
from basisdesk.market.stats import Z_95, wilson
from basisdesk.scan.sector_series import Floats

if TYPE_CHECKING:
    from basisdesk.lab.rotation import Found

BP = 1e4
STEP_H = 8
SIDES = {1: "spike", -1: "drop"}
ROWS_MAX = 1_500  # of a chart's line
BINS = 31  # of the placebo's histogram
POWER_YEARS = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0)
FUNDING_BLOCK_DAYS = 7  # divergence is gone within days, so shorter blocks do where it is alone
FUNDING_BLOCKS_MIN = 6
MEANING = {
    "SUPPORTED": "a sector's price moved unlike the universe after its funding stood out",
    "NOT SUPPORTED": "no effect of a sector's funding on its price was shown",
    "UNDERPOWERED": "these data cannot tell whether funding divergence precedes sector rotation",
}


class Count(NamedTuple):
    """How many tests spoke up, of how many."""

    out: int
    of: int


METHODS: dict[str, Callable[[Answer], float]] = {
    "t test, every settlement beyond the line for itself": lambda test: test.naive_p,
    "30-day block bootstrap": lambda test: test.p_bootstrap,
    "circular-shift placebo": lambda test: test.p_placebo,
    "both, as used here": lambda test: test.p,
}
NAIVE, USED = next(iter(METHODS)), list(METHODS)[-1]
FAMILY = "any of the four after Holm, as used here"
PLANTED_BP = 20.0
Sizes = Mapping[str, tuple[Count, Count]]  # by method: without and with an edge planted


def sentences(found: "Found", sizes: Sizes) -> list[str]:
    """What a person reads first."""
    said = [_headline(found)]
    said += _why(found)
    said += [_said(test) for test in found.tests if not math.isnan(test.mean.half)]
    said += _costs(found) + _power(found) + _held(found)
    said += _funding_alone(found)
    said += list(found.panel.notes) + _cautions(found)
    if sizes:
        said.append(
            "In simulated worlds as long as these data that hold nothing, at nominal 5 %, tests "
            f"as used here spoke up in {_share(sizes[USED][0])}, and a t test that takes every "
            f"settlement for independent in {_share(sizes[NAIVE][0])}. With {PLANTED_BP:g} bp over "
            f"48 h planted, any of the four held after Holm in {_share(sizes[FAMILY][1], 1)}."
        )
    return said


def tables(found: "Found", sizes: Sizes) -> list[dict[str, Any]]:
    """Tests, control regression, events by sector, what became of the divergence, size."""
    made = [_tests_table(found), _control_table(found), _sector_table(found), _fate_table(found)]
    if sizes:
        made.append(_size_table(sizes))
    return made


def charts(found: "Found") -> list[dict[str, Any]]:
    """Effects with intervals and the cost line, power over years, the placebo, z by sector."""
    made = [_z_chart(found)]
    if any(not math.isnan(test.mean.half) for test in found.tests):
        made = [_effects_chart(found), _power_chart(found), _placebo_chart(found), *made]
    return made


# --- sentences ------------------------------------------------------------------------------------


def _headline(found: "Found") -> str:
    stamps = found.panel.stamps_ms
    made_up = "SIMULATED. " if found.panel.simulated else ""
    spikes = int(np.count_nonzero(found.events.side > 0))
    return (
        f"{made_up}{found.verdict}: {MEANING[found.verdict]} ({found.events.number} events, "
        f"{spikes} spikes and {found.events.number - spikes} drops, {day_of(int(stamps[0]))} to "
        f"{day_of(int(stamps[-1]))})."
    )


def _why(found: "Found") -> list[str]:
    plan = found.plan
    said = []
    if not found.panel.priced:
        said.append("No prices, no outcomes: none of the four tests could be made.")
    elif not np.isfinite(found.story.divergence).any():
        said.append(
            f"No sector ever had {plan.members} members with funding in the universe, so there is "
            "no divergence and no event."
        )
    elif found.ground.block_count < plan.blocks_min:
        said.append(
            f"Outcomes lie in {found.ground.block_count} blocks of {plan.block_days} days, and "
            f"{plan.blocks_min} are needed before an interval means anything."
        )
    elif few := [_name(test) for test in found.tests if test.n < plan.events_min]:
        said.append(f"Fewer than {plan.events_min} events: {', '.join(few)}.")
    if found.hindsight and "SUPPORTED" in found.verdicts:
        said.append(
            "A test held, but on sectors that were written down later; that supports nothing."
        )
    return said


def _said(test: Answer) -> str:
    mean, apart = test.mean, test.hit_apart
    return (
        f"{_name(test).capitalize()} ({test.n} events): relative return {_bp(mean)}, above zero in "
        f"{_pct(test.hit)} of events and in {_pct(test.base_hit)} of all moments, "
        f"{_points(apart)} apart; moved by 2 % either way in {_pct(test.moved)} and "
        f"{_pct(test.base_moved)}; p {test.p:.3f}, {test.p_holm:.3f} after Holm."
    )


def _costs(found: "Found") -> list[str]:
    low, high = found.plan.cost_bp
    known = [test for test in found.tests if not math.isnan(test.mean.half)]
    ends = {_name(test): max(abs(test.mean.low), abs(test.mean.high)) * BP for test in known}
    never = [f"{name} ({end:.0f} bp)" for name, end in ends.items() if end < high]
    if not never:
        return []
    return [
        f"Not tradable even if true, by the far end of its interval against {low:g} to {high:g} bp "
        f"of costs: {', '.join(never)}."
    ]


def _power(found: "Found") -> list[str]:
    halves = [test.mean.half * BP for test in found.tests if not math.isnan(test.mean.half)]
    if not halves:
        return []
    seen = [half / Z_95 * POWER_80 for half in halves]
    return [
        f"Half-width of the 95 % interval: {min(halves):.0f} to {max(halves):.0f} bp an event. An "
        f"effect shows in four of five such histories from {min(seen):.0f} bp on at best and "
        f"{max(seen):.0f} bp at worst."
    ]


def _held(found: "Found") -> list[str]:
    return [
        f"{_name(test).capitalize()}: it was momentum or reversal. Beside the past 48 h return the "
        f"event counts {_bp(test.held)}, alone {_bp(test.bare)}."
        for test in found.tests
        if test.bare.off_zero and not test.held.off_zero
    ]


def _funding_alone(found: "Found") -> list[str]:
    fate = fates(found)
    if not found.events.number or any(math.isnan(fate[hours][0].half) for hours in fate):
        return []
    still = [
        f"{_pct(fate[hours][0].value)} [{_pct(fate[hours][0].low)}, {_pct(fate[hours][0].high)}] "
        f"after {hours} h"
        for hours in fate
    ]
    return [
        "Funding alone: of the divergence at an event this much was left: "
        f"{' and '.join(still)} (blocks of {FUNDING_BLOCK_DAYS} days)."
    ]


def _cautions(found: "Found") -> list[str]:
    said = []
    if found.hindsight:
        said.append(
            f"The oldest sector map is of {found.maps.maps[0].date}, later than {found.hindsight} "
            f"of {len(found.panel.stamps_ms)} settlements: who stands where was written with "
            "hindsight, and coins that are gone may be missing."
        )
    short = short_windows(found.story, found.events, found.plan)
    if short:
        said.append(
            f"{short} of {found.events.number} events have a z by less than the "
            f"{found.plan.window // STAMPS_A_DAY} days before them, as on a desk that just began."
        )
    return said


# --- tables ---------------------------------------------------------------------------------------


def _tests_table(found: "Found") -> dict[str, Any]:
    columns = [
        ("test", ""), ("events", ""), ("mean", "bp"), ("low", "bp"), ("high", "bp"),
        ("median", "bp"), ("hits", "%"), ("hits always", "%"), ("apart low", "points"),
        ("apart high", "points"), ("p bootstrap", ""), ("p placebo", ""), ("p Holm", ""),
        ("p naive", ""), ("verdict", ""),
    ]  # fmt: skip
    rows = [
        [
            _name(test), test.n, _round(test.mean.value * BP), _round(test.mean.low * BP),
            _round(test.mean.high * BP), _round(test.median * BP), _round(test.hit * 100),
            _round(test.base_hit * 100), _round(test.hit_apart.low * 100),
            _round(test.hit_apart.high * 100), _round(test.p_bootstrap, 4),
            _round(test.p_placebo, 4), _round(test.p_holm, 4), _round(test.naive_p, 4), verdict,
        ]
        for test, verdict in zip(found.tests, found.verdicts, strict=True)
    ]  # fmt: skip
    note = (
        "Sector minus equal-weight universe, from the settlement after the event. Intervals 95 %. "
        "Naive: every settlement beyond the line as if independent, shown to be distrusted."
    )
    return table("The four tests", columns, rows, note)


def _control_table(found: "Found") -> dict[str, Any]:
    columns = [
        ("test", ""), ("alone", "bp"), ("low", "bp"), ("high", "bp"), ("beside past 48 h", "bp"),
        ("low", "bp"), ("high", "bp"),
    ]  # fmt: skip
    rows = [
        [_name(test), *(_round(cell * BP) for each in (test.bare, test.held) for cell in each)]
        for test in found.tests
    ]
    note = (
        "Coefficient of the event in a regression over all settlements and sectors, without and "
        "with the sector's return of the 48 h before."
    )
    return table("Was it momentum or reversal?", columns, rows, note)


def _sector_table(found: "Found") -> dict[str, Any]:
    columns = [
        ("sector", ""), ("members, median", ""), ("settlements with z", ""), ("spikes", ""),
        ("drops", ""), ("half-life of divergence", "h"),
    ]  # fmt: skip
    lives = half_life_h(found.story.divergence)
    rows = []
    for number, name in enumerate(found.story.sectors):
        own = found.events.sector == number
        members = np.count_nonzero(found.story.sector_of == number, axis=1)
        rows.append(
            [
                name, int(np.median(members)),
                int(np.isfinite(found.story.z[:, number]).sum()),
                int(np.count_nonzero(own & (found.events.side > 0))),
                int(np.count_nonzero(own & (found.events.side < 0))),
                _round(float(lives[number])),
            ]
        )  # fmt: skip
    note = "A half-life from a short history is biased low; it is a description, no estimate."
    return table("Events by sector", columns, rows, note)


def fates(found: "Found") -> dict[int, tuple[Interval, Interval]]:
    """By hours after the event: (share of the divergence left, share of events still beyond)."""
    story, events = found.story, found.events
    blocks = blocks_of(found.panel.stamps_ms, FUNDING_BLOCK_DAYS)
    count = int(blocks[-1]) + 1
    weights = drawn_blocks(count, found.plan.draws, np.random.default_rng(count))
    made = {}
    for hours in (24, 48):
        later = events.at + hours // STEP_H
        there = later < len(story.z)
        at, then, sector = events.at[there], later[there], events.sector[there]
        side = events.side[there]
        before = story.divergence[at, sector] * side
        left = story.divergence[then, sector] * side
        good = np.isfinite(left) & (before > 0.0)
        beyond = (story.z[then, sector] * side > found.plan.line).astype(np.float64)
        share = _blocked(left[good], before[good], blocks[at[good]], weights)
        still, _ = bootstrap(beyond[good], blocks[at[good]], weights)
        made[hours] = share, still if count >= FUNDING_BLOCKS_MIN else UNKNOWN
    return made


def _blocked(top: Floats, under: Floats, blocks: Any, weights: Any) -> Interval:
    """Sum of top over sum of under, blocks drawn with replacement."""
    count = weights.shape[1]
    if not len(top) or count < FUNDING_BLOCKS_MIN:
        return UNKNOWN
    above, below = (weights @ np.bincount(blocks, each, count) for each in (top, under))
    low, high = np.quantile(above[below > 0.0] / below[below > 0.0], (0.025, 0.975))
    return Interval(float(top.sum() / under.sum()), float(low), float(high))


def _fate_table(found: "Found") -> dict[str, Any]:
    columns = [
        ("after", "h"), ("divergence left", "%"), ("low", "%"), ("high", "%"),
        ("events still beyond the line", "%"), ("low", "%"), ("high", "%"),
    ]  # fmt: skip
    rows = [
        [hours, *(_round(cell * 100) for each in pair for cell in each)]
        for hours, pair in fates(found).items()
    ]
    note = f"Funding alone, no price needed. Blocks of {FUNDING_BLOCK_DAYS} days."
    return table("What became of the divergence", columns, rows, note)


def _size_table(sizes: Sizes) -> dict[str, Any]:
    columns = [
        ("test", ""), ("without edge", "%"), ("low", "%"), ("high", "%"), ("of tests", ""),
        (f"with {PLANTED_BP:g} bp", "%"), ("low", "%"), ("high", "%"), ("of tests", ""),
    ]  # fmt: skip
    rows: list[list[Any]] = []
    for name, both in sizes.items():
        row: list[Any] = [name]
        for count in both:
            shares = _interval(count, 1 if name == FAMILY else 4)
            row += [*(_round(each * 100) for each in shares), count.of]
        rows.append(row)
    note = (
        "Simulated worlds as long as these data; nominal 5 %. Intervals count each world once, "
        "since its four tests share their outcomes."
    )
    return table("Measured size and power", columns, rows, note)


# --- charts ---------------------------------------------------------------------------------------


def _effects_chart(found: "Found") -> dict[str, Any]:
    names = [_name(test) for test in found.tests]
    cost = found.plan.cost_bp[1]
    lines = [
        {
            "name": "mean with 95 % interval",
            "y": [_round(test.mean.value * BP) for test in found.tests],
            "low": [_round(test.mean.low * BP) for test in found.tests],
            "high": [_round(test.mean.high * BP) for test in found.tests],
        },
        {"name": f"costs, {cost:g} bp", "y": [cost] * len(names)},
        {"name": f"costs the other way, {cost:g} bp", "y": [-cost] * len(names)},
    ]
    made = chart("points", "Relative return after an event", ("test", "bp"), names, lines)
    return {**made, "x_kind": "words"}


def _power_chart(found: "Found") -> dict[str, Any]:
    years = len(found.panel.stamps_ms) / (365.0 * STAMPS_A_DAY)
    lines = [
        {
            "name": _name(test),
            "y": [_round(test.mean.half * BP * math.sqrt(years / each)) for each in POWER_YEARS],
        }
        for test in found.tests
    ]
    lines.append({"name": "costs", "y": [found.plan.cost_bp[1]] * len(POWER_YEARS)})
    titles = ("years of data", "half-width, bp an event")
    title = "What so many years could tell (these data's half-width, as 1 over root of time)"
    return chart("line", title, titles, list(POWER_YEARS), lines)


def _placebo_chart(found: "Found") -> dict[str, Any]:
    test = found.tests[len(found.plan.horizons) - 1]
    events = found.events.take(found.events.side == test.side)
    _, means = placebo(found.ground.outcome[test.end], events, found.plan.draws, 1)
    if not len(means):
        means = np.zeros(1)
    counts, edges = np.histogram(means * BP, bins=BINS)
    middles = [_round(float(each)) for each in (edges[:-1] + edges[1:]) / 2.0]
    seen = _round(test.mean.value * BP)
    title = f"{_name(test).capitalize()}: {seen} bp, beside the same pattern at other times"
    lines = [{"name": "placebos", "y": counts.tolist()}]
    return chart("bars", title, ("bp", "placebos"), middles, lines)


def _z_chart(found: "Found") -> dict[str, Any]:
    every = max(1, -(-len(found.panel.stamps_ms) // ROWS_MAX))
    stamps = found.panel.stamps_ms[::every]
    lines = [
        {"name": name, "y": [_round(float(each), 2) for each in found.story.z[::every, number]]}
        for number, name in enumerate(found.story.sectors)
    ]
    seconds = (stamps // 1_000).tolist()
    titles = ("UTC", "robust z")
    made = chart("line", "Funding divergence by sector", titles, seconds, lines)
    return {**made, "x_kind": "time"}


# --- words ----------------------------------------------------------------------------------------


def _name(test: Answer) -> str:
    return f"{SIDES[test.side]}, {test.end * STEP_H} h"


def _bp(each: Interval) -> str:
    value, low, high = (_signed(figure * BP) for figure in each)
    return f"{value} bp [{low}, {high}]"


def _signed(bp: float) -> str:
    return f"{bp:+.0f}" if abs(bp) >= 0.5 else f"{bp:+.1f}"


def _points(each: Interval) -> str:
    return f"{each.value * 100:+.1f} points [{each.low * 100:+.1f}, {each.high * 100:+.1f}]"


def _pct(share: float) -> str:
    return f"{share * 100:.1f} %"


def _share(count: Count, a_world: int = 4) -> str:
    share, low, high = _interval(count, a_world)
    return f"{_pct(share)} [{_pct(low)}, {_pct(high)}]"


def _interval(count: Count, a_world: int) -> Interval:
    if not count.of:
        return UNKNOWN
    share = count.out / count.of
    return Interval(share, *wilson(share, count.of / a_world))


def _round(value: float, places: int = 1) -> float:
    return round(value, places) if math.isfinite(value) else math.nan
