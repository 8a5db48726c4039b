"""The autopilot: pairs with mode, playbook and last decision; below, what it noted. All paper."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from basisdesk.events import Changed
from basisdesk.ui.autopilot_rows import (
    EMPTY,
    MODES,
    NO_DESK,
    AutopilotView,
    Watch,
    WatchRow,
    foot_text,
    note_rows,
    pair_name,
    watch_rows,
    why_text,
)
from basisdesk.ui.context import AutopilotActions, Context
from basisdesk.ui.glossary import term
from basisdesk.ui.pulse import Panel
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_execution import Choice
from basisdesk.ui.ticket_fields import explain
from basisdesk.ui.times import zone_text

if TYPE_CHECKING:
    from basisdesk.ui.autopilot_dialog import AutopilotDialog, OverrideDialog, Setting

LOW_PX = 330  # below this height the notes stand beside the pairs
WHY_LINES = 2  # room for the sentence, so that it does not move the tables
CHOOSE = "Choose a pair in the table first."


def watch_columns() -> tuple[Column, ...]:
    """One pair a row."""
    return (
        Column("Mode", lambda row: row.mode_text, left=True, sample="Suggest",
               meaning=lambda row: "warn" if row.mode == "auto" else "",
               tip="Off, Suggest (it says, you accept) or Auto (it acts on paper by itself)."),
        Column("Pair", lambda row: row.name, left=True, sample="ADA Bybit spot / perp",
               tip="Coin and both legs; watched whether it is on the screen or not."),
        Column("Playbook", lambda row: row.playbook, left=True, sample="Conservative carry",
               spare=2, tip=term("Playbook")),
        Column("Does", lambda row: row.does, left=True, sample="stands: one-a-look",
               meaning=lambda row: row.meaning,
               tip="Its decision at the last look; after stands, the rule that says no."),
        Column("Why", lambda row: row.said, left=True, stretch=True, detail=lambda row: row.said,
               tip="The rule and its arithmetic, as at the last look; whole below the tables.",
               sample="Silent: the desk is halted", meaning=lambda row: row.meaning),
        Column("Since", lambda row: row.since, lambda row: row.since_ns, sample="59m 59s", spare=1,
               tip="How long this decision has stood for this reason."),
        Column("Holds", lambda row: row.position, sample="123", spare=3,
               tip="Number of the pair that it opened and that is open."),
    )  # fmt: skip


def note_columns(zone: str) -> tuple[Column, ...]:
    """One note a row, newest first."""
    return (
        Column(f"Time, {zone}", lambda row: row.time, lambda row: row.n, left=True,
               sample="09:14:22", tip="When it was decided, in time of the market."),
        Column("Of", lambda row: row.coin, left=True, detail=lambda row: row.name, sample="PENDLE",
               tip="The coin of the pair; of a value that was set, its playbook."),
        Column("Kind", lambda row: row.kind, left=True, sample="would enter",
               meaning=lambda row: row.meaning,
               tip="What it did or would do; overridden: a person did otherwise, which is scored."),
        Column("Note", lambda row: row.said, left=True, stretch=True, detail=lambda row: row.said,
               sample="Enter: z 1.8", tip="The reason with its arithmetic, and a person's own."),
    )  # fmt: skip


class AutopilotPanel(Panel):
    """Pairs above, notes below; side by side where the panel is low."""

    cares_about = Changed.AUTOPILOT

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._dialog: AutopilotDialog | None = None
        self._newest = -1  # number of the note on top
        self._refused = ""  # what the last thing asked for came to
        self.setAccessibleName("Autopilot")
        self.pairs = TableView(watch_columns(), theme, key=lambda row: row.pair)
        self.pairs.setAccessibleName("Pairs on the autopilot")
        zone = zone_text(context.settings.ui.utc, context.engine.now_ns)
        self._make_buttons()
        self.notes = TableView(note_columns(zone), theme, key=lambda row: row.n)
        self.notes.setAccessibleName("Notes of the autopilot, newest first")
        self.notes.empty_text = "Nothing was noted yet."
        self.why = theme.label("", "text")
        self.why.setWordWrap(True)
        self.why.setAlignment(Qt.AlignmentFlag.AlignTop)
        lines = WHY_LINES * self.why.fontMetrics().lineSpacing()
        self.why.setMinimumHeight(lines + theme.px(3))
        self.why.setAccessibleName("Decision about the chosen pair")
        self.foot = theme.label("", "muted", 11)
        self.foot.setWordWrap(True)
        self._lay_out()
        self.pairs.row_chosen.connect(self._on_row_chosen)
        self.pairs.activated.connect(self._on_activated)
        self.refresh()

    def _make_buttons(self) -> None:
        self.set_shown = QPushButton("Set the shown pair\u2026", self)
        self.mode = Choice("Chosen pair", MODES, self._theme)
        self.take = QPushButton("Accept", self)
        self.otherwise = QPushButton("Override\u2026", self)
        self.to_screen = QPushButton("Show", self)
        explain(self.to_screen, "Puts the chosen pair on the screen; its feeds come with it.")
        self.to_screen.clicked.connect(self._on_show)
        self.set_shown.clicked.connect(self._on_set_shown)
        self.mode.chosen.connect(self._on_mode)
        self.take.clicked.connect(self._on_accept)
        self.otherwise.clicked.connect(self._on_override)
        self.paper = self._theme.label("PAPER", "muted", 11, 600)
        explain(self.paper, "The autopilot trades on paper only, as all of this desk does.")

    def _lay_out(self) -> None:
        px = self._theme.px
        head = QHBoxLayout()
        head.setContentsMargins(0, px(4), px(8), px(4))
        head.setSpacing(px(6))
        head.addWidget(self.set_shown)
        head.addSpacing(px(10))
        for part in (self.mode, self.take, self.otherwise, self.to_screen):
            head.addWidget(part)
        head.addStretch(1)
        head.addWidget(self.paper)
        self.split = QSplitter(Qt.Orientation.Vertical, self)
        self.split.addWidget(self.pairs)
        self.split.addWidget(self.notes)
        self.split.setHandleWidth(px(6))
        self.split.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(6), 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.split, 1)
        column.addWidget(self.why)
        column.addWidget(self.foot)
        self.why.setContentsMargins(px(6), px(3), px(9), 0)
        self.foot.setContentsMargins(px(6), px(2), px(9), px(4))

    # --- showing ----------------------------------------------------------------------------------

    @property
    def view(self) -> AutopilotView | None:
        """The autopilot of this desk."""
        return self._context.autopilot

    def refresh(self) -> None:
        """Read what the last look left."""
        view = self.view
        if view is None:
            self.pairs.empty_text = NO_DESK
            self.foot.setText("")
            self._show_buttons()
            return
        self.pairs.empty_text = view.problem if view.stopped else EMPTY
        rows = watch_rows(view, self._context.engine.now_ns)
        self.pairs.show_rows(rows)
        if rows and self.pairs.chosen() is None:  # the buttons are never of nothing
            shown = " ".join(self._context.engine.pair)
            self.pairs.choose(next((at for at, row in enumerate(rows) if row.pair == shown), 0))
        _stops_where_rows_are(self.pairs, len(view.watches))
        newest = view.notes[0].n if view.notes else 0
        if newest != self._newest:
            self._newest = newest
            self.notes.show_rows(note_rows(view.notes, self._context.settings.ui.utc))
            _stops_where_rows_are(self.notes, len(view.notes))
        wrong = bool(view.problem or self._refused)
        self.foot.setText(self._refused or foot_text(view))
        self.foot.set_colour(self._theme.qcolor("warn" if wrong else "muted"))
        self._show_buttons()

    def chosen(self) -> Watch | None:
        """The pair of the selected row; the only one where there is one row."""
        row, view = self.pairs.chosen(), self.view
        if view is None:
            return None
        if isinstance(row, WatchRow):
            return view.watch(row.pair)
        return view.watches[0] if len(view.watches) == 1 else None

    def _show_buttons(self) -> None:
        view, watch = self.view, self.chosen()
        runs = view is not None and view.ready and not view.stopped and self._acts is not None
        self.set_shown.setEnabled(runs and all(self._context.engine.pair))
        explain(self.set_shown, self._shown_tip(view))
        self.mode.setVisible(runs and watch is not None)
        self.why.setVisible(watch is not None)
        self.why.setText(why_text(watch) if watch is not None else "")
        if watch is not None and self.mode.code != watch.mode:
            self.mode.show_code(watch.mode)
        self.to_screen.setEnabled(watch is not None)
        can = runs and watch is not None and watch.suggested
        self.take.setEnabled(can)
        explain(self.take, watch.text if can and watch is not None else
                "Nothing is suggested now." if watch is not None else CHOOSE)  # fmt: skip
        self.otherwise.setEnabled(runs and watch is not None and watch.mode != "off")
        explain(self.otherwise, "Do otherwise, with a reason that is noted and scored later."
                if watch is not None else CHOOSE)  # fmt: skip

    def _shown_tip(self, view: AutopilotView | None) -> str:
        if view is None:
            return NO_DESK
        if view.stopped:
            return view.problem
        shown = " ".join(self._context.engine.pair)
        return f"Playbook, mode and values for {pair_name(shown)}."

    # --- asking -----------------------------------------------------------------------------------

    def edit(self, pair: str) -> "AutopilotDialog | None":
        """Open the dialog of a pair; one at a time."""
        from basisdesk.ui.autopilot_dialog import AutopilotDialog, Doing

        view = self.view
        if view is None or view.stopped:
            return None
        if self._dialog is not None and not self._dialog.over:
            self._dialog.reject()
        watch = view.watch(pair) or Watch(pair, "off", "")
        self._dialog = AutopilotDialog(
            watch,
            view.playbooks,
            view.usual,
            Doing(self._on_set, self._on_reset),
            self._theme,
            self,
        )
        self._dialog.open()
        return self._dialog

    def ask_override(self) -> "OverrideDialog | None":
        """Ask why a person does otherwise."""
        from basisdesk.ui.autopilot_dialog import OverrideDialog

        watch = self.chosen()
        if watch is None:
            return None
        dialog = OverrideDialog(watch, self._theme, self)
        dialog.chosen.connect(
            lambda reason: self._said(
                acts.override(dialog.pair, dialog.what, str(reason))
                if (acts := self._acts) is not None
                else NO_DESK
            )
        )
        dialog.open()
        return dialog

    @property
    def _acts(self) -> AutopilotActions | None:
        return self._context.autopilot_actions

    def _said(self, problem: str) -> None:
        self._refused = problem
        self.refresh()

    # --- slots ------------------------------------------------------------------------------------

    def _on_set(self, made: "Setting") -> str:
        acts = self._acts
        problem = NO_DESK if acts is None else acts.set_pair(*made)
        self._said(problem)
        return problem

    def _on_reset(self, playbook: str) -> str:
        acts = self._acts
        problem = NO_DESK if acts is None else acts.reset(playbook)
        self._said(problem)
        return problem

    def _on_row_chosen(self, _: object) -> None:
        self._refused = ""
        self._show_buttons()

    def _on_activated(self, at: QModelIndex) -> None:
        """Enter on the row the keys are at."""
        self.pairs.selectRow(at.row())
        watch = self.chosen()
        if watch is not None:
            self.edit(watch.pair)

    def _on_set_shown(self) -> None:
        self.edit(" ".join(self._context.engine.pair))

    def _on_mode(self, mode: object) -> None:
        watch, acts = self.chosen(), self._acts
        if watch is None or acts is None:
            return
        if mode != "off" and not watch.playbook:
            self.edit(watch.pair)
            return
        self._said(acts.set_pair(watch.pair, str(mode), watch.playbook, {}))

    def _on_accept(self) -> None:
        watch, acts = self.chosen(), self._acts
        if watch is not None and acts is not None:
            self._said(acts.accept(watch.pair))

    def _on_override(self) -> None:
        self.ask_override()

    def _on_show(self) -> None:
        watch = self.chosen()
        if watch is not None:
            first, _, second = watch.pair.partition(" ")
            self._context.actions.show_pair(first, second)

    # Qt

    def sizeHint(self) -> QSize:
        """Two tables side by side."""
        return QSize(self._theme.px(1200), self._theme.px(230))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low panel has its two tables side by side."""
        super().resizeEvent(event)
        low = event.size().height() < self._theme.px(LOW_PX)
        way = Qt.Orientation.Horizontal if low else Qt.Orientation.Vertical
        if self.split.orientation() != way:
            self.split.setOrientation(way)
            self.split.setSizes([700, 500] if low else [300, 300])


def _stops_where_rows_are(table: TableView, rows: int) -> None:
    policy = Qt.FocusPolicy.StrongFocus if rows else Qt.FocusPolicy.NoFocus
    if table.focusPolicy() != policy:
        table.setFocusPolicy(policy)
