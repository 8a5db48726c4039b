"""Instruments to pairs that can be put on the screen: what the pair picker lists. Pure, no Qt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from basisdesk.ui.leg_words import leg_name, venue_name
from basisdesk.venues.instrument import Instrument

ROWS_MAX = 300
TRADED_QUOTES = ("USDT", "USDC", "USD")
_ORDER = ("bybit", "binance", "okx", "kraken")


@dataclass(frozen=True, slots=True)
class PairChoice:
    """One pair. first: the spot leg, or the long one of two perps. words: what is searched."""

    first: str
    second: str
    coin: str
    first_name: str
    second_name: str
    kind: str
    currencies: str
    words: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Both leg keys."""
        return self.first, self.second


def coins_of(instruments: Mapping[str, Instrument]) -> dict[str, list[Instrument]]:
    """Legs that can be traded, by coin; legs of a coin in the order of venues, spot first."""
    by_coin: dict[str, list[Instrument]] = {}
    for rule in instruments.values():
        if rule.quote in TRADED_QUOTES:
            by_coin.setdefault(rule.base, []).append(rule)
    for legs in by_coin.values():
        legs.sort(key=_place)
    return by_coin


def pair_choices(
    by_coin: Mapping[str, Sequence[Instrument]], text: str, limit: int = ROWS_MAX
) -> list[PairChoice]:
    """Pairs whose names hold every word of `text`; the best match first, at most `limit`.

    A word that is a coin's whole name counts before one it begins with, pairs of one venue before
    pairs across two, spot and perp before two perps, and venues count in the order they are typed.
    """
    words = text.lower().replace("/", " ").split()
    found: list[tuple[tuple[int, bool, bool, str, int], PairChoice]] = []
    for coin, legs in by_coin.items():
        if not _may_hold(coin, legs, words):
            continue
        found += [
            (_rank(choice, coin, words), choice)
            for choice in _pairs(coin, legs)
            if all(word in choice.words for word in words)
        ]
    found.sort(key=lambda each: each[0])
    return [choice for _, choice in found[:limit]]


def _pairs(coin: str, legs: Sequence[Instrument]) -> Iterable[PairChoice]:
    perps = [leg for leg in legs if leg.market == "perp"]
    for first in legs:
        for second in perps:
            if first.key != second.key and (first.market == "spot" or first.venue != second.venue):
                yield _choice(coin, first, second)


def _choice(coin: str, first: Instrument, second: Instrument) -> PairChoice:
    two = first.market == "perp"
    kind = "perp-perp" if two else "spot-perp"
    same = first.quote == second.quote
    currencies = first.quote if same else f"{first.quote} / {second.quote}"
    names = leg_name(first.key), leg_name(second.key)
    words = f"{coin} {names[0]} {names[1]} {kind} {currencies}".lower()
    return PairChoice(first.key, second.key, coin, *names, kind, currencies, words)


def _may_hold(coin: str, legs: Sequence[Instrument], words: Sequence[str]) -> bool:
    # Most coins are left out by one look, before their pairs are spelled out.
    names = " ".join(f"{venue_name(rule.venue)} {rule.symbol} {rule.quote}" for rule in legs)
    hay = f"{coin} {names} spot-perp perp-perp".lower()
    return all(word in hay for word in words)


def _rank(choice: PairChoice, coin: str, words: Sequence[str]) -> tuple[int, bool, bool, str, int]:
    name = coin.lower()
    exact = 0 if name in words else 1 if any(name.startswith(word) for word in words) else 2
    venues = choice.first.partition(":")[0], choice.second.partition(":")[0]
    typed = [words.index(venue) if venue in words else len(words) for venue in venues]
    across = venues[0] != venues[1]
    # "kraken binance": the venue typed first is meant for the first leg
    return exact, choice.kind == "perp-perp", across, name, typed[0] - typed[1]


def _place(rule: Instrument) -> tuple[bool, int, str]:
    venue = _ORDER.index(rule.venue) if rule.venue in _ORDER else len(_ORDER)
    return rule.market == "perp", venue, rule.symbol
