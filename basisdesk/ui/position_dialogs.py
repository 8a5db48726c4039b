"""Which dialog belongs to which action of a pair, and what it would send."""

from decimal import Decimal
from functools import partial

from PySide6.QtWidgets import QWidget

from basisdesk.events import AddMargin, Command, Rebalance, WithdrawMargin
from basisdesk.ui.close_dialog import CloseDialog, FlipDialog
from basisdesk.ui.close_rows import Terms, rebalance_terms
from basisdesk.ui.context import Context
from basisdesk.ui.margin_rows import margin_terms
from basisdesk.ui.terms_dialog import PlainTermsDialog, TermsDialog
from basisdesk.ui.theme import Theme
from basisdesk.ui.ticket_sheet import within

HALF = Decimal("0.5")
AMOUNT = partial(within, low=Decimal(0), above=True)
GONE = Terms(problem="This pair is closed already.", button="Close")


def dialog_for(
    what: str, pair: int, name: str, context: Context, theme: Theme, parent: QWidget
) -> TermsDialog | None:
    """The dialog of an action: "choose", "flip", "rebalance", "add_margin", "withdraw_margin"."""
    if what == "choose":
        return CloseDialog(pair, name, context, theme, parent)
    if what == "flip":
        return FlipDialog(pair, name, context, theme, parent)
    if what == "rebalance":
        return _rebalance(pair, name, context, theme, parent)
    if what in ("add_margin", "withdraw_margin"):
        return _margin(what == "add_margin", pair, name, context, theme, parent)
    return None


def _rebalance(
    pair: int, name: str, context: Context, theme: Theme, parent: QWidget
) -> PlainTermsDialog:
    def say(_: Decimal | None) -> Terms:
        position = context.engine.desk.pairs.get(pair)
        if position is None or position.state == "closed":
            return GONE
        return rebalance_terms(position, context.engine, context.settings)

    return PlainTermsDialog(f"Rebalance {name}", say, lambda _: Rebalance(pair), theme, parent)


def _margin(
    add: bool, pair: int, name: str, context: Context, theme: Theme, parent: QWidget
) -> PlainTermsDialog:
    def say(amount: Decimal | None) -> Terms:
        position = context.engine.desk.pairs.get(pair)
        if position is None or position.state == "closed":
            return GONE
        return margin_terms(position, amount, add, context.engine)

    def make(amount: Decimal | None) -> Command | None:
        if amount is None:
            return None
        return AddMargin(pair, amount) if add else WithdrawMargin(pair, amount)

    currency = context.settings.account.currency
    tip = "Moves between free cash and the isolated margin of this pair's perpetual: 200."
    field = ("Amount", currency, tip, AMOUNT)
    title = f"{'Add margin to' if add else 'Withdraw margin of'} {name}"
    return PlainTermsDialog(title, say, make, theme, parent, field)
