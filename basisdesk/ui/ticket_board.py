"""The figures under the ticket's fields: the entry rule, what it costs, how the account stands."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from basisdesk.trading.verdict import EntryRule
from basisdesk.ui import ticket_lines as lines
from basisdesk.ui.glossary import term
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def rule_line(parent: QWidget) -> QFrame:
    """A hairline between two parts."""
    line = QFrame(parent)
    line.setProperty("role", "rule")
    line.setFixedHeight(1)
    return line


class SheetBoard(QWidget):
    """Figures alone: it is handed lines and a rule, and shows them. It knows no market."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown: list[lines.SheetLine] = []
        self.lines = [self._line(line.name) for line in lines.empty_lines()]
        self.spare = theme.label("")
        self.spare.setAlignment(RIGHT)
        self.spare.setAccessibleName("Entry rule")
        self.terms = [(theme.label("", "muted", 11), theme.label()) for _ in range(3)]
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(3))
        column.addLayout(self._rule_part())
        count = len(lines.COSTS)
        for title, part in (
            ("What it costs", self.lines[:count]),
            ("After this order", self.lines[count:]),
        ):
            column.addWidget(rule_line(self))
            column.addWidget(theme.label(title, weight=600))
            column.addLayout(self._grid(part))
        self.show_lines(lines.empty_lines())
        self.show_rule(None)

    # --- showing ----------------------------------------------------------------------------------

    def show_lines(self, shown: list[lines.SheetLine]) -> None:
        """Show the sheet; a label is touched only when its text moved."""
        self.shown = shown
        for (name, value, second), line in zip(self.lines, shown, strict=True):
            for label, text in ((name, line.name), (value, line.value), (second, line.second)):
                if label.text() != text:
                    label.setText(text)
                set_tip(label, line.tip)
                wanted = line.shown and (bool(text) or label is not second)
                if label.isHidden() == wanted:
                    label.setVisible(wanted)
            ink = self._theme.qcolor(line.meaning or "text")
            value.set_colour(ink)
            second.set_colour(ink)

    def show_rule(self, rule: EntryRule | None) -> None:
        """The three terms of the entry rule, and what they leave, by shape and colour."""
        said, token = lines.rule_text(rule)
        self.spare.setText(said)
        self.spare.set_colour(self._theme.qcolor(token))
        set_tip(self.spare, lines.rule_tip(rule))
        for (name, value), (caption, text) in zip(self.terms, lines.rule_terms(rule), strict=True):
            name.setText(caption)
            value.setText(text)
            for label in (name, value):
                set_tip(label, lines.rule_tip(rule))

    # --- building ---------------------------------------------------------------------------------

    def _line(self, name: str) -> tuple[PlainLabel, PlainLabel, PlainLabel]:
        labels = self._theme.label(name, "muted"), self._theme.label(), self._theme.label()
        for label in labels[1:]:
            label.setAlignment(RIGHT)
        return labels

    def _rule_part(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._theme.px(8))
        grid.setVerticalSpacing(self._theme.px(1))
        title = self._theme.label("Entry rule", weight=600)
        set_tip(title, term("Entry rule"))
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.spare, 0, 1, 1, 2)
        sides = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, RIGHT
        for column, (labels, side) in enumerate(zip(self.terms, sides, strict=True)):
            for row, label in enumerate(labels, start=1):
                label.setAlignment(side)
                grid.addWidget(label, row, column)
            grid.setColumnStretch(column, 1)
        return grid

    def _grid(self, part: list[tuple[PlainLabel, PlainLabel, PlainLabel]]) -> QGridLayout:
        px = self._theme.px
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(px(6))
        grid.setVerticalSpacing(px(2))
        for row, (name, value, second) in enumerate(part):
            cells = QHBoxLayout()
            cells.setSpacing(px(9))
            cells.addStretch(1)
            cells.addWidget(value)
            cells.addWidget(second)
            grid.addWidget(name, row, 0)
            grid.addLayout(cells, row, 1)
        grid.setColumnStretch(1, 1)
        return grid
