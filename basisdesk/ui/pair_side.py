"""Beside the table of pairs: where the selected pair's money went, or the pair in figures."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from basisdesk.engine import Engine
from basisdesk.ui.facts_view import FactsView
from basisdesk.ui.pair_facts import pair_facts
from basisdesk.ui.rows import PositionRow, waterfall
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.waterfall import WaterfallView


class PairSide(QWidget):
    """Two views on one pair under two segments.

    explain_asked: a figure of the pair that somebody wants explained.
    """

    explain_asked = Signal(str)

    def __init__(self, currency: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._currency = currency
        self.waterfall = WaterfallView(theme)
        self.facts = FactsView("The selected pair in figures", theme)
        self.facts.empty_text = "Select a pair to see its figures."
        self.views = QStackedWidget(self)
        self.views.addWidget(self.waterfall)
        self.views.addWidget(self.facts)
        self.choices: dict[str, QPushButton] = {}
        head = QHBoxLayout()
        head.setContentsMargins(theme.px(8), theme.px(3), theme.px(8), 0)
        head.setSpacing(theme.px(2))
        group = QButtonGroup(self)
        for name, tip in (
            ("Money", "Where the money of the selected pair went, by cause."),
            ("Figures", "Both legs, holding, drift, margin and liquidation of the selected pair."),
        ):
            button = QPushButton(name, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setChecked(name == "Money")
            set_tip(button, tip)
            button.clicked.connect(self._on_view_clicked)
            group.addButton(button)
            head.addWidget(button)
            self.choices[name] = button
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.views, 1)
        self.setMinimumWidth(theme.px(250))
        self.waterfall.explain_asked.connect(self.explain_asked)
        self.facts.explain_asked.connect(self.explain_asked)

    def show_row(self, row: PositionRow | None, engine: Engine) -> None:
        """Show one row of the positions table; None for no pair."""
        if row is None or row.pair not in engine.books.pairs:
            self.waterfall.show_waterfall(None)
        else:
            money = engine.attribution(row.pair)
            ended = f"Over: {row.plan}." if row.over else ""
            held = engine.desk.pairs.get(row.pair)
            if held is not None and held.open_by:
                ended = f"{ended} Opened by {held.open_by}.".lstrip()
            shown = waterfall(row.name, money, self._currency, row.pair, ended)
            self.waterfall.show_waterfall(shown)
        self.facts.show_rows(pair_facts(row, self._currency))

    def _on_view_clicked(self) -> None:
        facts = self.choices["Figures"].isChecked()
        self.views.setCurrentWidget(self.facts if facts else self.waterfall)
