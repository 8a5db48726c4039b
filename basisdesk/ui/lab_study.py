"""One study on the screen: sentences first, then tables, then charts. Built part by part.

A study can have dozens of tables: one part is made a turn of the loop, so the window never stands.
"""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from basisdesk.ui.lab_chart import LabChart
from basisdesk.ui.lab_chart_rows import shown_chart
from basisdesk.ui.lab_rows import (
    ShownTable,
    TableColumn,
    TableRow,
    breakable,
    sentence,
    shown_table,
    study_facts,
)
from basisdesk.ui.lab_view import Study
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import PlainLabel, Theme

TABLES_MAX, CHARTS_MAX = 24, 8  # in the window; the page has all
ROWS_SEEN = 14  # of a table, before it scrolls by itself
SPACE_PX = 12
MARK = "\u2022"


class StudyView(QScrollArea):
    """Shows one study. Empty, it says what would stand here."""

    def __init__(self, empty: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._empty = empty
        self._parts: list[Callable[[], QWidget]] = []
        self.tables: list[TableView] = []
        self.charts: list[LabChart] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("The study")
        self._next = QTimer(self)
        self._next.setInterval(0)
        self._next.timeout.connect(self._add_one)
        self.show_study(None)

    @property
    def building(self) -> bool:
        """Whether parts are still to come."""
        return bool(self._parts)

    def show_study(self, study: Study | None, title: str = "", note: str = "") -> None:
        """Show another study from its beginning. title: over it, the study's own where empty."""
        body = surfaced(QWidget(), self._theme)
        self._column = QVBoxLayout(body)
        pad = self._theme.px(SPACE_PX)
        self._column.setContentsMargins(pad, self._theme.px(8), pad, pad)
        self._column.setSpacing(self._theme.px(6))
        self.tables, self.charts = [], []
        self.setWidget(body)  # the one before goes with all of its parts
        if study is None:
            self._parts = []
            hint = self._wrapped(self._empty, "muted")
            hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._column.addWidget(hint, 1)
            return
        self._parts = [lambda: self._head(study, title, note), *self._bodies(study)]
        self._add_one()
        self._next.start()

    def finish(self) -> None:
        """Make all parts now: for a picture, or a test."""
        while self._parts:
            self._add_one()

    # --- parts ------------------------------------------------------------------------------------

    def _add_one(self) -> None:
        if self._parts:
            self._column.addWidget(self._parts.pop(0)())
        if not self._parts:
            self._next.stop()
            self._column.addStretch(1)

    def _bodies(self, study: Study) -> list[Callable[[], QWidget]]:
        tables, charts = list(study.get("tables") or ()), list(study.get("charts") or ())
        parts: list[Callable[[], QWidget]] = []
        parts += [self._later(self._table, each) for each in tables[:TABLES_MAX]]
        parts += [self._later(self._chart, each) for each in charts[:CHARTS_MAX]]
        more = [
            f"{len(each) - most} more {name}"
            for each, most, name in ((tables, TABLES_MAX, "tables"), (charts, CHARTS_MAX, "charts"))
            if len(each) > most
        ]
        if more:
            parts.append(lambda: self._wrapped(f"{' and '.join(more)} on the page.", "muted"))
        return parts

    @staticmethod
    def _later(make: Callable[[Any], QWidget], what: Any) -> Callable[[], QWidget]:
        return lambda: make(what)

    def _head(self, study: Study, title: str, note: str) -> QWidget:
        box, column = self._box()
        heading = self._wrapped(
            title or str(study.get("title", study.get("study", ""))), "text", 16
        )
        heading.setFont(self._theme.font(16, 600))
        column.addWidget(heading)
        if facts := study_facts(study):
            column.addWidget(self._wrapped(facts, "muted", 11))
        if note:
            column.addWidget(self._wrapped(f"Note: {note}", "accent"))
        lines = QGridLayout()
        lines.setContentsMargins(0, self._theme.px(6), 0, 0)
        lines.setHorizontalSpacing(self._theme.px(8))
        lines.setVerticalSpacing(self._theme.px(4))
        lines.setColumnStretch(1, 1)
        for at, said in enumerate(study.get("sentences") or ()):
            mark = self._theme.label(MARK, "muted")
            mark.setAlignment(Qt.AlignmentFlag.AlignTop)
            lines.addWidget(mark, at, 0)
            lines.addWidget(self._wrapped(sentence(str(said))), at, 1)
        column.addLayout(lines)
        return box

    def _table(self, table: Any) -> QWidget:
        shown = shown_table(table)
        box, column = self._box()
        column.addWidget(self._title(shown.title))
        if not shown.rows:
            column.addWidget(self._wrapped("None.", "muted"))
        elif shown.wordy:
            column.addLayout(self._words(shown))
        else:
            view = table_view(shown, self._theme)
            self.tables.append(view)
            column.addWidget(view)
        if shown.note:
            column.addWidget(self._wrapped(shown.note, "muted", 11))
        return box

    def _words(self, shown: ShownTable) -> QGridLayout:
        """A table of sentences: cells of as many lines as they need."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(self._theme.px(14))
        grid.setVerticalSpacing(self._theme.px(5))
        for at, column in enumerate(shown.columns):
            longest = max((len(text) for text in column.texts), default=1)
            grid.setColumnStretch(at, min(60, max(8, longest + 2)))
            grid.addWidget(self._theme.label(column.header, "muted", 11), 0, at)
            for row, text in enumerate(column.texts, 1):
                cell = self._wrapped(text)
                side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
                cell.setAlignment(side | Qt.AlignmentFlag.AlignTop)
                grid.addWidget(cell, row, at)
        return grid

    def _chart(self, chart: Any) -> QWidget:
        box, column = self._box()
        made = LabChart(shown_chart(chart), self._theme)
        self.charts.append(made)
        column.addWidget(made)
        if made.chart.note:
            column.addWidget(self._wrapped(made.chart.note, "muted", 11))
        return box

    # --- small ones -------------------------------------------------------------------------------

    def _box(self) -> tuple[QWidget, QVBoxLayout]:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, self._theme.px(SPACE_PX))
        column.setSpacing(self._theme.px(3))
        return box, column

    def _title(self, text: str) -> PlainLabel:
        label = self._wrapped(text)
        label.setFont(self._theme.font(12, 600))
        return label

    def _wrapped(self, text: str, tone: str = "text", size: int = 12) -> PlainLabel:
        label = self._theme.label(breakable(text), tone, size)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label


def surfaced(widget: QWidget, theme: Theme) -> QWidget:
    """The widget, on the surface of a panel."""
    widget.setAutoFillBackground(True)
    palette = widget.palette()
    palette.setColor(widget.backgroundRole(), theme.qcolor("surface"))
    widget.setPalette(palette)
    return widget


def table_view(shown: ShownTable, theme: Theme) -> TableView:
    """A study's table as the desk's own, as high as its rows up to ROWS_SEEN."""
    columns = [_column(at, column) for at, column in enumerate(shown.columns)]
    view = TableView(columns, theme, key=lambda row: row.place)
    view.setAccessibleName(shown.title)
    view.show_rows(shown.rows)
    row = view.verticalHeader().defaultSectionSize()
    head = view.horizontalHeader().sizeHint().height()
    bar = view.horizontalScrollBar().sizeHint().height()
    view.setFixedHeight(head + row * min(len(shown.rows), ROWS_SEEN) + bar + 2)
    view.setVerticalScrollBarPolicy(
        Qt.ScrollBarPolicy.ScrollBarAsNeeded
        if len(shown.rows) > ROWS_SEEN
        else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    )
    return view


def _column(at: int, column: TableColumn) -> Column:
    longest = max(column.texts, key=len, default="")

    def text(row: TableRow) -> str:
        return row.texts[at]

    def value(row: TableRow) -> Any:
        """Figures by value; words, which may stand among them, after all figures."""
        found = row.values[at]
        return (1, 0.0, found) if isinstance(found, str) else (int(found != found), found, "")

    return Column(column.header, text, sort=value, left=not column.right, sample=longest)
