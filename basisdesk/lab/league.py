"""The playbook league: the five playbooks over the same data, side by side; it may be none of them.

Each is the desk's own object with the desk's own autopilot, an engine and an account of its own,
at three sets of fees and at twice the highest. Beside them stand never trading, always-on carry,
random entries and shuffled funding. What a playbook lacks in these data it lacks as in the desk: it
stands still and says why, and the reasons are counted.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from basisdesk import __version__
from basisdesk.config import Settings
from basisdesk.errors import UserError
from basisdesk.lab.league_claims import KINDEST, league_claims
from basisdesk.lab.league_costs import COSTS
from basisdesk.lab.league_data import Field, Told, bars_field, edges_of, tape_field
from basisdesk.lab.league_lines import Line, Marks, by_name, held_of, marks_of
from basisdesk.lab.league_nulls import Ground, carry_daily, together
from basisdesk.lab.league_run import Entrant, Walked, not_walked, walked
from basisdesk.lab.league_tables import (
    Against,
    CarryLine,
    against_table,
    attribution_table,
    equity_chart,
    result_table,
    stood_table,
    tiers_chart,
    tiers_table,
    worst_charts,
    worst_of,
    worst_table,
)
from basisdesk.lab.league_views import Need, need_of, slowed, usual_stretch
from basisdesk.lab.league_words import sentences
from basisdesk.lab.rule import Costs
from basisdesk.lab.series import PairSeries
from basisdesk.lab.series_tape import tape_series
from basisdesk.lab.sources import (
    SourceOptions,
    add_source_arguments,
    open_series,
    source_from,
    source_kind,
)
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.tape import TapeReader
from basisdesk.lab.words import (
    Progress,
    data_row,
    made_by,
    no_progress,
    pre_registration,
    told,
)
from basisdesk.playbook.decoupling import KNOBS, Decoupling
from basisdesk.playbook.shelf import USUAL
from basisdesk.playbook.words import Knobs, Playbook

VERSION = 1
CAPITAL = 10_000.0
NEVER = -1e6  # a level of a knob that nothing is below
HYPOTHESIS = (
    "At a regular user's taker fees at least one of the five playbooks, as they come, earns more "
    "than never trading over these data."
)
VARIANTS = ("no crossover", "bands only")  # of decoupling, for the claim about crossovers


class LeagueOptions(NamedTuple):
    """How the league is run. tier: the costs of the main table. tiers: all that are walked.

    capital: of each account. stretch: how many times slower the clock is for playbooks that need
    quotes, on bars; 0 for a bar as the desk's minute, 1 for none. values: by playbook and param.
    """

    tier: str = "taker"
    tiers: tuple[str, ...] = tuple(COSTS)
    capital: float = CAPITAL
    stretch: float = 0.0
    values: tuple[tuple[str, str, float], ...] = ()


class _Data(NamedTuple):
    """What is walked. fields: makes a field of a series at some costs. demo: prices are made up."""

    each: tuple[PairSeries, ...]
    fields: Callable[[int, Costs], Field]
    demo: bool


# --- the command line -----------------------------------------------------------------------------


def add_league_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `basisdesk lab league`, those of the data included."""
    add_source_arguments(parser)
    usual = LeagueOptions()
    add = parser.add_argument
    add("--tier", choices=tuple(COSTS), default=usual.tier, help="costs of the main table")
    add("--tiers", choices=tuple(COSTS), nargs="+", default=list(usual.tiers), help="walked")
    add("--capital", type=float, default=usual.capital, metavar="USDT", help="of each account")
    add("--stretch", type=float, default=usual.stretch, metavar="X",
        help="slower clock on bars; 0: a bar as a minute, 1: none")  # fmt: skip
    add("--set", dest="values", nargs="+", default=[], metavar="BOOK.PARAM=VALUE",
        help="numbers of a playbook, such as clamp-aware.blind_share=0.25")  # fmt: skip


def league_from(arguments: argparse.Namespace) -> tuple[SourceOptions, LeagueOptions]:
    """Data and options of parsed arguments. Raises UserError."""
    tiers = [name for name in COSTS if name in {*arguments.tiers, arguments.tier}]
    options = LeagueOptions(
        tier=arguments.tier,
        tiers=tuple(tiers),
        capital=arguments.capital,
        stretch=arguments.stretch,
        values=tuple(_value(text) for text in arguments.values),
    )
    _check(options)
    return source_from(arguments), options


def _value(text: str) -> tuple[str, str, float]:
    name, _, number = text.partition("=")
    book, _, param = name.partition(".")
    try:
        return book, param, float(number)
    except ValueError as exc:
        raise UserError(f"--set {text}: write BOOK.PARAM=VALUE, such as carry.hold_h=48.") from exc


def _check(options: LeagueOptions) -> None:
    if not 100.0 <= options.capital <= 1e9:
        raise UserError(f"--capital is {options.capital:g}; 100 to 1e9 USDT can be had.")
    if options.stretch and not 1.0 <= options.stretch <= 100_000.0:
        raise UserError(f"--stretch is {options.stretch:g}; 1 is none, 0 takes a bar as a minute.")
    _books(options)


def _books(options: LeagueOptions) -> tuple[Playbook, ...]:
    """The playbooks with their values set. Raises UserError."""
    known = {book.name: book for book in USUAL}
    for name, param, value in options.values:
        if name not in known:
            raise UserError(f"There is no playbook {name!r}. Known: {', '.join(known)}.")
        known[name] = known[name].with_values({param: value})
    return tuple(known.values())


# --- the study ------------------------------------------------------------------------------------


def run_league(
    source: SourceOptions, options: LeagueOptions, progress: Progress = no_progress
) -> dict[str, Any]:
    """The study over one symbol, or several with commas between. Raises UserError, Cancelled."""
    if source_kind(source) == "tape":
        return study_league(_tape(source, options), options, progress)
    each = []
    symbols = source.symbol.split(",")
    for done, symbol in enumerate(symbols):
        told(progress, done, len(symbols), "series read")
        each.append(open_series(source._replace(symbol=symbol)))
    return study_league(series_data(each, options), options, progress)


def series_data(each: Sequence[PairSeries], options: LeagueOptions) -> _Data:
    """Series as what is walked."""
    told_of = [Told(series, options.capital) for series in each]
    return _Data(
        tuple(each), lambda at, costs: bars_field(told_of[at], costs, options.capital), demo=False
    )


def _tape(source: SourceOptions, options: LeagueOptions) -> _Data:
    if source.since or source.until:
        raise UserError("A tape is walked as a whole. Leave out --from and --to.")
    assert source.tape is not None
    reader = TapeReader(source.tape)
    series = tape_series(TapeReader(source.tape), source.long, source.short)
    legs = series.spot, series.perp

    def field(_at: int, costs: Costs) -> Field:
        return tape_field(reader, legs, costs, options.capital, Settings())

    return _Data((series,), field, demo=reader.header.source == "demo")


def study_league(
    data: _Data, options: LeagueOptions, progress: Progress = no_progress
) -> dict[str, Any]:
    """Figures, tables and charts of one run; see `lab.pages` for the words of a study."""
    _check(options)
    entrants, needs = entrants_of(options, data.each)
    marks = _marks(data.each)
    lines, variants = _walk_all(entrants, data, options, marks, progress)
    main = list(by_name(lines, options.tier).values())
    costs = COSTS[options.tier]
    carry = _carry(data.each, costs, options.capital, marks)
    against = {line.entrant.name: _against(line, data.each, carry, marks, costs) for line in main}
    worst = worst_of(main, data.each)
    claims = (
        {} if data.demo else league_claims(lines, options.tier, (carry, marks), variants, data.each)
    )
    return {
        "study": "league",
        "title": "Playbook league",
        "version": __version__,
        "made_by": made_by("lab league", options._asdict()),
        "data": [data_row(series) for series in data.each],
        "pre_registration": _fixed(data, options, entrants),
        "claims": claims,
        "figures": [_figures(line, marks) for line in lines],
        "sentences": sentences(main, needs, (carry, marks), against, demo=data.demo),
        "tables": [
            result_table(main, needs, carry, marks),
            against_table(main, against),
            attribution_table(lines),
            tiers_table(lines, marks),
            stood_table(main, needs, [each.spot.partition(":")[0] for each in data.each]),
            worst_table(worst, data.each),
        ],
        "charts": [
            equity_chart(main, carry, marks),
            tiers_chart(lines, marks),
            *worst_charts(worst, data.each),
        ],
    }


def entrants_of(
    options: LeagueOptions, each: Sequence[PairSeries]
) -> tuple[list[Entrant], dict[str, Need]]:
    """(who is walked, whose needs were looked at): by the desk's clock where that can speak."""
    step_s = max(series.step_s for series in each)
    stretch = options.stretch or max(usual_stretch(series) for series in each)
    found, needs = [], {}
    for book in _books(options):
        need = needs[book.name] = need_of(book, step_s)
        if not need.why:
            found.append(Entrant(book.name, book))
        elif stretch > 1.0:
            found.append(Entrant(f"{book.name} x{stretch:g}", slowed(book, stretch), stretch))
    return found, needs


def _walk_all(
    entrants: Sequence[Entrant],
    data: _Data,
    options: LeagueOptions,
    marks: Marks,
    progress: Progress,
) -> tuple[list[Line], dict[str, Line]]:
    """(lines by playbook and costs, those of decoupling's variants at the kindest by name)."""
    tiers = sorted(options.tiers, key=lambda name: COSTS[name].round_trip_bp)
    variants = [] if data.demo else variants_of(entrants)
    count = (len(entrants) * len(tiers) + len(variants)) * len(data.each)
    done = 0
    before: dict[tuple[str, int], Walked] = {}
    found: dict[tuple[str, str], list[Walked]] = {}
    for tier in tiers:
        work = [*entrants, *(variants if tier == KINDEST else [])]
        for at in range(len(data.each)):
            field = data.fields(at, COSTS[tier])
            for entrant in work:
                told(progress, done, count, "walks")
                known = before.get((entrant.name, at))
                one = _one(entrant, field, marks, known)
                before[entrant.name, at] = one
                found.setdefault((entrant.name, tier), []).append(one)
                done += 1
    span_s = float(marks.edges_ns[-1] - marks.edges_ns[0]) / 1e9
    told(progress, count, count, "walks")

    def line(entrant: Entrant, tier: str) -> Line:
        return Line(entrant, tier, tuple(found[entrant.name, tier]), span_s)

    lines = [line(entrant, tier) for entrant in entrants for tier in tiers]
    return lines, {each.name: line(each, KINDEST) for each in variants if KINDEST in tiers}


def _one(entrant: Entrant, field: Field, marks: Marks, known: Walked | None) -> Walked:
    if known is not None and not known.deals and not known.refused:
        return not_walked(known)
    return walked(entrant, field, marks.edges_ns)


def variants_of(entrants: Sequence[Entrant]) -> list[Entrant]:
    """Decoupling without its crossover, and with its bands and nothing that confirms them."""
    own = next((each for each in entrants if each.book.name == "decoupling"), None)
    if own is None:
        return []
    values = {param.name: param.value for param in own.book.params}
    free = {"cross_sd": NEVER}
    bare = {**free, "widen_max": -NEVER, "depth_min": NEVER, "tilt_max": -NEVER, "lead_cut": 1.0}
    return [
        Entrant(f"{own.name}, {name}", _changed(values, more), own.stretch)
        for name, more in zip(VARIANTS, (free, bare), strict=True)
    ]


def _changed(values: Mapping[str, float], more: Mapping[str, float]) -> Decoupling:
    # beyond what a user may set, so not by `changed`
    new = {**values, **more}
    params = tuple(msgspec.structs.replace(p, value=new[p.name]) for p in KNOBS.params)
    return Decoupling(Knobs(params))


def _marks(each: Sequence[PairSeries]) -> Marks:
    first = min(int(series.t_ns[0]) for series in each)
    last = max(int(series.t_ns[-1]) for series in each)
    return marks_of(*edges_of(first, last))


def _carry(each: Sequence[PairSeries], costs: Costs, capital: float, marks: Marks) -> CarryLine:
    changes, rows = zip(
        *(carry_daily(series, costs, capital, marks.edges_ns) for series in each), strict=True
    )
    span_h = float(marks.edges_ns[-1] - marks.edges_ns[0]) / 3.6e12
    return CarryLine(
        trades=sum(int(row["trades"]) for row in rows),
        changes=np.asarray(np.sum(changes, axis=0)),
        capital=capital * len(each),
        drawdown=max(float(row["max_drawdown"]) for row in rows),
        in_market=sum(float(row["hours"]) for row in rows) / (span_h * len(each)),
    )


def _against(
    line: Line, each: Sequence[PairSeries], carry: CarryLine, marks: Marks, costs: Costs
) -> Against:
    random, shuffled = [], []
    for at, (series, one) in enumerate(zip(each, line.each, strict=True)):
        trades = held_of(one, int(series.t_ns[-1]))
        ground = Ground(series, costs)
        random.append(ground.random(trades, seed=1 + at))
        shuffled.append(ground.shuffled(trades, seed=1 + at))
    over = marks.total(line.changes - carry.changes) if line.deals else (math.nan,) * 3
    return Against(over, together(random), together(shuffled))


def _fixed(data: _Data, options: LeagueOptions, entrants: Sequence[Entrant]) -> dict[str, Any]:
    parameters = {
        each.name: {param.name: param.value for param in each.book.params} for each in entrants
    }
    spans = [(utc_text(int(s.t_ns[0]))[:16], utc_text(int(s.t_ns[-1]))[:16]) for s in data.each]
    dates = {
        series.name: f"{first} to {last}"
        for series, (first, last) in zip(data.each, spans, strict=True)
    }
    return pre_registration(
        HYPOTHESIS,
        {"main costs": options.tier, "capital": options.capital, **parameters},
        len(entrants),
        dates,
        {name: COSTS[name].round_trip_bp for name in options.tiers},
    )


def _figures(line: Line, marks: Marks) -> dict[str, Any]:
    """A line for whoever reads the JSON: exact money as text."""
    net = line.interval(marks)
    return {
        "playbook": line.entrant.name,
        "costs": line.tier,
        "trades": len(line.deals),
        "net": f"{line.net:f}",
        "low": net[1],
        "high": net[2],
        "attribution": {term: f"{amount:f}" for term, amount in line.terms.items()},
        "stood": dict(line.stood),
        "refused": dict(line.refused),
        "digests": [one.digest for one in line.each],
        "walked": [not one.skipped for one in line.each],
    }
