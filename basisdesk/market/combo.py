"""A venue's own order book of both legs at once, beside what we make of the two books ourselves."""

import math

import msgspec

from basisdesk.market.stats import Tally

COMBO_AGE_MS_MAX = 20_000.0  # an older quote is neither drawn nor compared


class ComboNow(msgspec.Struct, frozen=True, gc=False):
    """The combination's best bid and ask as basis over the spot mid, bp; NaN where unknown.

    Its bid is what selling it brings: long spot, short perp, our open line. Its ask is our close
    line. age_ms: since the quote came; infinite before any.
    """

    bid_bp: float = math.nan
    ask_bp: float = math.nan
    age_ms: float = math.inf


NO_COMBO = ComboNow()


class ComboGap:
    """How our synthetic lines compare with the combination's quotes, since the start, bp.

    open: synthetic open minus combo bid. close: synthetic close minus combo ask.
    """

    __slots__ = ("close", "open")

    def __init__(self) -> None:
        self.open = Tally()
        self.close = Tally()

    def take(self, open_bp: float, close_bp: float, combo: ComboNow) -> None:
        """Compare one reading."""
        self.open.take(open_bp - combo.bid_bp)
        self.close.take(close_bp - combo.ask_bp)


def combo_now(bid: float, ask: float, age_ms: float, spot_mid: float) -> ComboNow:
    """Prices of the combination (perp minus spot, quote per base coin) as basis, bp."""
    if not age_ms <= COMBO_AGE_MS_MAX or not spot_mid > 0.0:
        return ComboNow(age_ms=age_ms)
    return ComboNow(1e4 * bid / spot_mid, 1e4 * ask / spot_mid, age_ms)
