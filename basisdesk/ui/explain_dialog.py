"""Explain this number: its formula with the figures in, and the ledger rows that sum to it."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from basisdesk.ui.context import Context
from basisdesk.ui.dialog_size import bounded
from basisdesk.ui.explain_rows import Explained, explained, figures_of
from basisdesk.ui.rows import meaning_of
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.times import zone_text

SIZE_PX = (1040, 460)


def explain_columns(zone: str) -> tuple[Column, ...]:
    """One amount a row, with the arithmetic behind it."""
    return (
        Column(f"Time, {zone}", lambda row: row.time, lambda row: row.ts_ns, left=True,
               sample="11-21 09:14:22.123"),
        Column("Cause", lambda row: row.cause, left=True, sample="pair:12:open:short:1"),
        Column("Account", lambda row: row.account, left=True, sample="assets:pair:12:margin"),
        Column("Amount", lambda row: row.amount, lambda row: row.value,
               meaning=lambda row: meaning_of(row.sign), sample="\u221212,345.67890123",
               tip="As it acts on the figure: what costs is minus."),
        Column("In", lambda row: row.currency, left=True, sample="USDT"),
        Column("Arithmetic", lambda row: row.note, left=True, stretch=True,
               detail=lambda row: row.note, meaning=lambda _: "muted",
               sample="\u221210,000 \u00d7 mark 0.36651 \u00d7 rate 0.000184"),
    )  # fmt: skip


class ExplainDialog(QDialog):
    """One figure as it stands at this moment; the list on top goes to the figures beside it.

    pair: 0 for the account's own figures.
    """

    def __init__(
        self, context: Context, theme: Theme, figure: str, pair: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._pair = pair
        self.shown: Explained | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(bounded(QSize(theme.px(SIZE_PX[0]), theme.px(SIZE_PX[1])), parent))
        self.which = QComboBox(self)
        self.which.setAccessibleName("Which figure is explained")
        for code, name in figures_of(pair).items():
            self.which.addItem(name, code)
        self.which.setCurrentIndex(max(0, self.which.findData(figure)))
        self.figure = theme.label("", "text", 19, 600)
        self.formula = self._line("text")
        self.moment = self._line("muted")
        self.check = self._line("muted")
        self.limit = self._line("warn")
        zone = zone_text(context.settings.ui.utc, context.engine.now_ns)
        self.rows = TableView(explain_columns(zone), theme, key=lambda row: row.key)
        self.rows.setAccessibleName("Rows that sum to the figure")
        self.copy_button = QPushButton("Copy", self)
        set_tip(self.copy_button, "Figure, formula and rows as text, columns set off by tabs.")
        self._lay_out()
        self.which.currentIndexChanged.connect(self.refresh)
        self.copy_button.clicked.connect(self.copy)
        QShortcut(QKeySequence.StandardKey.Copy, self, self.copy)
        self.refresh()
        self.rows.setFocus()

    def _line(self, tone: str) -> PlainLabel:
        label = self._theme.label("", tone)
        label.setWordWrap(True)
        flags = Qt.TextInteractionFlag
        label.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
        return label

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.which)
        head.addStretch(1)
        head.addWidget(self.figure)
        buttons = QHBoxLayout()
        again = QPushButton("Look again", self)
        set_tip(again, "Takes the figure at the prices of this moment.")
        again.clicked.connect(self.refresh)
        close = QPushButton("Close", self)
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons.addWidget(self.moment, 1)
        for button in (again, self.copy_button, close):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setSpacing(self._theme.px(6))
        column.addLayout(head)
        column.addWidget(self.formula)
        column.addWidget(self.rows, 1)
        column.addWidget(self.check)
        column.addWidget(self.limit)
        column.addLayout(buttons)

    def refresh(self) -> None:
        """Take the chosen figure as it stands now. What is shown does not move by itself."""
        what = explained(
            self._context.engine, self._context.settings, str(self.which.currentData()), self._pair
        )
        self.shown = what
        self.setWindowTitle(f"Explain: {what.title}")
        self.figure.setText(what.figure)
        self.figure.set_colour(self._theme.qcolor(what.meaning or "text"))
        self.check.set_colour(self._theme.qcolor("muted" if what.proven else "loss"))
        for label, text in (
            (self.formula, what.formula),
            (self.moment, what.moment),
            (self.check, what.check),
            (self.limit, what.limit),
        ):
            label.setText(text)
            label.setVisible(bool(text) or label is self.moment)
        self.rows.empty_text = what.missing or "Nothing has moved this figure yet: it is zero."
        self.rows.show_rows(what.rows)
        self.rows.viewport().update()
        self.copy_button.setEnabled(not what.missing)

    def copy(self) -> None:
        """Put all of it on the clipboard as text. Ctrl+C."""
        if self.shown is not None:
            QGuiApplication.clipboard().setText(self.shown.text())
