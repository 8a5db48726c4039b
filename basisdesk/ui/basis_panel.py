"""Spot and perp, their basis, and funding: three panes over one time axis."""

import math
from collections.abc import Callable

from PySide6.QtCore import QMetaMethod, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from basisdesk.events import Changed, SetPlan
from basisdesk.market.basis import PairMarket
from basisdesk.trading.positions import PairPosition
from basisdesk.ui.axis import clock_words
from basisdesk.ui.basis_head import ChartHead, samples
from basisdesk.ui.basis_scene import BasisScene, held_plans, outages_of, own_of
from basisdesk.ui.chart import ChartView
from basisdesk.ui.chart_export import CsvExport, save_picture, with_suffix
from basisdesk.ui.context import Context
from basisdesk.ui.figures import number_text, sign_text
from basisdesk.ui.leg_words import leg_name, short_names
from basisdesk.ui.legend import Legend
from basisdesk.ui.plan_rows import reached_text, with_level
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
REDRAW_MS = 8


class BasisPanel(Panel):
    """The chart of the pair on the screen, or of the pair that `shown` gives.

    target_dragged, stop_dragged, entry_dragged carry bp as a float while the line moves. The entry
    line has a grip only when somebody listens to `entry_dragged`. let_go: Escape was pressed.
    plan_proposed: (pair, ExitPlan) of a line dropped where it would close its pair at once.
    """

    cares_about = Changed.BASIS | Changed.FUNDING | Changed.POSITIONS

    target_dragged = Signal(object)
    stop_dragged = Signal(object)
    entry_dragged = Signal(object)
    let_go = Signal()
    plan_proposed = Signal(object)

    def __init__(
        self, context: Context, theme: Theme, shown: Callable[[], PairMarket | None] | None = None
    ) -> None:
        super().__init__()
        self._context = context
        self._theme = theme
        self._shown = shown or (lambda: context.engine.shown())  # noqa: PLW0108  (it may change)
        self._pair: PairMarket | None = None
        self._scene = BasisScene(theme)
        self._span_s = dict(RANGES)[FIRST_RANGE]
        self._hover_s: float | None = None
        self._said = ""
        self._shown_s = 0.0
        self._selected = 0
        self._names = ("spot", "perp")
        self._chart = ChartView(self._scene.panes, theme, utc=context.settings.ui.utc)
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
        self._chart.line_dropped.connect(self._on_line_dropped)
        self._chart.menu_requested.connect(self._on_menu_requested)
        self._chart.reset_requested.connect(self.reset_zoom)
        self.setAccessibleName("Spot, perp and basis")

    # --- what it is told -------------------------------------------------------------------------

    def set_plan(
        self, entry_bp: float | None, target_bp: float | None, stop_bp: float | None
    ) -> None:
        """Show these levels as lines, bp of basis; None hides a line."""
        self._scene.plan = {"entry": entry_bp, "target": target_bp, "stop": stop_bp}
        self._soon.start()

    def set_direction(self, direction: int) -> None:
        """Which way the ticket goes, +1 long spot, -1 short spot: there lies the cost zone."""
        self._scene.direction = direction
        self._soon.start()

    def show_pair(self, pair: int) -> None:
        """Let the lines of this open pair be moved; 0 for none. What is held stays anyway."""
        self._selected = pair
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
    def range_name(self) -> str:
        """The quick range that is shown, "" once the time axis was zoomed by hand."""
        button = self._group.checkedButton()
        return button.text() if button is not None else ""

    @property
    def chart(self) -> ChartView:
        """The chart itself: its panes, ranges and curves."""
        return self._chart

    # --- showing ---------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the pair on the screen and show it. Costs by pixels, not by history."""
        pair = self._shown()
        if pair is not self._pair:
            self._adopt(pair)
        if pair is None or not len(pair.series):
            self._show_nothing(pair)
            return
        self._chart.note = ""
        self._move_window(pair)
        engine = self._context.engine
        self._read_own()
        self._scene.show(pair, self._chart, engine.outcomes)
        self._chart.outages = outages_of(pair, self._chart, engine.now_ns / 1e9)
        self._hover_s = self._chart.pointed_s()  # under a pointer at rest time moves on
        self._show_readout(pair)
        self._chart.show_frame()

    def _adopt(self, pair: PairMarket | None) -> None:
        self._pair = pair
        self._scene.forget()
        self._chart.outages = []
        if pair is not None:
            self._names = short_names(pair.spot.key, pair.perp.key)
            self._legend.rename(dict(zip(("spot", "perp"), self._names, strict=True)))
            first, second = self._names
            self._title.setText(f"{first[:1].upper()}{first[1:]}, {second} and basis")
            self.follow()

    def _own(self, pair: int) -> PairPosition | None:
        """A pair whose line was moved, while it can be: it is selected and stands on the screen."""
        movable = any(each.pair == pair and each.drags for each in self._scene.own)
        return self._context.engine.desk.pairs.get(pair) if movable else None

    def _read_own(self) -> None:
        self._scene.own = ()
        if self._pair is None:
            return
        legs = self._pair.spot.key, self._pair.perp.key
        self._scene.own = held_plans(self._context.engine.open_pairs(), legs, self._selected)
        if self._chart.held is not None:  # under the pointer it is where the pointer is
            self._move_own(self._chart.held.name, self._chart.held.value)

    def _move_own(self, name: str, value: float) -> bool:
        """Put a line of a held pair there for now; False for a line of the ticket."""
        moved = own_of(name)
        for each in self._scene.own:
            if moved is not None and each.pair == moved[0]:
                each.levels[moved[1]] = value
        return moved is not None

    def _show_nothing(self, pair: PairMarket | None) -> None:
        self._chart.note = (
            "No pair on the screen. Pick one in the top bar or the scanner."
            if pair is None
            else f"Waiting for the first prices of {leg_name(pair.spot.key)} and "
            f"{leg_name(pair.perp.key)}.{self._unreached()}"
        )
        self._scene.forget()
        self._readout.setText("")
        self._chart.show_frame()

    def _unreached(self) -> str:
        links = self._context.engine.market.links
        down = next((link for link in links.values() if link.state == "down"), None)
        return f"  {down.conn}: {down.reason}." if down is not None and down.reason else ""

    def _move_window(self, pair: PairMarket) -> None:
        chart = self._chart
        first, last = pair.series.t_first, pair.series.t_last
        chart.limits = (first, last)
        if not chart.following:
            return
        span = self._span_s
        if math.isinf(span):
            kept = 1.0 - HEADROOM_SHARE - 2.0 / chart.plot_px  # a pixel at each end to round by
            span = max(60.0, (last - first) / kept)
        step = span / chart.plot_px  # moves by whole pixels: the picture does not shimmer
        end = math.ceil((last + HEADROOM_SHARE * span) / step) * step
        chart.set_window(end - span, end)
        self._shown_s = span

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
        price = self._scene.prices.places
        parts = [
            clock,
            f"{self._names[0]} {number_text(row['spot'], price)}",
            f"{self._names[1]} {number_text(row['perp'], price)}",
            f"mid {sign_text(row['mid_bp'], 1)} bp",
            f"open {sign_text(row['open_bp'], 1)}   close {sign_text(row['close_bp'], 1)} bp",
            f"funding {sign_text(row['funding_pct'], 4)} %",
        ]
        if math.isfinite(row["combo_bid_bp"]):
            bid, ask = (sign_text(row[name], 1) for name in ("combo_bid_bp", "combo_ask_bp"))
            parts.append(f"combo {bid} / {ask} bp")
        advance = self._readout.fontMetrics().horizontalAdvance
        while len(parts) > 1 and advance("   ".join(parts)) > self._readout.width():
            parts.pop()  # a figure is whole or not there
        self._readout.setText("   ".join(parts))

    # --- building --------------------------------------------------------------------------------

    def _build_header(self) -> None:
        theme = self._theme
        self._title = theme.label("Spot, perp and basis", weight=600)
        self._group = QButtonGroup(self)
        self._ranges: dict[str, QPushButton] = {}
        for name, _ in RANGES:
            button = QPushButton(name, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(
                f"Show the last {name}" if name != "All" else "Show all rows held"
            )
            set_tip(button, "Show all rows held." if name == "All" else f"Show the last {name}.")
            button.clicked.connect(self._on_range_clicked)
            self._group.addButton(button)
            self._ranges[name] = button
        self._ranges[FIRST_RANGE].setChecked(True)
        self._legend = Legend(samples(theme), theme)
        self._follow = QPushButton("Follow", self)
        self._follow.setProperty("role", "segment")
        self._follow.setCheckable(True)
        self._follow.setFocusPolicy(Qt.FocusPolicy.TabFocus)
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
        head = ChartHead(
            self._title, self._ranges.values(), self._legend, self._follow, self._theme, self
        )
        readout = QHBoxLayout()
        readout.setContentsMargins(px(10), 0, px(10), px(2))
        readout.addWidget(self._readout)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head)
        column.addLayout(readout)
        column.addWidget(self._chart, 1)

    # --- slots -----------------------------------------------------------------------------------

    def _on_range_clicked(self) -> None:
        button = self._group.checkedButton()
        if button is not None:
            self.show_range(button.text())

    def _on_chart_ranged(self, t0_s: float, t1_s: float) -> None:
        if self._pair is None or not len(self._pair.series):
            return
        span = t1_s - t0_s
        if abs(span - self._shown_s) > 1e-9 * span:  # zoomed: it goes on following if it did
            self._span_s = self._shown_s = span
            self._uncheck_ranges()
        else:
            _, last = self._chart.limits
            self.follow(t1_s >= last + 0.5 * HEADROOM_SHARE * span)
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

    def _on_line_dropped(self, name: str, value: float) -> None:
        moved = own_of(name)
        position = self._own(moved[0]) if moved is not None else None
        if moved is None or position is None:
            return
        plan = with_level(position.plan, moved[1], value)
        if plan != position.plan:
            reached = reached_text(plan, position, self._context.engine)
            if reached:  # a slip of the hand must not close a pair
                self._say(f"Not set. {reached}")
                self.plan_proposed.emit((position.pair, plan))
            else:
                self._context.actions.submit(SetPlan(position.pair, plan))
        self._soon.start()

    def _on_line_dragged(self, name: str, value: float) -> None:
        if self._move_own(name, value):
            self._soon.start()
            return
        self._scene.plan[name] = value
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

    def connectNotify(self, signal: QMetaMethod) -> None:  # noqa: D102
        # asking isSignalConnected(QMetaMethod.fromSignal(...)) instead keeps this panel for ever
        if signal.name() == b"entry_dragged":
            self._scene.entry_drags = True

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        moves = {
            Qt.Key.Key_F: self.toggle_follow,
            Qt.Key.Key_Home: self.reset_zoom,
            Qt.Key.Key_Escape: self.let_go.emit,
        }
        zooms = {Qt.Key.Key_Plus: 0.8, Qt.Key.Key_Equal: 0.8, Qt.Key.Key_Minus: 1.25}
        key = Qt.Key(event.key())
        if key in moves:
            moves[key]()
        elif key in zooms:
            self.zoom(zooms[key])
        else:
            super().keyPressEvent(event)
