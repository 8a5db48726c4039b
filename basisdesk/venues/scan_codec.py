"""What the four scan codecs read with: rows that may be bad, the touch of a page, depth, the past.

"VENUE.scan" carries HTTP answers in the frame of "VENUE.rest" and gives ScanPage, ScanBook and
ScanPast only. A page tells of thousands of instruments, so it is read at once where all of it is
well and row by row where it is not: an odd figure is "not said", an odd row is left out, a page
with no readable row is a BadFrame. Rows quoted in another currency than a dollar one are nobody's:
the scanner compares USDT, USDC and USD.
"""

from collections.abc import Callable, Iterable, Sequence, Sized
from math import nan
from types import GenericAlias
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from basisdesk.errors import BadFrame
from basisdesk.events import ScanBook, ScanPage, ScanPast, ScanRow
from basisdesk.venues.instrument import STABLES, split_symbol
from basisdesk.venues.reading import (
    HOUR_MS,
    MINUTE_MS,
    PRICE_MIN,
    SIZE_MIN,
    MillisGiven,
    Price,
    Size,
    check_sides,
)
from basisdesk.venues.rest_reading import CANDLES_MAX, ROWS_MAX, oldest_first

DAYS_MAX = 400  # of settled funding asked for
SETTLED_MAX = 24 * DAYS_MAX  # settlements kept of one answer
LEVELS_MAX = 100  # a side kept of one book
RATE_MAX = 0.16  # of an interval; more is no rate (the exchange itself caps far below)
NAMES_KEPT = 16_384  # symbols remembered a market; the longest list has below 4,000

PageRate = Annotated[float, Meta(ge=-RATE_MAX, le=RATE_MAX)]
PageCap = Annotated[float, Meta(ge=0.0, lt=1.0)]
Turnover = Annotated[float, Meta(ge=0.0, lt=1e18)]

_T = TypeVar("_T")
_Many = TypeVar("_Many", bound=Sized)
_decode_texts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_named = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

# (best bid, its size, best ask, its size), NaN where there is none
Touch = tuple[float, float, float, float]
NO_TOUCH: Touch = (nan, nan, nan, nan)


class Rows(Generic[_T]):
    """Reads rows of one shape, a Struct. Of an odd row the odd figures are as if left out.

    A row that lacks what has no default, its name above all, is left out. So is any odd row of an
    array: a figure may be missing there, but not the place of one. More rows than `most` are no
    answer to anything we ask.
    """

    def __init__(self, shape: type[_T], most: int = ROWS_MAX) -> None:
        self._shape = shape
        self._most = most
        self._list = msgspec.json.Decoder(GenericAlias(list, (shape,)), strict=False).decode
        self._dict = msgspec.json.Decoder(GenericAlias(dict, (str, shape)), strict=False).decode
        self._row: Callable[[msgspec.Raw], _T] = msgspec.json.Decoder(shape, strict=False).decode
        self._fields = {
            field.encode_name: (field.name, msgspec.json.Decoder(field.type, strict=False).decode)
            for field in msgspec.structs.fields(shape)  # type: ignore[arg-type]  # a Struct
            if not shape.__struct_config__.array_like  # type: ignore[attr-defined]
        }

    def list_of(self, text: msgspec.Raw | str) -> list[_T]:
        """The readable rows. BadFrame where there are rows and not one is."""
        try:
            rows: list[_T] = self._list(text)
        except msgspec.ValidationError:
            texts = self._few(_decode_texts(text))
            rows = [row for row in map(self._odd, texts) if row is not None]
            if texts and not rows:
                raise BadFrame("number") from None
        return self._few(rows)

    def named(self, text: msgspec.Raw) -> list[tuple[str, _T]]:
        """The readable rows of an object by their names. BadFrame as `list_of`."""
        try:
            rows: dict[str, _T] = self._dict(text)
        except msgspec.ValidationError:
            texts = self._few(_decode_named(text))
            found = ((name, self._odd(each)) for name, each in texts.items())
            rows = {name: row for name, row in found if row is not None}
            if texts and not rows:
                raise BadFrame("number") from None
        return list(self._few(rows).items())

    def _few(self, rows: _Many) -> _Many:
        if len(rows) > self._most:
            raise BadFrame("size")
        return rows

    def _odd(self, text: msgspec.Raw) -> _T | None:
        try:
            return self._row(text)
        except msgspec.ValidationError:
            return self._by_figure(text) if self._fields else None
        except (ValueError, RecursionError):
            return None

    def _by_figure(self, text: msgspec.Raw) -> _T | None:
        try:
            said = _decode_fields(text)
        except (ValueError, RecursionError):
            return None
        kept = {}
        for wire, (name, decode) in self._fields.items():
            try:
                kept[name] = decode(said[wire])
            except (KeyError, ValueError, RecursionError):
                continue  # not there, or no figure
        try:
            return self._shape(**kept)
        except TypeError:
            return None  # without its name


class Level(msgspec.Struct, array_like=True, gc=False):
    """A level of a depth book as three venues write it; what comes after is not read."""

    price: Price
    size: Size


class Candle(msgspec.Struct, array_like=True, gc=False):
    """A candle as three venues write it; what comes after the close is not read."""

    start: MillisGiven
    open: Price
    high: Price
    low: Price
    close: Price


_levels = Rows(Level)
candle_rows = Rows(Candle)


def dollar(key: str, unit: float) -> tuple[str, float] | None:
    """(key, coins in one unit of its size) of a leg quoted in dollars of some kind; else None."""
    try:
        return (key, unit) if split_symbol(key)[1] in STABLES else None
    except ValueError:
        return None


def touch(bid: float, bid_size: float, ask: float, ask_size: float) -> Touch:
    """The best bid and ask with their sizes, as the page has them; NaN for what is none.

    A price of 0, and one with nothing behind it, is none. Crossed or locked sides belong to no one
    moment (or to an auction), so neither is believed. A size that was not said stays NaN.
    """
    if not bid >= PRICE_MIN or bid_size < SIZE_MIN:
        bid = bid_size = nan
    if not ask >= PRICE_MIN or ask_size < SIZE_MIN:
        ask = ask_size = nan
    if bid >= ask:
        return NO_TOUCH
    return bid, bid_size, ask, ask_size


def page(venue: str, rows: Sequence[ScanRow], read: int, venue_ms: int = 0) -> tuple[ScanPage]:
    """A page of these rows of the `read` ones. BadFrame where there is none."""
    if not rows:
        raise BadFrame("symbol" if read else "number")
    return (ScanPage(venue, tuple(rows), venue_ms),)


def book(
    key: str,
    sides: tuple[msgspec.Raw, msgspec.Raw],
    venue_ms: int = 0,
    *,
    unit: float = 1.0,
    contract: float = 1.0,
) -> tuple[ScanBook]:
    """Depth of (bids, asks), for one coin and in coins.

    unit: coins that the venue trades as one (1000PEPE), in prices and sizes. contract: coins in
    one of its sizes alone. Raises BadFrame "crossed", and "number" where no level is left.
    """
    bids, asks = (_side(text, unit, unit * contract) for text in sides)
    check_sides(bids, asks, b"")
    if not (bids or asks):
        raise BadFrame("number")
    bids.reverse()
    return (ScanBook(key, tuple(bids[:LEVELS_MAX]), tuple(asks[:LEVELS_MAX]), venue_ms),)


def _side(text: msgspec.Raw, unit: float, coins: float) -> list[tuple[float, float]]:
    rows = ((row.price, row.size) for row in _levels.list_of(text) if row.size >= SIZE_MIN)
    if unit == coins == 1.0:
        return sorted(rows)
    return sorted((price / unit, size * coins) for price, size in rows)


def minutes(key: str, closes: Iterable[tuple[int, float]]) -> tuple[ScanPast]:
    """The newest closes by their minute; a candle that begins within a minute is none."""
    rows = ((start, close) for start, close in closes if start % MINUTE_MS == 0)
    return (ScanPast(key, minutes=tuple(oldest_first(rows)[-CANDLES_MAX:])),)


def settled(key: str, rates: Sequence[tuple[int, float]]) -> tuple[ScanPast]:
    """The newest settlements. A page of none is none: a window may lie before the listing.

    Raises BadFrame where there are some and each is beyond RATE_MAX.
    """
    rows = [(ms, rate) for ms, rate in rates if abs(rate) <= RATE_MAX]
    if rates and not rows:
        raise BadFrame("number")
    return (ScanPast(key, settled=tuple(oldest_first(rows)[-SETTLED_MAX:])),)


def windows(now_ms: int, days: int, rows: int) -> list[tuple[int, int]]:
    """(first, last) ms of pages of `rows` hourly stamps that reach `days` back, newest first.

    A venue may settle every hour and does not say so beforehand, so a page spans no more hours
    than it has rows. A stamp that comes late within its hour is in the hour's window.
    """
    last = now_ms - now_ms % HOUR_MS + HOUR_MS - 1
    hours = 24 * max(1, min(days, DAYS_MAX)) + 1
    return [
        (last + 1 - min(at + rows, hours) * HOUR_MS, last - at * HOUR_MS)
        for at in range(0, hours, rows)
    ]
