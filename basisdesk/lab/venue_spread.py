"""Funding spread between venues: how wide, how long, and whether it pays its costs before it turns.

The founding claim: the spread of one coin's funding between two venues averages 3 to 8 bp per
cycle, and a trade is worth it from 6 bp on. Long the perpetual that pays, short the one that is
paid: four taker fills, which many cycles have to earn back. Rates are what was settled in each 8 h
by UTC, so venues that settle every hour stand beside those that settle every eight.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from basisdesk import __version__
from basisdesk.errors import UserError
from basisdesk.lab.claims import Status
from basisdesk.lab.rotation_data import Rates, day_of, read_rates
from basisdesk.lab.rotation_panel import grid
from basisdesk.lab.rotation_tests import (
    UNKNOWN,
    Interval,
    blocks_of,
    bootstrap,
    drawn_blocks,
)
from basisdesk.lab.words import (
    Progress,
    chart,
    made_by,
    no_progress,
    plain,
    pre_registration,
    table,
)
from basisdesk.scan import sector_series as series
from basisdesk.scan.sector_series import Floats, Ints

CLAIM_BP = (3.0, 8.0)  # per cycle, as the claim has it
NET_BP = (3.0, 12.0)  # net a cycle after fees, as the other claim has it
HYPOTHESIS = (
    "The funding of one coin differs between two venues by 3 to 8 bp per 8 h on average, and from "
    "6 bp on it earns back four taker fills before it turns."
)
HAZARD_CYCLES = 12  # of the table; later ones are few


@dataclass(frozen=True)
class SpreadPlan:
    """The pre-registered constants, bp of one leg's notional.

    trigger: per 8 h. cost: two perpetuals in and out as taker, 4 x 5 bp. hold: cycles after which
    a trade is closed in any case.
    """

    trigger_bp: float = 6.0
    cost_bp: float = 20.0
    hold: int = 90
    block_days: int = 30
    blocks_min: int = 8
    trades_min: int = 30
    draws: int = 2_000


@dataclass(frozen=True)
class SpreadOptions:
    """What a run is made of."""

    funding: tuple[Path, ...] = ()
    draws: int = SpreadPlan().draws
    seed: int = 1


class Pair(NamedTuple):
    """Spread of one coin between two venues at each settlement, bp per 8 h; NaN where unknown."""

    coin: str
    venues: tuple[str, str]
    spread: Floats


class Trade(NamedTuple):
    """One spread that went beyond the trigger. at: row of it; cycles: settlements it was held.

    why: "reversed", "time" or "end" of the data. paid_bp: what was received until then, before
    costs. even: cycle in which the costs were earned back, 0 where they never were.
    """

    coin: str
    venues: tuple[str, str]
    at: int
    cycles: int
    why: str
    paid_bp: float
    even: int


class Spreads(NamedTuple):
    """All that was found.

    mean: size of the spread, bp per 8 h, and above: share beyond the trigger, both over all pairs
    and moments. Of trades that came to an end: paying, the share that earned after costs, turned,
    the share that reversed before, and net, bp each.
    """

    stamps_ms: Ints
    pairs: list[Pair]
    trades: list[Trade]
    mean: Interval
    above: Interval
    paying: Interval
    turned: Interval
    net: Interval


def add_spread_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `basisdesk lab spread`."""
    parser.add_argument(
        "--funding",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="several venues' funding",
    )
    parser.add_argument("--seed", type=int, default=1, help="of all draws")


def spread_from(arguments: argparse.Namespace) -> SpreadOptions:
    """The options as they were typed."""
    return SpreadOptions(funding=tuple(arguments.funding), seed=arguments.seed)


def run_spread(options: SpreadOptions, progress: Progress = no_progress) -> dict[str, Any]:
    """The study as plain values. Raises UserError; Cancelled where progress says stop."""
    if not options.funding or options.seed < 0:
        raise UserError(
            "Name the funding of several venues with --funding, and a --seed from 0 on."
        )
    plan = SpreadPlan(draws=options.draws)
    rates = [each for path in options.funding for each in read_rates(path, progress)]
    found = studied(rates, plan, options.seed)
    return _study(options, plan, found, rates)


def studied(rates: list[Rates], plan: SpreadPlan, seed: int) -> Spreads:
    """Spreads and trades of all pairs of venues. Raises UserError where there are none."""
    if not rates:
        raise UserError("No funding to study. Name files of it with --funding.")
    first = min(int(each.ms[0]) for each in rates)
    stamps = grid(first, max(int(each.ms[-1]) for each in rates) + series.MINUTE_MS)
    pairs = list(pairs_of(rates, stamps))
    if not pairs:
        raise UserError("No coin has funding of two venues at the same time. Name more of it.")
    trades = [trade for pair in pairs for trade in trades_of(pair, plan)]
    blocks = blocks_of(stamps, plan.block_days)
    weights = drawn_blocks(int(blocks[-1]) + 1, plan.draws, np.random.default_rng(seed))
    table: Floats = np.abs(np.stack([pair.spread for pair in pairs], axis=1))
    row, column = np.nonzero(np.isfinite(table))
    values: Floats = np.asarray(table[row, column], dtype=np.float64)
    at = blocks[row]
    ended = [trade for trade in trades if trade.why != "end"]
    started = blocks[np.array([trade.at for trade in ended], dtype=np.int64)]
    net = np.array([trade.paid_bp - plan.cost_bp for trade in ended])
    turned = np.array([float(trade.why == "reversed" and not trade.even) for trade in ended])

    def told(figures: Any, own: Ints) -> Interval:
        mean, _ = bootstrap(np.asarray(figures, dtype=np.float64), own, weights)
        return mean if len(np.unique(at)) >= plan.blocks_min else UNKNOWN._replace(value=mean.value)

    return Spreads(
        stamps, pairs, trades, told(values, at), told(values > plan.trigger_bp, at),
        told(net > 0.0, started), told(turned, started), told(net, started),
    )  # fmt: skip


def pairs_of(rates: list[Rates], stamps: Ints) -> Iterator[Pair]:
    """Every two perpetuals of one coin that were settled at the same time, by name."""
    lines = {
        (each.coin, each.leg.split(":")[0]): series.on_grid(each.ms, each.rate, stamps)
        for each in rates
    }
    for (coin, venue), (other, there) in combinations(sorted(lines), 2):
        spread = lines[coin, venue] - lines[other, there]
        if coin == other and np.isfinite(spread).any():
            yield Pair(coin, (venue, there), spread)


def trades_of(pair: Pair, plan: SpreadPlan) -> Iterator[Trade]:
    """What the rule would have done: in after a settlement beyond the trigger, out at a reversal.

    The settlement that set it off pays nothing: it was known after it had passed. The one at which
    the spread turns is paid. An unknown settlement pays nothing and ends nothing.
    """
    line = pair.spread.tolist()
    row = 0
    while row < len(line):
        if not abs(line[row]) > plan.trigger_bp:
            row += 1
            continue
        trade = _held(pair, line, row, plan)
        yield trade
        row += max(1, trade.cycles)


def _held(pair: Pair, line: list[float], at: int, plan: SpreadPlan) -> Trade:
    side = math.copysign(1.0, line[at])
    paid, even, cycles, why = 0.0, 0, 0, "end"
    for value in line[at + 1 : at + 1 + plan.hold]:
        cycles += 1
        if math.isnan(value):
            continue
        paid += value * side
        if not even and paid >= plan.cost_bp:
            even = cycles
        if value * side <= 0.0:
            why = "reversed"
            break
    if why == "end" and cycles == plan.hold:
        why = "time"
    return Trade(pair.coin, pair.venues, at, cycles, why, paid, even)


# --- what it says ---------------------------------------------------------------------------------


def _study(
    options: SpreadOptions, plan: SpreadPlan, found: Spreads, rates: list[Rates]
) -> dict[str, Any]:
    first, last = (day_of(int(found.stamps_ms[place])) for place in (0, -1))
    return {
        "study": "spread",
        "title": "Does the funding spread between venues pay its costs?",
        "version": __version__,
        "made_by": made_by("lab spread", asdict(options)),
        "data": plain([_source(each) for each in rates]),
        "pre_registration": pre_registration(
            HYPOTHESIS,
            asdict(plan),
            trials=1,
            dates={"first": first, "last": last},
            costs={"two perpetuals in and out, taker, bp": plan.cost_bp},
        ),
        "verdict": verdict_of(found, plan),
        "n": len(found.trades),
        "dates": [first, last],
        "claims": claims_of(found),
        "sentences": _sentences(found, plan, (first, last)),
        "tables": [_pair_table(found, plan), _hazard_table(found)],
        "charts": [_spread_chart(found), _survival_chart(found)],
    }


def verdict_of(found: Spreads, plan: SpreadPlan) -> str:
    """SUPPORTED where the mean spread reaches the claimed range and trades earn on average."""
    if math.isnan(found.mean.half):
        return "UNDERPOWERED"
    if found.mean.high < CLAIM_BP[0]:
        return "NOT SUPPORTED"
    if len(found.trades) < plan.trades_min or math.isnan(found.net.half):
        return "UNDERPOWERED"
    if found.net.high < 0.0:
        return "NOT SUPPORTED"
    return "SUPPORTED" if found.mean.low >= CLAIM_BP[0] and found.net.low > 0.0 else "UNDERPOWERED"


def claims_of(found: Spreads) -> dict[str, dict[str, Any]]:
    """Answers by claim: how far apart venues are, and what a cycle earns after costs.

    A trade lasts a cycle at least, so where its whole net is below the claimed one of a cycle so is
    each cycle's.
    """
    ended = sum(trade.why != "end" for trade in found.trades)
    return {
        "spread": {
            "status": _within(found.mean, CLAIM_BP),
            "n": len(found.pairs),
            "said": f"{_told(found.mean, 1.0, 'bp')} per 8 h on average over {len(found.pairs)} "
            f"pairs of venues; beyond 6 bp {_told(found.above, 100.0, '%')} of the time.",
        },
        "cycle": {
            "status": "not reproduced" if found.net.high < NET_BP[0] else "undecided",
            "n": ended,
            "said": f"{ended} trades that came to an end netted {_told(found.net, 1.0, 'bp')} each "
            f"over all of their cycles; {_told(found.paying, 100.0, '%')} earned anything.",
        },
    }


def _within(each: Interval, claimed: tuple[float, float]) -> Status:
    """Whether an interval lies inside what is claimed, outside of it, or neither."""
    if math.isnan(each.half):
        return "undecided"
    if each.high < claimed[0] or each.low > claimed[1]:
        return "not reproduced"
    return "reproduced" if claimed[0] <= each.low and each.high <= claimed[1] else "undecided"


def _sentences(found: Spreads, plan: SpreadPlan, dates: tuple[str, str]) -> list[str]:
    cycles = math.ceil(plan.cost_bp / plan.trigger_bp)
    ended = [trade for trade in found.trades if trade.why != "end"]
    said = [
        f"{verdict_of(found, plan)}: the funding of one coin differs between two venues by "
        f"{_told(found.mean, 1.0, 'bp')} per 8 h on average, where the claim has {CLAIM_BP[0]:g} "
        f"to {CLAIM_BP[1]:g} bp ({len(found.pairs)} pairs, {dates[0]} to {dates[1]}).",
        f"It is beyond {plan.trigger_bp:g} bp {_told(found.above, 100.0, '%')} of the time.",
        f"At {plan.trigger_bp:g} bp it takes {cycles} cycles to earn back {plan.cost_bp:g} bp of "
        "costs, if it stays.",
    ]
    if ended:
        said.append(
            f"{len(ended)} trades that came to an end: {_told(found.paying, 100.0, '%')} "
            f"earned after costs, {_told(found.turned, 100.0, '%')} turned before they had earned "
            f"them back; {_told(found.net, 1.0, 'bp')} net each."
        )
    if math.isnan(found.mean.half):
        said.append(f"Less than {plan.blocks_min} blocks of {plan.block_days} days: no interval.")
    said.append(
        "Funding only: that two perpetuals of one coin drift apart in price, margin on two venues "
        "and transfers between them are not in it."
    )
    return said


def _told(each: Interval, scale: float, unit: str) -> str:
    if math.isnan(each.half):
        return f"{each.value * scale:.2f} {unit} (no interval)"
    low, high = each.low * scale, each.high * scale
    return f"{each.value * scale:.2f} {unit} [{low:.2f}, {high:.2f}]"


def _pair_table(found: Spreads, plan: SpreadPlan) -> dict[str, Any]:
    columns = [
        ("coin", ""), ("venues", ""), ("settlements", ""), ("mean", "bp per 8 h"),
        ("mean size", "bp per 8 h"), ("95 % of sizes below", "bp per 8 h"),
        ("beyond trigger", "%"), ("trades", ""), ("earned after costs", ""),
    ]  # fmt: skip
    rows = []
    for pair in found.pairs:
        known = pair.spread[np.isfinite(pair.spread)]
        own = [t for t in found.trades if (t.coin, t.venues) == (pair.coin, pair.venues)]
        rows.append(
            [
                pair.coin, " and ".join(pair.venues), len(known), round(float(known.mean()), 2),
                round(float(np.abs(known).mean()), 2),
                round(float(np.quantile(np.abs(known), 0.95)), 2),
                round(float((np.abs(known) > plan.trigger_bp).mean()) * 100, 1), len(own),
                sum(t.paid_bp > plan.cost_bp for t in own),
            ]
        )  # fmt: skip
    note = "Means of single pairs are descriptions; the interval is over all of them."
    return table("Pairs of venues", columns, rows, note)


def _hazard(found: Spreads) -> list[tuple[int, int, int]]:
    """(cycle, trades still open before it, those that turned in it)."""
    return [
        (
            cycle,
            sum(trade.cycles >= cycle for trade in found.trades),
            sum(trade.cycles == cycle and trade.why == "reversed" for trade in found.trades),
        )
        for cycle in range(1, HAZARD_CYCLES + 1)
    ]


def _hazard_table(found: Spreads) -> dict[str, Any]:
    columns = [("cycle", ""), ("open", ""), ("turned", ""), ("hazard", "%")]
    rows = [
        [cycle, held, out, round(100.0 * out / held, 1) if held else math.nan]
        for cycle, held, out in _hazard(found)
    ]
    note = "Of the trades open before a cycle, how many saw the spread turn in it."
    return table("When the spread turns", columns, rows, note)


def _survival_chart(found: Spreads) -> dict[str, Any]:
    left, y = 1.0, [1.0]
    for _, held, out in _hazard(found):
        left *= 1.0 - out / held if held else 1.0
        y.append(round(left, 4))
    x = list(range(HAZARD_CYCLES + 1))
    lines = [{"name": "share not turned (Kaplan-Meier)", "y": y}]
    return chart("line", "Spreads beyond the trigger", ("cycles of 8 h", "share"), x, lines)


def _spread_chart(found: Spreads) -> dict[str, Any]:
    sizes = np.abs(np.concatenate([pair.spread for pair in found.pairs]))
    sizes = np.minimum(sizes[np.isfinite(sizes)], 10.0)
    counts, edges = np.histogram(sizes, bins=20, range=(0.0, 10.0))
    x = [round(float(each), 2) for each in (edges[:-1] + edges[1:]) / 2.0]
    lines = [{"name": "share of moments", "y": (counts / counts.sum() * 100).round(2).tolist()}]
    title = "Size of the spread (10 bp and more in the last bar)"
    return chart("bars", title, ("bp per 8 h", "%"), x, lines)


def _source(each: Rates) -> dict[str, Any]:
    return {
        "name": each.leg,
        "rows": len(each.ms),
        "from": day_of(int(each.ms[0])),
        "to": day_of(int(each.ms[-1])),
    }
