"""How legs and directions are called on the screen. Pure, no Qt."""

from basisdesk.venues.instrument import split_key, split_symbol, venue_title


def leg_name(key: str) -> str:
    """A leg as a person says it: "Bybit perp ADAUSDT"."""
    venue, market, symbol = split_key(key)
    return f"{venue_title(venue)} {market} {symbol}"


def short_names(first: str, second: str) -> tuple[str, str]:
    """The two legs of a pair in as few words as tell them apart.

    ("spot", "perp") on one venue, ("Kraken spot", "Binance perp") on two.
    """
    (venue, market, _), (other_venue, other_market, _) = split_key(first), split_key(second)
    if venue == other_venue and market != other_market:
        return market, other_market
    return f"{venue_title(venue)} {market}", f"{venue_title(other_venue)} {other_market}"


def legs_text(long: str, short: str) -> str:
    """What is long and what is short: "Bybit spot / perp", "Kraken spot / Binance perp"."""
    long_venue, long_market, _ = split_key(long)
    short_venue, short_market, _ = split_key(short)
    venue = "" if short_venue == long_venue else f"{venue_title(short_venue)} "
    return f"{venue_title(long_venue)} {long_market} / {venue}{short_market}"


def coin_of(key: str) -> str:
    """The coin of a leg, "ADA"; its symbol where the name does not tell."""
    try:
        return split_symbol(key)[0]
    except ValueError:
        return split_key(key)[2]


def quote_of(key: str) -> str:
    """The currency a leg is priced in, "USDT"; "" where the name does not tell."""
    try:
        return split_symbol(key)[1]
    except ValueError:
        return ""


def two_perps(pair: tuple[str, str]) -> bool:
    """Whether both legs of (reference leg, other leg) are perpetuals."""
    return all(key and split_key(key)[1] == "perp" for key in pair)


def direction_texts(direction: int, pair: tuple[str, str] = ("", "")) -> tuple[str, str]:
    """(the choice, the button's promise) of a direction; pair: (reference leg, other leg).

    Between two perpetuals the choices name the venues: which one is long, which one short.
    """
    if two_perps(pair):
        long, short = (venue_title(split_key(key)[0]) for key in pair[::direction])
        return f"Long {long} \u00b7 short {short}", f"Open: buy {long} perp, sell {short} perp"
    if direction > 0:
        return "Long spot \u00b7 short perp", "Open: buy spot, short perp"
    return "Short spot \u00b7 long perp", "Open: sell spot, buy perp"


def direction_tip(direction: int, pair: tuple[str, str]) -> str:
    """What is bought and sold, which way it earns, and what it needs."""
    first, second = (leg_name(key) if key else "the leg" for key in pair)
    if two_perps(pair):
        long, short = (first, second) if direction > 0 else (second, first)
        return (
            f"Buys {long}, sells {short}. Earns when the gap closes, and the funding of the short "
            "leg less that of the long one, each at its own venue's times."
        )
    if direction > 0:
        return (
            f"Buys {first}, sells {second}. Earns when the basis falls and, at positive funding, "
            "at each settlement."
        )
    return (
        f"Sells borrowed {first}, buys {second}. Earns when the basis rises and, at negative "
        "funding, at each settlement; pays borrow interest."
    )
