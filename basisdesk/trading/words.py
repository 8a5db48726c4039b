"""Figures as the user reads them in a refusal or a verdict."""

import decimal
from decimal import Decimal

from basisdesk.venues.instrument import venue_title

MINUS = "\N{MINUS SIGN}"
DIGITS_MAX = 40  # a figure with more of them, or so many zeros, is told in short

_SHORT = decimal.Context(prec=12, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])


def bp(value: float, signed: bool = False) -> str:
    """Basis points with one decimal: "12.3 bp"."""
    return _minus(f"{value:+.1f} bp" if signed else f"{value:.1f} bp")


def money(amount: Decimal, currency: str, signed: bool = False) -> str:
    """Two decimals and the currency: "1,234.50 USDT"; more decimals below one cent."""
    if not _readable(amount):
        return f"{plain(amount)} {currency}"
    digits = 2 if abs(amount) >= Decimal("0.01") or not amount else 6
    return _minus(
        f"{amount:+,.{digits}f} {currency}" if signed else f"{amount:,.{digits}f} {currency}"
    )


def plain(value: Decimal) -> str:
    """A quantity without exponent and trailing zeros: "10,000", "0.001"."""
    if not _readable(value):
        return _minus(_short(value))
    text = f"{value:,f}"
    return _minus(text.rstrip("0").rstrip(".") if "." in text else text)


def figure(value: Decimal) -> str:
    """The same for a machine: no separators, an ASCII minus; "NaN" stays so."""
    if not _readable(value):
        return _short(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def name(key: str) -> str:
    """A leg as the user knows it: "Bybit spot ADAUSDT" for "bybit:spot:ADAUSDT"."""
    venue, _, rest = key.partition(":")
    market, _, symbol = rest.partition(":")
    return f"{venue_title(venue)} {market} {symbol}".strip()


def _readable(value: Decimal) -> bool:
    if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX:
        return False
    return len(value.as_tuple().digits) <= 2 * DIGITS_MAX


def _short(value: Decimal) -> str:
    # twelve digits of what nobody can read; "NaN" and "Infinity" stay so
    return str(_SHORT.normalize(value) if value.is_finite() else value)


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
