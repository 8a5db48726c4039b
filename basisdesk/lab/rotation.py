"""The rotation study: does a sector's funding foretell its prices? Pre-registered, two-sided.

The founding claim is that funding divergence precedes sector rotation by 24 to 48 hours. The study
counts its events as the desk does, takes the sector's return over the universe's from the next
settlement on, and answers SUPPORTED, NOT SUPPORTED or UNDERPOWERED, with the count and the dates.
"""

import argparse
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from basisdesk import __version__
from basisdesk.errors import UserError
from basisdesk.lab import rotation_report as report
from basisdesk.lab.claims import by_verdict
from basisdesk.lab.rotation_data import day_of, read_maps, read_panel
from basisdesk.lab.rotation_events import (
    Events,
    Story,
    events_of,
    outcome_of,
    starts_ms,
    story_of,
)
from basisdesk.lab.rotation_panel import Maps, Panel, Plan
from basisdesk.lab.rotation_report import FAMILY, METHODS, PLANTED_BP, Count
from basisdesk.lab.rotation_sim import simulated, simulated_maps
from basisdesk.lab.rotation_tests import Answer, Ground, answers, blocks_of
from basisdesk.lab.words import Progress, made_by, no_progress, plain, pre_registration, told

Verdict = Literal["SUPPORTED", "NOT SUPPORTED", "UNDERPOWERED"]

WORLDS_MAX = 1_000
FIRST_WORLD = 1_000  # seed of it, far from those that people choose
YEARS_MAX = 10.0
HYPOTHESIS = (
    "After a sector's settled funding stood out from the market's for two settlements (robust z "
    "over 90 days beyond 1.5), its price moves unlike the universe's within 24 h or 48 h. "
    "Two-sided; spikes and drops apart; four tests under Holm."
)


@dataclass(frozen=True)
class RotationOptions:
    """What a run is made of. sectors: dated maps; simulate: a made-up world instead of files.

    edge_bp: planted in the simulated world. worlds: null worlds to measure the tests' size in.
    draws: of bootstrap and placebo, fewer only to try things out.
    """

    funding: tuple[Path, ...] = ()
    prices: tuple[Path, ...] = ()
    sectors: tuple[Path, ...] = ()
    simulate: bool = False
    edge_bp: float = 0.0
    years: float = 3.0
    seed: int = 1
    worlds: int = 0
    draws: int = Plan().draws


class Found(NamedTuple):
    """All that a study found out. verdict of each test by its place; reasons: sentences."""

    panel: Panel
    maps: Maps
    plan: Plan
    story: Story
    events: Events
    ground: Ground
    tests: list[Answer]
    verdicts: list[Verdict]
    verdict: Verdict
    hindsight: int


def add_rotation_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `basisdesk lab rotation`."""
    one = RotationOptions()
    add = parser.add_argument
    add("--funding", type=Path, nargs="+", default=[], metavar="PATH", help="settled funding")
    add("--prices", type=Path, nargs="+", default=[], metavar="PATH", help="hourly candles")
    add("--sectors", type=Path, nargs="+", default=[], metavar="FILE", help="dated sector maps")
    add("--simulate", action="store_true", help="a simulated world instead of files")
    add("--edge", type=float, default=one.edge_bp, metavar="BP", help="planted in that world")
    add("--years", type=float, default=one.years, help="of that world")
    add("--seed", type=int, default=one.seed, help="of the world and of all draws")
    add("--worlds", type=int, default=one.worlds, help="null worlds to measure the size in")


def rotation_from(arguments: argparse.Namespace, shipped: Path | None = None) -> RotationOptions:
    """The options as they were typed. Raises UserError for what makes no sense.

    shipped: the program's own sector map, which stands in where none is named.
    """
    options = RotationOptions(
        funding=tuple(arguments.funding),
        prices=tuple(arguments.prices),
        sectors=tuple(arguments.sectors) or ((shipped,) if shipped else ()),
        simulate=arguments.simulate,
        edge_bp=arguments.edge,
        years=arguments.years,
        seed=arguments.seed,
        worlds=arguments.worlds,
    )
    _check(options)
    return options


def run_rotation(options: RotationOptions, progress: Progress = no_progress) -> dict[str, Any]:
    """The study as plain values. Raises UserError; Cancelled where progress says stop."""
    _check(options)
    plan = Plan(draws=options.draws)
    if options.simulate:
        told(progress, 0, 1, "simulated worlds")
        panel, maps = simulated(options.years, options.seed, options.edge_bp), simulated_maps()
    else:
        maps = read_maps(options.sectors)
        panel = read_panel(options.funding, options.prices, plan, progress)
    found = studied(panel, maps, plan, options.seed)
    years = len(panel.stamps_ms) / (365.0 * 3.0)
    sizes = measured(options.worlds, min(years, YEARS_MAX), plan, progress)
    return _study(options, found, sizes)


def studied(panel: Panel, maps: Maps, plan: Plan, seed: int) -> Found:
    """Events, outcomes, tests and verdict of one panel."""
    story = story_of(panel, maps, plan)
    events = events_of(story, panel.stamps_ms, plan)
    starts_ms(panel, events, plan)  # refuses to look ahead
    ground = ground_of(panel, story, plan)
    tests = answers(ground, events, plan, seed)
    verdicts = [verdict_of(each, plan) for each in tests]
    hindsight = int(np.count_nonzero(maps.hindsight(panel.stamps_ms)))
    whole = whole_verdict(verdicts, hindsight > 0)
    return Found(panel, maps, plan, story, events, ground, tests, verdicts, whole, hindsight)


def ground_of(panel: Panel, story: Story, plan: Plan) -> Ground:
    """Outcomes of all settlements and sectors, whatever funding said of them."""
    outcome = {
        end: outcome_of(panel, story, plan.start, end, plan.members) for end in plan.horizons
    }
    past = outcome_of(panel, story, -plan.past, 0, plan.members)
    beyond = np.where(np.abs(story.z) > plan.line, np.sign(story.z), 0.0)
    return Ground(outcome, past, blocks_of(panel.stamps_ms, plan.block_days), beyond)


def verdict_of(test: Answer, plan: Plan) -> Verdict:
    """Of one test.

    SUPPORTED: Holm's p is below 5 % and the event still counts beside the past 48 h return.
    NOT SUPPORTED: one of the two fails, in data whose interval is narrower than the costs.
    UNDERPOWERED: too few events or months, an interval wider than the costs, or one that leaves
    zero out while Holm's p does not reach 5 %.
    """
    if test.n < plan.events_min or not np.isfinite(test.mean.half):
        return "UNDERPOWERED"
    if test.p_holm < plan.alpha:
        same = test.held.value * test.mean.value > 0.0
        return "SUPPORTED" if test.held.off_zero and same else "NOT SUPPORTED"
    narrow = test.mean.half * 1e4 <= plan.cost_bp[1]
    return "NOT SUPPORTED" if narrow and not test.mean.off_zero else "UNDERPOWERED"


def whole_verdict(verdicts: list[Verdict], hindsight: bool) -> Verdict:
    """Of all tests together: one that holds is enough, unless its sectors were known too late."""
    if "SUPPORTED" in verdicts:
        return "UNDERPOWERED" if hindsight else "SUPPORTED"
    return "UNDERPOWERED" if "UNDERPOWERED" in verdicts else "NOT SUPPORTED"


def measured(
    worlds: int, years: float, plan: Plan, progress: Progress
) -> dict[str, tuple[Count, Count]]:
    """(size, power) by method: how often it spoke up at 5 % in simulated worlds, as long as these.

    Size in worlds that hold nothing to be found, power in the same ones with `PLANTED_BP` planted.
    """
    found = {name: [[0, 0], [0, 0]] for name in (*METHODS, FAMILY)} if worlds else {}
    for done in range(2 * worlds):
        told(progress, done, 2 * worlds, "simulated worlds")
        seed, planted = FIRST_WORLD + done // 2, done % 2
        panel = simulated(years, seed, PLANTED_BP * planted)
        tests = studied(panel, simulated_maps(), plan, seed).tests
        for name, p in METHODS.items():
            _count(found[name][planted], [p(test) < plan.alpha for test in tests if _told(p(test))])
        family = [test.p_holm < plan.alpha for test in tests if _told(test.p_holm)]
        _count(found[FAMILY][planted], [any(family)] if family else [])
    return {name: (Count(*size), Count(*power)) for name, (size, power) in found.items()}


def _told(p: float) -> bool:
    return not math.isnan(p)


def _count(sums: list[int], said: list[bool]) -> None:
    sums[0] += sum(said)
    sums[1] += len(said)


def _study(
    options: RotationOptions, found: Found, sizes: Mapping[str, tuple[Count, Count]]
) -> dict[str, Any]:
    panel, plan = found.panel, found.plan
    first, last = (day_of(int(panel.stamps_ms[place])) for place in (0, -1))
    registered = pre_registration(
        HYPOTHESIS,
        {**asdict(plan), "sector_maps": [each.date for each in found.maps.maps]},
        trials=len(found.tests),
        dates={"first": first, "last": last},
        costs={"pair trade, four taker legs, bp": list(plan.cost_bp)},
    )
    said = report.sentences(found, sizes)
    answer = by_verdict(found.verdict, said[0], int(found.events.number))
    claims = {} if panel.simulated else {"rotation": answer}
    return {
        "study": "rotation",
        "title": "Does a sector's funding foretell its prices?",
        "version": __version__,
        "made_by": made_by("lab rotation", asdict(options)),
        "simulated": panel.simulated,
        "data": plain(panel.sources) or [{"name": panel.name}],
        "pre_registration": registered,
        "verdict": found.verdict,
        "n": found.events.number,
        "dates": [first, last],
        "claims": claims,
        "sentences": said,
        "tables": report.tables(found, sizes),
        "charts": report.charts(found),
    }


def _check(options: RotationOptions) -> None:
    if options.simulate and options.funding:
        raise UserError("--simulate makes its own funding; leave out --funding, or --simulate.")
    if not options.simulate and not options.funding:
        raise UserError("Nothing to study. Name funding with --funding, or say --simulate.")
    if not options.simulate and not options.sectors:
        raise UserError("No sector map. Name one or more with --sectors.")
    if not 0.25 <= options.years <= YEARS_MAX:
        raise UserError(f"--years is {options.years:g}; a world has 0.25 to {YEARS_MAX:g} years.")
    if not abs(options.edge_bp) <= 1_000.0:
        raise UserError(f"--edge is {options.edge_bp:g}; -1,000 to 1,000 bp can be planted.")
    if not 0 <= options.worlds <= WORLDS_MAX or options.seed < 0:
        raise UserError(f"--worlds must be 0 to {WORLDS_MAX:,} and --seed 0 or more.")
    if not 100 <= options.draws <= 100_000:
        raise UserError(f"{options.draws:,} draws; 100 to 100,000 can be made.")
