"""The fields of an exit plan: in the ticket before an entry, in a dialog afterwards."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from basisdesk.events import ExitPlan
from basisdesk.trading.sector import sector_word
from basisdesk.ui import ticket_rules as rules
from basisdesk.ui.context import Context
from basisdesk.ui.glossary import term
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import AmountField, FieldPair, Widths, explain

LEFT, RIGHT = Widths(62, 62, 40, half=True), Widths(34, 62, 18, half=True)


def sector_signal(context: Context, coin: str, direction: int) -> str | None:
    """What the overlay says to a pair of this side; None where no universe is watched."""
    market = context.engine.market
    if context.scan is None and coin not in market.sectors:
        return None
    return sector_word(market, coin, direction)


class PlanFields(QWidget):
    """Target, stop, net profit, time, funding and sector. An empty field switches its rule off."""

    typed = Signal()

    def __init__(self, currency: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.target = self._field("Target", "bp", "Target basis", rules.LEVEL, theme, LEFT)
        self.stop = self._field("Stop", "bp", "Stop basis", rules.LEVEL, theme, RIGHT)
        self.net = self._field("Net profit", currency, "Net profit target", rules.NET, theme, LEFT)
        self.hold = self._field("Time", "h", "Time stop", rules.HOLD, theme, RIGHT)
        self.funding = self._field("Funding", "bp/8 h", "Funding exit", rules.FUNDING, theme, LEFT)
        self.fields = (self.target, self.stop, self.net, self.hold, self.funding)
        self.sector = QCheckBox("Sector", self)
        self.sector.setFont(theme.font(12))
        self.sector.setAccessibleName("Leave when the sector signal turns")
        self.sector.clicked.connect(self.typed)
        self.sector_note = theme.label(rules.NO_SECTOR, "muted", 11)
        for field in self.fields:
            field.typed.connect(self.typed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(3))
        column.addWidget(FieldPair(self.target, self.stop, theme))
        column.addWidget(FieldPair(self.net, self.hold, theme))
        column.addWidget(FieldPair(self.funding, self._sector_cell(theme), theme))

    def _sector_cell(self, theme: Theme) -> QWidget:
        cell = QWidget(self)
        cell.setFixedWidth(theme.px(RIGHT.label + RIGHT.field + RIGHT.unit + 8))
        line = QHBoxLayout(cell)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.px(4))
        line.addWidget(self.sector)
        line.addStretch(1)
        line.addWidget(self.sector_note)
        return cell

    def _field(
        self, name: str, unit: str, about: str, check: rules.Check, theme: Theme, widths: Widths
    ) -> AmountField:
        field = AmountField(name, unit, term(about), check, theme, optional=True, widths=widths)
        field.edit.setAccessibleName(f"{about}, {unit}")
        return field

    # --- what it holds ----------------------------------------------------------------------------

    def plan(self) -> ExitPlan:
        """What the fields ask for; a field that cannot be read counts as empty."""
        return ExitPlan(
            self.target.value,
            self.stop.value,
            self.hold.value,
            self.net.value,
            self.funding.value,
            self.sector.isChecked(),
        )

    def problem(self, *, bare: bool = False) -> str:
        """Why this plan cannot stand; "" when it can. bare: it is of a pair of one leg."""
        for field in self.fields:
            if field.fault:
                return field.fault
        return rules.bare_problem(self.plan()) if bare else rules.plan_problem(self.plan())

    # --- showing ----------------------------------------------------------------------------------

    def show_plan(self, plan: ExitPlan) -> None:
        """Put a plan into the fields."""
        values = (
            plan.target_bp, plan.stop_bp, plan.net_target, plan.max_hold_h, plan.funding_bp,
        )  # fmt: skip
        for field, value in zip(self.fields, values, strict=True):
            field.show_value(value)
        self.sector.setChecked(plan.sector)

    def say_sector(self, context: Context, coin: str, direction: int) -> None:
        """What the overlay says to a pair of this coin and side now."""
        self.show_sector(coin, sector_signal(context, coin, direction))

    def show_sector(self, coin: str, signal: str | None) -> None:
        """What the sector overlay says of the coin now; None where nothing says anything."""
        text = rules.sector_text(signal)
        if self.sector_note.text() != text:
            self.sector_note.setText(text)
        tip = rules.sector_tip(coin, signal)
        if self.sector.accessibleDescription() != tip:
            explain(self.sector, tip)
            explain(self.sector_note, tip)
