"""Puts an opening of the scanner into the ticket: its pair, its direction, its size."""

import math
from decimal import Decimal

from PySide6.QtCore import QObject

from basisdesk.clock import mono_s
from basisdesk.ui.context import Context
from basisdesk.ui.glossary import term
from basisdesk.ui.scanner_rows import Choice
from basisdesk.ui.theme import set_tip
from basisdesk.ui.ticket_panel import TicketPanel

WAIT_S = 15.0  # a pair that takes longer to come is not filled in: a person has gone on


class TicketFill(QObject):
    """Waits until the ticket has taken the pair over; prices it needs none.

    The size goes in as the quote currency of the long leg, as a person's own figure: nothing that
    the market suggests replaces it.
    """

    def __init__(self, context: Context, ticket: TicketPanel, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._ticket = ticket
        self._waits: Choice | None = None
        self._asked_s = -math.inf
        ticket.adopted.connect(self._on_adopted)

    def take(self, choice: Choice) -> None:
        """Bring the pair of an opening onto the screen, then fill the ticket in."""
        self._waits, self._asked_s = choice, mono_s()
        self._context.actions.show_pair(*choice.pair)
        if self._context.engine.pair == choice.pair:
            self._ticket.recompute()  # takes a new pair over at once, if it has not yet
            self._fill()

    def _fill(self) -> None:
        choice, self._waits = self._waits, None
        if choice is None or mono_s() - self._asked_s > WAIT_S:
            return
        ticket, form = self._ticket, self._ticket.form
        ticket.set_direction(choice.direction)
        if not ticket.draft().in_quote:
            form.unit_pressed.emit()
        form.size_field.put(Decimal(repr(round(choice.size, 2))))
        set_tip(form.size_field.edit, f"{choice.note}\n{term('Size')}".strip())

    # --- slots ------------------------------------------------------------------------------------

    def _on_adopted(self, pair: object) -> None:
        """The ticket shows another pair: the one that was asked for, or somebody else's."""
        set_tip(self._ticket.form.size_field.edit, term("Size"))
        if self._waits is not None and pair == self._waits.pair:
            self._fill()
