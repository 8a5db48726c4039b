"""The log: what the desk and the feeds said, newest first, by level and by word."""

from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.ledger_rows import MARKS, level_meaning, log_rows
from basisdesk.ui.pulse import Panel
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.times import clock_ms_text, zone_text

CHOICES = (
    ("All", "info", "Every line."),
    ("Warnings", "warn", "Warnings, refusals and errors."),
    ("Errors", "error", "Errors alone."),
)


class LogPanel(Panel):
    """One table of lines. A line is plain text and was cleaned where it came in."""

    cares_about = Changed.LOG

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._least = "info"
        self.setAccessibleName("Log")
        utc = context.settings.ui.utc
        columns = (
            Column(
                f"Time, {zone_text(utc, context.engine.now_ns)}",
                lambda line: clock_ms_text(line.t_ns, utc),
                lambda line: line.t_ns,
                left=True,
                sample="09:14:22.123",
            ),
            Column(
                "Level",
                lambda line: MARKS.get(line.level, line.level),
                lambda line: line.level,
                left=True,
                meaning=lambda line: level_meaning(line.level),
                sample=MARKS["error"],
            ),
            Column("Source", lambda line: line.source, left=True, sample="bybit.linear"),
            Column(
                "Message",
                lambda line: line.text,
                left=True,
                stretch=True,
                detail=lambda line: line.text,
                sample="Session",
            ),
        )
        self.table = TableView(columns, theme, key=id)  # lines are kept, so each is itself
        self.table.setAccessibleName("Log lines, newest first")
        self.table.empty_text = "Nothing to say at this level."
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Search: words in any column")
        self.filter.setAccessibleName("Search the log")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(theme.px(320))
        self._lay_out(theme)
        self.filter.textChanged.connect(self._on_filter_changed)

    def _lay_out(self, theme: Theme) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(0, theme.px(4), theme.px(8), theme.px(4))
        head.setSpacing(theme.px(4))
        self._group = QButtonGroup(self)
        for name, least, tip in CHOICES:
            button = QPushButton(name, self)
            button.setProperty("role", "segment")
            button.setProperty("least", least)
            button.setCheckable(True)
            button.setChecked(least == self._least)
            set_tip(button, tip)
            button.clicked.connect(self._on_level_clicked)
            self._group.addButton(button)
            head.addWidget(button)
        head.addSpacing(theme.px(8))
        head.addWidget(self.filter, 1)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(6), 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.table, 1)

    def refresh(self) -> None:
        """Read the lines."""
        self.table.show_rows(log_rows(self._context.engine.log, self._least))

    def _on_level_clicked(self) -> None:
        button = self._group.checkedButton()
        if button is not None:
            self._least = str(button.property("least"))
            self.refresh()

    def _on_filter_changed(self, text: str) -> None:
        self.table.proxy.set_filter(text)
        self.table.viewport().update()
