"""What is held, what it earned and why, what leaving now would leave, and the buttons to leave."""

from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QSplitter, QVBoxLayout, QWidget

from basisdesk.events import CancelOrder, Changed, ClosePair, Command, ExitPlan, SetPlan
from basisdesk.ui.context import Context
from basisdesk.ui.explain_dialog import ExplainDialog
from basisdesk.ui.facts_view import ASKS
from basisdesk.ui.pair_side import PairSide
from basisdesk.ui.plan_dialog import PlanDialog, PlanOf
from basisdesk.ui.plan_rows import reached_text
from basisdesk.ui.position_dialogs import HALF, dialog_for
from basisdesk.ui.positions_actions import RowButtons, fill_menu, tag_of
from basisdesk.ui.positions_columns import figure_of, position_columns, wanted
from basisdesk.ui.pulse import Panel
from basisdesk.ui.refused_rows import refused_text
from basisdesk.ui.rows import PositionRow, RowMemo, base_of, position_rows
from basisdesk.ui.table_view import TableView
from basisdesk.ui.terms_dialog import TermsDialog
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_plan import sector_signal

SIDE_PX, TABLE_PX = 270, 1010


class PositionsPanel(Panel):
    """The table of pairs, and at its right where the money of the selected one went.

    pair_chosen: the open pair that is selected, 0 for none.
    """

    urgent = Changed.POSITIONS
    cares_about = (
        Changed.QUOTES
        | Changed.BASIS
        | Changed.POSITIONS
        | Changed.LEDGER
        | Changed.FEEDS
        | Changed.RISK
    )
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
        self._memo = RowMemo()
        self._known = 0  # the newest pair seen
        self._chosen: tuple[str, int] | None = None  # key of the row that is selected
        self._told = -1
        self._showing = False
        # those that stand open and look again each beat
        self._dialogs: list[TermsDialog | PlanDialog] = []
        self.setAccessibleName("Positions")
        currency = context.settings.account.currency
        self.table = TableView(position_columns(currency), theme, key=lambda row: row.key)
        self.table.setAccessibleName("Pairs held and closed")
        self.table.empty_text = (
            "No open pairs. Size one in the ticket and press Open, or wait for the basis to widen."
        )
        self.side = PairSide(currency, theme)
        self.waterfall = self.side.waterfall
        self._lay_out(theme)
        self.side.explain_asked.connect(self._on_explain_asked)
        self.table.row_chosen.connect(self._on_row_chosen)
        self.table.doubleClicked.connect(self._on_double_clicked)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._on_menu_requested)
        self.table.installEventFilter(self)

    def _lay_out(self, theme: Theme) -> None:
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(True)
        split.addWidget(self.table)
        split.addWidget(self.side)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([theme.px(TABLE_PX), theme.px(SIDE_PX)])
        split.setHandleWidth(1)
        self.refused = theme.label("", "warn", weight=600)
        self.refused.setWordWrap(True)
        self.refused.setAccessibleName("The newest refusal")
        self.refused.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(6), 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(split, 1)
        column.addWidget(self.refused)

    # --- what it is told --------------------------------------------------------------------------

    def let_go(self) -> None:
        """Select no pair; its lines stay on the chart, and only the ticket's can be moved."""
        self.table.clearSelection()

    def menu_of(self, row: PositionRow, figure: str = "") -> QMenu:
        """What can be done with a row; figure: the money under the pointer."""
        return fill_menu(QMenu(self), row, self._act, figure)

    def edit_plan(self, pair: int, proposed: ExitPlan | None = None) -> PlanDialog | None:
        """Offer the exit plan of an open pair to be changed; blocks nothing.

        proposed: what the fields start with, None for the plan that holds.
        """
        position = self._context.engine.desk.pairs.get(pair)
        if position is None or position.state == "closed":
            return None
        engine = self._context.engine
        dialog = PlanDialog(
            self._name_of(pair),
            position.plan,
            self._theme,
            self,
            about=PlanOf(
                self._context.settings.account.currency,
                sector_signal(
                    self._context,
                    base_of(position.long.instrument, engine),
                    position.direction,
                ),
                partial(self._reached, pair),
                position.state == "naked",
            ),
        )
        if proposed is not None:
            dialog.propose(proposed)
        dialog.chosen.connect(partial(self._set_plan, pair))
        dialog.close_now.connect(partial(self._act, pair, "close"))
        self._dialogs = [each for each in self._dialogs if not each.over] + [dialog]
        dialog.show()
        return dialog

    def ask(self, pair: int, what: str) -> TermsDialog | None:
        """A dialog that says what would happen: "choose", "flip", "rebalance" or a margin move."""
        position = self._context.engine.desk.pairs.get(pair)
        if position is None or position.state == "closed":
            return None
        dialog = dialog_for(what, pair, self._name_of(pair), self._context, self._theme, self)
        if dialog is None:
            return None
        dialog.asked.connect(self._submit)
        self._dialogs = [each for each in self._dialogs if not each.over] + [dialog]
        dialog.show()
        return dialog

    def explain(self, pair: int, figure: str) -> ExplainDialog | None:
        """Show the formula and the ledger rows of a figure of a pair; blocks nothing."""
        if pair not in self._context.engine.books.pairs:
            return None
        dialog = ExplainDialog(self._context, self._theme, figure, pair, self)
        dialog.show()
        return dialog

    def close_selected(self) -> None:
        """Close the selected pair at market. Ctrl+Backspace."""
        row = self.table.chosen()
        if row is not None and row.holds:
            self._act(row.pair, "close")

    # --- showing ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the pairs and show them; the selected one drives the waterfall."""
        context = self._context
        self._memo.chosen = self._chosen[1] if self._chosen is not None else 0
        rows = position_rows(context.engine, context.settings, self._dismissed, self._memo)
        self.table.want_columns(wanted(rows))
        self._showing = True  # Qt drops the selection of a row that moves: that is nobody's wish
        self.table.show_rows(rows)
        self._keep_chosen(rows)
        self._showing = False
        self.table.keep_widgets(tag_of, self._make_buttons)
        self._show_chosen()
        self._show_refused()
        self._dialogs = [each for each in self._dialogs if not each.over]
        for dialog in self._dialogs:
            dialog.refresh()

    def _keep_chosen(self, rows: list[PositionRow]) -> None:
        """The selected pair stays selected wherever its row goes; a fresh pair takes over."""
        keys = [row.key for row in rows]
        newest = max((row.pair for row in rows if row.pair and not row.over), default=0)
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
        self.side.show_row(row, self._context.engine)
        pair = row.pair if row is not None and row.state in ("open", "unhedged") else 0
        if pair != self._told:
            self._told = pair
            self.pair_chosen.emit(pair)

    def _show_refused(self) -> None:
        """What the desk refused a person in the last seconds, where it was asked."""
        text = refused_text(self._context.engine, self._context.status.speed)
        if self.refused.text() != text:
            self.refused.setText(text)
        if self.refused.isHidden() == bool(text):
            self.refused.setVisible(bool(text))

    def _name_of(self, pair: int) -> str:
        return next((row.name for row in self.table.rows_model.rows if row.pair == pair), str(pair))

    def _make_buttons(self, row: PositionRow) -> RowButtons:
        buttons = RowButtons(row, self._theme)
        buttons.pressed.connect(self._on_pressed)
        return buttons

    # --- doing ------------------------------------------------------------------------------------

    def _act(self, pair: int, action: str) -> None:
        if action.startswith("explain "):
            self.explain(pair, action.removeprefix("explain "))
        elif action == "dismiss":
            self._dismissed.add(pair)
            self.refresh()
        elif action == "half":
            self._submit(ClosePair(pair, HALF))
        elif action == "close":
            self._submit(ClosePair(pair))
        elif action == "cancel":
            self._submit(CancelOrder(pair))
        elif action == "plan":
            self.edit_plan(pair)
        elif action == "more":
            self._open_menu(pair)
        else:
            self.ask(pair, action)

    def _open_menu(self, pair: int) -> None:
        """The menu of a row, under its More button."""
        rows: list[PositionRow] = self.table.rows_model.rows
        place = next((at for at, row in enumerate(rows) if row.pair == pair), -1)
        if place < 0:
            return
        last = len(self.table.rows_model.columns) - 1
        at = self.table.proxy.mapFromSource(self.table.rows_model.index(place, last))
        below = self.table.visualRect(at).bottomLeft()
        self.menu_of(rows[place]).popup(self.table.viewport().mapToGlobal(below))

    def _submit(self, command: Command) -> None:
        self._context.actions.submit(command)

    def _reached(self, pair: int, plan: ExitPlan) -> str:
        """The warning for a plan that would close this pair at once; "" for none."""
        engine = self._context.engine
        position = engine.desk.pairs.get(pair)
        if position is None or position.state == "closed":
            return "This pair is closed already."
        return reached_text(plan, position, engine)

    def on_plan_proposed(self, asked: object) -> None:
        """Somebody dragged a line of (pair, plan) to where the market is already: ask first."""
        if isinstance(asked, tuple):
            self.edit_plan(*asked)

    def _set_plan(self, pair: int, plan: ExitPlan) -> None:
        self._submit(SetPlan(pair, plan))

    def _figure_at(self, at: QModelIndex) -> str:
        """What the cell under an index is called by `Engine.explain`, "" for no money."""
        return figure_of(self.table.rows_model.columns[at.column()]) if at.isValid() else ""

    # --- slots ------------------------------------------------------------------------------------

    def _on_double_clicked(self, at: QModelIndex) -> None:
        """Explain a figure; anywhere else put the pair of this row on the screen."""
        row = self.table.chosen()
        position = self._context.engine.desk.pairs.get(row.pair) if row is not None else None
        if position is None:
            return
        figure = self._figure_at(at)
        if figure:
            self.explain(position.pair, figure)
        else:
            pair = position.reference.instrument, position.other.instrument
            self._context.actions.show_pair(*pair)

    def _on_explain_asked(self, figure: str) -> None:
        row = self.table.chosen()
        if row is not None and row.pair:
            self.explain(row.pair, figure)

    def _on_row_chosen(self, row: object) -> None:
        if not self._showing:
            self._chosen = row.key if isinstance(row, PositionRow) else None
            self._show_chosen()

    def _on_menu_requested(self, spot: QPoint) -> None:
        at = self.table.indexAt(spot)
        if not at.isValid():
            return
        row = self.table.rows_model.row(self.table.proxy.mapToSource(at).row())
        menu = self.menu_of(row, self._figure_at(at))
        if not menu.isEmpty():
            menu.popup(self.table.viewport().mapToGlobal(spot))

    def _on_pressed(self, pair: object, action: object) -> None:
        if isinstance(pair, int):
            self._act(pair, str(action))

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """E or Enter on the table explains the figure the cursor is on, or the net."""
        if watched is not self.table or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        asks = event.key() in ASKS and not event.modifiers()
        if asks and event.type() == QEvent.Type.KeyPress:
            self._on_explain_asked(self._figure_at(self.table.currentIndex()) or "total")
            return True
        return super().eventFilter(watched, event)
