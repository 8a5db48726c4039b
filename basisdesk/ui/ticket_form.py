"""How the ticket looks: fields, sheet, verdict, button. It shows, and is typed into."""

from decimal import Decimal
from functools import partial
from itertools import pairwise

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui.figures import size_text
from basisdesk.ui.glossary import term
from basisdesk.ui.leg_words import direction_texts, direction_tip
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_advice_row import AdviceRow
from basisdesk.ui.ticket_board import SheetBoard, rule_line
from basisdesk.ui.ticket_execution import ExecutionBox
from basisdesk.ui.ticket_fields import AmountField, explain
from basisdesk.ui.ticket_foot import CostFoot, WholeRows
from basisdesk.ui.ticket_plan import PlanFields
from basisdesk.ui.ticket_sheet import Draft, within

VERDICT_LINES = 3  # room kept for the verdict, so that the button stays where it is
ZERO = Decimal(0)


class TicketForm(QWidget):
    """The widgets of the ticket. typed: a field changed by hand. The rest are clicks."""

    typed = Signal()
    direction_chosen = Signal(object)  # +1 or -1
    unit_pressed = Signal()
    max_pressed = Signal()
    suggested_pressed = Signal()
    picture_pressed = Signal()
    open_pressed = Signal()

    def __init__(
        self, leverage_max: Decimal, currency: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.directions = {direction: self._direction(direction) for direction in (1, -1)}
        group = QButtonGroup(self)
        for button in self.directions.values():
            group.addButton(button)
        self._make_size(theme)
        self._make_leverage(leverage_max, theme)
        self.plan = PlanFields(currency, theme, self)
        self.target, self.stop, self.hold = self.plan.target, self.plan.stop, self.plan.hold
        self.execution = ExecutionBox(theme, self)
        # the fields that the market may fill in first, then the others
        self.suggestible = (self.size_field, self.leverage, self.target, self.stop, self.hold)
        self.fields = (*self.suggestible, self.plan.net, self.plan.funding, *self.execution.fields)
        for part in (self.size_field, self.leverage, self.plan, self.execution):
            part.typed.connect(self.typed)
        self.execution.unfolded.connect(self._on_unfolded)
        self.board = SheetBoard(theme, self)
        self.show_lines, self.show_rule = self.board.show_lines, self.board.show_rule
        self.foot = CostFoot(theme, self)
        self.show_foot = self.foot.show_foot
        self.verdict = theme.label("", "muted", 11)
        self.verdict.setWordWrap(True)
        self.verdict.setAccessibleName("Verdict")
        self.verdict.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.open_button = QPushButton("Open", self)
        self.open_button.setProperty("role", "primary")
        self.open_button.setAccessibleName("Open the pair")
        self.open_button.setMinimumHeight(theme.px(32))
        self.open_button.clicked.connect(self.open_pressed)
        self._lay_out()
        self._order_tabs()

    # --- what it holds ----------------------------------------------------------------------------

    def draft(self, direction: int, *, in_quote: bool) -> Draft:
        """What the fields hold. A field that cannot be read counts as empty."""
        plan = self.plan
        return Draft(
            direction,
            self.size_field.value,
            in_quote,
            self.leverage.value,
            plan.target.value,
            plan.stop.value,
            plan.hold.value,
            plan.net.value,
            plan.funding.value,
            plan.sector.isChecked(),
            self.execution.draft().execution(),
        )

    def problem(self) -> str:
        """What the fields lack, in one sentence; "" when they make an order."""
        if fault := self.size_field.fault or self.leverage.fault:
            return fault
        if self.size_field.value is None or self.leverage.value is None:
            return "Fill in size and leverage."
        return self.plan.problem() or self.execution.problem()

    # --- showing ----------------------------------------------------------------------------------

    def show_direction(self, chosen: int, pair: tuple[str, str]) -> None:
        """Mark the chosen direction and say what each buys and sells."""
        for direction, button in self.directions.items():
            button.setChecked(direction == chosen)
            button.setText(direction_texts(direction, pair)[0])
            explain(button, direction_tip(direction, pair))

    def show_unit(self, unit: str) -> None:
        """Name the coin the size is in."""
        if self.unit.text() != unit:
            self.unit.setText(unit)
            self.unit.setAccessibleName(f"Size in {unit}")
            explain(self.unit, f"The size is in {unit}. Press for the other unit.")

    def show_verdict(self, shape: str, said: str, token: str) -> None:
        """One sentence with its shape and colour."""
        text = f"{shape}  {said}" if said else ""
        if self.verdict.text() != text:
            self.verdict.setText(text)
            self._fit_verdict()
        self.verdict.set_colour(self._theme.qcolor(token))

    def show_button(self, text: str, tip: str, *, able: bool) -> None:
        """What the button will do, or that it cannot."""
        if self.open_button.isEnabled() != able:
            self.open_button.setEnabled(able)
        if self.open_button.text() != text:
            self.open_button.setText(text)
        explain(self.open_button, tip)

    def show_max(self, tip: str) -> None:
        """Offer the largest size; an empty tip takes the offer away."""
        if self.max_link.isHidden() == bool(tip):
            self.max_link.setVisible(bool(tip))
        explain(self.max_link, tip)

    # --- building ---------------------------------------------------------------------------------

    def _direction(self, direction: int) -> QPushButton:
        button = QPushButton(direction_texts(direction)[0], self)
        button.setProperty("role", "segment")
        button.setCheckable(True)
        button.setFont(self._theme.font(11))
        button.clicked.connect(lambda: self.direction_chosen.emit(direction))
        return button

    def _link(self, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("role", "link")
        return button

    def _make_size(self, theme: Theme) -> None:
        self.unit = self._link("base")
        self.unit.setStyleSheet("text-align: left; padding: 2px 0;")
        self.unit.clicked.connect(self.unit_pressed)
        self.max_link = self._link("max")
        self.max_link.setAccessibleName("Take the largest size")
        self.max_link.clicked.connect(self.max_pressed)
        above = partial(within, low=ZERO, above=True)
        self.size_field = AmountField(
            "Size", self.unit, term("Size"), above, theme, beside=self.max_link
        )
        self.advice = AdviceRow(theme, self)
        self.advice.taken.connect(self.suggested_pressed)
        self.show_suggested = self.advice.show_suggestion

    def _make_leverage(self, leverage_max: Decimal, theme: Theme) -> None:
        gear = partial(within, low=Decimal(1), high=leverage_max)
        most = f"of {size_text(leverage_max)}\u00d7"
        self.picture = self._link("picture")
        self.picture.setAccessibleName("Leverage picture")
        explain(self.picture, "Shows liquidation, capital and risk of this pair at 1 to 20\u00d7.")
        self.picture.clicked.connect(self.picture_pressed)
        self.leverage = AmountField(
            "Leverage",
            most,
            term("Leverage"),
            gear,
            theme,
            step=Decimal("0.5"),
            beside=self.picture,
        )

    def _lay_out(self) -> None:
        px = self._theme.px
        choice = QHBoxLayout()
        choice.setSpacing(px(2))
        for button in self.directions.values():
            choice.addWidget(button, 1)
        body = QWidget()
        inside = QVBoxLayout(body)
        inside.setContentsMargins(px(12), px(2), px(12), px(4))
        inside.setSpacing(px(3))
        inside.addLayout(choice)
        inside.addWidget(self.size_field)
        inside.addWidget(self.advice)
        inside.addWidget(self.leverage)
        inside.addWidget(rule_line(self))
        inside.addWidget(self._theme.label("Exit plan", weight=600))
        inside.addWidget(self.plan)
        for part in (self.execution, self.board):
            inside.addWidget(rule_line(self))
            inside.addWidget(part)
        inside.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.area = WholeRows(body, self._theme, self)
        column.addWidget(self.area, 1)
        column.addLayout(self._foot())

    def _foot(self) -> QVBoxLayout:
        """Never scrolled: what is about to happen stands over the button."""
        px = self._theme.px
        foot = QVBoxLayout()
        foot.setContentsMargins(px(12), 0, px(12), px(8))
        foot.setSpacing(px(5))
        foot.addWidget(rule_line(self))
        foot.addWidget(self.foot)
        foot.addWidget(self.verdict)
        foot.addWidget(self.open_button)
        return foot

    def _order_tabs(self) -> None:
        """The tab key goes as one reads."""
        execution, plan = self.execution, self.plan
        order = [
            *self.directions.values(), self.max_link, self.size_field.edit, self.unit,
            self.advice.why, self.advice.take, self.picture, self.leverage.edit,
            *(field.edit for field in plan.fields), plan.sector,
            execution.fold, *execution.policy.buttons.values(),
            *execution.style_choice.buttons.values(), *execution.resting.buttons.values(),
            *(field.edit for field in execution.fields), self.open_button,
        ]  # fmt: skip
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _fit_verdict(self) -> None:
        """As many lines as the sentence needs at this width; the sheet above gives way."""
        width = self.width() - 2 * self._theme.px(12)
        metrics = self.verdict.fontMetrics()
        room = QRect(0, 0, max(1, width), 10_000)
        wrap = Qt.TextFlag.TextWordWrap
        needed = metrics.boundingRect(room, wrap, self.verdict.text()).height() + 2
        high = max(needed, VERDICT_LINES * metrics.lineSpacing() + 2)
        if high != self.verdict.minimumHeight():
            self.verdict.setMinimumHeight(high)

    def _on_unfolded(self) -> None:
        """The policy and the fields below it come into view together."""
        top = self.execution.y()  # in the body, which the area has laid out by then
        QTimer.singleShot(0, self, lambda: self.area.verticalScrollBar().setValue(top))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width breaks the verdict into other lines."""
        super().resizeEvent(event)
        self._fit_verdict()
