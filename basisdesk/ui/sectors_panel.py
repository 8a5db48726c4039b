"""Sectors: lines of z over time, a heat map or a table, and beside it what rotation is worth."""

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.scan.words import SectorView
from basisdesk.ui.context import Context
from basisdesk.ui.focus_frame import paint_frame
from basisdesk.ui.pulse import Panel
from basisdesk.ui.sector_chart import SectorChart
from basisdesk.ui.sector_heat import SectorHeat
from basisdesk.ui.sector_rows import (
    STATE_TONES,
    Said,
    bp_text,
    liquid_text,
    map_text,
    map_tip,
    pct_text,
    rotation_lines,
    since_text,
    state_text,
    z_text,
)
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.times import zone_text

ROTATION_PX = 300
RIGHT_PX = 6  # of the rotation block, free at its right edge
VIEW_PX_MIN = 150  # height of chart, heat map or table; the heat map scrolls below its own
NO_SCAN = "No universe is watched here, so there are no sectors to compare."
TITLES = {
    "Lines": "Sector funding against the market, z",
    "Heat map": "Sector funding minus that of the whole market, bp per 8 h",
    "Table": "Sectors now",
}
TIPS = {
    "Lines": "How unusual each sector's funding is, measured by its own past: z +1.6.",
    "Heat map": "Each settlement of each sector: how much more or less longs paid, +1.25 bp.",
    "Table": "Level, change, divergence, z and price of each sector now.",
}


def title_text(kind: str, view: SectorView) -> str:
    """The heading of a kind of view; lines say how long a past they are measured by."""
    lines = list(view.z_lines.values())
    known = np.isfinite(np.vstack(lines)).any(axis=0) if lines else np.empty(0, dtype=np.bool_)
    times = view.times_ms[np.flatnonzero(known)]
    if kind != "Lines" or len(times) < 2:
        return TITLES[kind]
    return f"{TITLES[kind]} over {round((times[-1] - times[0]) / 86_400_000)} days"


def sector_columns(utc: bool, zone: str) -> tuple[Column, ...]:
    """One sector a row."""
    return (
        Column("Sector", lambda row: row.name, left=True, sample="Infrastructure"),
        Column(
            "Liquid coins",
            liquid_text,
            lambda row: row.liquid,
            tip="Watched coins that turn over a million a day, of all watched: 5 of 7.",
            sample="10 of 12",
            spare=2,
        ),
        *_funding_columns(),
        *_price_columns(),
        Column(
            "State",
            state_text,
            lambda row: row.state,
            left=True,
            tip="Beyond z 1.5 for two settlements: hot, longs crowd in, or cold, shorts do. Calm "
            "again after two below 0.75.",
            meaning=lambda row: STATE_TONES[row.state],
            detail=lambda row: row.words,
            sample="shorts crowd in",
        ),
        Column(
            f"Since, {zone}",
            lambda row: since_text(row, utc),
            lambda row: row.since_ms,
            left=True,
            tip="The settlement that made the state: 2026-11-21 08:00.",
            sample="2026-11-21 08:00",
            spare=5,
        ),
        Column("", lambda _: "", stretch=True),
    )


def _funding_columns() -> tuple[Column, ...]:
    return (
        Column(
            "Funding 8 h, bp",
            lambda row: bp_text(row.funding_8h_bp),
            lambda row: row.funding_8h_bp,
            tip="Median over its coins of the floating rate, by true intervals: +1.25 bp.",
            sample="+10.25",
        ),
        Column(
            "OI-weighted, bp",
            lambda row: bp_text(row.funding_oi_8h_bp),
            lambda row: row.funding_oi_8h_bp,
            tip="The same rate, coins and venues weighted by open interest: +1.10 bp.",
            sample="+10.25",
            spare=1,
        ),
        Column(
            "Change 24 h, bp",
            lambda row: bp_text(row.change_bp),
            lambda row: row.change_bp,
            tip="The level now minus that of the settlement a day ago: +0.40 bp.",
            sample="+10.25",
        ),
        Column(
            "Against all, bp",
            lambda row: bp_text(row.divergence_bp),
            lambda row: row.divergence_bp,
            tip="Divergence: the sector's median minus the median of all coins, +0.85 bp.",
            sample="+10.25",
        ),
        Column(
            "OI-weighted, bp",
            lambda row: bp_text(row.divergence_oi_bp),
            lambda row: row.divergence_oi_bp,
            tip="The divergence of the rates weighted by open interest: +0.60 bp.",
            sample="+10.25",
            spare=3,
        ),
        Column(
            "z",
            lambda row: z_text(row.z),
            lambda row: row.z,
            tip="The divergence by its own past, median and MAD: +1.6 is unusual.",
            sample="+10.5",
        ),
    )


def _price_columns() -> tuple[Column, ...]:
    return (
        Column(
            "Price 24 h, %",
            lambda row: pct_text(row.momentum_day_pct),
            lambda row: row.momentum_day_pct,
            tip="Momentum: mean move of its coins in a day, each coin alike: +4.1 %.",
            sample="+10.5",
        ),
        Column(
            "Price 7 d, %",
            lambda row: pct_text(row.momentum_week_pct),
            lambda row: row.momentum_week_pct,
            tip="The same over a week, where prices of a week are known: +9.8 %.",
            sample="+10.5",
            spare=4,
        ),
    )


class Scroll(QScrollArea):
    """Something that scrolls downwards when it is low, by keys too; a frame says when they act."""

    def __init__(self, inside: QWidget, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(inside)
        self.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._on_range)
        bar.setSingleStep(theme.px(16))
        self._on_range()

    def _on_range(self) -> None:
        """The Tab key stops here only while there is something to scroll."""
        scrolls = self.verticalScrollBar().maximum() > 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if scrolls else Qt.FocusPolicy.NoFocus)

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame of the keyboard's focus."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            paint_frame(painter, self, self._theme.qcolor("accent"))
            painter.end()


class SectorsPanel(Panel):
    """Reads `context.scan.sectors`. Only the view that is on the screen is filled."""

    cares_about = Changed.SCAN

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        utc = context.settings.ui.utc
        self.setAccessibleName("Sectors")
        self.chart = SectorChart(theme, utc=utc)
        self.heat = SectorHeat(theme, utc=utc)
        zone = zone_text(utc, context.engine.now_ns)
        self.table = TableView(sector_columns(utc, zone), theme, key=lambda row: row.name)
        self.table.setAccessibleName("Sectors now")
        self.title = PlainLabel(TITLES["Lines"], elide=True)
        self.title.setFont(theme.font(weight=600))
        self.map = theme.label("", "muted", 11)
        self.views = QStackedWidget(self)
        self._said: list[PlainLabel] = []
        self._lines_said: list[Said] = []
        self._lay_out()
        self.refresh()

    def show_kind(self, kind: str) -> None:
        """Show "Lines", "Heat map" or "Table"."""
        for button in self._choice.buttons():
            button.setChecked(button.text() == kind)
        self.views.setCurrentIndex(list(TITLES).index(kind))
        self.refresh()

    def refresh(self) -> None:
        """Read the overlay as the scanner last left it."""
        scan = self._context.scan
        view = scan.sectors if scan is not None else SectorView()
        title = title_text(list(TITLES)[self.views.currentIndex()], view)
        if self.title.text() != title:
            self.title.setText(title)
        empty = "" if view.rows else (NO_SCAN if scan is None else scan.why_empty)
        shown = (self.chart, self.heat, self.table)[self.views.currentIndex()]
        if shown is self.chart:
            self.chart.show_view(view)
            if empty:
                self.chart.note = empty
        elif shown is self.heat:
            if empty:
                self.heat.empty_text = empty
            self.heat.show_view(view)
        else:
            self.table.empty_text = empty
            self.table.show_rows(view.rows)
        self._say(view)

    def stops(self) -> list[QWidget]:
        """Where the Tab key stops, in reading order."""
        return [*self._choice.buttons(), self.chart, self.heat_room, self.table, self.rotation]

    # --- inside ----------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        theme = self._theme
        self.heat_room = Scroll(self.heat, theme)
        self.heat_room.setAccessibleName("Heat map of the sectors")
        for widget in (self.chart, self.heat_room, self.table):
            widget.setMinimumHeight(theme.px(VIEW_PX_MIN))
            self.views.addWidget(widget)
        left = QVBoxLayout()
        left.setContentsMargins(theme.px(8), theme.px(4), 0, 0)
        left.setSpacing(theme.px(4))
        left.addLayout(self._head())
        left.addWidget(self.views, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(12))
        row.addLayout(left, 1)
        row.addWidget(self._rotation())

    def _head(self) -> QHBoxLayout:
        theme = self._theme
        head = QHBoxLayout()
        head.setSpacing(theme.px(4))
        head.addWidget(self.title)
        head.addSpacing(theme.px(12))
        self._choice = QButtonGroup(self)
        for kind, tip in TIPS.items():
            button = QPushButton(kind, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setChecked(kind == "Lines")
            set_tip(button, tip)
            button.clicked.connect(self._on_kind_clicked)
            self._choice.addButton(button)
            head.addWidget(button)
        head.addStretch(1)
        return head

    def _rotation(self) -> QWidget:
        theme = self._theme
        block = QWidget(self)
        block.setFixedWidth(theme.px(ROTATION_PX))
        self._lines = QVBoxLayout()
        self._lines.setSpacing(theme.px(4))
        self.verdict = theme.label("", "warn")
        self.verdict.setWordWrap(True)
        self._inside = QWidget()
        told = QVBoxLayout(self._inside)
        told.setContentsMargins(0, 0, theme.px(6), 0)
        told.setSpacing(theme.px(6))
        told.addLayout(self._lines)
        told.addStretch(1)
        self.rotation = Scroll(self._inside, theme)
        self.rotation.setAccessibleName("Rotation between sectors")
        column = QVBoxLayout(block)
        column.setContentsMargins(0, theme.px(8), theme.px(RIGHT_PX), theme.px(6))
        column.setSpacing(theme.px(6))
        column.addWidget(theme.label("Rotation", weight=600))
        column.addWidget(self.rotation, 1)
        column.addWidget(self.verdict)  # what is unproven is said whatever else scrolls
        column.addStretch(0)
        column.addWidget(self.map)
        return block

    def _say(self, view: SectorView) -> None:
        lines = rotation_lines(view)
        while len(self._said) < len(lines):
            label = self._theme.label("")
            label.setWordWrap(True)
            self._said.append(label)
            self._lines.addWidget(label)
        for place, label in enumerate(self._said):
            said = lines[place] if place < len(lines) else Said("")
            if label.text() != said.text:
                label.setText(said.text)
            label.set_colour(self._theme.qcolor(said.tone))
            label.setVisible(bool(said.text))
        for label, text in ((self.verdict, view.verdict), (self.map, map_text(view))):
            if label.text() != text:
                label.setText(text)
        set_tip(self.map, map_tip(view))
        if lines != self._lines_said:
            self._lines_said = lines
            self._fit_lines()

    def _fit_lines(self) -> None:
        """The verdict follows the lines; only where all have no room do the lines scroll."""
        room = self._theme.px(ROTATION_PX) - self._theme.px(RIGHT_PX)
        room -= self.rotation.verticalScrollBar().sizeHint().width()  # it may stand there
        self.rotation.setMaximumHeight(max(1, self._inside.heightForWidth(room)))
        self.rotation.setVisible(bool(self._lines_said))

    def _on_kind_clicked(self) -> None:
        button = self._choice.checkedButton()
        if button is not None:
            self.show_kind(button.text())
