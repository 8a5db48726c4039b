"""Spot and perp, their basis, and funding: three panes over one time axis."""

import math
from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QMetaMethod, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.market.basis import PairMarket
from basisdesk.ui.axis import clock_words, fit_range
from basisdesk.ui.chart import Band, ChartView, Line, Mark, Outage, Pane, Tag
from basisdesk.ui.chart_export import CsvExport, save_picture, with_suffix
from basisdesk.ui.context import Context
from basisdesk.ui.figures import number_text, places_of, sign_text, span_text
from basisdesk.ui.legend import Legend, Sample
from basisdesk.ui.markers import TradeMark, trade_marks
from basisdesk.ui.pulse import Panel
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

RANGES = (
    ("5m", 300.0),
    ("15m", 900.0),
    ("1h", 3600.0),
    ("6h", 21_600.0),
    ("24h", 86_400.0),
    ("All", math.inf),
)
FIRST_RANGE = "1h"
HEADROOM_SHARE = 0.03  # air between the newest point and the axis while following
BASIS_SPAN_BP_MIN = 4.0
PRICE_SPAN_BP_MIN = 4.0
FUNDING_SPAN_PCT_MIN = 0.002
REACH = 1.5  # a line this many data spans away still widens the pane; a farther one is named at the edge
BAND_STRIDE = 8  # bands are smooth: a point in so many pixels is enough
STEADY_STRIDE = 8
REDRAW_MS = 8
_MARK_COLOURS = {
    "opened": "accent",
    "reduced": "text",
    "closed": "text",
    "liquidated": "loss",
}
_PLAN = {"entry": "accent", "target": "gain", "stop": "loss"}


class BasisPanel(Panel):
    """The chart of the pair on the screen.

    target_dragged, stop_dragged, entry_dragged carry bp as a float while the line moves. The entry
    line has a grip only when somebody listens to `entry_dragged`.
    """

    cares_about = Changed.BASIS | Changed.FUNDING | Changed.POSITIONS

    target_dragged = Signal(object)
    stop_dragged = Signal(object)
    entry_dragged = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._pair: PairMarket | None = None
        self._plan: dict[str, float | None] = dict.fromkeys(_PLAN)
        self._direction = 0
        self._marks: list[TradeMark] = []
        self._marks_key: tuple[int, int, str] = (-1, 0, "")
        self._span_s = dict(RANGES)[FIRST_RANGE]
        self._hover_s: float | None = None
        self._said = ""
        self._build_panes()
        self._chart = ChartView(
            [self._prices, self._basis, self._funding], theme, utc=context.settings.ui.utc
        )
        self._chart.setAccessibleName("Chart of spot and perp price, basis and funding over time")
        self._build_header()
        self._build_menu()
        self._lay_out()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REDRAW_MS)
        self._soon.timeout.connect(self.refresh)
        self._chart.ranged.connect(self._on_chart_ranged)
        self._chart.hovered.connect(self._on_chart_hovered)
        self._chart.line_dragged.connect(self._on_line_dragged)
        self._chart.menu_requested.connect(self._on_menu_requested)
        self._chart.reset_requested.connect(self.reset_zoom)
        self.setAccessibleName("Spot, perp and basis")

    # --- what it is told -------------------------------------------------------------------------

    def set_plan(
        self, entry_bp: float | None, target_bp: float | None, stop_bp: float | None
    ) -> None:
        """Show these levels as lines, bp of basis; None hides a line."""
        self._plan = {"entry": entry_bp, "target": target_bp, "stop": stop_bp}
        self._soon.start()

    def set_direction(self, direction: int) -> None:
        """Which way the ticket goes: +1 long spot, -1 short spot. The cost zone lies on that side."""
        self._direction = direction
        self._soon.start()

    def follow(self, on: bool = True) -> None:
        """Keep the newest point in view, or leave the window where it is."""
        self._chart.following = on
        self._follow.setChecked(on)
        self._follow.setText("Follow" if on else "Paused")
        set_tip(
            self._follow,
            "The chart moves with the newest point. Drag it to pause. Key F."
            if on
            else "The chart stands still while prices go on. Press to follow again. Key F.",
        )
        self._soon.start()

    def toggle_follow(self) -> None:
        """Follow when paused, pause when following."""
        self.follow(not self._chart.following)

    def zoom(self, factor: float) -> None:
        """Show `factor` times as much time; below 1 is closer."""
        self._chart.zoom(factor)

    def show_range(self, name: str) -> None:
        """Show one of the quick ranges ("5m" to "All") and follow."""
        self._span_s = dict(RANGES)[name]
        self._ranges[name].setChecked(True)
        self.follow()

    def reset_zoom(self) -> None:
        """Back to the range the chart opens with."""
        self.show_range(FIRST_RANGE)

    @property
    def chart(self) -> ChartView:
        """The chart itself: its panes, ranges and curves."""
        return self._chart

    # --- showing ---------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the pair on the screen and show it. Costs by pixels, not by history."""
        pair = self._context.engine.shown()
        if pair is not self._pair:
            self._adopt(pair)
        if pair is None or not len(pair.series):
            self._show_nothing(pair)
            return
        self._chart.note = ""
        self._move_window(pair)
        self._show_prices(pair)
        self._show_basis(pair)
        self._show_funding(pair)
        self._show_outages(pair)
        self._show_readout(pair)
        self._chart.show_frame()

    def _adopt(self, pair: PairMarket | None) -> None:
        self._pair = pair
        self._marks_key = (-1, 0, "")
        for pane in self._chart.panes:
            pane.y = (0.0, 0.0)  # no range to keep: another pair has other prices
        if pair is not None:
            self._chart.following = True

    def _show_nothing(self, pair: PairMarket | None) -> None:
        self._chart.note = (
            "No pair on the screen. Pick one in the top bar or the scanner."
            if pair is None
            else f"Waiting for the first prices of {pair.spot.key} and {pair.perp.key}."
        )
        self._readout.setText("")
        for pane in self._chart.panes:
            pane.lines, pane.tags, pane.marks, pane.dots, pane.bands = [], [], [], [], []
            pane.y = (0.0, 1.0)
            for curve in pane.curves.values():
                curve.clear()
        self._chart.outages = []
        self._chart.show_frame()

    def _move_window(self, pair: PairMarket) -> None:
        chart = self._chart
        first, last = pair.series.t_first, pair.series.t_last
        chart.limits = (first, last)
        if not chart.following:
            return
        span = self._span_s
        if math.isinf(span):
            span = max(60.0, (last - first) * (1.0 + HEADROOM_SHARE))
        step = span / chart.plot_px  # moves by whole pixels: the picture does not shimmer
        end = math.ceil((last + HEADROOM_SHARE * span) / step) * step
        chart.set_window(end - span, end)

    def _draw(self, pane: Pane, pair: PairMarket, names: Iterable[str]) -> None:
        chart = self._chart
        for name in names:
            points = pair.series.envelope(name, chart.t0_s, chart.t1_s, chart.plot_px)
            pane.curves[name].setData(*points)

    def _bounds(self, pair: PairMarket, names: Iterable[str]) -> tuple[float, float]:
        chart = self._chart
        return hull(pair.series.bounds(name, chart.t0_s, chart.t1_s) for name in names)

    def _show_prices(self, pair: PairMarket) -> None:
        pane = self._prices
        self._draw(pane, pair, ("spot", "perp"))
        spot = pair.spot.instrument
        perp = pair.perp.instrument
        places = [places_of(leg.tick if leg else None, default=4) for leg in (spot, perp)]
        pane.places = max(places)
        lo, hi = self._bounds(pair, ("spot", "perp"))
        least = abs(hi) * PRICE_SPAN_BP_MIN / 1e4 if math.isfinite(hi) else 1.0
        _fit(pane, lo, hi, least or 1.0)
        stale = bool(pair.now.stale)
        pane.tags = [
            Tag(value, number_text(value, digits), name, hollow=stale)
            for name, digits in zip(("spot", "perp"), places, strict=True)
            for value in (pair.series.last(name),)
        ]
        self._chart.make_room(max((self._room(tag.text) for tag in pane.tags), default=0))

    def _show_basis(self, pair: PairMarket) -> None:
        pane, series, chart = self._basis, pair.series, self._chart
        self._draw(pane, pair, ("mid_bp", "open_bp", "close_bp"))
        x, fair = series.envelope(
            "fair_bp", chart.t0_s, chart.t1_s, max(16, chart.plot_px // STEADY_STRIDE)
        )
        pane.curves["fair_bp"].setData(x, fair)
        level, cost = self._fair(pair), pair.now.round_trip_bp
        zone = cost * self._side(pair, level)
        lo, hi = self._bounds(pair, ("mid_bp", "open_bp", "close_bp"))
        reach = max(hi - lo, BASIS_SPAN_BP_MIN, abs(zone) if math.isfinite(zone) else 0.0) * REACH
        levels = [v for v in self._plan.values() if v is not None]
        near = [v for v in (level, level + zone, *levels) if lo - reach <= v <= hi + reach]
        _fit(pane, *hull([(lo, hi), *((v, v) for v in near)]), BASIS_SPAN_BP_MIN)
        pane.bands = [self._deviation_band(pair), self._cost_band(x, fair, zone)]
        pane.tags = self._basis_tags(pair)
        pane.lines = self._basis_lines(level)
        self._show_marks(pair)

    def _fair(self, pair: PairMarket) -> float:
        return float(pair.now.fair_bp)

    def _side(self, pair: PairMarket, fair: float) -> int:
        if self._direction:
            return self._direction
        return -1 if pair.now.mid_bp < fair else 1

    def _deviation_band(self, pair: PairMarket) -> Band:
        series, chart = pair.series, self._chart
        pixels = max(16, chart.plot_px // BAND_STRIDE)
        x, mean = series.envelope("mean_bp", chart.t0_s, chart.t1_s, pixels)
        _, sd = series.envelope("sd_bp", chart.t0_s, chart.t1_s, pixels)
        return Band("basis", 0.10, x, mean - 2.0 * sd, mean + 2.0 * sd)

    def _cost_band(self, x: np.ndarray, fair: np.ndarray, zone: float) -> Band:
        if not len(x) or not math.isfinite(zone):
            return Band("text", 0.0)
        x = np.append(x, max(x[-1], self._chart.t1_s))  # the newest fair value holds for what comes
        fair = np.append(fair, fair[-1])
        return Band("text", 0.06, x, fair, fair + zone)

    def _basis_tags(self, pair: PairMarket) -> list[Tag]:
        now, stale = pair.now, bool(pair.now.stale)
        tags = [
            Tag(value, f"{sign_text(value, 1)} bp", colour, hollow=stale)
            for value, colour in ((now.open_bp, "basis"), (now.close_bp, "close"))
            if math.isfinite(value)
        ]
        if not tags and math.isfinite(now.mid_bp):
            tags = [Tag(now.mid_bp, f"{sign_text(now.mid_bp, 1)} bp", "close", hollow=True)]
        self._chart.make_room(max((self._room(tag.text) for tag in tags), default=0))
        return tags

    def _basis_lines(self, fair: float) -> list[Line]:
        lines = [
            Line(
                name,
                value,
                colour,
                f"{name} {sign_text(value, 1).removeprefix('+')} bp",
                drags=name != "entry" or self._entry_drags(),
            )
            for name, colour in _PLAN.items()
            if (value := self._plan[name]) is not None and math.isfinite(value)
        ]
        held = self._chart.held
        if held is not None:  # the line under the pointer stays the one that is being moved
            lines = [held if line.name == held.name else line for line in lines]
            held.value = self._plan[held.name] or held.value
            held.text = f"{held.name} {sign_text(held.value, 1).removeprefix('+')} bp"
        if math.isfinite(fair):
            text = f"fair {sign_text(fair, 1).removeprefix('+')} bp"
            lines.append(Line("fair", fair, "muted", text, hidden=True))
        return lines

    def _entry_drags(self) -> bool:
        return bool(self.isSignalConnected(QMetaMethod.fromSignal(self.entry_dragged)))

    def _show_marks(self, pair: PairMarket) -> None:
        outcomes = self._context.engine.outcomes
        key = (len(outcomes), id(outcomes[-1]) if outcomes else 0, pair.perp.key)
        if key != self._marks_key:
            self._marks_key = key
            self._marks = trade_marks(outcomes, pair.spot.key, pair.perp.key)
        self._basis.marks = [
            Mark(mark.t_s, y, _MARK_COLOURS[mark.kind], mark.text, up=mark.kind != "opened")
            for mark in self._marks
            if self._chart.t0_s <= mark.t_s <= self._chart.t1_s
            and math.isfinite(y := mark.bp if mark.bp == mark.bp else _mid_at(pair, mark.t_s))
        ]

    def _show_funding(self, pair: PairMarket) -> None:
        pane, chart, funding = self._funding, self._chart, pair.perp.funding
        self._draw(pane, pair, ("funding_pct",))
        t0_ms, t1_ms = chart.t0_s * 1e3, chart.t1_s * 1e3
        pane.dots = [(ms / 1e3, 1e2 * rate) for ms, rate in funding.settled if t0_ms <= ms <= t1_ms]
        hours = float(funding.interval_h)
        usual = 0.01 * hours / 8.0 if hours > 0 else math.nan
        lo, hi = hull([self._bounds(pair, ("funding_pct",)), *((r, r) for _, r in pane.dots)])
        reach = max(hi - lo, 4 * FUNDING_SPAN_PCT_MIN)
        if lo - reach <= usual <= hi + reach:
            lo, hi = hull([(lo, hi), (usual, usual)])
        _fit(pane, lo, hi, FUNDING_SPAN_PCT_MIN)
        inside = pane.y[0] <= usual <= pane.y[1]
        text = f"venue constant {number_text(usual, 4)} %"
        pane.lines = [Line("usual", usual, "muted", text, dashed=True)] if inside else []
        last = pair.series.last("funding_pct")
        pane.tags = [Tag(last, f"{sign_text(last, 4)} %", "warn", hollow=bool(pair.now.stale))]
        chart.make_room(self._room(pane.tags[0].text))

    def _show_outages(self, pair: PairMarket) -> None:
        chart = self._chart
        now_s = self._context.engine.now_ns / 1e9
        shown = []
        for t0_s, t1_s, label in pair.outages:
            end = now_s if t1_s is None else t1_s
            if end >= chart.t0_s and t0_s <= chart.t1_s:
                shown.append(Outage(t0_s, end, f"{label} {span_text(end - t0_s)}"))
        chart.outages = shown

    def _show_readout(self, pair: PairMarket) -> None:
        if self._said:
            self._readout.setText(self._said)
            return
        at_s = pair.series.t_last if self._hover_s is None else self._hover_s
        row = pair.series.at(at_s)
        clock = clock_words(at_s, self._context.settings.ui.utc, date=True)
        if row is None:
            where = "no prices here" if at_s > pair.series.t_first else "before the first price"
            self._readout.setText(f"{clock}   {where}")
            return
        price = self._prices.places
        self._readout.setText(
            f"{clock}   spot {number_text(row['spot'], price)}"
            f"   perp {number_text(row['perp'], price)}"
            f"   mid {sign_text(row['mid_bp'], 1)}   open {sign_text(row['open_bp'], 1)}"
            f"   close {sign_text(row['close_bp'], 1)} bp"
            f"   funding {sign_text(row['funding_pct'], 4)} %"
        )

    def _room(self, text: str) -> int:
        return self._chart.axis_room(text)

    # --- building --------------------------------------------------------------------------------

    def _build_panes(self) -> None:
        theme = self._theme
        self._prices = Pane("price", 0.33)
        self._basis = Pane("basis", 0.44, unit="bp", signed=True)
        self._basis.places, self._basis.names_outages = 1, True
        self._funding = Pane("funding", 0.23, unit="%", signed=True)
        self._funding.places = 4
        for pane, name, colour in (
            (self._prices, "perp", theme.qcolor("perp")),
            (self._prices, "spot", theme.qcolor("spot")),
            (self._basis, "mid_bp", theme.blend("basis", 0.38)),
            (self._basis, "close_bp", theme.qcolor("close")),
            (self._basis, "open_bp", theme.qcolor("basis")),
            (self._funding, "funding_pct", theme.qcolor("warn")),
        ):
            pane.add_curve(name, QPen(colour, 0))
        fair = QPen(theme.qcolor("muted"), 0)
        fair.setDashPattern([4, 4])
        self._basis.add_curve("fair_bp", fair)

    def _build_header(self) -> None:
        theme = self._theme
        self._title = theme.label("Spot, perp and basis", weight=600)
        self._group = QButtonGroup(self)
        self._ranges: dict[str, QPushButton] = {}
        for name, _ in RANGES:
            button = QPushButton(name, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setAccessibleName(f"Show {name} of time")
            set_tip(button, "Show all rows held." if name == "All" else f"Show the last {name}.")
            button.clicked.connect(self._on_range_clicked)
            self._group.addButton(button)
            self._ranges[name] = button
        self._ranges[FIRST_RANGE].setChecked(True)
        self._legend = Legend(
            [
                Sample("spot", theme.qcolor("spot")),
                Sample("perp", theme.qcolor("perp")),
                Sample("open", theme.qcolor("basis")),
                Sample("close", theme.qcolor("close")),
                Sample("mid", theme.blend("basis", 0.38)),
                Sample("fair", theme.qcolor("muted"), "dashed"),
                Sample("cost zone", theme.blend("text", 0.14), "band"),
            ],
            theme,
        )
        self._follow = QPushButton("Follow", self)
        self._follow.setProperty("role", "segment")
        self._follow.setCheckable(True)
        self._follow.setChecked(True)
        self._follow.setAccessibleName("Follow the newest point")
        self._follow.clicked.connect(self.follow)
        set_tip(self._follow, "The chart moves with the newest point. Drag it to pause. Key F.")
        self._readout = PlainLabel()
        self._readout.setFont(theme.font(11))
        self._readout.set_colour(theme.qcolor("muted"))
        self._readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._readout.setAccessibleName("Values at the crosshair")
        set_tip(self._readout, "Values at the crosshair; without one, the newest row.")

    def _build_menu(self) -> None:
        self._menu = QMenu(self)
        self._menu.addAction("Export PNG…", self._ask_png)
        self._menu.addAction("Export CSV…", self._ask_csv)
        self._menu.addSeparator()
        self._menu.addAction("Reset zoom", self.reset_zoom)

    def _lay_out(self) -> None:
        px = self._theme.px
        header = QHBoxLayout()
        header.setContentsMargins(px(10), px(4), px(6), 0)
        header.setSpacing(px(2))
        header.addWidget(self._title)
        header.addSpacing(px(12))
        for button in self._ranges.values():
            header.addWidget(button)
        header.addStretch(1)
        header.addWidget(self._legend)
        header.addSpacing(px(8))
        header.addWidget(self._follow)
        readout = QHBoxLayout()
        readout.setContentsMargins(px(10), 0, px(10), px(2))
        readout.addWidget(self._readout)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(header)
        column.addLayout(readout)
        column.addWidget(self._chart, 1)

    # --- slots -----------------------------------------------------------------------------------

    def _on_range_clicked(self) -> None:
        button = self._group.checkedButton()
        if button is not None:
            self.show_range(button.text())

    def _on_chart_ranged(self, t0_s: float, t1_s: float) -> None:
        zoomed = abs((t1_s - t0_s) / max(self._span_s, 1e-9) - 1.0) > 1e-6
        _, last = self._chart.limits
        ahead = t1_s > last + HEADROOM_SHARE * (t1_s - t0_s) * 0.5
        if zoomed or math.isinf(self._span_s):
            self._span_s = t1_s - t0_s
            self._uncheck_ranges()
        if not ahead or not self._chart.following:
            self.follow(self._chart.following and ahead)
        self._soon.start()

    def _uncheck_ranges(self) -> None:
        self._group.setExclusive(False)
        for button in self._ranges.values():
            button.setChecked(False)
        self._group.setExclusive(True)

    def _on_chart_hovered(self, t_s: float | None) -> None:
        self._hover_s = t_s
        self._said = ""
        if self._pair is not None and len(self._pair.series):
            self._show_readout(self._pair)

    def _on_line_dragged(self, name: str, value: float) -> None:
        self._plan[name] = value
        signals = {
            "target": self.target_dragged,
            "stop": self.stop_dragged,
            "entry": self.entry_dragged,
        }
        signals[name].emit(value)
        self._soon.start()

    def _on_menu_requested(self, place: QPoint) -> None:
        self._menu.popup(place)

    def _ask_png(self) -> None:
        self._ask("Export the chart as PNG", "PNG picture (*.png)", "basis.png", self._save_png)

    def _ask_csv(self) -> None:
        self._ask("Export the rows shown as CSV", "CSV table (*.csv)", "basis.csv", self._save_csv)

    def _ask(self, title: str, kind: str, name: str, then: object) -> None:
        dialog = QFileDialog(self, title, name, kind)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(then)
        dialog.open()

    def _save_png(self, path: str) -> None:
        save_picture(self.grab(), with_suffix(path, ".png"), self._say)

    def _save_csv(self, path: str) -> None:
        if self._pair is None:
            return
        window = self._chart.t0_s, self._chart.t1_s
        export = CsvExport(with_suffix(path, ".csv"), self._pair.series, *window, parent=self)
        export.ended.connect(self._say)
        export.start()

    def _say(self, text: str) -> None:
        self._said = text
        self._readout.setText(text)

    # --- Qt --------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        moves = {
            Qt.Key.Key_F: self.toggle_follow,
            Qt.Key.Key_Home: self.reset_zoom,
        }
        zooms = {Qt.Key.Key_Plus: 0.8, Qt.Key.Key_Equal: 0.8, Qt.Key.Key_Minus: 1.25}
        key = Qt.Key(event.key())
        if key in moves:
            moves[key]()
        elif key in zooms:
            self.zoom(zooms[key])
        else:
            super().keyPressEvent(event)


def hull(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The range that holds all these ranges, ignoring NaN; NaN when there is none."""
    finite = [pair for pair in pairs if math.isfinite(pair[0]) and math.isfinite(pair[1])]
    if not finite:
        return math.nan, math.nan
    return min(lo for lo, _ in finite), max(hi for _, hi in finite)


def _fit(pane: Pane, lo: float, hi: float, least: float) -> None:
    shown = pane.y if pane.y[1] > pane.y[0] else None
    pane.y = fit_range(lo, hi, least, shown)


def _mid_at(pair: PairMarket, t_s: float) -> float:
    row = pair.series.at(t_s)
    return math.nan if row is None else row["mid_bp"]
