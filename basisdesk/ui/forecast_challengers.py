"""The challengers in the forecast panel: what they are doing, and a small table."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from basisdesk.forecast.view import ForecastView
from basisdesk.ui.forecast_blocks import low_rows, say
from basisdesk.ui.forecast_challenger_rows import challenge_said, empty_text, rival_rows
from basisdesk.ui.glossary import term
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme

SKILL_TIP = (
    "Against the running base rate, with its 95 % interval: +12.4 (\u22121.0 to +20.3). It is green"
    " or red only where the interval holds no zero."
)


def rival_columns() -> tuple[Column, ...]:
    """One model a row."""
    return (
        Column("Model", lambda row: row.name, left=True, detail=lambda row: row.tip,
               sample="river adaptive tree"),
        Column("Outcomes", lambda row: row.count, lambda row: row.n, spare=1,
               tip=term("Effective outcomes"), sample="1,234"),
        Column("Brier", lambda row: row.brier_shown, lambda row: row.brier, tip=term("Brier"),
               detail=lambda row: row.tip, sample="0.1331"),
        Column("AUC", lambda row: row.auc_shown, lambda row: row.auc, tip=term("AUC"), spare=2,
               sample="0.749"),
        Column("Skill, %", lambda row: row.skill_shown, lambda row: row.skill, stretch=True,
               tip=SKILL_TIP, meaning=lambda row: row.tone, sample="+12.3 (\u22121.0 to +15.3)"),
    )  # fmt: skip


class ChallengersBlock(QWidget):
    """One sentence, and a row each: ours, the challengers, the base rate."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.said = theme.label("", "muted", 11)
        self.said.setWordWrap(True)
        self.table = TableView(rival_columns(), theme, key=lambda row: row.name)
        self.table.setAccessibleName("Challengers beside our own model")
        low_rows(self.table, theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(2))
        column.addWidget(self.said)
        column.addWidget(self.table, 1)

    def show_view(self, view: ForecastView | None) -> None:
        """Show them as they stand."""
        say(self.said, challenge_said(view), self._theme)
        self.table.empty_text = empty_text(view)
        self.table.show_rows(rival_rows(view))
