"""The ledger as it is written: every posting, and every fill with its realism grade."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.explain_dialog import ExplainDialog
from basisdesk.ui.facts_view import ASKS
from basisdesk.ui.glossary import term
from basisdesk.ui.ledger_rows import (
    ROWS_MAX,
    FillRow,
    PostingRow,
    fill_figure,
    fill_rows,
    grade_meaning,
    posting_figure,
    posting_rows,
)
from basisdesk.ui.pulse import Panel
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.times import zone_text
from basisdesk.ui.tip_menu import EXPLAIN


def posting_columns(zone: str) -> tuple[Column, ...]:
    """One posting a row."""
    return (
        Column("No.", lambda row: f"{row.key[0]:,}", lambda row: row.key, sample="12,345"),
        Column(
            f"Time, {zone}", lambda row: row.time, lambda row: row.ts_ns, left=True,
            sample="09:14:22.123",
        ),
        Column("Cause", lambda row: row.cause, left=True, sample="pair:12:open:short:1"),
        Column("Account", lambda row: row.account, left=True, sample="assets:margin:bybit:perp"),
        Column("Currency", lambda row: row.currency, left=True, sample="USDT"),
        Column(
            "Amount",
            lambda row: row.amount,
            lambda row: row.value,
            tip="Debits are plus, credits are minus; each transaction sums to zero per currency.",
            sample="+12,345.678901",
        ),
        Column("", lambda _: "", stretch=True),
    )  # fmt: skip


def fill_columns(zone: str) -> tuple[Column, ...]:
    """One fill a row."""
    return (
        Column(
            f"Time, {zone}", lambda row: row.time, lambda row: row.ts_ns, left=True,
            sample="09:14:22.123",
        ),
        Column("Pair", lambda row: str(row.pair), lambda row: row.pair, sample="12",
               detail=lambda row: f"By {row.by}." if row.by else ""),
        Column("Leg", lambda row: row.leg, left=True, sample="short"),
        Column(
            "Instrument", lambda row: row.instrument, left=True, sample="Bybit perp ADAUSDT",
        ),
        Column(
            "Side", lambda row: row.side, left=True, sample="\u25b2 buy",
            meaning=lambda row: "gain" if row.buy else "loss",
        ),
        Column("Qty", lambda row: row.qty, lambda row: row.qty_value, sample="10,000"),
        Column("Price", lambda row: row.price, lambda row: row.price_value, sample="0.36651"),
        Column("Fee", lambda row: row.fee, lambda row: row.fee_value, tip=term("Fees"),
               sample="3.64000"),
        Column("In", lambda row: row.fee_currency, left=True, sample="USDT",
               tip="The coin the fee is taken in: a spot buy pays in the coins it buys, 10 ADA."),
        Column("Liquidity", lambda row: row.liquidity, left=True, sample="taker"),
        Column(
            "Grade", lambda row: row.grade, left=True, sample="A", tip=term("Grade"),
            detail=lambda row: row.grade_reason, meaning=lambda row: grade_meaning(row.grade),
        ),
        Column(
            "Why this grade", lambda row: row.grade_reason, left=True, stretch=True,
            detail=lambda row: row.grade_reason, meaning=lambda _: "muted",
            sample="top level, quote 40 ms old",
        ),
    )  # fmt: skip


class LedgerPanel(Panel):
    """Two views on what was booked, newest first, with a line that filters them."""

    cares_about = Changed.LEDGER

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._seen = (-1, -1)
        self.setAccessibleName("Ledger")
        zone = zone_text(context.settings.ui.utc, context.engine.now_ns)
        self.postings = TableView(posting_columns(zone), theme, key=lambda row: row.key)
        self.postings.setAccessibleName("Postings, newest first")
        self.postings.empty_text = "Nothing is booked yet. The first session deposits the account."
        self.fills = TableView(fill_columns(zone), theme, key=lambda row: row.key)
        self.fills.setAccessibleName("Fills, newest first")
        self.fills.empty_text = "No fills yet. Open a pair: each level it takes is a fill here."
        self.views = QStackedWidget(self)
        self.views.addWidget(self.fills)
        self.views.addWidget(self.postings)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Filter: words in any column")
        self.filter.setAccessibleName("Filter the ledger")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(theme.px(320))
        self.count = theme.label("", "muted", 11)
        self._lay_out(theme)
        for table in (self.fills, self.postings):
            table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            table.customContextMenuRequested.connect(self._on_menu_requested)
            table.doubleClicked.connect(self._on_double_clicked)
            table.installEventFilter(self)
        self.filter.textChanged.connect(self._on_filter_changed)

    def _lay_out(self, theme: Theme) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(0, theme.px(4), theme.px(8), theme.px(4))
        head.setSpacing(theme.px(4))
        group = QButtonGroup(self)
        self.choices: dict[str, QPushButton] = {}
        for name, tip in (
            ("Fills", "Every price level a leg took, with its fee and realism grade."),
            ("Postings", "The double-entry ledger, as written to the journal."),
        ):
            button = QPushButton(name, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setChecked(name == "Fills")
            set_tip(button, tip)
            button.clicked.connect(self._on_view_clicked)
            group.addButton(button)
            head.addWidget(button)
            self.choices[name] = button
        head.addSpacing(theme.px(8))
        head.addWidget(self.filter, 1)
        head.addStretch(1)
        head.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(6), 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.views, 1)

    def refresh(self) -> None:
        """Read the books, if something was booked."""
        engine, utc = self._context.engine, self._context.settings.ui.utc
        seen = engine.books.posted, id(engine.outcomes[-1]) if engine.outcomes else 0
        if seen == self._seen:
            return
        self._seen = seen
        self.postings.show_rows(posting_rows(engine.books.recent, utc))
        self.fills.show_rows(fill_rows(list(engine.outcomes), engine, utc))
        self._show_count()

    def explain(self, row: object, header: str = "") -> ExplainDialog | None:
        """Show the figure that a cell is part of, with all rows of it; blocks nothing."""
        if isinstance(row, FillRow):
            figure, pair = fill_figure(row, header)
        elif isinstance(row, PostingRow):
            figure, pair = posting_figure(row)
        else:
            return None
        if pair and pair not in self._context.engine.books.pairs:
            return None
        dialog = ExplainDialog(self._context, self._theme, figure, pair, self)
        dialog.show()
        return dialog

    def _cell(self, at: QModelIndex) -> tuple[object, str]:
        """(row, header) of a cell of the table that is shown; (None, "") beside it."""
        table = self._shown()
        if not at.isValid():
            return None, ""
        row = table.rows_model.row(table.proxy.mapToSource(at).row())
        return row, table.rows_model.columns[at.column()].header

    def _shown(self) -> TableView:
        return self.fills if self.views.currentWidget() is self.fills else self.postings

    def _show_count(self) -> None:
        shown = self._shown()
        have, seen = len(shown.rows_model.rows), shown.proxy.rowCount()
        newest = f", the newest {ROWS_MAX:,}" if have == ROWS_MAX else ""
        what = "fills" if shown is self.fills else "postings"
        some = f"{seen:,} of {have:,}" if seen != have else f"{have:,}"
        self.count.setText(f"{some} {what}{newest}")

    # --- slots ------------------------------------------------------------------------------------

    def _on_view_clicked(self) -> None:
        fills = self.choices["Fills"].isChecked()
        self.views.setCurrentWidget(self.fills if fills else self.postings)
        self._show_count()

    def _on_filter_changed(self, text: str) -> None:
        for table in (self.fills, self.postings):
            table.proxy.set_filter(text)
            table.viewport().update()
        self._show_count()

    def _on_double_clicked(self, at: QModelIndex) -> None:
        self.explain(*self._cell(at))

    def _on_menu_requested(self, spot: QPoint) -> None:
        table = self._shown()
        row, header = self._cell(table.indexAt(spot))
        if row is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(EXPLAIN, lambda: self.explain(row, header))
        menu.popup(table.viewport().mapToGlobal(spot))

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """E or Enter on a row explains the figure it is part of."""
        if not (isinstance(watched, TableView) and isinstance(event, QKeyEvent)):
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.KeyPress and event.key() in ASKS:
            self.explain(*self._cell(watched.currentIndex()))
            return True
        return super().eventFilter(watched, event)
