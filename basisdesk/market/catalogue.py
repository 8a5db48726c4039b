"""Thousands of instruments, found by typing, and the legs that make a pair with one."""

from collections.abc import Iterable

from basisdesk.market.words import venue_title
from basisdesk.venues.instrument import Instrument, split_symbol

_Words = tuple[str, ...]


class Catalogue:
    """An index over instruments, made once for each version of them. Cheap until it is asked."""

    def __init__(self) -> None:
        self._version = -1
        self._rows: list[tuple[_Words, Instrument]] = []
        self._by_base: dict[str, list[Instrument]] = {}

    def refresh(self, instruments: Iterable[Instrument], version: int) -> None:
        """Index these, unless this version is indexed."""
        if version == self._version:
            return
        self._version = version
        ordered = sorted(instruments, key=lambda each: (each.base, each.market == "perp", each.key))
        self._rows = [(_words_of(each), each) for each in ordered]
        self._by_base = {}
        for each in ordered:
            self._by_base.setdefault(each.base, []).append(each)

    def search(self, text: str, limit: int = 50) -> list[Instrument]:
        """Instruments that fit every word of a text, at most `limit`; those that begin so first.

        A word fits a coin, a symbol, a venue, "spot", "perp" or a currency. Nothing typed fits all.
        """
        asked = text.lower().split()
        found = [
            (max((_fit(word, words) for word in asked), default=0), at)
            for at, (words, _) in enumerate(self._rows)
        ]
        found = sorted((fit, at) for fit, at in found if fit < _NO_FIT)
        return [self._rows[at][1] for _, at in found[:limit]]

    def partners(self, key: str, limit: int = 200) -> list[Instrument]:
        """Legs that make a pair with this one: its coin, on any venue, one of the two a perpetual.

        Its own venue and currency first.
        """
        try:
            base, quote = split_symbol(key)
        except ValueError:
            return []
        venue, market, _ = key.split(":")
        fits = [
            each
            for each in self._by_base.get(base, ())
            if each.key != key and "perp" in (each.market, market)
        ]
        fits.sort(key=lambda each: (each.venue != venue, each.quote != quote))
        return fits[:limit]


_NO_FIT = 9


def _words_of(each: Instrument) -> _Words:
    words = (each.base, each.symbol, venue_title(each.venue), each.market, each.quote)
    return tuple(word.lower() for word in words)


def _fit(word: str, words: _Words) -> int:
    # 0: the coin itself, a venue or kind; 1: the coin begins so; 2: another word does; 3: inside
    base, symbol, *others = words
    if word == base or word in others:
        return 0
    if base.startswith(word):
        return 1
    if symbol.startswith(word) or any(other.startswith(word) for other in others):
        return 2
    return 3 if word in symbol else _NO_FIT
