"""What a person may set of a running engine: which legs are a pair, what is said of a coin."""

from collections.abc import Collection, Container, Sequence

from basisdesk.venues.instrument import split_key, split_symbol

PAIRS_KEPT = 6  # looked at and not held; each remembers a day of basis
WATCHED_MAX = 24  # pairs watched without being shown
SECTORS_MAX = 2_000  # coins that the sector overlay may speak of
QTY_MAX = 1e15
SECTOR_WORDS = ("for", "against", "")

Pair = tuple[str, str]


class Looks:
    """Which pairs have a history: those shown lately, those watched unseen, and what is held."""

    def __init__(self) -> None:
        self._shown: list[Pair] = []  # newest last
        self._watched: tuple[Pair, ...] = ()
        self._kept: list[Pair] = []

    def show(self, pair: Pair) -> None:
        """It is on the screen now."""
        self._shown = [each for each in self._shown if each != pair] + [pair]
        self._kept = [each for each in self._kept if each != pair] + [pair]

    def watch(self, pairs: Sequence[Pair]) -> None:
        """These are watched though they are not on the screen, and no others."""
        self._watched = tuple(pairs)
        self._kept += [each for each in self._watched if each not in self._kept]

    def spare(self, held: Sequence[set[str]]) -> list[Pair]:
        """The pairs whose history may go. held: legs of what is held; those stay."""
        near = set(self._watched)
        idle = [each for each in self._shown if each not in near and set(each) not in held]
        near |= set(idle[-PAIRS_KEPT:])
        gone = [each for each in self._kept if each not in near and set(each) not in held]
        self._shown = [each for each in self._shown if each not in gone]
        self._kept = [each for each in self._kept if each not in gone]
        return gone


def pairs_of(key: str, value: str, venues: Container[str]) -> tuple[tuple[Pair, ...], str]:
    """The pairs that "pair" or "watch" names, and why one of them is none, or "".

    value: the legs of one pair, "A B"; of "watch" any number of them, "A B, C D".
    """
    found: list[Pair] = []
    faults = []
    several = [part.strip() for part in value.split(",")] if value else []
    for each in [value] if key == "pair" else several:
        first, _, second = each.partition(" ")
        fault = no_pair(first, second, venues)
        if fault or len(found) == WATCHED_MAX:
            faults.append(fault or f"Cannot watch more than {WATCHED_MAX} pairs unseen.")
        else:
            found.append((first, second))
    return tuple(found), faults[0] if faults else ""


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
