"""What the three panes show of a pair: market state to curves, lines, tags and marks. No widgets.

`BasisScene` owns the panes and fills them; the panel around it owns buttons, keys and files.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QPen

from basisdesk.events import Outcome
from basisdesk.market.basis import PairMarket
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.axis import fit_range
from basisdesk.ui.chart import Band, ChartView, Line, Mark, Note, Outage, Pane, Tag
from basisdesk.ui.figures import number_text, places_of, sign_text, span_text
from basisdesk.ui.markers import TradeMark, trade_marks
from basisdesk.ui.position_texts import acting
from basisdesk.ui.theme import Theme

Array = npt.NDArray[np.float64]

BASIS_SPAN_BP_MIN = 4.0
PRICE_SPAN_BP_MIN = 4.0
FUNDING_SPAN_PCT_MIN = 0.002
OWN_LINE = "own"  # before the name of a line of a pair that is held
HELD_MOST = 3  # pairs whose lines stand in one pane: the selected one, then the newest
REACH = 1.5  # a level this many data spans away still widens its pane; others wait at the edge
STRIDE = 8  # bands and fair value are smooth: a point in so many pixels is enough
PLAN_COLOURS = {"entry": "accent", "target": "gain", "stop": "loss"}
_MARK_COLOURS = {
    "opened": "accent",
    "added": "accent",
    "reduced": "text",
    "closed": "text",
    "liquidated": "loss",
}
_BASES = ("mid_bp", "open_bp", "close_bp", "combo_bid_bp", "combo_ask_bp")
_NO_MARKS = (-1, 0, "")


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """Where a pair that is held came in and leaves. levels: bp by name. drags: it can be moved."""

    pair: int
    levels: dict[str, float | None] = field(default_factory=dict)
    drags: bool = False


class BasisScene:
    """The panes of the basis chart and what is in them.

    plan: levels of the ticket in bp by name ("entry", "target", "stop"), None where it has none.
    direction: +1 long spot, -1 short spot, 0 as the basis lies to fair value.
    entry_drags: the entry line has a grip too. own: the pairs that are held on these legs. While
    there are any, the ticket's lines are the weaker ones: dashed, muted and named as the ticket's.
    """

    def __init__(self, theme: Theme) -> None:
        self.plan: dict[str, float | None] = dict.fromkeys(PLAN_COLOURS)
        self.direction = 0
        self.entry_drags = False
        self.own: tuple[HeldPlan, ...] = ()
        self.prices = Pane("price", 0.33)
        self.basis = Pane("basis", 0.44, unit="bp", signed=True)
        self.basis.places, self.basis.names_outages = 1, True
        self.funding = Pane("funding", 0.23, unit="%", signed=True)
        self.funding.places = 4
        self.panes = [self.prices, self.basis, self.funding]
        self._marks: list[TradeMark] = []
        self._marks_key = _NO_MARKS
        self._style(theme)

    def _style(self, theme: Theme) -> None:
        for pane, name, colour in (
            (self.prices, "perp", theme.qcolor("perp")),
            (self.prices, "spot", theme.qcolor("spot")),
            (self.basis, "mid_bp", theme.blend("basis", 0.38)),
            (self.basis, "close_bp", theme.qcolor("close")),
            (self.basis, "open_bp", theme.qcolor("basis")),
            (self.basis, "combo_bid_bp", theme.blend("text", 0.55)),
            (self.basis, "combo_ask_bp", theme.blend("text", 0.55)),
            (self.funding, "settled_pct", theme.blend("warn", 0.7)),
            (self.funding, "funding_pct", theme.qcolor("warn")),
        ):
            pane.add_curve(name, QPen(colour, 0))
        fair = QPen(theme.qcolor("muted"), 0)
        fair.setDashPattern([4, 4])
        self.basis.add_curve("fair_bp", fair)

    # --- filling ---------------------------------------------------------------------------------

    def forget(self) -> None:
        """Empty the panes and keep no range: what comes next has other prices."""
        self._marks_key = _NO_MARKS
        for pane in self.panes:
            pane.lines, pane.tags, pane.marks, pane.dots, pane.bands = [], [], [], [], []
            pane.notes = []
            pane.y = None
            for curve in pane.curves.values():
                curve.clear()

    def show(self, pair: PairMarket, chart: ChartView, outcomes: Sequence[Outcome]) -> None:
        """Fill the panes for the chart's window of time. Costs by pixels, not by history."""
        self._show_prices(pair, chart)
        self._show_basis(pair, chart)
        self._show_marks(pair, chart, outcomes)
        self._show_funding(pair, chart)
        for pane in self.panes:
            for tag in pane.tags:
                chart.make_room(tag.text)

    def _show_prices(self, pair: PairMarket, chart: ChartView) -> None:
        pane = self.prices
        _draw(pane, pair, chart)
        legs = {"spot": pair.spot.instrument, "perp": pair.perp.instrument}
        places = {name: places_of(leg.tick if leg else None, 4) for name, leg in legs.items()}
        pane.places = max(places.values())
        lo, hi = _bounds(pair, chart, ("spot", "perp"))
        pane.y = fit_range(lo, hi, _price_span(hi), pane.y)
        stale = bool(pair.now.stale)
        last = {name: pair.series.last(name) for name in legs}
        pane.tags = [
            Tag(last[name], number_text(last[name], places[name]), name, hollow=stale)
            for name in legs
        ]

    def _show_basis(self, pair: PairMarket, chart: ChartView) -> None:
        pane, fair = self.basis, float(pair.now.fair_bp)
        _draw(pane, pair, chart, _BASES)
        x, fairs = _smooth(pair, chart, "fair_bp")
        pane.curves["fair_bp"].setData(x, fairs)
        zone = float(pair.now.round_trip_bp) * self._side(pair, fair)
        lo, hi = _bounds(pair, chart, _BASES)
        zone_high = abs(zone) if math.isfinite(zone) else 0.0
        reach = max(hi - lo, BASIS_SPAN_BP_MIN, zone_high) * REACH
        held = [level for each in self.own for level in _known(each.levels)]
        levels = [fair, fair + zone, *_known(self.plan), *held]
        near = [(level, level) for level in levels if lo - reach <= level <= hi + reach]
        pane.y = fit_range(*hull([(lo, hi), *near]), BASIS_SPAN_BP_MIN, pane.y)
        pane.bands = [_deviation_band(pair, chart), _cost_band(x, fairs, zone, chart.t1_s)]
        pane.tags = _basis_tags(pair)
        pane.lines = self._basis_lines(fair, chart.held)

    def _side(self, pair: PairMarket, fair: float) -> int:
        return self.direction or (-1 if pair.now.mid_bp < fair else 1)

    def _basis_lines(self, fair: float, held: Line | None) -> list[Line]:
        lines = [line for each in self.own for line in _held_lines(each)]
        lines += self._ticket_lines(second=bool(self.own))
        for place, line in enumerate(lines):
            if (
                held is not None and held.name == line.name
            ):  # the one under the pointer stays itself
                held.value, held.text = line.value, line.text
                held.dashed, held.colour = line.dashed, line.colour
                lines[place] = held
        if math.isfinite(fair):
            lines.append(Line("fair", fair, "muted", _line_text("fair", fair), drawn=False))
        return lines

    def _ticket_lines(self, *, second: bool) -> list[Line]:
        lines = []
        for level, value in _finite(self.plan):
            text = _line_text(f"ticket {level}" if second else level, value)
            colour = "muted" if second else PLAN_COLOURS[level]
            drags = level != "entry" or self.entry_drags
            lines.append(Line(level, value, colour, text, dashed=second, drags=drags))
        return lines

    def _show_marks(self, pair: PairMarket, chart: ChartView, outcomes: Sequence[Outcome]) -> None:
        key = (len(outcomes), id(outcomes[-1]) if outcomes else 0, pair.perp.key)
        if key != self._marks_key:
            self._marks_key = key
            self._marks = trade_marks(outcomes, pair.spot.key, pair.perp.key)
        self.basis.marks = [
            Mark(
                mark.t_s,
                y,
                _MARK_COLOURS[mark.kind],
                mark.text,
                up=mark.kind not in ("opened", "added"),
            )
            for mark in self._marks
            if chart.t0_s <= mark.t_s <= chart.t1_s and math.isfinite(y := _height_of(mark, pair))
        ]

    def _show_funding(self, pair: PairMarket, chart: ChartView) -> None:
        pane, funding = self.funding, pair.perp.funding
        pane.notes = _draw_funding(pane, pair, chart)
        t0_ms, t1_ms = chart.t0_s * 1e3, chart.t1_s * 1e3
        pane.dots = [(ms / 1e3, 1e2 * rate) for ms, rate in funding.settled if t0_ms <= ms <= t1_ms]
        hours = float(funding.interval_h)
        usual = 0.01 * hours / 8.0 if hours > 0 else math.nan
        seen = _bounds(pair, chart, ("funding_pct",))
        lo, hi = hull([seen, *((rate, rate) for _, rate in pane.dots)])
        reach = max(hi - lo, 4 * FUNDING_SPAN_PCT_MIN)
        if lo - reach <= usual <= hi + reach:
            lo, hi = hull([(lo, hi), (usual, usual)])
        pane.y = fit_range(lo, hi, FUNDING_SPAN_PCT_MIN, pane.y)
        text = f"venue constant {number_text(usual, 4)} %"
        inside = pane.y[0] <= usual <= pane.y[1]
        pane.lines = [Line("usual", usual, "muted", text, dashed=True)] if inside else []
        last = pair.series.last("funding_pct")
        pane.tags = [Tag(last, f"{sign_text(last, 4)} %", "warn", hollow=bool(pair.now.stale))]


def held_plans(
    positions: Iterable[PairPosition], legs: Iterable[str], selected: int
) -> tuple[HeldPlan, ...]:
    """The pairs held on these two legs: the selected one first, then the newest, HELD_MOST at most.

    Only the lines of the selected pair can be moved, and only while both its legs stand.
    """
    both = set(legs)
    held = [
        each
        for each in positions
        if each.state not in ("working", "closed") and {leg.instrument for leg in each.legs} == both
    ]
    held.sort(key=lambda each: (each.pair == selected, each.pair), reverse=True)
    return tuple(
        HeldPlan(each.pair, plan_levels(each), drags=each.pair == selected and each.state == "open")
        for each in held[:HELD_MOST]
    )


def own_name(pair: int, level: str) -> str:
    """What the line of a held pair is called in its pane: "own 3 stop"."""
    return f"{OWN_LINE} {pair} {level}"


def own_of(name: str) -> tuple[int, str] | None:
    """(pair, level) of a line's name; None for a line that is no held pair's."""
    own, _, rest = name.partition(" ")
    pair, _, level = rest.partition(" ")
    return (int(pair), level) if own == OWN_LINE and level in PLAN_COLOURS else None


def plan_levels(position: PairPosition) -> dict[str, float | None]:
    """Entry, target and stop of a pair, bp; None where its plan has none that can act."""
    plan = acting(position)
    return {
        "entry": position.entry_bp,
        "target": None if plan.target_bp is None else float(plan.target_bp),
        "stop": None if plan.stop_bp is None else float(plan.stop_bp),
    }


def outages_of(pair: PairMarket, chart: ChartView, now_s: float) -> list[Outage]:
    """The outages within the chart's window, each with how long it lasted or lasts."""
    shown = []
    for t0_s, t1_s, label in pair.outages:
        end_s = now_s if t1_s is None else t1_s
        if end_s >= chart.t0_s and t0_s <= chart.t1_s:
            shown.append(Outage(t0_s, end_s, f"{label} {span_text(end_s - t0_s)}"))
    return shown


def hull(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The range that holds all these ranges, ignoring NaN; NaN when there is none."""
    finite = [pair for pair in pairs if math.isfinite(pair[0]) and math.isfinite(pair[1])]
    if not finite:
        return math.nan, math.nan
    return min(lo for lo, _ in finite), max(hi for _, hi in finite)


def _draw(
    pane: Pane, pair: PairMarket, chart: ChartView, names: Iterable[str] | None = None
) -> None:
    for name in pane.curves if names is None else names:
        points = pair.series.envelope(name, chart.t0_s, chart.t1_s, chart.plot_px)
        pane.curves[name].setData(*points)


def _draw_funding(pane: Pane, pair: PairMarket, chart: ChartView) -> list[Note]:
    """Settled rates as steps, the indicative rate as it floats, and nothing between the two."""
    live_s = pair.live_from_s
    x, y = pair.series.envelope("funding_pct", chart.t0_s, min(chart.t1_s, live_s), chart.plot_px)
    past = x < live_s
    x, y = x[past], y[past]
    pane.curves["settled_pct"].setData(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1])
    notes = []
    if len(x) and x[-1] >= chart.t0_s and np.isfinite(y).any():
        notes.append(Note(x[-1], y[np.isfinite(y)][-1], "muted", "settled"))
    x, y = pair.series.envelope("funding_pct", max(chart.t0_s, live_s), chart.t1_s, chart.plot_px)
    live = x >= live_s
    x, y = x[live], y[live]
    pane.curves["funding_pct"].setData(x, y)
    if len(x) and np.isfinite(y).any():
        at_s = max(x[0], chart.t0_s)
        notes.append(Note(at_s, y[np.isfinite(y)][0], "muted", "indicative", after=True))
    return notes


def _finite(levels: dict[str, float | None]) -> list[tuple[str, float]]:
    known = [(name, levels.get(name)) for name in PLAN_COLOURS]
    return [(name, at) for name, at in known if at is not None and math.isfinite(at)]


def _held_lines(held: HeldPlan) -> list[Line]:
    return [
        Line(
            own_name(held.pair, level),
            value,
            PLAN_COLOURS[level],
            _line_text(f"#{held.pair} {level}", value),
            drags=held.drags and level != "entry",
            kept=True,
        )
        for level, value in _finite(held.levels)
    ]


def _known(plan: dict[str, float | None]) -> list[float]:
    return [level for level in plan.values() if level is not None]


def _bounds(pair: PairMarket, chart: ChartView, names: Iterable[str]) -> tuple[float, float]:
    return hull(pair.series.bounds(name, chart.t0_s, chart.t1_s) for name in names)


def _smooth(pair: PairMarket, chart: ChartView, name: str) -> tuple[Array, Array]:
    return pair.series.envelope(name, chart.t0_s, chart.t1_s, max(16, chart.plot_px), STRIDE)


def _price_span(price: float) -> float:
    # a price of 0 or none has no basis points; one unit is then as good as any
    return abs(price) * PRICE_SPAN_BP_MIN / 1e4 if math.isfinite(price) and price else 1.0


def _deviation_band(pair: PairMarket, chart: ChartView) -> Band:
    x, mean = _smooth(pair, chart, "mean_bp")
    _, sd = _smooth(pair, chart, "sd_bp")
    return Band("basis", 0.10, x, mean - 2.0 * sd, mean + 2.0 * sd)


def _cost_band(x: Array, fair: Array, zone: float, t1_s: float) -> Band:
    if not len(x) or not math.isfinite(zone):
        return Band("text", 0.0)
    x = np.append(x, max(x[-1], t1_s))  # the newest fair value holds for what comes
    fair = np.append(fair, fair[-1])
    return Band("text", 0.06, x, fair, fair + zone)


def _basis_tags(pair: PairMarket) -> list[Tag]:
    now, stale = pair.now, bool(pair.now.stale)
    tags = [
        Tag(value, f"{sign_text(value, 1)} bp", colour, hollow=stale)
        for value, colour in ((now.open_bp, "basis"), (now.close_bp, "close"))
        if math.isfinite(value)
    ]
    if not tags and math.isfinite(now.mid_bp):  # no depth for the size: only the mid is known
        tags = [Tag(now.mid_bp, f"{sign_text(now.mid_bp, 1)} bp", "close", hollow=True)]
    return tags


def _line_text(name: str, value: float) -> str:
    return f"{name} {number_text(value, 1).removesuffix('.0')} bp"


def _height_of(mark: TradeMark, pair: PairMarket) -> float:
    if math.isfinite(mark.bp):
        return mark.bp
    row = pair.series.at(mark.t_s)
    return math.nan if row is None else row["mid_bp"]
