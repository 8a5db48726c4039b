"""The scanner: what could be opened now, ranked by what is left of it after all costs."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from basisdesk.clock import mono_s
from basisdesk.events import Changed
from basisdesk.scan.words import Ints, Openings
from basisdesk.ui.chart_export import with_suffix
from basisdesk.ui.context import Context
from basisdesk.ui.figures import number_text
from basisdesk.ui.leg_words import legs_text
from basisdesk.ui.pulse import Panel
from basisdesk.ui.scanner_columns import ScanColumn, Terms, scan_columns
from basisdesk.ui.scanner_csv import csv_text
from basisdesk.ui.scanner_model import NO_ROWS
from basisdesk.ui.scanner_rows import (
    Keep,
    RateUnit,
    choice_of,
    empty_text,
    haystack,
    keep_mask,
    place_of,
    same_combos,
    sorted_rows,
)
from basisdesk.ui.scanner_tools import ScannerTools, is_size, save_text
from basisdesk.ui.scanner_view import ScannerView
from basisdesk.ui.theme import Theme

QUIET_S = 5.0  # a table that is read is sorted anew after so long without a touch
SAID_MS = 9_000  # what was done is said for so long
FIRST_SORT = ("net", True)
ORDER_KEPT = "order kept while you read"


class ScannerPanel(Panel):
    """The table of openings. opening_chosen: a `Choice` for the ticket.

    While the pointer is over the rows, or one is selected, rows stay where they are: figures move,
    the order does not, and the line above says so. tick: seconds that only go forward.
    """

    cares_about = Changed.SCAN
    opening_chosen = Signal(object)

    def __init__(
        self,
        context: Context,
        theme: Theme,
        parent: QWidget | None = None,
        tick: Callable[[], float] = mono_s,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._tick = tick
        self._sort = FIRST_SORT
        self._unit: RateUnit = "8h"
        self._lines: list[str] = []
        self._sorted_s = self._touched_s = -QUIET_S
        self._sort_now = True
        self._kept = False
        self._filtered = False  # since the last refresh: what is on top is of another list
        self._wanted_size: float | None = None  # of a restored window, until somebody takes it
        settings = context.settings
        self._currency = settings.account.currency
        self.setAccessibleName("Scanner")
        self.tools = ScannerTools(self._currency, theme, self)
        self.table = ScannerView(self._columns(), theme, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tools)
        column.addWidget(self.table, 1)
        self._said = QTimer(self)
        self._said.setSingleShot(True)
        self._said.timeout.connect(self._show_hint)
        self._join()
        self.tools.size_edit.show_size(settings.scanner.size)
        self._show_sort()

    def _join(self) -> None:
        tools, table = self.tools, self.table
        tools.chips.changed.connect(self._on_keep)
        tools.size_chosen.connect(self._on_size)
        tools.unit_chosen.connect(self.set_unit)
        tools.columns_chosen.connect(table.choose_columns)
        tools.columns_menu.aboutToShow.connect(self._on_columns_menu)
        tools.export_pressed.connect(self.ask_export)
        tools.sort_pressed.connect(self.sort_now)
        table.sort_asked.connect(self._on_sort_asked)
        table.ticket_asked.connect(self._on_ticket_asked)
        table.touched.connect(self._on_touched)

    # --- what it is told --------------------------------------------------------------------------

    def set_search(self, line: str) -> None:
        """Show only what has these words."""
        self.tools.chips.show_keep(self.tools.chips.keep.search(line))

    def set_unit(self, unit: object) -> None:
        """The unit of the funding column: "8h", "interval", "year"."""
        for known in get_args(RateUnit):
            if unit == known:
                self._unit = known
        self.tools.show_unit(self._unit)
        self.table.set_columns(self._columns())
        self._show_sort()
        self.sort_now()

    def sort_now(self) -> None:
        """Sort by the newest figures, whoever reads here."""
        self._sort_now = True
        self.refresh()

    def show_pair(self, pair: tuple[str, str]) -> bool:
        """Select the opening of these legs (long, short) and bring it into view."""
        openings = self.table.scanner.openings
        place = place_of(openings, pair) if openings is not None else -1
        if place >= 0 and self.table.scanner.row_of(place) < 0:
            self.tools.chips.show_keep(Keep())
        return self.table.choose(place, scroll=True)

    def ask_export(self) -> QFileDialog:
        """Ask for a file without blocking anything, then write the rows shown."""
        dialog = QFileDialog(self, "Export the openings shown")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("CSV (*.csv)")
        dialog.selectFile("openings.csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.export_to)
        dialog.open()
        return dialog

    def export_to(self, path: str) -> None:
        """Write all rows and columns shown as CSV and say how it went."""
        model = self.table.scanner
        if model.openings is None:
            self._say("There are no openings to export yet.", "warn")
            return
        path = with_suffix(path, ".csv")
        fault = save_text(path, csv_text(self.table.shown_columns(), model.openings, model.order))
        count = f"{len(model.order):,} rows"
        self._say(fault or f"Saved {count} to {path}.", "warn" if fault else "muted")

    def save(self) -> dict[str, Any]:
        """Columns, unit, sorting, chips and size, for `restore`.

        The size goes with the one of the settings it was chosen over: once those say another one,
        theirs is the newer word.
        """
        chosen = self.table.chosen_columns
        columns = None if chosen is None else sorted(chosen)
        size, of = self.tools.size_edit.size_held, self._context.settings.scanner.size
        return {
            "columns": columns,
            "unit": self._unit,
            "sort": list(self._sort),
            "chips": self.tools.chips.save(),
            "size": None if size == of else [size, of],
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """As it was saved; what is not known is left alone."""
        known = {column.key for column in self.table.scanner.columns}
        self._restore_size(saved.get("size"))
        self.tools.chips.restore(saved.get("chips"))
        columns, unit, sort = (saved.get(name) for name in ("columns", "unit", "sort"))
        if isinstance(columns, list):
            self.table.choose_columns(key for key in columns if key in known)
        if isinstance(sort, list) and len(sort) == 2 and sort[0] in known:
            self._sort = (str(sort[0]), bool(sort[1]))
        self.set_unit(unit)

    def _restore_size(self, saved: object) -> None:
        if not (isinstance(saved, list) and len(saved) == 2):
            return
        size, of = saved
        if of == self._context.settings.scanner.size and is_size(size):
            self._wanted_size = float(size)
            self.tools.size_edit.show_size(float(size))
            self._hand_size()

    def _hand_size(self) -> None:
        """Ask for a restored size as soon as there is a scanner to ask."""
        acts, size = self._context.scan_actions, self._wanted_size
        if acts is not None and size is not None:
            self._wanted_size = None
            acts.set_scan_size(size)

    # --- showing ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the openings and show them, in a new order only where nobody loses his place."""
        self._hand_size()
        scan = self._context.scan
        openings = scan.openings if scan is not None else None
        model = self.table.scanner
        anew = not same_combos(model.openings, openings)
        if anew:
            self._lines = haystack(openings.combos) if openings is not None else []
        fresh = self._order_of(openings)
        due = anew or self._sort_now or not self.table.read_now or self._quiet()
        order = fresh if due else model.order
        self._kept = not due and not np.array_equal(fresh, order)
        if due:
            self._sort_now = False
            self._sorted_s = self._tick()
        gap_pct = 100 * self._context.settings.scanner.gap_trigger
        empty = empty_text(scan, self.tools.chips.keep, gap_pct)
        if empty != self.table.empty_text:
            self.table.empty_text = empty
            self.table.viewport().update()
        self.table.show_openings(openings, order)
        if self._filtered:
            self._filtered = False
            self.table.scrollToTop()
        self._show_around(openings, len(order))

    def _quiet(self) -> bool:
        return self._tick() - max(self._sorted_s, self._touched_s) >= QUIET_S

    def _order_of(self, openings: Openings | None) -> Ints:
        """The rows that pass, by the column that is sorted by."""
        if openings is None or not len(openings):
            return NO_ROWS
        scan = self._context.scan
        triggers = scan.triggers if scan is not None else ()
        mask = keep_mask(openings, self.tools.chips.keep, triggers, self._lines)
        column = self._sort_column()
        return sorted_rows(column.values(openings), np.flatnonzero(mask), self._sort[1])

    def _show_around(self, openings: Openings | None, shown: int) -> None:
        total = len(openings) if openings is not None else 0
        self.tools.show_count(shown, total)
        if openings is not None and self._wanted_size is None:
            self.tools.size_edit.show_size(openings.size)
        if not self._said.isActive():
            self._show_hint()

    def _show_hint(self) -> None:
        self.tools.show_said(ORDER_KEPT if self._kept else "", sort=self._kept)

    def _say(self, text: str, tone: str = "muted") -> None:
        self.tools.show_said(text, tone)
        self._said.start(SAID_MS)

    def _columns(self) -> tuple[ScanColumn, ...]:
        scanner = self._context.settings.scanner
        terms = Terms(self._currency, scanner.hold_h, self._unit, scanner.capacity_bp)
        return scan_columns(terms)

    def _sort_column(self) -> ScanColumn:
        columns = self.table.scanner.columns
        by_key = {column.key: column for column in columns}
        return by_key.get(self._sort[0]) or by_key[FIRST_SORT[0]]

    def _show_sort(self) -> None:
        columns = self.table.scanner.columns
        self.table.scanner.set_sort(columns.index(self._sort_column()), self._sort[1])

    # --- slots ------------------------------------------------------------------------------------

    def _on_keep(self, _keep: object) -> None:
        """Another list: its best is on top, by the newest figures."""
        self._filtered = True
        self.sort_now()

    def _on_size(self, size: float) -> None:
        self._wanted_size = None
        if (acts := self._context.scan_actions) is not None:
            acts.set_scan_size(size)

    def _on_touched(self) -> None:
        self._touched_s = self._tick()

    def _on_sort_asked(self, section: int) -> None:
        """Figures begin with the largest, names with A; a second press turns it round."""
        column = self.table.scanner.columns[section]
        if not column.header:
            self._show_sort()
            return
        same = column.key == self._sort[0]
        self._sort = (column.key, not self._sort[1] if same else not column.left)
        self._show_sort()
        self.sort_now()

    def _on_columns_menu(self) -> None:
        self.tools.show_columns(self.table.scanner.columns, self.table.shown_columns())

    def _on_ticket_asked(self, place: int) -> None:
        openings = self.table.scanner.openings
        if openings is None:
            return
        choice = choice_of(openings, place)
        combo = openings.combos[place]
        where = f"{combo.coin} {legs_text(combo.long, combo.short)}"
        size = f"{number_text(choice.size, 0)} {self._currency}"
        half = ", half: its sector speaks against it" if choice.halved else ""
        self._say(f"In the ticket: {where}, {size}{half}.", "warn" if choice.halved else "muted")
        self.opening_chosen.emit(choice)
