"""How each venue makes its funding rate, and the spread to assume where only closes are known."""

from basisdesk.lab.forecast_real import LISTED
from basisdesk.lab.series import Terms
from basisdesk.venues.instrument import QUOTES, FundingRule

HALF_SPREAD_BP = 1.0  # per leg, of a coin that is not listed
CAP = 0.02  # most that a rate may be, of a coin that is not listed
BP = 1e-4

_EIGHT = FundingRule(1.0, 5.0, "8h")
_RULES = {
    "binance": _EIGHT,
    "okx": _EIGHT,
    "kraken": FundingRule(0.0, 0.0, "24h", "accrual", "index"),
}


def base_of(symbol: str) -> str:
    """The coin of a symbol: BTCUSDT, BTC-USDT-SWAP and BTC are all BTC."""
    plain = symbol.upper().replace("_", "-").removesuffix("-SWAP")
    if "-" in plain:
        return plain.partition("-")[0]
    for quote in QUOTES:
        if plain.endswith(quote) and plain != quote:
            return plain.removesuffix(quote)
    return plain


def terms_of(venue: str, base: str, interval_h: float = 8.0) -> Terms:
    """The venue's usual rule for a coin. interval_h: hours between two settlements."""
    rule = _RULES.get(venue, FundingRule())
    if venue == "binance" and base == "BNB":
        rule = FundingRule(0.0, 5.0, "8h")
    return terms_by(rule, interval_h, cap_of(base))


def terms_by(rule: FundingRule, interval_h: float, cap: float) -> Terms:
    """A venue's rule as the lab's terms: for the hours that the rule itself speaks of."""
    if rule.scale == "24h":
        return Terms(24.0, 0.0, 0.0, cap)
    hours = 8.0 if rule.scale == "8h" else interval_h
    return Terms(hours, rule.interest_8h_bp * BP * hours / 8.0, rule.clamp_bp * BP, cap)


def cap_of(base: str) -> float:
    """The most that a rate of this coin may be, fraction per interval (Binance's)."""
    listed = LISTED.get(base)
    return listed.cap if listed else CAP


def half_spreads_bp(base: str) -> tuple[float, float]:
    """Half the effective spread to assume of (spot, perpetual), bp."""
    listed = LISTED.get(base)
    if listed is None:
        return HALF_SPREAD_BP, HALF_SPREAD_BP
    return listed.spread_bp[0] / 2.0, listed.spread_bp[1] / 2.0
