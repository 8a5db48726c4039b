"""The account: what it is worth, how it came there, and what its closed pairs earned."""

from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from basisdesk.events import Changed
from basisdesk.ui.account_curves import AccountCurves
from basisdesk.ui.account_rows import (
    ResultRow,
    account_facts,
    lanes,
    money_now,
    result_rows,
    win_text,
)
from basisdesk.ui.context import Context
from basisdesk.ui.explain_dialog import ExplainDialog
from basisdesk.ui.facts_view import FactsView
from basisdesk.ui.pulse import Panel
from basisdesk.ui.rows import meaning_of
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.times import zone_text

FACTS_PX, RESULTS_PX = (262, 300), (316, 400)  # least and most
SHARES = 3, 5, 4  # of the width, until a side has its most; the curves take the rest
CURVE_NS = 1_000_000_000  # the last point of the curves follows the prices once a second


def result_columns(zone: str, currency: str) -> tuple[Column, ...]:
    """One closed pair a row."""
    return (
        Column("Pair", lambda row: row.name, lambda row: row.pair, left=True, sample="DOGE #12"),
        Column(f"Closed, {zone}", lambda row: row.closed, lambda row: row.closed_ns, left=True,
               sample="11-21 09:14"),
        Column("Held", lambda row: row.held, sample="14m 02s"),
        Column(f"Net, {currency}", lambda row: row.net, lambda row: row.value,
               tip="All costs in it: fees, slippage, funding and borrow. Double click explains it.",
               meaning=lambda row: meaning_of(row.sign), sample="\u25bc \u2212123.45"),
        Column("", lambda _: "", stretch=True),
    )  # fmt: skip


class AccountPanel(Panel):
    """Figures at the left, curves in the middle, closed pairs at the right."""

    cares_about = Changed.QUOTES | Changed.POSITIONS | Changed.LEDGER | Changed.RISK

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._currency = context.settings.account.currency
        self._curve_ns = 0
        self._seen: tuple[int, int] = (-1, -1)
        self.setAccessibleName("Account")
        self.facts = FactsView("The account in figures", theme)
        self.curves = AccountCurves(theme, context.settings.ui.utc)
        zone = zone_text(context.settings.ui.utc, context.engine.now_ns)
        self.results = TableView(
            result_columns(zone, self._currency), theme, key=lambda row: (row.pair, row.closed_ns)
        )
        self.results.setAccessibleName("Closed pairs, newest first")
        self.results.empty_text = (
            "No closed pairs yet. Each one leaves its net here, with all costs in it."
        )
        self.wins = theme.label("", "muted", 11)
        self.wins.setWordWrap(True)
        self._lay_out(theme)
        self.facts.explain_asked.connect(self._on_explain_asked)
        self.results.doubleClicked.connect(self._on_result_opened)

    def _lay_out(self, theme: Theme) -> None:
        right = QWidget(self)
        for part, (least, most) in ((self.facts, FACTS_PX), (right, RESULTS_PX)):
            part.setMinimumWidth(theme.px(least))
            part.setMaximumWidth(theme.px(most))
        column = QVBoxLayout(right)
        column.setContentsMargins(0, theme.px(4), theme.px(4), 0)
        column.setSpacing(theme.px(2))
        column.addWidget(self.wins)
        column.addWidget(self.results, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(6), 0, 0, 0)
        row.setSpacing(theme.px(8))
        for widget, share in zip((self.facts, self.curves, right), SHARES, strict=True):
            row.addWidget(widget, share)

    def explain(self, figure: str, pair: int = 0) -> ExplainDialog:
        """Show the formula and the rows of a figure of the account, or of a closed pair."""
        dialog = ExplainDialog(self._context, self._theme, figure, pair, self)
        dialog.show()
        return dialog

    def refresh(self) -> None:
        """Read the account; the curves follow once a second, the closed pairs when one closed."""
        engine, settings = self._context.engine, self._context.settings
        curve = engine.curve
        money = money_now(engine, curve)
        self.facts.show_rows(
            account_facts(money, self._currency, settings.risk.reserve, settings.ui.utc)
        )
        if abs(engine.now_ns - self._curve_ns) >= CURVE_NS:
            self._curve_ns = engine.now_ns
            self.curves.show_lanes(lanes(curve, money, self._currency, engine.held))
        seen = len(engine.books.results), engine.books.posted
        if seen != self._seen:
            self._seen = seen
            results = tuple(engine.books.results)
            rows: list[ResultRow] = result_rows(results, engine, settings.ui.utc)
            self.results.show_rows(rows)
            self.wins.setText(win_text(results, self._currency, settings.risk.win_rate_pairs))

    # --- slots ------------------------------------------------------------------------------------

    def _on_explain_asked(self, figure: str) -> None:
        self.explain(figure)

    def _on_result_opened(self, at: QModelIndex) -> None:
        row = self.results.rows_model.row(self.results.proxy.mapToSource(at).row())
        if isinstance(row, ResultRow):
            self.explain("total", row.pair)
