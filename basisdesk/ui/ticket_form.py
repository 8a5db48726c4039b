"""How the ticket looks: fields, sheet, verdict, button. It shows, and is typed into."""

from decimal import Decimal
from functools import partial

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.ui import ticket_sheet as sheets
from basisdesk.ui.figures import size_text
from basisdesk.ui.glossary import term
from basisdesk.ui.leg_words import direction_texts, direction_tip
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_fields import AmountField, explain

LEVEL_BP_MAX = Decimal(10_000)
VERDICT_LINES = 3  # room kept for the verdict, so that the button stays where it is
ZERO = Decimal(0)


class TicketForm(QWidget):
    """The widgets of the ticket. typed: a field changed by hand. The rest are clicks."""

    typed = Signal()
    direction_chosen = Signal(object)  # +1 or -1
    unit_pressed = Signal()
    max_pressed = Signal()
    open_pressed = Signal()

    def __init__(self, leverage_max: Decimal, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.directions = {direction: self._direction(direction) for direction in (1, -1)}
        group = QButtonGroup(self)
        for button in self.directions.values():
            group.addButton(button)
        self.unit = self._link("base")
        self.unit.setStyleSheet("text-align: left; padding: 2px 0;")
        self.unit.clicked.connect(self.unit_pressed)
        self.max_link = self._link("max")
        self.max_link.setAccessibleName("Take the largest size")
        self.max_link.clicked.connect(self.max_pressed)
        above = partial(sheets.within, low=ZERO, above=True)
        level = partial(sheets.within, low=-LEVEL_BP_MAX, high=LEVEL_BP_MAX, unit="bp")
        gear = partial(sheets.within, low=Decimal(1), high=leverage_max)
        most = f"of {size_text(leverage_max)}\u00d7"
        self.size_field = AmountField(
            "Size", self.unit, term("Size"), above, theme, beside=self.max_link
        )
        self.leverage = AmountField(
            "Leverage", most, term("Leverage"), gear, theme, step=Decimal("0.5")
        )
        self.target = AmountField("Target basis", "bp", term("Target basis"), level, theme)
        self.stop = AmountField("Stop basis", "bp", term("Stop basis"), level, theme)
        self.hold = AmountField("Time stop", "h", term("Time stop"), above, theme)
        self.fields = (self.size_field, self.leverage, self.target, self.stop, self.hold)
        for field in self.fields:
            field.typed.connect(self.typed)
        self.lines = [self._line(line.name) for line in sheets.empty_lines()]
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

    def show_lines(self, lines: list[sheets.SheetLine]) -> None:
        """Show the cost sheet; a label is touched only when its text moved."""
        for (name, value, second), line in zip(self.lines, lines, strict=True):
            for label, text in ((name, line.name), (value, line.value), (second, line.second)):
                if label.text() != text:
                    label.setText(text)
                set_tip(label, line.tip)
            ink = self._theme.qcolor(line.meaning or "text")
            value.set_colour(ink)
            second.set_colour(ink)
            if second.isHidden() == bool(line.second):
                second.setVisible(bool(line.second))

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

    def _line(self, name: str) -> tuple[PlainLabel, PlainLabel, PlainLabel]:
        labels = self._theme.label(name, "muted"), self._theme.label(), self._theme.label()
        for label in labels[1:]:
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return labels

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
        for field in self.fields:
            inside.addWidget(field)
        inside.addWidget(self._rule())
        inside.addWidget(self._theme.label("What it costs", weight=600))
        inside.addLayout(self._grid())
        inside.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for part in (body, scroll.viewport()):
            part.setAutoFillBackground(False)
        foot = QVBoxLayout()  # never scrolled: what is about to happen stands over the button
        foot.setContentsMargins(px(12), 0, px(12), px(8))
        foot.setSpacing(px(5))
        foot.addWidget(self._rule())
        foot.addWidget(self.verdict)
        foot.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addLayout(foot)

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

    def _grid(self) -> QGridLayout:
        px = self._theme.px
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(px(6))
        grid.setVerticalSpacing(px(2))
        for row, (name, value, second) in enumerate(self.lines):
            cells = QHBoxLayout()
            cells.setSpacing(px(9))
            cells.addStretch(1)
            cells.addWidget(value)
            cells.addWidget(second)
            grid.addWidget(name, row, 0)
            grid.addLayout(cells, row, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _rule(self) -> QFrame:
        line = QFrame(self)
        line.setProperty("role", "rule")
        line.setFixedHeight(1)
        return line

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width breaks the verdict into other lines."""
        super().resizeEvent(event)
        self._fit_verdict()
