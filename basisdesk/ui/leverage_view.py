"""Keeps the leverage picture of the ticket's order: works it out, opens it, follows the market."""

import decimal
import math

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from basisdesk.clock import mono_s
from basisdesk.config import exact
from basisdesk.events import OpenPair
from basisdesk.trading.costs import CostSheet
from basisdesk.trading.hold_time import Hold, Holds
from basisdesk.trading.leverage import picture
from basisdesk.trading.risk import No
from basisdesk.ui.context import Context
from basisdesk.ui.leg_words import coin_of, quote_of
from basisdesk.ui.leverage_dialog import LeverageDialog
from basisdesk.ui.leverage_rows import Picture, leverage_columns, picture_of
from basisdesk.ui.table import Column
from basisdesk.ui.theme import Theme
from basisdesk.venues.instrument import split_key

REFRESH_S = 1.0  # nine prices of an entry are made for it
DIGITS = 64  # of the desk's own arithmetic
NOTHING_YET = "No order in the ticket yet: fill in its size and its exit plan."


class LeverageView(QObject):
    """One dialog at most. taken: a Decimal, the leverage that somebody took from it."""

    taken = Signal(object)

    def __init__(self, context: Context, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._theme = theme
        self._over = parent
        self._holds = Holds()
        self._shown_s = -math.inf
        self.dialog: LeverageDialog | None = None

    def open(self, sheet: CostSheet | None, direction: str) -> None:
        """Show the picture of this order, or bring it to the front."""
        if self.dialog is None:
            self.dialog = LeverageDialog(self._columns(sheet), self._theme, self._over)
            self.dialog.taken.connect(self.taken)
            self.dialog.finished.connect(self._on_finished)
        self._shown_s = -math.inf
        self.refresh(sheet, direction)
        self.dialog.show()
        self.dialog.raise_()

    def refresh(self, sheet: CostSheet | None, direction: str) -> None:
        """Follow the order and the market while the dialog is open, once a second at most."""
        if self.dialog is None or mono_s() - self._shown_s < REFRESH_S:
            return
        self._shown_s = mono_s()
        self.dialog.show_picture(self._picture(sheet, direction))

    def close(self) -> None:
        """Another pair is on the screen: its picture is another one."""
        if self.dialog is not None:
            self.dialog.reject()

    def _columns(self, sheet: CostSheet | None) -> tuple[Column, ...]:
        settings = self._context.settings
        currency = settings.account.currency
        legs = () if sheet is None else (sheet.request.long, sheet.request.short)
        coin = coin_of(legs[0]) if legs else "base"
        quote = next((quote_of(key) for key in legs if split_key(key)[1] == "perp"), currency)
        return leverage_columns(currency, coin, quote, exact(settings.risk.account_risk))

    def _picture(self, sheet: CostSheet | None, direction: str) -> Picture:
        if sheet is None:
            return Picture(empty=NOTHING_YET)
        request, engine = sheet.request, self._context.engine
        with decimal.localcontext(prec=DIGITS):
            found = picture(
                request,
                engine.market,
                self._context.settings,
                engine.funds(),
                engine.now_ns,
                self._hold(request, sheet),
            )
        if isinstance(found, No):
            return Picture(empty=found.text)
        rules = engine.market.instruments
        perp = rules.get(found.rows[0].liq_leg) if found.rows else None
        return picture_of(found, request, perp, direction)

    def _hold(self, request: OpenPair, sheet: CostSheet) -> Hold | None:
        target = request.exit.target_bp
        if target is None or not math.isfinite(sheet.exit_bp_now):
            return None
        legs = request.long, request.short
        engine = self._context.engine
        return self._holds.until(
            legs if sheet.direction > 0 else legs[::-1],
            sheet.direction,
            (sheet.exit_bp_now, float(target)),
            engine.market,
            engine.now_ns,
        )

    # --- slots ------------------------------------------------------------------------------------

    def _on_finished(self) -> None:
        self.dialog = None
