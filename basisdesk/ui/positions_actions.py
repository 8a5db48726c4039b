"""What can be done with a row: its buttons, and everything else in the menu behind More."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from basisdesk.ui.rows import PositionRow
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import explain

# code -> (text, tip): every action of a row by name
ACTIONS: dict[str, tuple[str, str]] = {
    "cancel": ("Cancel", "Withdraws what the order has not filled yet; what is filled stays."),
    "rebalance": ("Rebalance", "Says what would bring the legs together, and what it costs."),
    "close": ("Close", "Closes both legs at market. Ctrl+Backspace."),
    "half": ("\u00bd", "Closes half of both legs at market."),
    "more": ("More", "Close by choice, flip, margin, exit plan, explain."),
    "dismiss": ("Dismiss", "Take this closed pair off the list."),
}
# what a screen reader says of a button that shows less
_SPOKEN = {"half": "Close half of", "more": "More to do with"}
Act = Callable[[int, str], None]


def buttons_of(row: PositionRow) -> tuple[str, ...]:
    """The codes of the buttons at the end of a row; an order on its way has none."""
    if row.over:
        return ("dismiss",)
    if not row.pair:
        return ()
    if row.working:
        return ("cancel", "more")
    if row.drifted:
        return ("rebalance", "more")
    return ("close", "half", "more")


def tag_of(row: PositionRow) -> str:
    """Which buttons a row needs, as one word: the same word, the same widget."""
    return f"{row.pair} {' '.join(buttons_of(row))}" if row.pair else ""


class RowButtons(QWidget):
    """The actions at the end of one row. Says which was pressed; knows nothing of who does it."""

    pressed = Signal(object, object)  # pair number, code of the action

    def __init__(self, row: PositionRow, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = row.pair
        line = QHBoxLayout(self)
        line.setContentsMargins(2, 0, 6, 0)
        line.setSpacing(0)
        line.addStretch(1)
        for code in buttons_of(row):
            line.addWidget(self._button(code))
        self.setFont(theme.font())

    def _button(self, code: str) -> QPushButton:
        text, tip = ACTIONS[code]
        button = QPushButton(text, self)
        button.setProperty("role", "link")
        button.setProperty("action", code)
        button.setAccessibleName(f"{_SPOKEN.get(code, code.capitalize())} pair {self._pair}")
        explain(button, tip)
        button.clicked.connect(self._on_clicked)
        return button

    def _on_clicked(self) -> None:
        button = self.sender()
        if button is not None:
            self.pressed.emit(self._pair, button.property("action"))


def fill_menu(menu: QMenu, row: PositionRow, act: Act, figure: str = "") -> QMenu:
    """Everything that can be done with a row. figure: the money under the pointer, "" for none."""
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def add(text: str, code: str) -> None:
        menu.addAction(text, partial(act, row.pair, code))

    if row.over:
        add("Dismiss", "dismiss")
    elif row.pair:
        _add_live(menu, row, add)
    if row.pair:
        menu.addSeparator()
        add("Explain this number\u2026", f"explain {figure or 'total'}")
    return menu


def _add_live(menu: QMenu, row: PositionRow, add: Callable[[str, str], None]) -> None:
    if row.working:
        add("Cancel the order", "cancel")
    if row.holds:
        add("Close", "close")
        add("Close half", "half")
        add("Close by choice\u2026", "choose")
        menu.addSeparator()
    if row.state == "open":
        add("Flip\u2026", "flip")
        add("Rebalance\u2026", "rebalance")
    if row.state in ("open", "unhedged"):
        add("Add margin\u2026", "add_margin")
        add("Withdraw margin\u2026", "withdraw_margin")
    if row.state != "closed":
        add("Edit exit plan\u2026", "plan")
