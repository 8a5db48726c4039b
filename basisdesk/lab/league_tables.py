"""Tables and charts of the playbook league."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from basisdesk.lab.league_lines import Line, Marks
from basisdesk.lab.league_nulls import Chance
from basisdesk.lab.league_run import TERMS, Deal
from basisdesk.lab.league_views import Need
from basisdesk.lab.series import Floats, PairSeries
from basisdesk.lab.stamp import utc_text
from basisdesk.lab.words import chart, table

WORST = 5
POINTS = 300  # of a chart of one trade
SAID_MAX = 220  # letters of a sentence in a table
STAND_IN = "bybit"  # whose wire the bars are walked on (lab/series_frames.py)


class Against(NamedTuple):
    """What one line is held against. carry: (difference, low, high), all at the same costs."""

    carry: tuple[float, float, float]
    random: Chance
    shuffled: Chance


def result_table(
    lines: Sequence[Line], needs: Mapping[str, Need], carry: "CarryLine", marks: Marks
) -> dict[str, Any]:
    """Who took part and what came of it, trades first."""
    long = marks.months >= 1.0
    rows: list[list[Any]] = []
    for line in lines:
        net = line.interval(marks)
        rows.append(
            [
                line.entrant.name,
                len(line.deals),
                *(_cents(x) for x in net),
                *(_share(x / line.capital / marks.months) if long else math.nan for x in net),
                _cents(line.drawdown),
                round(100.0 * line.in_market, 2),
                _share(line.best_share, 0),
            ]
        )
    rows += [[f"{name}: needs quotes", *[None] * 10] for name, need in needs.items() if need.why]
    net = carry.interval(marks)
    rows.append(
        [
            "always-on carry",
            carry.trades,
            *(_cents(x) for x in net),
            *(_share(x / carry.capital / marks.months) if long else math.nan for x in net),
            _cents(carry.drawdown),
            _share(carry.in_market),
            None,
        ]
    )
    rows.append(["never trade", 0, *[0.0] * 7, 0.0, None])
    return table(
        f"The league at {lines[0].tier} costs",
        [
            ("playbook", ""), ("trades", ""), ("net", "USDT"), ("from", ""), ("to", ""),
            ("net", "% a month"), ("from", ""), ("to", ""), ("drawdown", "USDT"),
            ("in market", "%"), ("best trade", "% of net"),
        ],
        rows,
        f"From and to: 95 % by a bootstrap of blocks of {marks.words}; n/a under eight trades "
        "or eight blocks. % of the capital of all accounts. What needs quotes stands beside itself "
        "by a slower clock. Drawdown: of the worst account, at looks; of carry between marks.",
    )  # fmt: skip


class CarryLine(NamedTuple):
    """Always-on carry over all series. changes: of equity between edges."""

    trades: int
    changes: Floats
    capital: float
    drawdown: float
    in_market: float

    def interval(self, marks: Marks) -> tuple[float, float, float]:
        """(net, low, high)."""
        return marks.total(self.changes)


def against_table(lines: Sequence[Line], against: Mapping[str, Against]) -> dict[str, Any]:
    """Each line against always-on carry, random entries and shuffled funding."""
    rows = []
    for line in lines:
        if not line.deals:
            continue
        told = against[line.entrant.name]
        rows.append(
            [
                line.entrant.name,
                len(line.deals),
                *(_cents(x) for x in told.carry),
                *(_cents(x) for x in told.random.less),
                _share(told.random.as_good),
                _cents(told.shuffled.net),
                *(_cents(x) for x in np.quantile(told.shuffled.draws, (0.025, 0.975)).tolist()),
                _share(told.shuffled.as_good),
            ]
        )
    return table(
        f"Against the nulls, {lines[0].tier} costs",
        [
            ("playbook", ""), ("trades", ""), ("net less carry", "USDT"), ("from", ""), ("to", ""),
            ("net less random", "USDT"), ("from", ""), ("to", ""), ("random as good", "%"),
            ("funding", "USDT"), ("shuffled from", ""), ("to", ""), ("shuffled as good", "%"),
        ],
        rows,
        "Random: 1,000 draws with the same trades, lengths and sizes at other times. Shuffled: "
        "1,000 turns of the settled rates under the trades as they were. As good: share of draws "
        "at least as good. Against never trading: the league's own interval.",
    )  # fmt: skip


def attribution_table(lines: Sequence[Line]) -> dict[str, Any]:
    """Where the money came from, of all costs."""
    rows = [
        [line.entrant.name, line.tier, len(line.deals),
         *(_cents(float(line.terms[term])) for term in TERMS)]
        for line in lines if line.deals
    ]  # fmt: skip
    return table(
        "Where it came from",
        [("playbook", ""), ("costs", ""), ("trades", ""), *((term, "USDT") for term in TERMS)],
        rows,
        "From the ledger. The terms sum to the total and the totals to the change of equity, to "
        "the last digit; here they are rounded to cents.",
    )


def tiers_table(lines: Sequence[Line], marks: Marks) -> dict[str, Any]:
    """The same playbooks at each set of costs."""
    rows = [
        [line.entrant.name, line.tier, len(line.deals), *(_cents(x) for x in line.interval(marks)),
         "walked" if not all(one.skipped for one in line.each) else "no entry at lower costs"]
        for line in lines
    ]  # fmt: skip
    return table(
        "At other costs",
        [("playbook", ""), ("costs", ""), ("trades", ""), ("net", "USDT"), ("from", ""),
         ("to", ""), ("how", "")],
        rows,
        "What enters nothing at lower costs enters nothing at higher ones: it is not walked again.",
    )  # fmt: skip


def stood_table(
    lines: Sequence[Line], needs: Mapping[str, Need], venues: Sequence[str] = (STAND_IN,)
) -> dict[str, Any]:
    """Why nothing was done, by playbook. venues: of the data, as written in their keys.

    Bars are walked on frames of STAND_IN; what the desk says of that venue is told of the data's.
    """
    venue = " and ".join(dict.fromkeys(each.capitalize() for each in venues)) or STAND_IN
    rows: list[list[Any]] = [[name, None, None, "needs-quotes", need.why]
                             for name, need in needs.items() if need.why]  # fmt: skip

    def told(text: str) -> str:
        return text.replace(STAND_IN.capitalize(), venue)

    for line in lines:
        looks = sum(one.looks for one in line.each)
        said = {code: text for one in line.each for code, text in one.said.items()}
        rows += [
            [line.entrant.name, count, _share(count / looks), code, told(said[code])[:SAID_MAX]]
            for code, count in line.stood.most_common()
        ]
        rows += [
            [line.entrant.name, count, _share(count / looks), f"desk: {limit}", "refused"]
            for limit, count in line.refused.most_common()
        ]
    return table(
        "Why it stood still",
        [("playbook", ""), ("looks", ""), ("of all", "%"), ("reason", ""), ("for example", "")],
        rows,
        "The newest sentence of each reason, in the words of the desk: of a slower clock its 5 min "
        "and 2 h stand for so many times as long. Where a line was not walked again at these "
        "costs, the reasons are those at lower ones.",
    )


def worst_of(lines: Sequence[Line], each: Sequence[PairSeries]) -> list[tuple[Line, int, Deal]]:
    """The worst trades of all lines, worst first."""
    found = [
        (line, at, deal) for line in lines for at, one in enumerate(line.each) for deal in one.deals
    ]
    assert all(at < len(each) for _, at, _ in found)
    return sorted(found, key=lambda row: row[2].terms["total"])[:WORST]


def worst_table(found: Sequence[tuple[Line, int, Deal]], each: Sequence[PairSeries]) -> Any:
    """The worst trades."""
    rows = [
        [line.entrant.name, each[at].name, utc_text(deal.entry_ns)[:16],
         round(((deal.exit_ns or int(each[at].t_ns[-1])) - deal.entry_ns) / 3.6e12, 2),
         deal.direction, _cents(float(deal.notional)), deal.code, deal.why,
         *(_cents(float(deal.terms[term])) for term in ("basis", "funding", "fees", "total"))]
        for line, at, deal in found
    ]  # fmt: skip
    return table(
        f"The {WORST} worst trades",
        [("playbook", ""), ("data", ""), ("entered", "UTC"), ("held", "h"), ("side", ""),
         ("notional", "USDT"), ("because", ""), ("left by", ""), ("basis", "USDT"),
         ("funding", "USDT"), ("fees", "USDT"), ("net", "USDT")],
        rows,
        "Side 1: long spot, short perpetual. Each is drawn below.",
    )  # fmt: skip


# --- charts ---------------------------------------------------------------------------------------


def equity_chart(lines: Sequence[Line], carry: CarryLine, marks: Marks) -> dict[str, Any]:
    """Net since the start, of all that traded, and of carry."""
    drawn = [
        {"name": line.entrant.name, "y": _running(line.changes)} for line in lines if line.deals
    ]
    drawn.append({"name": "always-on carry", "y": _running(carry.changes)})
    x = (marks.edges_ns // 1_000_000_000).tolist()
    made = chart("line", f"Net, {lines[0].tier} costs", ("", "USDT"), x, drawn)
    return {**made, "x_kind": "time"}


def tiers_chart(lines: Sequence[Line], marks: Marks) -> dict[str, Any]:
    """Net with its interval by playbook and costs."""
    names = list(dict.fromkeys(line.entrant.name for line in lines))
    drawn = []
    for tier in dict.fromkeys(line.tier for line in lines):
        found = {line.entrant.name: line.interval(marks) for line in lines if line.tier == tier}
        told = [found.get(name, (math.nan,) * 3) for name in names]
        drawn.append(
            {"name": tier, **{key: [each[k] for each in told]
                              for k, key in enumerate(("y", "low", "high"))}}
        )  # fmt: skip
    made = chart("points", "Net by costs, with 95 % intervals", ("", "USDT"), names, drawn)
    return {**made, "x_kind": "words"}


def worst_charts(
    found: Sequence[tuple[Line, int, Deal]], each: Sequence[PairSeries]
) -> list[dict[str, Any]]:
    """The basis around each of the worst trades."""
    return [_trade_chart(line, deal, each[at]) for line, at, deal in found]


def _trade_chart(line: Line, deal: Deal, series: PairSeries) -> dict[str, Any]:
    end_ns = deal.exit_ns or int(series.t_ns[-1])
    first, last = np.searchsorted(series.t_ns, (deal.entry_ns, end_ns)).tolist()
    around = max(12, (last - first) // 2)
    low, high = max(0, first - around), min(len(series.t_ns), last + around)
    rows = np.arange(low, high, max(1, (high - low) // POINTS))
    mid, t_ns = series.mid_bp[rows], series.t_ns[rows]
    held = np.where((t_ns >= deal.entry_ns - 1_000_000_000) & (t_ns <= end_ns), mid, np.nan)
    net = f"{float(deal.terms['total']):,.2f}"
    title = (
        f"{line.entrant.name}, {series.name}, {utc_text(deal.entry_ns)[:16]}, side "
        f"{deal.direction}: net {net} USDT, left by {deal.why}"
    )
    drawn = [{"name": "mid basis", "y": mid}, {"name": "while held", "y": held}]
    made = chart("line", title, ("", "bp"), (t_ns // 1_000_000_000).tolist(), drawn)
    return {**made, "x_kind": "time"}


def _running(changes: Floats) -> list[float]:
    return [0.0, *np.cumsum(changes).round(4).tolist()]


def _cents(value: float) -> float:
    return round(value, 2) + 0.0 if math.isfinite(value) else math.nan


def _share(value: float, digits: int = 3) -> float:
    return round(100.0 * value, digits) + 0.0 if math.isfinite(value) else math.nan
