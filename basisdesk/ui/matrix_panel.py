"""Coin by venue as a heat map: funding, basis, or the composite of all venues."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from basisdesk.events import Changed
from basisdesk.ui.context import Context
from basisdesk.ui.matrix_rows import (
    BY_COIN,
    TITLES,
    Mode,
    cell_tip,
    grid_of,
    legend_text,
    pair_of,
)
from basisdesk.ui.matrix_view import MatrixView
from basisdesk.ui.pulse import Panel
from basisdesk.ui.scanner_rows import KIND_WORDS, Keep, pair_choice
from basisdesk.ui.theme import PlainLabel, Theme, set_tip

_MODES: tuple[tuple[str, Mode, str], ...] = (
    ("Funding", "funding", "The indicative rate per 8 h of each venue's perpetual."),
    ("Basis", "basis", "Perpetual over spot of the same venue, of mids, in bp."),
    ("Composite", "composite", "Depth-weighted over all venues, with weights and warnings."),
)


class MatrixPanel(Panel):
    """The heat map with its switch. opening_chosen: a `Choice` for the ticket."""

    cares_about = Changed.SCAN
    opening_chosen = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self.mode: Mode = "funding"
        self._sort = (BY_COIN, False)
        self._words: tuple[str, ...] = ()
        self.setAccessibleName("Funding and basis, coin by venue")
        self.title = PlainLabel(TITLES["funding"], elide=True)
        self.title.setFont(theme.font(weight=600))
        self.title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.legend = PlainLabel(elide=True)
        self.legend.setFont(theme.font(11))
        self.legend.set_colour(theme.qcolor("muted"))
        self.view = MatrixView(theme, self)
        self.view.tip_of = self._tip
        self.view.cell_chosen.connect(self._on_cell)
        self.view.sort_asked.connect(self._on_sort)
        self.buttons: dict[Mode, QPushButton] = {}
        self._lay_out()

    def _lay_out(self) -> None:
        px = self._theme.px
        line = QHBoxLayout()
        line.setSpacing(px(2))
        line.addWidget(self.title, 1)
        group = QButtonGroup(self)
        for text, mode, tip in _MODES:
            button = QPushButton(text, self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setChecked(mode == self.mode)
            button.setFont(self._theme.font(11))
            set_tip(button, tip)
            button.clicked.connect(partial(self.set_mode, mode))
            group.addButton(button)
            line.addWidget(button)
            self.buttons[mode] = button
        self.legend.setText(legend_text(self.mode))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(12), px(6), px(8), px(6))
        column.setSpacing(px(2))
        column.addLayout(line)
        column.addWidget(self.view, 1)
        column.addSpacing(px(4))
        column.addWidget(self.legend)

    def stops(self) -> list[QWidget]:
        """Where the Tab key stops, in reading order."""
        return [*self.buttons.values(), self.view]

    # --- what it is told --------------------------------------------------------------------------

    def set_mode(self, mode: object) -> None:
        """Show "funding", "basis" or "composite"."""
        for _, known, _ in _MODES:
            if known == mode:
                self.mode = known
        self._sort = (BY_COIN, False)
        self.buttons[self.mode].setChecked(True)
        self.title.setText(TITLES[self.mode])
        self.legend.setText(legend_text(self.mode))
        self.refresh()

    def set_search(self, line: str) -> None:
        """Show only the coins that these words name."""
        words = Keep().search(line).words
        if words != self._words:
            self._words = words
            self.refresh()
            self.view.to_top()

    def refresh(self) -> None:
        """Read the matrix and show it."""
        scan, poll_s = self._context.scan, self._context.settings.scanner.poll_s
        grid = grid_of(scan, self.mode, poll_s)
        keep = coins_kept(grid.coins, self._words, self._context.settings.scanner.venues)
        empty = "" if scan is None else scan.why_empty or "No venue was read yet."
        if self._words and not keep.any():
            empty = f"No coin matches \u201c{' '.join(self._words)}\u201d. Esc clears the search."
        if empty != self.view.empty_text:
            self.view.empty_text = empty
            self.view.viewport().update()
        self.view.show_grid(grid, *self._sort, keep)

    def _tip(self, row: int, column: int) -> str:
        scan, grid = self._context.scan, self.view.grid
        if scan is None or not grid.like(grid_of(scan, self.mode, 1.0)):
            return ""
        return cell_tip(scan, grid, row, column, self._context.settings.account.currency)

    # --- slots ------------------------------------------------------------------------------------

    def _on_sort(self, column: int) -> None:
        """By a venue: the largest first; by coin: A first. A second press turns it round."""
        by, descending = self._sort
        self._sort = (column, not descending) if by == column else (column, column != BY_COIN)
        self.refresh()

    def _on_cell(self, row: int, column: int) -> None:
        scan = self._context.scan
        if scan is None or self.mode == "composite":
            return
        pair = pair_of(scan.matrix, row, column)
        if pair is None:
            return
        scanner, openings = self._context.settings.scanner, scan.openings
        size = openings.size if openings is not None else scanner.size
        rate = float(scan.matrix.funding_8h_bp[row, column])
        self.opening_chosen.emit(pair_choice(*pair, rate, size, scanner.short_spot))


def coins_kept(
    coins: Sequence[str], words: Sequence[str], venues: Sequence[str]
) -> NDArray[np.bool_]:
    """Which coins a search names: "wif okx" WIF.

    A word that begins a coin's name asks for it. One that begins none, but is of a venue or a kind,
    as the table's search knows them, asks for no coin. Any other names nothing at all.
    """
    known = [word for name in (*venues, *KIND_WORDS.values()) for word in name.casefold().split()]
    mask = np.ones(len(coins), dtype=np.bool_)
    for word in words:
        named = np.fromiter((c.casefold().startswith(word) for c in coins), np.bool_, len(coins))
        if named.any() or not any(each.startswith(word) for each in known):
            mask &= named
    return mask
