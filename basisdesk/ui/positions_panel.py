"""What is held, what it earned and why, what leaving now would leave, and the buttons to leave."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSplitter, QVBoxLayout, QWidget

from basisdesk.events import Changed, ClosePair, ExitPlan, SetPlan
from basisdesk.ui.context import Context
from basisdesk.ui.glossary import term
from basisdesk.ui.plan_dialog import PlanDialog
from basisdesk.ui.pulse import Panel
from basisdesk.ui.rows import (
    LIQ_FULL_PCT,
    PositionRow,
    liquidation_meaning,
    meaning_of,
    position_rows,
    waterfall,
)
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import explain
from basisdesk.ui.waterfall import WaterfallView

HALF = Decimal("0.5")
BUTTONS_PX = 96  # of the actions at the end of a row
RARE_TERMS = ("borrow", "residual")  # columns that stand only while one of them is not zero


def _faded(token: Callable[[PositionRow], str]) -> Callable[[PositionRow], str]:
    """A closed pair fades, one that is valued at old quotes is dimmed, others keep their colour."""
    return lambda row: "faded" if row.over or row.stale else token(row)


def _term_column(name: str, header: str, tip: str) -> Column:
    return Column(
        header,
        lambda row: row.terms[name],
        lambda row: row.values.get(name),
        tip=tip,
        meaning=_faded(lambda row: meaning_of(row.signs.get(name, 0))),
        sample="\u2212123.45",
        spare=3,
        group="terms",
    )


def position_columns(currency: str) -> tuple[Column, ...]:
    """The columns of the positions table, in reading order; buttons stand in the last."""
    plain = _faded(lambda _: "")
    return (
        Column(
            "Pair",
            lambda row: f"\u25b2 {row.name}" if row.stale else row.name,
            left=True,
            detail=lambda row: row.stale,
            meaning=lambda row: "warn" if row.stale else plain(row),
            sample="\u25b2 DOGE #12",
        ),
        Column(
            "Long / short",
            lambda row: row.legs,
            left=True,
            detail=lambda row: f"{row.stale} {row.legs_detail}".strip(),
            meaning=plain,
            sample="Bybit spot / perp",
            stretch=True,
        ),
        Column(
            "Size",
            lambda row: row.size,
            lambda row: row.size_value,
            tip=term("Size"),
            detail=lambda row: row.delta_detail,
            meaning=plain,
            sample="10,000 ADA",
        ),
        Column(
            "Basis in \u2192 now, bp",
            lambda row: row.basis,
            lambda row: row.basis_value,
            tip=f"Entry basis, and the basis at which it can be left now. {term('Close basis')}",
            meaning=plain,
            sample="+61.2 \u2192 +69.6",
        ),
        *_money_columns(currency),
        *_leaving_columns(),
    )


def _money_columns(currency: str) -> tuple[Column, ...]:
    return (
        _term_column("basis", "Basis", f"Earned by the basis moving, {currency}. {term('Basis')}"),
        _term_column("funding", "Funding", f"Payments so far, {currency}. {term('Funding')}"),
        _term_column("fees", "Fees", f"All fills so far, {currency}. {term('Fees')}"),
        _term_column("slippage", "Slippage", f"In {currency}. {term('Slippage')}"),
        _term_column("borrow", "Borrow", f"Interest, {currency}. {term('Borrow')}"),
        _term_column("residual", "Unhedged", f"In {currency}. {term('Unhedged delta')}"),
        Column(
            f"Net now, {currency}",
            lambda row: row.net,
            lambda row: row.net_value,
            tip=term("Net now"),
            meaning=_faded(lambda row: meaning_of(row.net_sign)),
            sample="\u25bc \u2212123.45",
        ),
        Column(
            f"If closed, {currency}",
            lambda row: row.if_closed,
            lambda row: row.closed_value,
            tip=term("If closed"),
            meaning=_faded(lambda row: meaning_of(row.closed_sign)),
            sample="\u25bc \u2212123.45",
        ),
    )


def _leaving_columns() -> tuple[Column, ...]:
    plain = _faded(lambda _: "")
    return (
        Column(
            "Liq. room",
            lambda row: row.liq,
            lambda row: row.liq_pct,
            tip=term("Liquidation"),
            detail=lambda row: row.liq_detail,
            meaning=_faded(lambda row: liquidation_meaning(row.liq_pct)),
            gauge=lambda row: None if row.liq_pct != row.liq_pct else row.liq_pct / LIQ_FULL_PCT,
            sample="49 %",
        ),
        Column(
            "Net delta",
            lambda row: row.delta,
            lambda row: row.delta_value,
            tip=term("Net delta"),
            detail=lambda row: row.delta_detail,
            meaning=plain,
            sample="0.0 ADA",
            spare=9,
        ),
        Column(
            "Held",
            lambda row: row.held,
            lambda row: row.held_s,
            tip="Time since the entry fill: 14m 02s.",
            meaning=plain,
            sample="14m 02s",
            spare=8,
        ),
        Column(
            "Exit plan",
            lambda row: row.plan,
            left=True,
            tip="Target, stop and time stop; whichever comes first closes the pair.",
            detail=lambda row: row.plan_detail,
            meaning=lambda row: "warn" if row.solid else ("faded" if row.over else ""),
            solid=lambda row: row.solid,
            sample="\u2264 \u22124.5 bp \u00b7 stop 120 \u00b7 72 h",
        ),
        Column("", lambda _: "", wide_px=BUTTONS_PX),
    )


class RowButtons(QWidget):
    """The actions at the end of one row. Says which was pressed; knows nothing of who does it."""

    pressed = Signal(object, object)  # pair number, "close" | "half" | "dismiss"

    def __init__(self, row: PositionRow, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pair = row.pair
        line = QHBoxLayout(self)
        line.setContentsMargins(2, 0, 6, 0)
        line.setSpacing(0)
        line.addStretch(1)
        if row.over:
            line.addWidget(
                self._button("Dismiss", "dismiss", "Take this closed pair off the list.")
            )
        elif row.pair:
            line.addWidget(
                self._button("Close", "close", "Closes both legs at market. Ctrl+Backspace.")
            )
            line.addWidget(self._button("\u00bd", "half", "Closes half of both legs at market."))
        self.setFont(theme.font())

    def _button(self, text: str, action: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setProperty("role", "link")
        button.setProperty("action", action)
        button.setAccessibleName(f"{action.capitalize()} pair {self._pair}")
        explain(button, tip)
        button.clicked.connect(self._on_clicked)
        return button

    def _on_clicked(self) -> None:
        button = self.sender()
        if button is not None:
            self.pressed.emit(self._pair, button.property("action"))


class PositionsPanel(Panel):
    """The table of pairs, and at its right where the money of the selected one went.

    counted: how many pairs are open, for the dock's title. pair_chosen: the open pair that is
    selected, 0 for none.
    """

    cares_about = (
        Changed.QUOTES | Changed.BASIS | Changed.POSITIONS | Changed.LEDGER | Changed.FEEDS
    )
    counted = Signal(object)
    pair_chosen = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        session = context.engine.session
        since_ns = session.ts_ns if session is not None else 0
        # A closed pair stays until dismissed, but not into the next session.
        self._dismissed = {
            pair.pair
            for pair in context.engine.desk.pairs.values()
            if pair.closed_ns is not None and pair.closed_ns < since_ns
        }
        self._open_count = -1
        self._known = 0  # the newest pair seen
        self._chosen: tuple[str, int] | None = None  # key of the row that is selected
        self._told = -1
        self._showing = False
        self.setAccessibleName("Positions")
        currency = context.settings.account.currency
        self.table = TableView(position_columns(currency), theme, key=lambda row: row.key)
        self.table.setAccessibleName("Pairs held and closed")
        self.table.empty_text = (
            "No open pairs. Size one in the ticket and press Open, or wait for the basis to widen."
        )
        self.waterfall = WaterfallView(theme)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(True)
        split.addWidget(self.table)
        split.addWidget(self.waterfall)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([theme.px(1300), theme.px(270)])
        split.setHandleWidth(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(6), 0, 0, 0)
        column.addWidget(split)
        self.table.row_chosen.connect(self._on_row_chosen)
        self.table.doubleClicked.connect(self._on_double_clicked)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._on_menu_requested)

    # --- what it is told --------------------------------------------------------------------------

    def let_go(self) -> None:
        """Select no pair; the chart then shows the ticket's levels alone."""
        self.table.clearSelection()

    def menu_of(self, row: PositionRow) -> QMenu:
        """What can be done with a row: its buttons by name, and its exit plan."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if row.over:
            menu.addAction("Dismiss", partial(self._act, row.pair, "dismiss"))
        elif row.pair:
            menu.addAction("Close", partial(self._act, row.pair, "close"))
            menu.addAction("Close half", partial(self._act, row.pair, "half"))
            menu.addSeparator()
            menu.addAction("Edit exit plan\u2026", partial(self.edit_plan, row.pair))
        return menu

    def edit_plan(self, pair: int) -> PlanDialog | None:
        """Offer the exit plan of an open pair to be changed; blocks nothing."""
        position = self._context.engine.desk.pairs.get(pair)
        if position is None or position.state == "closed":
            return None
        name = next((row.name for row in self.table.rows_model.rows if row.pair == pair), str(pair))
        dialog = PlanDialog(name, position.plan, self._theme, self)
        dialog.chosen.connect(partial(self._set_plan, pair))
        dialog.show()
        return dialog

    def close_selected(self) -> None:
        """Close the selected pair at market. Ctrl+Backspace."""
        row = self.table.chosen()
        if row is not None and row.pair and not row.over:
            self._act(row.pair, "close")

    # --- showing ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the pairs and show them; the selected one drives the waterfall."""
        context = self._context
        rows = position_rows(context.engine, context.settings, self._dismissed)
        self.table.want_columns(_wanted(rows))
        self._showing = True  # Qt drops the selection of a row that moves: that is nobody's wish
        self.table.show_rows(rows)
        self._keep_chosen(rows)
        self._showing = False
        self.table.keep_widgets(_tag, self._make_buttons)
        count = sum(1 for row in rows if row.state in ("open", "naked"))
        if count != self._open_count:
            self._open_count = count
            self.counted.emit(count)
        self._show_chosen()

    def _keep_chosen(self, rows: list[PositionRow]) -> None:
        """The selected pair stays selected wherever its row goes; a fresh pair takes over."""
        keys = [row.key for row in rows]
        newest = max((row.pair for row in rows if row.state == "open"), default=0)
        first = self._known == 0
        if newest > self._known:
            self._known = newest
            self._chosen = ("pair", newest)
        elif rows and self._chosen not in keys and (first or self._chosen is not None):
            self._chosen = keys[0]
        self._known = self._known or -1
        row = self.table.chosen()
        if self._chosen is None and row is not None:
            self.table.clearSelection()  # Qt selects a neighbour of a row it takes away
        elif self._chosen in keys and (row is None or row.key != self._chosen):
            self.table.choose(keys.index(self._chosen))

    def _show_chosen(self) -> None:
        row = self.table.chosen()
        self._show_waterfall(row)
        pair = row.pair if row is not None and row.state == "open" else 0
        if pair != self._told:
            self._told = pair
            self.pair_chosen.emit(pair)

    def _show_waterfall(self, row: PositionRow | None) -> None:
        engine = self._context.engine
        if row is None or row.pair not in engine.desk.pairs:
            self.waterfall.show_waterfall(None)
            return
        money = engine.attribution(row.pair)
        self.waterfall.show_waterfall(
            waterfall(row.name, money, self._context.settings.account.currency)
        )

    def _make_buttons(self, row: PositionRow) -> RowButtons:
        buttons = RowButtons(row, self._theme)
        buttons.pressed.connect(self._on_pressed)
        return buttons

    def _act(self, pair: int, action: str) -> None:
        if action == "dismiss":
            self._dismissed.add(pair)
            self.refresh()
        elif action == "half":
            self._context.actions.submit(ClosePair(pair, HALF))
        else:
            self._context.actions.submit(ClosePair(pair))

    def _set_plan(self, pair: int, plan: ExitPlan) -> None:
        self._context.actions.submit(SetPlan(pair, plan))

    # --- slots ------------------------------------------------------------------------------------

    def _on_double_clicked(self) -> None:
        """Put the pair of this row on the screen."""
        row = self.table.chosen()
        position = self._context.engine.desk.pairs.get(row.pair) if row is not None else None
        if position is not None:
            pair = position.reference.instrument, position.other.instrument
            self._context.actions.show_pair(*pair)

    def _on_row_chosen(self, row: object) -> None:
        if not self._showing:
            self._chosen = row.key if isinstance(row, PositionRow) else None
            self._show_chosen()

    def _on_menu_requested(self, spot: QPoint) -> None:
        at = self.table.indexAt(spot)
        if not at.isValid():
            return
        menu = self.menu_of(self.table.rows_model.row(self.table.proxy.mapToSource(at).row()))
        if not menu.isEmpty():
            menu.popup(self.table.viewport().mapToGlobal(spot))

    def _on_pressed(self, pair: object, action: object) -> None:
        if isinstance(pair, int):
            self._act(pair, str(action))


def _tag(row: PositionRow) -> str:
    """Which buttons a row needs; an order under way has none."""
    return f"{row.pair} {row.over}" if row.pair else ""


def _wanted(rows: list[PositionRow]) -> Callable[[Column], bool]:
    """Borrow and unhedged delta have a column only while they are more than nothing."""
    shown = {name for name in RARE_TERMS if any(row.signs.get(name) for row in rows)}
    headers = {"Borrow": "borrow", "Unhedged": "residual"}
    return lambda column: headers.get(column.header, "") in ("", *shown)
