"""Instruments to pairs that can be put on the screen: what the pair picker lists. Pure, no Qt.

Thousands of instruments make tens of thousands of pairs, and every key typed asks again. So the
words of each leg are worked out once, coins are ranked before their pairs are spelled out, and the
spelling stops when the list is full.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from basisdesk.ui.leg_words import leg_name
from basisdesk.venues.instrument import Instrument

ROWS_MAX = 300
TRADED_QUOTES = ("USDT", "USDC", "USD")
_ORDER = ("bybit", "binance", "okx", "kraken")


@dataclass(frozen=True, slots=True)
class PairChoice:
    """One pair. first: the spot leg, or the long one of two perps."""

    first: str
    second: str
    coin: str
    first_name: str
    second_name: str
    kind: str
    currencies: str

    @property
    def key(self) -> tuple[str, str]:
        """Both leg keys."""
        return self.first, self.second


@dataclass(frozen=True, slots=True)
class _Leg:
    key: str
    venue: str
    perp: bool
    quote: str
    name: str
    words: str


class PairIndex:
    """The pairs of these instruments, to be searched at every key.

    Only legs priced in USDT, USDC or USD; a pair is a spot leg or a perpetual of another venue
    against a perpetual of the same coin.
    """

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        by_coin: dict[str, list[Instrument]] = {}
        for rule in instruments.values():
            if rule.quote in TRADED_QUOTES:
                by_coin.setdefault(rule.base, []).append(rule)
        self._coins = {
            coin: [_leg(rule) for rule in sorted(rules, key=_place)]
            for coin, rules in sorted(by_coin.items())
        }
        self._words = {
            coin: f"{coin.lower()} spot-perp perp-perp {' '.join(leg.words for leg in legs)}"
            for coin, legs in self._coins.items()
        }

    @property
    def empty(self) -> bool:
        """No instrument is known yet."""
        return not self._coins

    def search(self, text: str, limit: int = ROWS_MAX) -> list[PairChoice]:
        """Pairs whose names hold every word of `text`; the best match first, at most `limit`.

        A coin that is a whole word counts before one that begins with a word; of one coin, spot
        and perp before two perps, pairs of one venue before pairs across two, and venues in the
        order they are typed.
        """
        words = text.lower().replace("/", " ").split()
        fit = [coin for coin, hay in self._words.items() if all(word in hay for word in words)]
        fit.sort(key=lambda coin: (_nearness(coin.lower(), words), coin))
        found: list[PairChoice] = []
        for coin in fit:
            found += self._of(coin, words)
            if len(found) >= limit:
                break
        return found[:limit]

    def _of(self, coin: str, words: Sequence[str]) -> Iterator[PairChoice]:
        pairs = sorted(_pairs(self._coins[coin]), key=lambda pair: _rank(pair, words))
        name = coin.lower()
        for first, second in pairs:
            kind = "perp-perp" if first.perp else "spot-perp"
            hay = f"{name} {first.words} {second.words} {kind}"
            if all(word in hay for word in words):
                same = first.quote == second.quote
                money = first.quote if same else f"{first.quote} / {second.quote}"
                yield PairChoice(first.key, second.key, coin, first.name, second.name, kind, money)


def _leg(rule: Instrument) -> _Leg:
    name = leg_name(rule.key)
    words = f"{name} {rule.quote}".lower().replace("/", " ")
    return _Leg(rule.key, rule.venue, rule.market == "perp", rule.quote, name, words)


def _pairs(legs: Sequence[_Leg]) -> Iterable[tuple[_Leg, _Leg]]:
    perps = [leg for leg in legs if leg.perp]
    for first in legs:
        for second in perps:
            if not first.perp or first.venue != second.venue:
                yield first, second


def _nearness(name: str, words: Sequence[str]) -> int:
    if name in words:
        return 0
    return 1 if any(name.startswith(word) for word in words) else 2


def _rank(pair: tuple[_Leg, _Leg], words: Sequence[str]) -> tuple[bool, bool, int]:
    first, second = pair
    # "kraken binance": the venue typed first is meant for the first leg
    typed = [words.index(leg.venue) if leg.venue in words else len(words) for leg in pair]
    return first.perp, first.venue != second.venue, typed[0] - typed[1]


def _place(rule: Instrument) -> tuple[bool, int, str]:
    venue = _ORDER.index(rule.venue) if rule.venue in _ORDER else len(_ORDER)
    return rule.market == "perp", venue, rule.symbol
