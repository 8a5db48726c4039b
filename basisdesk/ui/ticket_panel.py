"""The order ticket: what to do, what it costs, what follows, and one button that says it."""

import math
from dataclasses import replace
from decimal import Decimal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from basisdesk.clock import mono_s
from basisdesk.config import exact
from basisdesk.events import Changed, OpenPair, SetValue
from basisdesk.market.basis import PairMarket
from basisdesk.trading.costs import CostSheet
from basisdesk.ui import ticket_lines as lines
from basisdesk.ui import ticket_rules as rules
from basisdesk.ui import ticket_sheet as sheets
from basisdesk.ui.context import Context
from basisdesk.ui.figures import size_text
from basisdesk.ui.leg_words import coin_of, direction_texts, short_names, two_perps
from basisdesk.ui.leverage_view import LeverageView
from basisdesk.ui.pulse import Panel
from basisdesk.ui.refused_rows import refused_text
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_advice import suggestion
from basisdesk.ui.ticket_form import TicketForm
from basisdesk.ui.ticket_telling import RestedSize
from basisdesk.venues.instrument import Instrument

SHEET_EVERY_S = 0.2  # the sheet is worked out at most five times a second
SENT_S = 1.0  # after a click the button rests this long: a double click is one order
# Refusals of a size as such: the executable basis at it would be nonsense in the history.
SIZE_LIMITS = frozenset({"min_qty", "max_qty", "lot", "depth", "funds", "margin", "book"})
ZERO = Decimal(0)
PANEL_PX = 336  # width the ticket is made for


class TicketPanel(Panel):
    """Builds one OpenPair from what is typed and hands it on exactly as shown.

    plan_changed: (entry_bp, target_bp, stop_bp), each a float or None, for the chart's lines.
    direction_changed: +1 or -1. clicked: somebody turned to the ticket with the mouse. adopted: the
    pair (first, second) that the ticket has taken over.
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
    clicked = Signal()
    adopted = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._pair: tuple[str, str] = ("", "")
        self._direction = context.ticket_direction = 1
        self._filled_direction = 0  # the direction that untouched levels were filled in for
        self._in_quote = False
        self._sheet: CostSheet | None = None
        self._sheet_s = -math.inf
        self._told_plan: tuple[float | None, float | None, float | None] | None = None
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.recompute)
        self._size = RestedSize(self._tell_size, self)
        self._awake = QTimer(self)
        self._awake.setSingleShot(True)
        self._awake.setTimerType(Qt.TimerType.PreciseTimer)
        self._awake.timeout.connect(self.recompute)
        settings = context.settings
        most = exact(settings.risk.leverage_max)
        self.form = TicketForm(most, settings.account.currency, theme, self)
        self._picture = LeverageView(context, theme, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)
        self.setAccessibleName("Order ticket")
        self.setMinimumWidth(theme.px(PANEL_PX))
        self._join()
        self._show_direction()
        self._show_sheet(None, "Waiting for quotes of both legs.")

    def _join(self) -> None:
        form = self.form
        form.typed.connect(self.recompute)
        form.direction_chosen.connect(self._on_direction_chosen)
        form.unit_pressed.connect(self._on_unit_pressed)
        form.max_pressed.connect(self._on_max_pressed)
        form.suggested_pressed.connect(self._on_suggested_pressed)
        form.picture_pressed.connect(self._on_picture_pressed)
        self._picture.taken.connect(self._on_leverage_taken)
        form.execution.style_choice.chosen.connect(self._fill_limit)
        form.execution.now_pressed.connect(self._on_now_pressed)
        form.open_pressed.connect(self.open_shown)
        for field in form.fields:
            field.edit.installEventFilter(self)

    # --- what it is told --------------------------------------------------------------------------

    def set_target(self, value_bp: object) -> None:
        """The target line was dragged here, bp."""
        if isinstance(value_bp, float | int) and math.isfinite(value_bp):
            self.form.target.put(Decimal(repr(round(float(value_bp), 1))))

    def set_stop(self, value_bp: object) -> None:
        """The stop line was dragged here, bp."""
        if isinstance(value_bp, float | int) and math.isfinite(value_bp):
            self.form.stop.put(Decimal(repr(round(float(value_bp), 1))))

    def set_entry(self, value_bp: object) -> None:
        """The entry line was dragged here, bp: a limit order at that basis."""
        if isinstance(value_bp, float | int) and math.isfinite(value_bp):
            self.form.execution.take_limit(Decimal(repr(round(float(value_bp), 1))))

    def set_direction(self, direction: int) -> None:
        """Choose the direction: +1 long spot / short perp, -1 the reverse.

        Of two perpetuals the long one is the reference, so the reverse is another pair.
        """
        if direction == self._direction:
            return
        if direction < 0 and two_perps(self._pair):
            self._context.actions.show_pair(self._pair[1], self._pair[0])
            self._show_direction()
            return
        self._direction = self._context.ticket_direction = direction
        self.form.execution.forget_limit()
        self._show_direction()
        self.direction_changed.emit(direction)
        self.recompute()

    @property
    def request(self) -> OpenPair | None:
        """The order on the screen, or None while a field is missing."""
        if self.form.problem():
            return None
        return self.draft().request(self._pair, self._rule(), self._price())

    @property
    def sheet(self) -> CostSheet | None:
        """The cost sheet on the screen."""
        return self._sheet

    def draft(self) -> sheets.Draft:
        """What the fields hold."""
        return self.form.draft(self._direction, in_quote=self._in_quote)

    def open_shown(self) -> None:
        """Send the order on the screen, if the desk would take it. Ctrl+Enter and the button."""
        if not self.form.open_button.isEnabled():
            return
        self.recompute()
        sheet = self._sheet
        if sheet is not None and sheet.refusal is None:
            self._size.tell_now()
            self._context.actions.submit(sheet.request)
            self.form.show_button("Sent", "Both legs are on their way.", able=False)
            self._awake.start(int(SENT_S * 1000))

    # --- showing ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Follow the market, at most five times a second; the last change is never left out."""
        left_s = self._sheet_s + SHEET_EVERY_S - mono_s()
        if left_s <= 0:
            self.recompute()
        elif not self._later.isActive():
            self._later.start(int(left_s * 1000) + 1)

    def recompute(self) -> None:
        """Work the sheet out anew for what the fields hold now."""
        self._sheet_s = mono_s()
        self._later.stop()
        engine = self._context.engine
        shown = engine.shown()
        if engine.pair != self._pair:
            self._adopt(engine.pair)
        if shown is None:
            self._show_sheet(None, "No pair on the screen. Pick one in the top bar.")
            return
        self._prefill()
        request = self.request
        if request is None:
            self._show_sheet(None, self._missing(shown))
        else:
            sheet = engine.sheet(request)
            self._show_sheet(sheet, "" if sheet.refusal is None else sheet.refusal.text)
            self._note_qty(sheet)
        self._tell_plan()

    def _missing(self, shown: PairMarket) -> str:
        """Why there is no order: what a person typed, then what the market has not told yet."""
        if any(field.wrong for field in self.form.fields):
            return self.form.problem()
        if shown.now.stale:
            return shown.now.stale
        if self._rule() is None:
            return "Waiting for the venue's instrument rules."
        return self.form.problem() or "Waiting for quotes of both legs."

    def _show_sheet(self, sheet: CostSheet | None, reason: str) -> None:
        self._sheet = sheet
        form, engine = self.form, self._context.engine
        if sheet is None:
            form.show_lines(lines.empty_lines())
        else:
            now_ms = engine.now_ns // 1_000_000
            form.show_lines(lines.sheet_lines(sheet, self._base(), self._standing(), now_ms))
        form.show_rule(None if sheet is None else sheet.rule)
        self._show_execution()
        form.show_foot(lines.foot_lines(form.board.shown))
        refused = refused_text(engine, self._context.status.speed, ("open_pair",))
        if refused:  # the answer to the order a person just sent
            form.show_verdict(refused[:1], refused[1:].lstrip(), "warn")
        elif sheet is None or reason:
            form.show_verdict("\u25cb", reason, "warn")
        else:
            shape, token = lines.verdict_mark(sheet.verdict_kind)
            form.show_verdict(shape, sheet.verdict, token)
        if not self._awake.isActive():
            promise = self._promise()
            if sheet is not None and not reason:
                form.show_button(promise, f"{promise}. Ctrl+Enter.", able=True)
            else:
                form.show_button("Cannot open now", reason, able=False)
        self._show_max(sheet)
        self._picture.refresh(sheet, self._way())
        form.show_suggested(suggestion(sheet, self._base()))

    def _promise(self) -> str:
        """What the button will do: "Open: buy spot, short perp", "Limit: ..."."""
        promise = direction_texts(self._direction, self._pair)[1]
        style = self.form.execution.style_choice.code
        if style == "market":
            return promise
        return promise.replace("Open:", f"{rules.STYLES[style][0]}:", 1)

    def _standing(self) -> lines.Standing:
        engine, settings = self._context.engine, self._context.settings
        base = self._base()
        rules_of = engine.market.instruments
        held = (p.delta for p in engine.open_pairs() if coin_of(p.long.instrument) == base)
        return lines.Standing(
            engine.funds().equity, exact(settings.risk.reserve), sum(held, ZERO), rules_of
        )

    def _show_execution(self) -> None:
        """What will happen, in words, with the names of the legs."""
        box = self.form.execution
        names = short_names(*self._pair) if all(self._pair) else ("spot", "perp")
        box.show_legs(names, self._direction)
        how = box.draft().execution()
        if how is None:
            box.show_words(box.problem())
            return
        wait_s = self._context.engine.settings.risk.unhedged_s_max
        ordered = names if self._direction > 0 else names[::-1]
        box.show_words(rules.execution_text(how, self._direction, ordered, wait_s))

    def _show_max(self, sheet: CostSheet | None) -> None:
        if sheet is None or sheet.max_qty <= 0:
            self.form.show_max("")
            return
        most = f"{size_text(sheet.max_qty)} {self._base()}"
        self.form.show_max(f"The largest size now is {most}. Press to take it.")

    def _show_direction(self) -> None:
        self.form.show_direction(self._direction, self._pair)

    # --- what it tells ----------------------------------------------------------------------------

    def _note_qty(self, sheet: CostSheet) -> None:
        """Tell the engine the size, for the executable basis; one refused for itself is not."""
        if sheet.refusal is not None and sheet.refusal.limit in SIZE_LIMITS:
            self._size.drop()
            return
        typed = self.form.size_field.touched
        self._size.note(sheet.request.qty, typed=typed, in_quote=self._in_quote)

    def _tell_size(self, qty: str) -> None:
        self._context.actions.submit(SetValue("ticket.qty", qty))

    def _tell_plan(self) -> None:
        entry = self._sheet.entry_bp if self._sheet is not None else math.nan
        how = self.form.execution.draft()
        if how.style == "limit" and how.limit_bp is not None:
            entry = float(how.limit_bp)
        target, stop = self.form.target.value, self.form.stop.value
        plan = (
            entry if math.isfinite(entry) else None,
            None if target is None else float(target),
            None if stop is None else float(stop),
        )
        if plan != self._told_plan:
            self._told_plan = plan
            self.plan_changed.emit(plan)

    # --- filling in -------------------------------------------------------------------------------

    def _adopt(self, pair: tuple[str, str]) -> None:
        """Another pair is on the screen: its sizes and levels are other ones."""
        self._pair = pair
        if self._direction < 0 and two_perps(pair):
            self._direction = 1
            self.direction_changed.emit(1)
        self._size.start_afresh()
        self._picture.close()
        for field in (*self.form.suggestible, *self.form.plan.fields):
            field.forget()
        self.form.plan.sector.setChecked(False)
        self.form.execution.forget_limit()
        self._show_direction()
        self.adopted.emit(pair)

    def _prefill(self) -> None:
        """Fill in what is empty and untouched; levels that nobody touched follow the market.

        A stop suggested while the market was calm must not stand where a fresh pair would leave.
        """
        engine, form = self._context.engine, self.form
        shown, rule = engine.shown(), self._rule()
        if shown is None or rule is None:
            return
        form.show_unit(rule.quote if self._in_quote else rule.base)
        form.plan.say_sector(self._context, rule.base, self._direction)
        self._fill_limit()
        if all(field.touched for field in form.suggestible):
            return
        found = sheets.sensible(self._direction, shown, rule, engine.funds().equity)
        if found is None:
            return
        turned = self._filled_direction != self._direction
        moved = turned or sheets.drifted(found, form.target.value, form.stop.value)
        levels = (form.target, form.stop)
        untouched = [field for field in form.suggestible if not field.touched]
        todo = [f for f in untouched if f.value is None or (moved and f in levels)]
        self._filled_direction = self._direction
        if self._in_quote:
            found = sheets.switched(found, self._price(), rule)
        values = (found.size, found.leverage, found.target_bp, found.stop_bp, found.hold_h)
        for field, value in zip(form.suggestible, values, strict=True):
            if field in todo:
                field.show_value(value)
        form.size_field.step = self._size_step(rule, form.size_field.value)

    def _fill_limit(self) -> None:
        """A limit order starts at the executable basis; from there on it stays where it is."""
        box = self.form.execution
        if box.style_choice.code != "limit" or box.limit.touched or box.limit.value is not None:
            return
        if (basis := self._executable()) is not None:
            box.limit.show_value(basis)

    def _executable(self) -> Decimal | None:
        """The basis that could be locked in now, at the ticket's size; None without quotes."""
        shown = self._context.engine.shown()
        if shown is None or shown.now.stale:
            return None
        basis = shown.now.open_bp if self._direction > 0 else shown.now.close_bp
        return Decimal(repr(round(basis, 1))) if math.isfinite(basis) else None

    def _size_step(self, rule: Instrument, size: Decimal | None) -> Decimal:
        if self._in_quote:
            return Decimal(100)
        return rule.lot if not size else max(rule.lot, Decimal(1).scaleb(size.adjusted() - 1))

    # --- the pair ---------------------------------------------------------------------------------

    def _long_key(self) -> str:
        return self._pair[0] if self._direction > 0 else self._pair[1]

    def _rule(self) -> Instrument | None:
        return self._context.engine.market.instruments.get(self._long_key())

    def _base(self) -> str:
        rule = self._rule()
        return rule.base if rule is not None else ""

    def _price(self) -> float:
        leg = self._context.engine.market.legs.get(self._long_key())
        return leg.mid if leg is not None else math.nan

    # --- slots ------------------------------------------------------------------------------------

    def _on_direction_chosen(self, direction: object) -> None:
        self.clicked.emit()
        if isinstance(direction, int):
            self.set_direction(direction)

    def _on_unit_pressed(self) -> None:
        other = sheets.switched(self.draft(), self._price(), self._rule())
        self._in_quote = other.in_quote
        self.form.size_field.show_value(other.size)
        if (rule := self._rule()) is not None:
            self.form.size_field.step = self._size_step(rule, other.size)
        self.recompute()

    def _on_max_pressed(self) -> None:
        if self._sheet is not None:
            self._take_size(self._sheet.max_qty)

    def _on_suggested_pressed(self) -> None:
        if self._sheet is not None:
            self._take_size(self._sheet.size_hint)

    def _take_size(self, qty: Decimal) -> None:
        """Put a size in base coin into the field, in the unit the field has."""
        if qty <= 0:
            return
        wanted = replace(self.draft(), size=qty, in_quote=False)
        if self._in_quote:
            wanted = sheets.switched(wanted, self._price(), self._rule())
        if wanted.size is not None:
            self.form.size_field.put(wanted.size)

    def _on_picture_pressed(self) -> None:
        self._picture.open(self._sheet, self._way())

    def _on_leverage_taken(self, leverage: object) -> None:
        if isinstance(leverage, Decimal):
            self.form.leverage.put(leverage)

    def _way(self) -> str:
        return direction_texts(self._direction, self._pair)[0].lower()

    def _on_now_pressed(self) -> None:
        if (basis := self._executable()) is not None:
            self.form.execution.take_limit(basis)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click where no field is: on a label, on the sheet."""
        super().mousePressEvent(event)
        self.clicked.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A click into a field."""
        if event.type() == QEvent.Type.MouseButtonPress:
            self.clicked.emit()
        return super().eventFilter(watched, event)
