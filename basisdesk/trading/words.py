"""Figures as the user reads them in a refusal or a verdict."""

from decimal import Decimal

MINUS = "\N{MINUS SIGN}"


def bp(value: float, signed: bool = False) -> str:
    """Basis points with one decimal: "12.3 bp"."""
    return _minus(f"{value:+.1f} bp" if signed else f"{value:.1f} bp")


def money(amount: Decimal, currency: str, signed: bool = False) -> str:
    """Two decimals and the currency: "1,234.50 USDT"; more decimals below one cent."""
    digits = 2 if abs(amount) >= Decimal("0.01") or not amount else 6
    return _minus(
        f"{amount:+,.{digits}f} {currency}" if signed else f"{amount:,.{digits}f} {currency}"
    )


def plain(value: Decimal) -> str:
    """A quantity without exponent and trailing zeros: "10,000", "0.001"."""
    if not value.is_finite() or abs(value.adjusted()) > 40:
        return _minus(str(value))
    text = f"{value:,f}"
    return _minus(text.rstrip("0").rstrip(".") if "." in text else text)


def figure(value: Decimal) -> str:
    """The same for a machine: no separators, an ASCII minus; "NaN" stays so."""
    if not value.is_finite() or abs(value.adjusted()) > 40:
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def name(key: str) -> str:
    """A leg as the user knows it: "Bybit spot ADAUSDT" for "bybit:spot:ADAUSDT"."""
    venue, _, rest = key.partition(":")
    market, _, symbol = rest.partition(":")
    return f"{venue.capitalize()} {market} {symbol}".strip()


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
