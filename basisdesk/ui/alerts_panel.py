"""Alerts: the rules as they stand, what they told, and what can be done with them."""

from functools import partial
from urllib.parse import urlsplit

import msgspec
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSplitter, QVBoxLayout, QWidget

from basisdesk.events import Changed
from basisdesk.scan.alert_book import AlertBook, Told
from basisdesk.scan.alerts import AlertRule
from basisdesk.ui.alert_dialog import AlertDialog, Hook
from basisdesk.ui.alert_rows import (
    RuleRow,
    foot_text,
    minutes_to_tomorrow,
    rule_rows,
    told_rows,
)
from basisdesk.ui.context import Context
from basisdesk.ui.pulse import Panel
from basisdesk.ui.table import Column
from basisdesk.ui.table_view import TableView
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_fields import explain
from basisdesk.ui.times import zone_text

LOW_PX = 430  # below this height the log stands beside the rules
SNOOZES = (("15 minutes", 15), ("1 hour", 60))
ALL = "*"
LEFT_OUT = ("Watches", "Last told", "By")  # of the rules, where the log stands beside them


def rule_columns() -> tuple[Column, ...]:
    """One rule a row."""
    return (
        Column("State", lambda row: row.state, left=True, sample="\u25d0 snoozed to 09:30",
               meaning=lambda row: row.meaning,
               tip="Crossed: it was told, and is not told again until the value went back. Waits: "
               "beyond the line, but not for long enough, or it is quiet or snoozed. Nothing "
               "there: nothing is held that it could look at."),
        Column("Alert", lambda row: row.name, left=True, stretch=True,
               detail=lambda row: row.detail, sample="Held leg silent for 10 s"),
        Column("Watches", lambda row: row.watches, left=True, detail=lambda row: row.detail,
               sample="Funding gap of any two venues", spare=3,
               meaning=lambda _: "muted"),
        Column("Tells when", lambda row: row.tells, left=True, detail=lambda row: row.detail,
               sample="over 0.06 % = 6.0 bp per 8 h for 30 s"),
        Column("Now", lambda row: row.now, sample="0.0123 % = 1.23 bp per 8 h",
               tip="The value nearest to the line, or furthest beyond it."),
        Column("Of", lambda row: row.of, left=True, sample="BTC and 12 more", spare=2),
        Column("To the line", lambda row: row.away, lambda row: row.away_of,
               sample="123.45 bp beyond", meaning=lambda row: "warn" if row.away_of > 0 else ""),
        Column("Last told", lambda row: row.last, lambda row: row.last_ns, left=True,
               sample="09:14:22", spare=1),
        Column("By", lambda row: row.ways, left=True, sample="message, sound", spare=4,
               meaning=lambda _: "muted"),
    )  # fmt: skip


def told_columns(zone: str) -> tuple[Column, ...]:
    """One alert a row, newest first."""
    return (
        Column(f"Time, {zone}", lambda row: row.time, lambda row: row.t_ns, left=True,
               sample="09:14:22"),
        Column("Alert", lambda row: row.name, left=True, sample="Funding gap over 0.06 %", spare=1),
        Column("Message", lambda row: row.text, left=True, stretch=True,
               detail=lambda row: row.text, sample="Funding gap"),
        Column("Told by", lambda row: row.ways, left=True, sample="message, sound", spare=2,
               meaning=lambda _: "muted",
               tip="Where alerts come too fast for the screen, the log alone has them all."),
    )  # fmt: skip


class AlertsPanel(Panel):
    """Rules above, the log below; side by side where the panel is low."""

    cares_about = Changed.ALERTS | Changed.SCAN

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._dialog: AlertDialog | None = None
        self._newest: Told | None = None  # line of the log that stands on top
        self.setAccessibleName("Alerts")
        self.rules = TableView(rule_columns(), theme, key=lambda row: row.id)
        self.rules.setAccessibleName("Alert rules")
        self.rules.empty_text = "No rule. Press Add alert to make one."
        zone = zone_text(context.settings.ui.utc, context.engine.now_ns)
        self.told = TableView(
            told_columns(zone), theme, key=lambda row: (row.t_ns, row.name, row.text)
        )
        self.told.setAccessibleName("Alert log, newest first")
        self.told.empty_text = "Nothing was told yet."
        self.foot = theme.label("", "muted", 11)
        self.foot.setWordWrap(True)
        self._make_buttons()
        self._lay_out()
        self.rules.row_chosen.connect(self._on_row_chosen)
        self.rules.activated.connect(self._on_activated)
        self._on_row_chosen(None)

    def _make_buttons(self) -> None:
        self.add = self._button("Add alert", "Makes a new rule.")
        self.edit = self._button("Edit", "Changes the chosen rule.")
        self.switch = self._button("Switch off", "The rule stays, and tells nothing.")
        self.remove = self._button("Remove", "Forgets the chosen rule; its log stays.")
        self.snooze = self._button("Snooze all", "")
        self.menu = QMenu(self)
        self.snooze.setMenu(self.menu)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.mute = self._button("Mute sound", "Alerts make no sound until this is released.")
        self.mute.setCheckable(True)
        for button, slot in (
            (self.add, self._on_add), (self.edit, self._on_edit), (self.switch, self._on_switch),
            (self.remove, self._on_remove), (self.mute, self._on_mute),
        ):  # fmt: skip
            button.clicked.connect(slot)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        explain(button, tip)
        return button

    def _lay_out(self) -> None:
        px = self._theme.px
        head = QHBoxLayout()
        head.setContentsMargins(0, px(4), px(8), px(4))
        head.setSpacing(px(6))
        for button in (self.add, self.edit, self.switch, self.remove, self.snooze):
            head.addWidget(button)
        head.addStretch(1)
        head.addWidget(self.mute)
        self.split = QSplitter(Qt.Orientation.Vertical, self)
        self.split.addWidget(self.rules)
        self.split.addWidget(self.told)
        self.split.setHandleWidth(px(6))
        self.split.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(6), 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.split, 1)
        column.addWidget(self.foot)
        self.foot.setContentsMargins(px(6), px(2), px(9), px(4))

    def stops(self) -> list[QWidget]:
        """Where the Tab key stops, in reading order."""
        return [self.add, self.edit, self.switch, self.remove, self.snooze, self.mute, self.rules,
                self.told]  # fmt: skip

    # --- showing ----------------------------------------------------------------------------------

    @property
    def book(self) -> AlertBook | None:
        """The book of this desk; None where no universe is watched."""
        return None if self._context.scan is None else self._context.scan.alerts

    def refresh(self) -> None:
        """Read the rules and their log."""
        book = self.book
        for button in (self.add, self.snooze, self.mute):
            button.setEnabled(book is not None)
        if book is None:
            self.rules.empty_text = "Alerts are for a running desk."
            self.foot.setText("")
            return
        now_ns, utc = self._context.engine.now_ns, self._context.settings.ui.utc
        self.rules.show_rows(rule_rows(book, now_ns, utc))
        stops_where_rows_are(self.rules, len(book.rules))
        newest = book.log[0] if book.log else None
        if newest is not self._newest:
            self._newest = newest
            self.told.show_rows(told_rows(book, now_ns, utc))
        stops_where_rows_are(self.told, len(book.log))
        self.foot.setText(foot_text(book, now_ns, utc))
        muted = book.muted or not self._context.settings.alerts.sound
        self.mute.setChecked(muted)
        self.mute.setText("Sound is muted" if muted else "Mute sound")
        self.mute.setEnabled(self._context.settings.alerts.sound)
        self._on_row_chosen(self.rules.chosen())

    def chosen_rule(self) -> AlertRule | None:
        """The rule of the selected row."""
        row, book = self.rules.chosen(), self.book
        if book is None or not isinstance(row, RuleRow):
            return None
        return book.rules.get(row.id)

    def edit_rule(self, rule: AlertRule, *, new: bool = False) -> AlertDialog:
        """Open the dialog of a rule; one at a time."""
        if self._dialog is not None and not self._dialog.over:
            self._dialog.reject()
        settings = self._context.settings.alerts
        host = urlsplit(settings.webhook).hostname or "" if settings.webhook else ""
        hook = Hook(host, self._test_webhook, self._context.engine.now_ns)
        self._dialog = dialog = AlertDialog(rule, self._theme, hook, self, new=new)
        dialog.chosen.connect(self._on_chosen)
        dialog.open()
        return dialog

    # --- slots ------------------------------------------------------------------------------------

    def _on_row_chosen(self, _: object) -> None:
        rule = self.chosen_rule()
        for button in (self.edit, self.switch, self.remove):
            button.setEnabled(rule is not None)
        self.switch.setText("Switch on" if rule is not None and not rule.on else "Switch off")
        self.snooze.setText("Snooze all" if rule is None else "Snooze")
        who = "All rules tell" if rule is None else f"{rule.name} tells"
        explain(self.snooze, f"{who} nothing for a while. What still holds then is told then.")

    def _fill_menu(self) -> None:
        rule = self.chosen_rule()
        which = ALL if rule is None else rule.id
        now_ns, utc = self._context.engine.now_ns, self._context.settings.ui.utc
        tomorrow = minutes_to_tomorrow(now_ns, utc)
        self.menu.clear()
        for text, minutes in (*SNOOZES, ("Until tomorrow 08:00", tomorrow)):
            self.menu.addAction(text, partial(self._snooze, which, minutes))
        self.menu.addSeparator()
        self.menu.addAction("Wake", partial(self._snooze, which, 0))

    def _snooze(self, which: str, minutes: int) -> None:
        if (acts := self._context.scan_actions) is not None:
            acts.snooze_alert(which, minutes)
        self.refresh()

    def _test_webhook(self) -> None:
        if (acts := self._context.scan_actions) is not None:
            acts.test_webhook()

    def _on_add(self) -> None:
        book = self.book
        if book is not None:
            self.edit_rule(AlertRule(book.new_id("alert"), "New alert"), new=True)

    def _on_edit(self) -> None:
        rule = self.chosen_rule()
        if rule is not None:
            self.edit_rule(rule)

    def _on_activated(self, at: QModelIndex) -> None:
        """Enter on the row the keys are at: it is chosen by that."""
        self.rules.selectRow(at.row())
        self._on_edit()

    def _on_chosen(self, rule: object) -> None:
        acts = self._context.scan_actions
        if isinstance(rule, AlertRule) and acts is not None:
            acts.set_alert_rule(rule)
            self.refresh()

    def _on_switch(self) -> None:
        rule = self.chosen_rule()
        if rule is not None:
            self._on_chosen(msgspec.structs.replace(rule, on=not rule.on))

    def _on_remove(self) -> None:
        rule = self.chosen_rule()
        acts = self._context.scan_actions
        if rule is not None and acts is not None:
            acts.drop_alert_rule(rule.id)
            self.refresh()

    def _on_mute(self) -> None:
        if (acts := self._context.scan_actions) is not None:
            acts.mute_alerts(self.mute.isChecked())
        self.refresh()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low panel has its two tables side by side."""
        super().resizeEvent(event)
        low = event.size().height() < self._theme.px(LOW_PX)
        way = Qt.Orientation.Horizontal if low else Qt.Orientation.Vertical
        if self.split.orientation() != way:
            self.split.setOrientation(way)
            self.split.setSizes([820, 460] if low else [600, 400])
            self.rules.want_columns(lambda column: not low or column.header not in LEFT_OUT)
            self.told.want_columns(lambda column: not low or column.header != "Alert")


def stops_where_rows_are(table: TableView, rows: int) -> None:
    """The Tab key stops at a table that has rows: an empty one has nothing to show it with."""
    policy = Qt.FocusPolicy.StrongFocus if rows else Qt.FocusPolicy.NoFocus
    if table.focusPolicy() != policy:
        table.setFocusPolicy(policy)
