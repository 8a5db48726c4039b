"""What a person may set of a running engine: which legs are a pair, what is said of a coin."""

from collections.abc import Collection, Container

from basisdesk.venues.instrument import split_key, split_symbol

SECTORS_MAX = 2_000  # coins that the sector overlay may speak of
QTY_MAX = 1e15
SECTOR_WORDS = ("for", "against", "")


def shown_qty(text: str) -> float:
    """The size that executable bases are shown at, base coin; 0 for none that can be."""
    try:
        qty = float(text)
    except ValueError:
        return 0.0
    return qty if 0.0 < qty < QTY_MAX else 0.0


def is_sector_word(coin: str, word: str, sectors: Collection[str]) -> bool:
    """Whether the sector overlay may say this of a coin; "" takes back what was said.

    sectors: the coins spoken of so far. It is not journaled: a source says it after a restart.
    """
    if not (coin.isascii() and coin.isalnum() and coin == coin.upper() and len(coin) <= 30):
        return False
    return word in SECTOR_WORDS and (coin in sectors or len(sectors) < SECTORS_MAX)


def no_pair(first: str, second: str, venues: Container[str]) -> str:
    """Why two legs are no pair of a basis trade, or "".

    A pair is a spot leg and a perpetual, or two perpetuals, of one coin, on venues we speak.
    """
    try:
        legs = split_key(first), split_key(second)
        coins = {split_symbol(first)[0], split_symbol(second)[0]}
    except ValueError:
        return f"Cannot set 'pair' to {first[:40]!r} {second[:40]!r}: name two legs."
    unknown = [venue for venue, _, _ in legs if venue not in venues]
    if unknown:
        return f"Cannot set 'pair': {unknown[0][:40]!r} is no venue of this desk."
    if legs[1][1] != "perp" or first == second:
        return "Cannot set 'pair': the second leg is a perpetual, other than the first."
    if len(coins) > 1:
        return f"Cannot set 'pair': {' and '.join(sorted(coins))[:40]} are different coins."
    return ""
