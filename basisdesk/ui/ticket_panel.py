"""The order ticket: what to do, what it costs, what follows, and one button that says it."""

import math
from dataclasses import replace
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from basisdesk.clock import mono_s
from basisdesk.events import Changed, OpenPair, SetValue
from basisdesk.market.basis import PairMarket
from basisdesk.trading.costs import CostSheet
from basisdesk.ui import ticket_sheet as sheets
from basisdesk.ui.context import Context
from basisdesk.ui.figures import size_text
from basisdesk.ui.glossary import term
from basisdesk.ui.market_rows import leg_name
from basisdesk.ui.pulse import Panel
from basisdesk.ui.theme import PlainLabel, Theme, set_tip
from basisdesk.ui.ticket_fields import AmountField, explain
from basisdesk.venues.instrument import Instrument

SHEET_EVERY_S = 0.2  # the sheet is worked out at most five times a second
SENT_S = 0.6  # after a click the button rests this long: a double click is one order
PANEL_PX = 336
ZERO = Decimal(0)


class TicketPanel(Panel):
    """Builds one OpenPair from what is typed and hands it on exactly as shown.

    plan_changed: (entry_bp, target_bp, stop_bp) as float or None, for the lines of the chart.
    direction_changed: +1 or -1.
    """

    cares_about = (
        Changed.QUOTES
        | Changed.BASIS
        | Changed.FUNDING
        | Changed.POSITIONS
        | Changed.RISK
        | Changed.FEEDS
    )
    plan_changed = Signal(object)
    direction_changed = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._pair: tuple[str, str] = ("", "")
        self._direction = 1
        self._in_quote = False
        self._sheet: CostSheet | None = None
        self._sheet_s = -math.inf
        self._sent_s = -math.inf
        self._told_qty = ""
        self._told_plan: tuple[float | None, float | None, float | None] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Order ticket")
        self.setMinimumWidth(theme.px(PANEL_PX - 16))
        self._build_fields()
        self._build_sheet()
        self._lay_out()
        self._show_direction()
        self._show_sheet(None, "Waiting for quotes of both legs.")

    # --- what it is told --------------------------------------------------------------------------

    def set_target(self, value_bp: float) -> None:
        """The target line was dragged here."""
        if math.isfinite(value_bp):
            self.target.put(Decimal(repr(round(value_bp, 1))))

    def set_stop(self, value_bp: float) -> None:
        """The stop line was dragged here."""
        if math.isfinite(value_bp):
            self.stop.put(Decimal(repr(round(value_bp, 1))))

    def set_direction(self, direction: int) -> None:
        """Choose the direction: +1 long spot / short perp, -1 the reverse."""
        if direction != self._direction:
            self._direction = direction
            self._show_direction()
            self._prefill()
            self.direction_changed.emit(direction)
            self.recompute()

    @property
    def request(self) -> OpenPair | None:
        """The order on the screen, or None while a field is missing."""
        return self.draft().request(self._pair, self._rule(), self._price())

    @property
    def sheet(self) -> CostSheet | None:
        """The cost sheet on the screen."""
        return self._sheet

    def draft(self) -> sheets.Draft:
        """What the fields hold."""
        return sheets.Draft(
            self._direction,
            self.size_field.value,
            self._in_quote,
            self.leverage.value,
            self.target.value,
            self.stop.value,
            self.hold.value,
        )

    def open_shown(self) -> None:
        """Send the order on the screen, if the desk would take it. Ctrl+Enter and the button."""
        if not self.open_button.isEnabled() or self._sheet is None:
            return
        self.recompute()
        if self._sheet is not None and self._sheet.refusal is None:
            self._context.actions.submit(self._sheet.request)
            self._sent_s = mono_s()
            self.open_button.setEnabled(False)
            self.open_button.setText("Order sent")

    # --- showing ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Follow the market, at most five times a second."""
        if mono_s() - self._sheet_s >= SHEET_EVERY_S:
            self.recompute()

    def recompute(self) -> None:
        """Work the sheet out anew for what the fields hold now."""
        self._sheet_s = mono_s()
        engine = self._context.engine
        shown = engine.shown()
        if engine.pair != self._pair:
            self._adopt(engine.pair)
        if shown is None:
            self._show_sheet(None, "No pair on the screen. Pick one in the top bar.")
            return
        self._prefill()
        draft = self.draft()
        self._tell_qty(draft)
        request = draft.request(self._pair, self._rule(), self._price())
        if request is None:
            self._show_sheet(None, self._missing(draft, shown))
        else:
            sheet = engine.sheet(request)
            self._show_sheet(sheet, "" if sheet.refusal is None else sheet.refusal.text)
        self._tell_plan()

    def _missing(self, draft: sheets.Draft, shown: PairMarket) -> str:
        if not draft.complete and any(field.problem.text() for field in self._fields):
            return "A field above cannot be read. Correct it to see what the order costs."
        if shown.now.stale:
            return shown.now.stale
        waiting = shown.spot.instrument is None or shown.perp.instrument is None
        if waiting:
            return "Waiting for the venue's instrument rules."
        return (
            "Fill in size, leverage, target, stop and time stop."
            if draft.complete is False
            else ("Waiting for quotes of both legs.")
        )

    def _show_sheet(self, sheet: CostSheet | None, reason: str) -> None:
        self._sheet = sheet
        if sheet is None:
            lines = sheets.empty_lines()
        else:
            equity = self._context.engine.funds().equity
            now_ms = self._context.engine.now_ns // 1_000_000
            lines = sheets.sheet_lines(sheet, self._base(), self._perp(), equity, now_ms)
        for labels, line in zip(self._lines, lines, strict=True):
            self._show_line(labels, line)
        self._show_verdict(sheet, reason)
        self._show_button(sheet, reason)
        self._show_max(sheet)

    def _show_line(
        self, labels: tuple[PlainLabel, PlainLabel, PlainLabel], line: sheets.SheetLine
    ) -> None:
        name, value, second = labels
        for label, text in ((name, line.name), (value, line.value), (second, line.second)):
            if label.text() != text:
                label.setText(text)
        ink = self._theme.qcolor(line.meaning or "text")
        value.set_colour(ink)
        second.set_colour(ink)
        second.setVisible(bool(line.second))
        for label in labels:
            set_tip(label, line.tip)

    def _show_verdict(self, sheet: CostSheet | None, reason: str) -> None:
        if sheet is None or reason:
            said, shape, token = reason, "\u25cb", "warn"
        else:
            said = sheet.verdict
            shape, token = sheets.verdict_mark(sheet.verdict_kind)
        text = f"{shape}  {said}" if said else ""
        if self.verdict.text() != text:
            self.verdict.setText(text)
        self.verdict.set_colour(self._theme.qcolor(token))

    def _show_button(self, sheet: CostSheet | None, reason: str) -> None:
        if mono_s() - self._sent_s < SENT_S:
            return
        promise = sheets.direction_texts(self._direction)[1]
        able = sheet is not None and not reason
        if self.open_button.isEnabled() != able:
            self.open_button.setEnabled(able)
        text = promise if able else "Cannot open now"
        if self.open_button.text() != text:
            self.open_button.setText(text)
        explain(self.open_button, f"{promise}. Ctrl+Enter." if able else reason)

    def _show_max(self, sheet: CostSheet | None) -> None:
        able = sheet is not None and sheet.max_qty > 0
        self.max_link.setVisible(able)
        if able and sheet is not None:
            most = f"{size_text(sheet.max_qty)} {self._base()}"
            note = f" {sheet.size_note}." if sheet.size_note else ""
            explain(self.max_link, f"The largest size now is {most}. Press to take it.{note}")

    def _show_direction(self) -> None:
        spot, perp = (leg_name(key) if key else "the leg" for key in self._pair)
        for direction, button in self.directions.items():
            button.setChecked(direction == self._direction)
            explain(button, sheets.direction_tip(direction, spot, perp))

    def _show_unit(self) -> None:
        rule = self._rule()
        base = rule.base if rule is not None else "base"
        quote = rule.quote if rule is not None else "quote"
        self.unit.setText(quote if self._in_quote else base)
        self.unit.setAccessibleName(f"Size in {quote if self._in_quote else base}")
        explain(self.unit, f"Size is in {self.unit.text()}. Press for the other unit.")
        self.size_field.step = Decimal(100) if self._in_quote else self._size_step()

    # --- what it tells ----------------------------------------------------------------------------

    def _tell_qty(self, draft: sheets.Draft) -> None:
        qty = draft.qty(self._rule(), self._price())
        told = "" if qty is None or qty <= 0 else f"{qty:f}"
        if self._in_quote and told and self._told_qty and not self.size_field.touched:
            return
        if told and told != self._told_qty:
            self._told_qty = told
            self._context.actions.submit(SetValue("ticket.qty", told))

    def _tell_plan(self) -> None:
        entry = self._sheet.entry_bp if self._sheet is not None else math.nan
        plan = (
            entry if math.isfinite(entry) else None,
            None if self.target.value is None else float(self.target.value),
            None if self.stop.value is None else float(self.stop.value),
        )
        if plan != self._told_plan:
            self._told_plan = plan
            self.plan_changed.emit(plan)

    # --- filling in -------------------------------------------------------------------------------

    def _adopt(self, pair: tuple[str, str]) -> None:
        """Another pair is on the screen: its sizes and levels are other ones."""
        self._pair = pair
        self._told_qty = ""
        for field in self._fields:
            field.forget()
        self._show_direction()

    def _prefill(self) -> None:
        """Fill in fields that nobody touched and that are still empty, or follow the direction."""
        engine = self._context.engine
        shown, rule = engine.shown(), self._rule()
        if shown is None or rule is None:
            return
        if self.unit.text() not in (rule.base, rule.quote):
            self._show_unit()
        empty = [field for field in self._fields if field.value is None and not field.touched]
        levels = (self.target, self.stop)
        turned = self._filled_direction != self._direction
        if not empty and not (turned and not all(field.touched for field in levels)):
            return
        found = sheets.sensible(self._direction, shown, rule, engine.funds().equity)
        if found is None:
            return
        self._filled_direction = self._direction
        if self._in_quote:
            found = sheets.switched(found, self._price(), rule)
        values = (found.size, found.leverage, found.target_bp, found.stop_bp, found.hold_h)
        for field, value in zip(self._fields, values, strict=True):
            if field in empty or (turned and field in levels and not field.touched):
                field.show_value(value)

    # --- the pair ---------------------------------------------------------------------------------

    def _rule(self) -> Instrument | None:
        """Rules of the long leg."""
        key = self.draft_legs()[0]
        return self._context.engine.market.instruments.get(key)

    def draft_legs(self) -> tuple[str, str]:
        """(long key, short key) of the ticket."""
        return self._pair if self._direction > 0 else (self._pair[1], self._pair[0])

    def _perp(self) -> Instrument | None:
        return self._context.engine.market.instruments.get(self._pair[1])

    def _base(self) -> str:
        rule = self._rule()
        return rule.base if rule is not None else ""

    def _price(self) -> float:
        leg = self._context.engine.market.legs.get(self.draft_legs()[0])
        return leg.mid if leg is not None else math.nan

    def _size_step(self) -> Decimal:
        rule = self._rule()
        value = self.size_field.value
        if rule is None or not value:
            return Decimal(1)
        return max(rule.lot, Decimal(1).scaleb(value.adjusted() - 1))

    # --- slots ------------------------------------------------------------------------------------

    def _on_typed(self) -> None:
        self.recompute()

    def _on_direction_clicked(self) -> None:
        self.set_direction(1 if self.directions[1].isChecked() else -1)

    def _on_unit_clicked(self) -> None:
        rule, price = self._rule(), self._price()
        other = sheets.switched(self.draft(), price, rule)
        self._in_quote = other.in_quote
        touched = self.size_field.touched
        self.size_field.show_value(other.size)
        self.size_field.touched = touched
        self._show_unit()
        self.recompute()

    def _on_max_clicked(self) -> None:
        if self._sheet is None or self._sheet.max_qty <= 0:
            return
        most = replace(self.draft(), size=self._sheet.max_qty, in_quote=False)
        if self._in_quote:
            most = sheets.switched(most, self._price(), self._rule())
        if most.size is not None:
            self.size_field.put(most.size)

    # --- building ---------------------------------------------------------------------------------

    def _build_fields(self) -> None:
        theme = self._theme
        self._filled_direction = 0
        self.directions: dict[int, QPushButton] = {}
        group = QButtonGroup(self)
        for direction in (1, -1):
            button = QPushButton(sheets.direction_texts(direction)[0], self)
            button.setProperty("role", "segment")
            button.setCheckable(True)
            button.setFont(theme.font(11))
            button.clicked.connect(self._on_direction_clicked)
            group.addButton(button)
            self.directions[direction] = button
        self.unit = QPushButton("base", self)
        self.unit.setProperty("role", "link")
        self.unit.clicked.connect(self._on_unit_clicked)
        self.max_link = QPushButton("max", self)
        self.max_link.setProperty("role", "link")
        self.max_link.setFont(theme.font(11))
        self.max_link.setAccessibleName("Take the largest size")
        self.max_link.clicked.connect(self._on_max_clicked)
        most = Decimal(repr(self._context.settings.risk.leverage_max))
        above = partial(sheets.within, low=ZERO, above=True)
        self.size_field = AmountField(
            "Size", self.unit, term("Size"), above, theme, beside=self.max_link
        )
        self.leverage = AmountField(
            "Leverage",
            f"of {size_text(most)}\u00d7",
            term("Leverage"),
            partial(sheets.within, low=Decimal(1), high=most),
            theme,
            step=Decimal("0.5"),
        )
        level = partial(sheets.within, low=Decimal(-10_000), high=Decimal(10_000), unit="bp")
        self.target = AmountField("Target basis", "bp", term("Target basis"), level, theme)
        self.stop = AmountField("Stop basis", "bp", term("Stop basis"), level, theme)
        self.hold = AmountField("Time stop", "h", term("Time stop"), above, theme)
        self._fields = (self.size_field, self.leverage, self.target, self.stop, self.hold)
        for field in self._fields:
            field.typed.connect(self._on_typed)

    def _build_sheet(self) -> None:
        theme = self._theme
        self._lines: list[tuple[PlainLabel, PlainLabel, PlainLabel]] = []
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for line in sheets.empty_lines():
            labels = theme.label(line.name, "muted"), theme.label(), theme.label()
            labels[1].setAlignment(right)
            labels[2].setAlignment(right)
            self._lines.append(labels)
        self.verdict = theme.label("", "muted", 11)
        self.verdict.setWordWrap(True)
        self.verdict.setAccessibleName("Verdict")
        self.open_button = QPushButton("Open", self)
        self.open_button.setProperty("role", "primary")
        self.open_button.setAccessibleName("Open the pair")
        self.open_button.setMinimumHeight(theme.px(32))
        self.open_button.clicked.connect(self.open_shown)

    def _lay_out(self) -> None:
        px = self._theme.px
        choice = QHBoxLayout()
        choice.setSpacing(px(4))
        for button in self.directions.values():
            choice.addWidget(button, 1)
        body = QWidget()
        inside = QVBoxLayout(body)
        inside.setContentsMargins(px(12), px(4), px(12), px(4))
        inside.setSpacing(px(4))
        inside.addLayout(choice)
        for field in self._fields:
            inside.addWidget(field)
        inside.addWidget(self._rule_line())
        inside.addWidget(self._theme.label("What it costs", weight=600))
        inside.addLayout(self._sheet_grid())
        inside.addWidget(self._rule_line())
        inside.addWidget(self.verdict)
        inside.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(body)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        foot = QVBoxLayout()
        foot.setContentsMargins(px(12), px(4), px(12), px(10))
        foot.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addLayout(foot)

    def _sheet_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._theme.px(8))
        grid.setVerticalSpacing(self._theme.px(3))
        grid.setColumnStretch(0, 1)
        for row, (name, value, second) in enumerate(self._lines):
            cells = QHBoxLayout()
            cells.setSpacing(self._theme.px(8))
            cells.addStretch(1)
            cells.addWidget(value)
            cells.addWidget(second)
            grid.addWidget(name, row, 0)
            grid.addLayout(cells, row, 1)
        return grid

    def _rule_line(self) -> QFrame:
        line = QFrame(self)
        line.setProperty("role", "rule")
        line.setFixedHeight(1)
        return line
