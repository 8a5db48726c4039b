"""Close a pair by choice: which legs, how much, and how. Says beforehand what it leaves."""

import math
from decimal import Decimal
from functools import partial
from typing import cast

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from basisdesk.engine import Engine
from basisdesk.events import ClosePair, ExitPlan, FlipPair
from basisdesk.trading.positions import PairPosition
from basisdesk.ui import close_rows, ticket_rules
from basisdesk.ui.close_rows import HUNDRED, LEGS, SHARES, Terms, Which
from basisdesk.ui.context import Context
from basisdesk.ui.figures import sign_text
from basisdesk.ui.position_figures import base_of
from basisdesk.ui.terms_dialog import Choice, TermsDialog
from basisdesk.ui.theme import Theme, set_tip
from basisdesk.ui.ticket_fields import AmountField
from basisdesk.ui.ticket_plan import PlanFields
from basisdesk.ui.ticket_rules import STYLES, HowDraft
from basisdesk.ui.ticket_sheet import within

SHARE = partial(within, low=Decimal(0), high=HUNDRED, unit="%", above=True)


class CloseDialog(TermsDialog):
    """Legs, share, style and slices of one close. Sends a ClosePair through `asked`."""

    def __init__(
        self, pair: int, name: str, context: Context, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(f"Close {name}", theme, parent)
        self._pair = pair
        self._context = context
        legs = [(code, *said) for code, said in LEGS.items()]
        styles = [(code, *said) for code, said in STYLES.items()]
        self.which = Choice("Legs", legs, theme, "both")
        self.share = AmountField("Share", "%", "Of what is held: 100 closes all.", SHARE, theme)
        self.share.show_value(HUNDRED)
        self.style_choice = Choice("Style", styles, theme, "market")
        self.rests = Choice(
            "Resting leg",
            [("long", "Long leg", "The long leg rests."), ("short", "Short leg", "The short one.")],
            theme,
            "long",
        )
        tips = {
            "limit_bp": "Leave once the close basis is this good, bp.",
            "pay_up": "Ticks beyond the best price that a hedge may cost: 5.",
            "slices": "Equal parts, one after the other: 1 is all at once.",
            "gap_s": "Seconds between two slices: 30.",
            "good_for_s": "Then what is left is withdrawn, and stays open: 600 s.",
        }
        self.fields: dict[str, AmountField] = {}
        for key, title, unit, check, value in (
            ("limit_bp", "Limit basis", "bp", ticket_rules.LEVEL, None),
            ("pay_up", "Pay up", "ticks", ticket_rules.TICKS, Decimal(5)),
            ("slices", "Slices", "", ticket_rules.SLICES, Decimal(1)),
            ("gap_s", "Apart", "s", ticket_rules.GAP, Decimal(30)),
            ("good_for_s", "Good for", "s", ticket_rules.GOOD, Decimal(600)),
        ):
            field = AmountField(title, unit, tips[key], check, theme)
            field.show_value(value)
            field.typed.connect(self._on_typed)
            self.fields[key] = field
        self.share.typed.connect(self._on_typed)
        for choice in (self.which, self.style_choice, self.rests):
            choice.chosen.connect(self._on_typed)
        parts: tuple[QWidget, ...] = (
            self.which, self.share, self._quick(theme), self.style_choice, self.rests,
            *self.fields.values(),
        )  # fmt: skip
        for part in parts:
            self.add_part(part)
        self.refresh()

    def _quick(self, theme: Theme) -> QWidget:
        """Links that fill the share in: 25, 50, 75, 100 %."""
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(4))
        row.addStretch(1)
        for share in SHARES:
            button = QPushButton(f"{share} %", holder)
            button.setProperty("role", "link")
            button.setAutoDefault(False)
            set_tip(button, f"Closes {share} % of what is held.")
            button.clicked.connect(partial(self.share.put, Decimal(share)))
            row.addWidget(button)
        return holder

    # --- what it would do -------------------------------------------------------------------------

    @property
    def draft(self) -> HowDraft:
        """What the execution fields hold."""
        fields = self.fields
        return HowDraft(
            style=cast("ticket_rules.Style", self.style_choice.value),
            passive_leg=cast("ticket_rules.LegName", self.rests.value),
            limit_bp=fields["limit_bp"].value,
            pay_up=fields["pay_up"].value,
            slices=fields["slices"].value,
            gap_s=fields["gap_s"].value,
            good_for_s=fields["good_for_s"].value,
        )

    @property
    def part(self) -> Decimal | None:
        """The share as a fraction, None while it cannot be read."""
        return None if self.share.value is None else self.share.value / HUNDRED

    def terms(self) -> Terms:
        """What this close would do now, or why it cannot be sent."""
        draft = self.draft
        needs = draft.needs
        for key, field in self.fields.items():
            field.setVisible(key in needs)
        self.rests.setVisible(draft.style == "passive")
        engine = self._context.engine
        position = engine.desk.pairs.get(self._pair)
        if position is None or position.state == "closed":
            return Terms(problem="This pair is closed already.", button="Close")
        which = cast("Which", self.which.value)
        terms = close_rows.close_terms(
            position, which, self.part, draft.execution(), engine, self._context.settings
        )
        if which != "both" and draft.style == "passive":
            problem = "A single leg has no other to hedge on. Choose Market or Limit."
            return Terms(terms.lines, terms.warning, problem, terms.button)
        said = draft.problem()
        if draft.style == "limit" and draft.limit_bp is None:
            said = "Enter the close basis to leave at, bp. " + _basis_hint(position, engine)
        return Terms(terms.lines, terms.warning, said, terms.button) if said else terms

    def command(self) -> ClosePair | None:
        """The close as chosen; None while something is missing."""
        how, share = self.draft.execution(), self.part
        position = self._context.engine.desk.pairs.get(self._pair)
        if how is None or share is None or position is None:
            return None
        return close_rows.close_command(position, cast("Which", self.which.value), share, how)


class FlipDialog(TermsDialog):
    """Close and open the reverse: the new pair's exit plan, and what both cost beforehand."""

    def __init__(
        self, pair: int, name: str, context: Context, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(f"Flip {name}", theme, parent)
        self._pair = pair
        self._context = context
        self.rules = PlanFields(context.settings.account.currency, theme)
        self.rules.show_plan(self._first_plan())
        position = context.engine.desk.pairs.get(pair)
        if position is not None:
            coin = base_of(position.long.instrument, context.engine)
            self.rules.say_sector(context, coin, -position.direction)
        self.rules.typed.connect(self._on_typed)
        self.add_part(theme.label("Exit plan of the reverse pair", "muted"))
        self.add_part(self.rules)
        self.refresh()

    def _first_plan(self) -> ExitPlan:
        """The old plan mirrored around what the reverse pair would enter at now."""
        engine = self._context.engine
        position = engine.desk.pairs.get(self._pair)
        if position is None:
            return ExitPlan()
        sheet = engine.sheet(close_rows.flip_request(position, position.plan))
        return close_rows.flip_plan(position, sheet.entry_bp)

    def terms(self) -> Terms:
        """The cost of both halves, the desk's own verdict, or why it cannot be sent."""
        engine = self._context.engine
        position = engine.desk.pairs.get(self._pair)
        if position is None or position.state != "open":
            return Terms(problem="Only an open, hedged pair can be flipped.", button="Flip")
        sheet = engine.sheet(close_rows.flip_request(position, self.rules.plan()))
        problem = self.rules.problem()
        return close_rows.flip_terms(position, sheet, problem, engine, self._context.settings)

    def command(self) -> FlipPair:
        """The flip with its plan."""
        return FlipPair(self._pair, self.rules.plan())


def _basis_hint(position: PairPosition, engine: Engine) -> str:
    """Where leaving stands now, so that a limit can be chosen against it."""
    now = engine.desk.close_bp(position.pair, engine.market)
    return "" if math.isnan(now) else f"Leaving stands at {sign_text(now, 1)} bp now."
