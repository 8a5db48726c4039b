"""The line over the scanner's table: what to show, at which size, in which unit, and to a file."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from decimal import Decimal
from functools import partial
from typing import Any, get_args

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
from basisdesk.ui.focus_frame import walk
from basisdesk.ui.glossary import term
from basisdesk.ui.scanner_columns import TICKET, ScanColumn
from basisdesk.ui.scanner_rows import KINDS, Keep, RateUnit
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

    def save(self) -> dict[str, Any]:
        """What is chosen, without the words of a search, for `restore`."""
        return {name: value for name, value in asdict(self.keep).items() if name != "words"}

    def restore(self, saved: object) -> None:
        """As it was saved; what is not known is left out."""
        if not isinstance(saved, dict):
            return
        kind = saved.get("kind")
        gain, confirmed, triggered = (
            saved.get(flag) is True for flag in ("gain", "confirmed", "triggered")
        )
        self.show_keep(
            Keep(kind if kind in KINDS else "", gain, confirmed, triggered, self.keep.words)
        )

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


def is_size(value: object) -> bool:
    """Whether openings can be counted at this size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return float(SIZE_MIN) <= value <= float(SIZE_MAX)  # not of NaN


class SizeEdit(QLineEdit):
    """The size all openings are counted at. chosen: a float, after Enter or when the focus goes.

    refused: one sentence when what was typed is no size, "" once it is mended. What was typed stays
    until then, or until Escape puts back the size that holds.
    """

    chosen = Signal(float)
    refused = Signal(str)

    def __init__(self, currency: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._currency = currency
        self._size = Decimal(0)
        self._refused = ""
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

    @property
    def size_held(self) -> float:
        """The size that holds."""
        return float(self._size)

    def show_size(self, size: float) -> None:
        """The size that holds; does not disturb somebody who types."""
        exact = Decimal(repr(size))
        if exact != self._size and not self.hasFocus():
            self._size = exact
            if not self._refused:
                self.setText(size_text(exact))

    def _read(self) -> Decimal | str:
        return within(amount(self.text()), SIZE_MIN, SIZE_MAX, self._currency)

    def _fault(self) -> str:
        """Why what stands in the field is no size: what was asked, what is allowed, what holds."""
        if not isinstance(self._read(), str):
            return ""
        allowed = f"{size_text(SIZE_MIN)} to {size_text(SIZE_MAX)} {self._currency}"
        asked, typed = amount(self.text()), self.text().strip()
        if isinstance(asked, Decimal):
            said = f"A size of {size_text(asked)} {self._currency} is outside {allowed}"
        elif typed:
            said = f"\u201c{typed}\u201d is no size: write {allowed} in digits"
        else:
            said = f"No size stands here: write {allowed} in digits"
        return f"{said}; rows stay at {size_text(self._size)} {self._currency}. Esc puts it back."

    def _mark(self, fault: str) -> None:
        if bool(self.property("bad")) != bool(fault):
            self.setProperty("bad", bool(fault))
            self.style().polish(self)
        set_tip(self, fault or self._tip)
        self.setAccessibleDescription(fault)

    def _say(self, fault: str) -> None:
        self._mark(fault)
        if fault != self._refused:
            self._refused = fault
            self.refused.emit(fault)

    def _on_edited(self) -> None:
        """The frame turns red at once; a sentence comes with Enter: "2" may become "25,000"."""
        fault = self._fault()
        if self._refused:
            self._say(fault)
        else:
            self._mark(fault)

    def _on_finished(self) -> None:
        found = self._read()
        self._say(self._fault())
        if isinstance(found, str):
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
            self._say("")
            self.clearFocus()
        else:
            super().keyPressEvent(event)


class ScannerTools(QWidget):
    """Chips at the left, the rest at the right; on two or three lines where one is too short."""

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
        self.size_edit.refused.connect(self._on_refused)
        self.fault = theme.label("", "loss", 11)
        self.fault.setWordWrap(True)
        self.fault.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.fault.setAccessibleName("What is wrong with the size")
        self.fault.hide()
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
        self.head, self.told, self.right = QWidget(self), QWidget(self), QWidget(self)
        for box, parts in (
            (self.head, (self.title, self.count)),
            (self.told, (self.hint, self.sort_link)),
            (self.right, (size_label, self.size_edit, self.unit_button, self.columns_button,
                          self.export_link)),
        ):  # fmt: skip
            line = QHBoxLayout(box)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(px(6))
            for part in parts:
                line.addWidget(part)
            box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        for part in (self.told, self.hint):
            part.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.sort_link.hide()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(px(12), px(6), px(8), px(2))
        self._grid.setHorizontalSpacing(px(8))
        self._grid.setVerticalSpacing(px(2))
        self._grid.setColumnStretch(2, 1)
        self._lines = 0
        self._arrange(1)

    def _arrange(self, lines: int) -> None:
        """Name, chips, tools on one line; the chips below; or the tools between as well."""
        if lines == self._lines:
            return
        self._lines = lines
        for part in (self.head, self.chips, self.told, self.right, self.fault):
            self._grid.removeWidget(part)
        self._grid.addWidget(self.head, 0, 0)
        self._grid.addWidget(self.told, 0, 2)
        right = Qt.AlignmentFlag.AlignRight
        if lines == 3:
            self._grid.addWidget(self.right, 1, 0, 1, 4, right)
        else:
            self._grid.addWidget(self.right, 0, 3)
        if lines == 1:
            self._grid.addWidget(self.chips, 0, 1)
        else:
            self._grid.addWidget(self.chips, lines - 1, 0, 1, 4)
        self._grid.addWidget(self.fault, lines, 0, 1, 4)
        walk(self.stops())

    def stops(self) -> list[QWidget]:
        """Where the Tab key stops, in reading order."""
        chips: list[QWidget] = [*self.chips.buttons.values()]
        rest = [self.sort_link, self.size_edit, self.unit_button, self.columns_button,
                self.export_link]  # fmt: skip
        return [*chips, *rest] if self._lines == 1 else [*rest, *chips]

    def _told_px(self) -> int:
        """What the sentence needs at least: an ellipsis, and the offer to sort."""
        return self.hint.minimumSizeHint().width() + self.sort_link.sizeHint().width()

    def _on_refused(self, fault: str) -> None:
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))

    def _on_column(self) -> None:
        checked = (a.data() for a in self._columns.actions() if a.isChecked() and a.data())
        self.columns_chosen.emit(frozenset(checked))

    # Qt

    def minimumSizeHint(self) -> QSize:
        """As narrow as the widest of three lines."""
        first = self.head.sizeHint().width() + self._told_px()
        wide = max(first, self.chips.sizeHint().width(), self.right.sizeHint().width())
        return QSize(wide + self._theme.px(32), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One line where there is room for all, and for a sentence between them."""
        super().resizeEvent(event)
        px = self._theme.px
        first = self.head.sizeHint().width() + self.right.sizeHint().width()
        if first + self.chips.sizeHint().width() + px(HINT_PX) <= self.width():
            self._arrange(1)
        else:
            self._arrange(2 if first + self._told_px() + px(40) <= self.width() else 3)


def save_text(path: str, text: str) -> str:
    """Write a text to a file, whole or not at all; one sentence says how it went."""
    file = QSaveFile(path)
    done = (
        file.open(QIODevice.OpenModeFlag.WriteOnly)
        and file.write(text.encode()) >= 0
        and file.commit()
    )
    return "" if done else f"Cannot write {path}: {file.errorString()}."
