"""The line over the scanner's table: what to show, at which size, in which unit, and to a file."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import get_args

from PySide6.QtCore import QIODevice, QSaveFile, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from basisdesk.ui.figures import size_text
from basisdesk.ui.glossary import term
from basisdesk.ui.scanner_columns import TICKET, ScanColumn
from basisdesk.ui.scanner_rows import Keep, RateUnit
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_fields import explain
from basisdesk.ui.ticket_sheet import amount, within

COUNT_PX = 84  # "1,234 of 2,640": what stands beside it must not jump
HINT_PX = 250  # kept between chips and tools for a sentence
SIZE_MIN, SIZE_MAX = Decimal(10), Decimal(100_000_000)  # as the settings allow
KIND_CHIPS = (
    ("Spot \u00b7 perp", "spot-perp", "Long spot, short a perpetual."),
    ("Perp \u00b7 perp", "perp-perp", "Long one perpetual, short another venue's."),
    ("Short spot", "perp-spot", "Long a perpetual, short spot on borrowed coins; borrow is in."),
)
FLAG_CHIPS = (
    ("Net > 0", "gain", "Fresh, of a size that fits, and above nothing after all costs."),
    ("Confirmed by sector", "confirmed", "The coin's sector speaks for this direction."),
    ("Triggered", "triggered", "A funding gap between two venues is over its line."),
)
UNITS: dict[RateUnit, str] = {"8h": "per 8 h", "interval": "per interval", "year": "per year"}


class Chips(QWidget):
    """Which openings to show: kinds exclude each other, the rest add up. changed: a `Keep`."""

    changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.keep = Keep()
        self.buttons: dict[str, QPushButton] = {}
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.px(2))
        self._add(line, "All", "all", "Every combination of the universe.", self._on_all)
        for text, kind, tip in KIND_CHIPS:
            self._add(line, text, kind, tip, partial(self._on_kind, kind))
        for text, flag, tip in FLAG_CHIPS:
            self._add(line, text, flag, tip, partial(self._on_flag, flag))
        line.addStretch(1)
        self._show()

    def _add(self, line: QHBoxLayout, text: str, key: str, tip: str, act: object) -> None:
        button = QPushButton(text, self)
        button.setProperty("role", "segment")
        button.setCheckable(True)
        button.setFont(self._theme.font(11))
        explain(button, tip)
        button.clicked.connect(act)
        line.addWidget(button)
        self.buttons[key] = button

    def show_keep(self, keep: Keep) -> None:
        """Mark these choices and tell of them."""
        if keep != self.keep:
            self.keep = keep
            self.changed.emit(keep)
        self._show()

    def _show(self) -> None:
        keep = self.keep
        chosen = {"all": replace(keep, words=()).all, keep.kind: bool(keep.kind)}
        chosen |= {"gain": keep.gain, "confirmed": keep.confirmed, "triggered": keep.triggered}
        for key, button in self.buttons.items():
            button.setChecked(chosen.get(key, False))

    def _on_all(self) -> None:
        self.show_keep(Keep(words=self.keep.words))

    def _on_kind(self, kind: str) -> None:
        self.show_keep(replace(self.keep, kind="" if self.keep.kind == kind else kind))

    def _on_flag(self, flag: str) -> None:
        keep = self.keep
        if flag == "gain":
            keep = replace(keep, gain=not keep.gain)
        elif flag == "confirmed":
            keep = replace(keep, confirmed=not keep.confirmed)
        else:
            keep = replace(keep, triggered=not keep.triggered)
        self.show_keep(keep)


class SizeEdit(QLineEdit):
    """The size all openings are counted at. chosen: a float, after Enter or when the focus goes."""

    chosen = Signal(float)

    def __init__(self, currency: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = Decimal(0)
        self._tip = (
            f"{term('Opening')} Books, costs and nets are counted at this size, {currency}. "
            "Press Enter to count anew."
        )
        self.setFixedWidth(theme.px(86))
        self.setMaxLength(20)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setAccessibleName(f"Size of each opening, {currency}")
        set_tip(self, self._tip)
        self.textEdited.connect(self._on_edited)
        self.editingFinished.connect(self._on_finished)

    def show_size(self, size: float) -> None:
        """The size that holds; does not disturb somebody who types."""
        exact = Decimal(repr(size))
        if exact != self._size and not self.hasFocus():
            self._size = exact
            self.setText(size_text(exact))

    def _read(self) -> Decimal | str:
        return within(amount(self.text()), SIZE_MIN, SIZE_MAX)

    def _mark(self, fault: str) -> None:
        if bool(self.property("bad")) != bool(fault):
            self.setProperty("bad", bool(fault))
            self.style().polish(self)
        set_tip(self, fault or self._tip)
        self.setAccessibleDescription(fault)

    def _on_edited(self) -> None:
        found = self._read()
        self._mark(found if isinstance(found, str) else "")

    def _on_finished(self) -> None:
        found = self._read()
        if isinstance(found, str):
            self.setText(size_text(self._size))
            self._mark("")
            return
        self.setText(size_text(found))
        if found != self._size:
            self._size = found
            self.chosen.emit(float(found))

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape puts the size back that holds."""
        if event.key() == Qt.Key.Key_Escape:
            self.setText(size_text(self._size))
            self._mark("")
            self.clearFocus()
        else:
            super().keyPressEvent(event)


class ScannerTools(QWidget):
    """Chips at the left, the rest at the right; on two lines where one is too short."""

    size_chosen = Signal(float)
    unit_chosen = Signal(object)
    columns_chosen = Signal(object)  # frozenset of keys, None for what fits
    export_pressed = Signal()
    sort_pressed = Signal()

    def __init__(self, currency: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._unit: RateUnit = "8h"
        self.title = theme.label("Openings", weight=600)
        self.count = theme.label("", "muted", 11)
        self.count.setMinimumWidth(theme.px(COUNT_PX))
        self.chips = Chips(theme, self)
        self.hint = PlainLabel(elide=True)  # a path in it may be long; the tip has it whole
        self.hint.setFont(theme.font(11))
        self.sort_link = self._link("sort now", "Sort by the newest figures now.")
        self.sort_link.clicked.connect(self.sort_pressed)
        self.size_edit = SizeEdit(currency, theme, self)
        self.size_edit.chosen.connect(self.size_chosen)
        self.unit_button = self._menu_button("Unit of the funding column")
        self.columns_button = self._menu_button("Columns")
        self.columns_button.setText("columns \u25be")
        explain(self.columns_button, "Choose the columns, or let the room decide.")
        self._columns = QMenu(self.columns_button)
        self.columns_button.setMenu(self._columns)
        self._build_units()
        self.export_link = self._link("export", "Saves the rows and columns shown as CSV.")
        self.export_link.clicked.connect(self.export_pressed)
        self._lay_out(theme.label(f"size, {currency}", "muted", 11))

    def show_said(self, text: str, tone: str = "muted", *, sort: bool = False) -> None:
        """A sentence between chips and tools; with the offer to sort now."""
        if self.hint.text() != text:
            self.hint.setText(text)
        self.hint.set_colour(self._theme.qcolor(tone))
        if self.sort_link.isHidden() == sort:
            self.sort_link.setVisible(sort)

    def show_count(self, shown: int, total: int) -> None:
        """How many of how many."""
        text = f"{shown:,} of {total:,}" if shown != total else f"{total:,}"
        if self.count.text() != text:
            self.count.setText(text)

    def show_unit(self, unit: RateUnit) -> None:
        """The unit of the funding column."""
        self._unit = unit
        self.unit_button.setText(f"{UNITS[unit]} \u25be")
        for action in self._units.actions():
            action.setChecked(action.data() == unit)

    def show_columns(self, columns: Iterable[ScanColumn], shown: Iterable[ScanColumn]) -> None:
        """Fill the menu: what can be shown, and what is."""
        keys = {column.key for column in shown}
        self._columns.clear()
        fit = self._columns.addAction("As the room allows")
        fit.triggered.connect(lambda: self.columns_chosen.emit(None))
        self._columns.addSeparator()
        for column in columns:
            if column.key == TICKET:
                continue
            action = self._columns.addAction(column.name)
            action.setCheckable(True)
            action.setChecked(column.key in keys)
            action.setData(column.key)
            action.setEnabled(column.rank > 0)  # what a row is known by always stands
            action.triggered.connect(self._on_column)

    @property
    def columns_menu(self) -> QMenu:
        """The column chooser."""
        return self._columns

    # --- building ---------------------------------------------------------------------------------

    def _link(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("role", "link")
        button.setFont(self._theme.font(11))
        explain(button, tip)
        return button

    def _menu_button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("role", "segment")
        button.setFont(self._theme.font(11))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _build_units(self) -> None:
        menu = QMenu(self.unit_button)
        self._units = QActionGroup(self)
        for unit in get_args(RateUnit):
            action = QAction(UNITS[unit], self)
            action.setCheckable(True)
            action.setData(unit)
            self._units.addAction(action)
            menu.addAction(action)
        self._units.triggered.connect(lambda action: self.unit_chosen.emit(action.data()))
        self.unit_button.setMenu(menu)
        explain(self.unit_button, "Unit of the first funding column; the others have their own.")
        self.show_unit("8h")

    def _lay_out(self, size_label: QWidget) -> None:
        px = self._theme.px
        self.head, self.right = QWidget(self), QWidget(self)
        for box, parts in (
            (self.head, (self.title, self.count)),
            (self.right, (self.hint, self.sort_link, size_label, self.size_edit, self.unit_button,
                          self.columns_button, self.export_link)),
        ):  # fmt: skip
            line = QHBoxLayout(box)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(px(6))
            for part in parts:
                line.addWidget(part)
        self.head.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.hint.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.sort_link.hide()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(px(12), px(6), px(8), px(2))
        self._grid.setHorizontalSpacing(px(8))
        self._grid.setVerticalSpacing(px(2))
        self._grid.setColumnStretch(2, 1)
        self._one_line: bool | None = None
        self._arrange(one_line=True)

    def _arrange(self, *, one_line: bool) -> None:
        """Name, chips, tools; or name and tools, and the chips below."""
        if one_line == self._one_line:
            return
        self._one_line = one_line
        for part in (self.head, self.chips, self.right):
            self._grid.removeWidget(part)
        self._grid.addWidget(self.head, 0, 0)
        self._grid.addWidget(self.right, 0, 2)
        if one_line:
            self._grid.addWidget(self.chips, 0, 1)
        else:
            self._grid.addWidget(self.chips, 1, 0, 1, 3)

    def _on_column(self) -> None:
        checked = (a.data() for a in self._columns.actions() if a.isChecked() and a.data())
        self.columns_chosen.emit(frozenset(checked))

    # Qt

    def minimumSizeHint(self) -> QSize:
        """As narrow as the chips, or as the name with its tools."""
        first = self.head.sizeHint().width() + self.right.minimumSizeHint().width()
        wide = max(self.chips.sizeHint().width(), first)
        return QSize(wide + self._theme.px(32), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One line where there is room for all, and for a sentence between them."""
        super().resizeEvent(event)
        parts = (self.head, self.chips, self.right)
        needed = sum(part.sizeHint().width() for part in parts) - self.hint.sizeHint().width()
        self._arrange(one_line=needed + self._theme.px(HINT_PX) <= self.width())


def save_text(path: str, text: str) -> str:
    """Write a text to a file, whole or not at all; one sentence says how it went."""
    file = QSaveFile(path)
    done = (
        file.open(QIODevice.OpenModeFlag.WriteOnly)
        and file.write(text.encode()) >= 0
        and file.commit()
    )
    return "" if done else f"Cannot write {path}: {file.errorString()}."
